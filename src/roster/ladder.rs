//! The ladder: which desk stands on which rung for a ticket, and who there can take it.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Desk, Roster, Seat};
use crate::code::{DepartmentId, DeskId, DistrictId};
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
            (Rung::Officer | Rung::Control, _) if !desk.officers.is_empty() => &desk.officers,
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
