//! The ladder: which desk stands on which rung for a ticket, and who there can take it.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Desk, Roster, Seat};
use crate::code::{DepartmentId, DeskId, DistrictId, OfficerId};
use crate::grievance::Against;

/// A step of the ladder, from the bottom up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rung {
    /// An officer of the department, in the district or at the department's desk.
    Officer,
    /// The district's nodal officer.
    DistrictNodal,
    /// The department's state nodal officer.
    Department,
    /// The control desk, or whoever stands in for it.
    Control,
}

impl Rung {
    const UPWARDS: [Self; 4] = [Self::Officer, Self::DistrictNodal, Self::Department, Self::Control];

    /// The rung above; the top has itself.
    #[must_use]
    pub const fn above(self) -> Self {
        match self {
            Self::Officer => Self::DistrictNodal,
            Self::DistrictNodal => Self::Department,
            Self::Department | Self::Control => Self::Control,
        }
    }
}

impl fmt::Display for Rung {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Officer => "officer",
            Self::DistrictNodal => "district's nodal officer",
            Self::Department => "department's nodal officer",
            Self::Control => "control desk",
        })
    }
}

/// The ladder that a ticket climbs: whose district it is in, whose department it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Track {
    /// The district whose desk has it; `None` for a matter of the state's level.
    pub district: Option<DistrictId>,
    /// The department; `None` for what no rule routes.
    pub department: Option<DepartmentId>,
}

impl Track {
    /// The track of a ticket that stands at `desk` and is a matter of `department` by its route.
    #[must_use]
    pub fn at(desk: &DeskId, department: Option<DepartmentId>) -> Self {
        match desk {
            DeskId::Control => Self { district: None, department: None },
            DeskId::Department(own) => Self { district: None, department: Some(own.clone()) },
            DeskId::District(district) => Self { district: Some(district.clone()), department },
        }
    }

    fn desk(&self, rung: Rung) -> Option<DeskId> {
        match rung {
            Rung::Officer => match &self.district {
                Some(district) => Some(DeskId::District(district.clone())),
                None => self.department.clone().map(DeskId::Department),
            },
            Rung::DistrictNodal => self.district.clone().map(DeskId::District),
            Rung::Department => self.department.clone().map(DeskId::Department),
            Rung::Control => Some(DeskId::Control),
        }
    }
}

impl Roster {
    /// The lowest rung from `from` upwards on which somebody may and can take a ticket, and the desk that stands there.
    pub(crate) fn lowest(
        &self,
        track: &Track,
        from: Rung,
        against: Option<&Against>,
        now: Timestamp,
    ) -> (DeskId, Rung) {
        for rung in Rung::UPWARDS.into_iter().filter(|rung| *rung >= from) {
            if let Some(desk) = track.desk(rung)
                && self.anyone(&desk, rung, track.department.as_ref(), against, now)
            {
                return (desk, rung);
            }
        }
        self.top(against)
    }

    /// The desk at the top of the ladder, on duty or not: a ticket is never without a holder.
    pub(crate) fn top(&self, against: Option<&Against>) -> (DeskId, Rung) {
        let control_barred = self.desk(&DeskId::Control).is_none_or(|desk| self.is_barred(desk.nodal, against));
        let desk = if control_barred { DeskId::Department(self.oversight.clone()) } else { DeskId::Control };
        (desk, Rung::Control)
    }

    fn anyone(
        &self,
        desk: &DeskId,
        rung: Rung,
        department: Option<&DepartmentId>,
        against: Option<&Against>,
        now: Timestamp,
    ) -> bool {
        let Some(desk) = self.desk(desk) else { return false };
        self.seats(desk, rung, department).iter().any(|&seat| self.on_duty(seat, against, now).is_some())
    }

    /// Whose turn it can be at `desk` on `rung`.
    fn seats<'a>(&'a self, desk: &'a Desk, rung: Rung, department: Option<&DepartmentId>) -> &'a [Seat] {
        let nodal = std::slice::from_ref(&desk.nodal);
        match (rung, &desk.id) {
            (Rung::Officer, DeskId::District(_)) => {
                department.and_then(|d| desk.by_department.get(d)).map_or(&[], Vec::as_slice)
            }
            // A department's nodal officer who is alone there stands on the department's rung only.
            (Rung::Officer, DeskId::Department(_)) => &desk.officers,
            (Rung::Control, _) if !desk.officers.is_empty() => &desk.officers,
            _ => nodal,
        }
    }

    /// The officer of a seat or, on leave, the deputy; `None` when neither is on duty or they may not hold the ticket.
    fn on_duty(&self, seat: Seat, against: Option<&Against>, now: Timestamp) -> Option<Seat> {
        let officer = self.at(seat);
        let there = if officer.on_leave(now) { officer.deputy? } else { seat };
        let able = !self.at(there).on_leave(now) && !self.is_barred(there, against) && !self.is_barred(seat, against);
        able.then_some(there)
    }

    /// The officer or, on leave, the deputy; `None` when neither is there or they may not hold the ticket.
    pub(crate) fn stand_in(&self, officer: &OfficerId, against: Option<&Against>, now: Timestamp) -> Option<Seat> {
        self.seat(officer).and_then(|seat| self.on_duty(seat, against, now))
    }

    /// Those at `desk` on `rung` who may and can take a ticket; when there are none, its nodal officer unless barred,
    /// and then anyone there who is not.
    pub(crate) fn candidates<'a>(
        &'a self,
        desk: &'a Desk,
        rung: Rung,
        department: Option<&'a DepartmentId>,
        against: Option<&'a Against>,
        now: Timestamp,
    ) -> impl Iterator<Item = Seat> + 'a {
        let on_duty = self.seats(desk, rung, department).iter().filter_map(move |&s| self.on_duty(s, against, now));
        let mut on_duty = on_duty.peekable();
        let fallback = on_duty.peek().is_none().then(|| {
            let everyone = std::iter::once(&desk.nodal).chain(&desk.officers);
            everyone.copied().find(|&seat| !self.is_barred(seat, against)).unwrap_or(desk.nodal)
        });
        on_duty.chain(fallback)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// On leave: in June's first week the executive engineer, in its second their deputy too, in its third the
    /// magistrate (who has a deputy) as well, in its fourth everyone below the control desk, and those there too.
    const ROSTER: &str = r#"
        time_zone = "UTC"
        control = { name = "Secretariat", nodal = "cms", oversight = "vigilance" }
        department = [
            { code = "phe", name = "Public Health Engineering", nodal = "phe-state" },
            { code = "vigilance", name = "Vigilance", nodal = "vigilance-state" },
        ]
        district = [
            { code = "hisar", name = "Hisar", nodal = "cm-hisar" },
            { code = "rohtak", name = "Rohtak", nodal = "cm-rohtak" },
        ]
        officer = [
            { id = "cms", name = "", desk = "control", leave = [{ from = 2022-06-22, to = 2022-06-28 }] },
            { id = "cms-triage", name = "", desk = "control", leave = [{ from = 2022-06-22, to = 2022-06-28 }] },
            { id = "phe-state", name = "", desk = "phe", deputy = "phe-se", leave = [{ from = 2022-06-22, to = 2022-06-28 }] },
            { id = "phe-se", name = "", desk = "phe", leave = [{ from = 2022-06-22, to = 2022-06-28 }] },
            { id = "vigilance-state", name = "", desk = "vigilance" },
            { id = "cm-hisar", name = "", desk = "hisar", deputy = "phe-sdo-hisar", leave = [{ from = 2022-06-15, to = 2022-06-28 }] },
            { id = "phe-hisar", name = "", desk = "hisar", department = "phe", deputy = "phe-sdo-hisar", leave = [{ from = 2022-06-01, to = 2022-06-28 }] },
            { id = "phe-sdo-hisar", name = "", desk = "hisar", department = "phe", leave = [{ from = 2022-06-08, to = 2022-06-14 }, { from = 2022-06-22, to = 2022-06-28 }] },
            { id = "vigilance-hisar", name = "", desk = "hisar", department = "vigilance" },
            { id = "cm-rohtak", name = "", desk = "rohtak" },
        ]
    "#;

    fn roster() -> Roster {
        Roster::read(ROSTER).unwrap()
    }

    /// A day after all leave.
    const LATE: i8 = 30;

    fn june(day: i8) -> Timestamp {
        format!("2022-06-{day:02}T12:00:00Z").parse().unwrap()
    }

    fn desk(id: &str) -> DeskId {
        id.parse().unwrap()
    }

    fn against(officer: &str) -> Option<Against> {
        Some(Against::Officer(OfficerId::new(officer).unwrap()))
    }

    /// A matter of Public Health Engineering in a district.
    fn in_district(district: &str) -> Track {
        Track { district: Some(district.parse().unwrap()), department: Some("phe".parse().unwrap()) }
    }

    /// A matter of Public Health Engineering at the state's level.
    fn at_state() -> Track {
        Track { district: None, department: Some("phe".parse().unwrap()) }
    }

    /// The lowest rung from `from` on, and who can take the ticket there.
    fn stands(track: &Track, from: Rung, against: Option<&Against>, day: i8) -> (String, Rung, Vec<String>) {
        let (roster, now) = (roster(), june(day));
        let (desk, rung) = roster.lowest(track, from, against, now);
        let seats = roster.candidates(roster.desk(&desk).unwrap(), rung, track.department.as_ref(), against, now);
        (desk.to_string(), rung, seats.map(|seat| roster.at(seat).id().to_string()).collect())
    }

    fn step(desk: &str, rung: Rung, officers: &[&str]) -> (String, Rung, Vec<String>) {
        (desk.to_owned(), rung, officers.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn the_ladder_goes_from_the_officer_to_the_control_desk() {
        let climb = |track: &Track| {
            let mut steps = vec![stands(track, Rung::Officer, None, LATE)];
            while let Some((_, rung, _)) = steps.last().filter(|(_, rung, _)| *rung != Rung::Control) {
                steps.push(stands(track, rung.above(), None, LATE));
            }
            steps
        };
        assert_eq!(
            climb(&in_district("hisar")),
            [
                step("district:hisar", Rung::Officer, &["phe-hisar", "phe-sdo-hisar"]),
                step("district:hisar", Rung::DistrictNodal, &["cm-hisar"]),
                step("department:phe", Rung::Department, &["phe-state"]),
                step("control", Rung::Control, &["cms-triage"]),
            ]
        );
        assert_eq!(
            climb(&at_state()),
            [
                step("department:phe", Rung::Officer, &["phe-se"]),
                step("department:phe", Rung::Department, &["phe-state"]),
                step("control", Rung::Control, &["cms-triage"]),
            ]
        );
        assert_eq!(climb(&Track::default()), [step("control", Rung::Control, &["cms-triage"])]);
    }

    #[test]
    fn the_top_has_nothing_above_it() {
        assert_eq!(Rung::Control.above(), Rung::Control);
        for pair in Rung::UPWARDS.windows(2) {
            assert_eq!(pair[0].above(), pair[1]);
            assert!(pair[0] < pair[1]);
        }
    }

    #[test]
    fn a_matter_is_on_the_track_of_the_desk_where_it_stands() {
        let phe = Some("phe".parse().unwrap());
        assert_eq!(Track::at(&desk("district:hisar"), phe.clone()), in_district("hisar"));
        assert_eq!(Track::at(&desk("department:phe"), Some("vigilance".parse().unwrap())), at_state());
        assert_eq!(Track::at(&DeskId::Control, phe), Track::default());
    }

    #[test]
    fn a_department_whose_nodal_officer_is_alone_has_no_officers_rung() {
        // Otherwise the first deadline would take the ticket from the nodal officer to the nodal officer.
        let track = Track { district: None, department: Some("vigilance".parse().unwrap()) };
        let alone = step("department:vigilance", Rung::Department, &["vigilance-state"]);
        assert_eq!(stands(&track, Rung::Officer, None, LATE), alone);
    }

    #[test]
    fn a_deputy_stands_in_for_who_is_on_leave() {
        // The deputy is at the district's desk in their own right too.
        let officers = step("district:hisar", Rung::Officer, &["phe-sdo-hisar", "phe-sdo-hisar"]);
        assert_eq!(stands(&in_district("hisar"), Rung::Officer, None, 3), officers);
        let nodal = step("district:hisar", Rung::DistrictNodal, &["phe-sdo-hisar"]);
        assert_eq!(stands(&in_district("hisar"), Rung::DistrictNodal, None, 18), nodal);
    }

    #[test]
    fn who_had_a_ticket_gets_it_again_or_their_deputy_does_or_nobody() {
        let again = |against: Option<Against>, day| {
            let roster = roster();
            let seat = roster.stand_in(&"phe-hisar".parse().unwrap(), against.as_ref(), june(day));
            seat.map(|seat| roster.at(seat).id().to_string())
        };
        assert_eq!(again(None, LATE).as_deref(), Some("phe-hisar"));
        assert_eq!(again(None, 3).as_deref(), Some("phe-sdo-hisar"));
        assert_eq!(again(None, 10), None);
        assert_eq!(again(against("phe-sdo-hisar"), 3), None);
        assert_eq!(again(against("phe-hisar"), 3), None);
    }

    #[test]
    fn a_rung_on_which_nobody_is_on_duty_is_passed_over() {
        let nodal = step("district:hisar", Rung::DistrictNodal, &["cm-hisar"]);
        assert_eq!(stands(&in_district("hisar"), Rung::Officer, None, 10), nodal, "officer and deputy are away");
        let nodal = step("district:rohtak", Rung::DistrictNodal, &["cm-rohtak"]);
        assert_eq!(
            stands(&in_district("rohtak"), Rung::Officer, None, LATE),
            nodal,
            "nobody of the department is there"
        );
        let state = step("department:phe", Rung::Officer, &["phe-se"]);
        assert_eq!(stands(&at_state(), Rung::Officer, None, LATE), state);
    }

    #[test]
    fn when_nobody_is_on_duty_anywhere_the_control_desks_nodal_officer_has_it() {
        let top = step("control", Rung::Control, &["cms"]);
        assert_eq!(stands(&in_district("hisar"), Rung::Officer, None, 25), top);
        assert_eq!(stands(&at_state(), Rung::Officer, None, 25), top);
    }

    #[test]
    fn a_desk_that_is_not_on_the_roster_is_passed_over() {
        let state = step("department:phe", Rung::Department, &["phe-state"]);
        assert_eq!(stands(&in_district("sirsa"), Rung::Officer, None, LATE), state);
    }

    #[test]
    fn what_complains_about_an_officer_goes_neither_to_them_nor_to_their_deputy() {
        let nodal = step("district:hisar", Rung::DistrictNodal, &["cm-hisar"]);
        assert_eq!(stands(&in_district("hisar"), Rung::Officer, against("phe-hisar").as_ref(), LATE), nodal);
        // Against the deputy: their superior, while there; who is away would be stood in for by the accused.
        let superior = step("district:hisar", Rung::Officer, &["phe-hisar"]);
        let accused = against("phe-sdo-hisar");
        assert_eq!(stands(&in_district("hisar"), Rung::Officer, accused.as_ref(), LATE), superior);
        assert_eq!(stands(&in_district("hisar"), Rung::Officer, accused.as_ref(), 3), nodal);
        let state = step("department:phe", Rung::Department, &["phe-state"]);
        assert_eq!(stands(&in_district("hisar"), Rung::Officer, accused.as_ref(), 18), state);
    }

    #[test]
    fn what_complains_about_the_nodal_officer_passes_over_the_desk() {
        let state = step("department:phe", Rung::Department, &["phe-state"]);
        assert_eq!(stands(&in_district("hisar"), Rung::Officer, against("cm-hisar").as_ref(), LATE), state);
        // A department's nodal officer has the department's officers in the districts below them, too.
        let nodal = step("district:hisar", Rung::DistrictNodal, &["cm-hisar"]);
        let accused = against("phe-state");
        assert_eq!(stands(&in_district("hisar"), Rung::Officer, accused.as_ref(), LATE), nodal);
        let control = step("control", Rung::Control, &["cms-triage"]);
        assert_eq!(stands(&in_district("hisar"), Rung::Department, accused.as_ref(), LATE), control);
        assert_eq!(stands(&at_state(), Rung::Officer, accused.as_ref(), LATE), control);
    }

    #[test]
    fn what_complains_about_a_desk_passes_over_it() {
        let district = Some(Against::Desk(desk("district:hisar")));
        let state = step("department:phe", Rung::Department, &["phe-state"]);
        assert_eq!(stands(&in_district("hisar"), Rung::Officer, district.as_ref(), LATE), state);
        let department = Some(Against::Desk(desk("department:phe")));
        let nodal = step("district:hisar", Rung::DistrictNodal, &["cm-hisar"]);
        assert_eq!(stands(&in_district("hisar"), Rung::Officer, department.as_ref(), LATE), nodal);
    }

    #[test]
    fn what_complains_about_the_control_desk_or_its_nodal_officer_goes_to_the_oversight() {
        let oversight = step("department:vigilance", Rung::Control, &["vigilance-state"]);
        for accused in [Some(Against::Desk(DeskId::Control)), against("cms")] {
            assert_eq!(stands(&Track::default(), Rung::Officer, accused.as_ref(), LATE), oversight);
            assert_eq!(stands(&in_district("hisar"), Rung::Control, accused.as_ref(), LATE), oversight);
        }
    }

    #[test]
    fn what_complains_about_another_officer_of_the_control_desk_stays_there_with_the_others() {
        let nodal = step("control", Rung::Control, &["cms"]);
        assert_eq!(stands(&Track::default(), Rung::Officer, against("cms-triage").as_ref(), LATE), nodal);
    }

    #[test]
    fn who_is_not_on_the_roster_bars_nobody() {
        let officers = stands(&in_district("hisar"), Rung::Officer, None, LATE);
        assert_eq!(stands(&in_district("hisar"), Rung::Officer, against("retired").as_ref(), LATE), officers);
    }
}
