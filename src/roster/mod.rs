//! The roster: desks, the officers on them, who is on leave, who stands in, and the ladder between the desks.
//!
//! It is read from TOML ([`Roster::read`]) and never changes afterwards; a changed roster is a new one.
//!
//! # The file
//! ```toml
//! time_zone = "Asia/Kolkata"          # in which days begin and end
//! holidays = [2022-08-15]             # for the condition `holiday` of the rules table; may be missing
//!
//! [control]                           # the control desk
//! name = "Chief Minister's Secretariat"
//! nodal = "cms"                       # an officer on this desk
//! oversight = "vigilance"             # the department that takes what complains about the control desk
//!
//! [[department]]                      # its desk at the state's level; `[[district]]` has the same keys
//! code = "phe"
//! name = "Public Health Engineering"
//! name_hi = "जन स्वास्थ्य अभियांत्रिकी"  # for people, as `name` is; may be missing
//! nodal = "phe-state"
//!
//! [[officer]]
//! id = "phe-hisar"                    # a post, not a person
//! name = "Executive Engineer"
//! desk = "hisar"                      # `control`, or the code of a department or district
//! department = "phe"                  # on a district's desk, for all but its nodal officer; nowhere else
//! deputy = "phe-sdo-hisar"            # on the same desk; may be missing
//! leave = [{ from = 2022-06-06, to = 2022-06-17 }]   # both days included; may be missing
//! ```
//!
//! Leave keeps new tickets from an officer and brings their deputy in. What they hold stays theirs until its deadline.
//!
//! # The ladder
//! ```text
//! an officer of the department, at the district's desk ─┐
//! the district's nodal officer                          ├─ a matter of the district's level
//! the department's state nodal officer  ← an officer at the department's own desk: a matter of the state's level
//! the control desk
//! ```
//! A rung on which nobody may or can take a ticket is passed over, upwards. The control desk always takes it, unless
//! the ticket complains about the control desk itself; then the department that the roster names as its `oversight`
//! does.

mod ladder;
mod read;

pub use ladder::{Rung, Track};
pub use read::{MAX_OFFICERS, RosterError};

use std::collections::{BTreeSet, HashMap};
use std::fmt;

use foldhash::fast::FixedState;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use crate::code::{DepartmentId, DeskId, DistrictId, OfficerId};
use crate::grievance::Against;
use crate::rules::{Day, Moment};
use crate::ticket::{Roles, Ticket};

/// The control desk's place among the desks: the first.
const CONTROL: usize = 0;

/// An officer's place in the roster's list.
pub(crate) type Seat = u32;

/// Which roster it was: the first 64 bits of a SHA-256 over its text, in hexadecimal.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RosterVersion(u64);

impl fmt::Display for RosterVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl fmt::Debug for RosterVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RosterVersion({self})")
    }
}

impl TryFrom<String> for RosterVersion {
    type Error = std::num::ParseIntError;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        u64::from_str_radix(&text, 16).map(Self)
    }
}

impl From<RosterVersion> for String {
    fn from(version: RosterVersion) -> String {
        version.to_string()
    }
}

/// Who works where.
#[derive(Debug, Clone)]
pub struct Roster {
    version: RosterVersion,
    desks: Vec<Desk>,
    /// The desks of departments and districts, by their place in `desks`; the control desk's is [`CONTROL`].
    department_desks: HashMap<DepartmentId, usize, FixedState>,
    district_desks: HashMap<DistrictId, usize, FixedState>,
    officers: Vec<Officer>,
    officer_by_id: HashMap<OfficerId, Seat, FixedState>,
    oversight: DepartmentId,
    zone: TimeZone,
    holidays: BTreeSet<Date>,
}

impl Roster {
    /// A moment as rules see it: by the clocks of the roster's time zone, and its holidays.
    #[must_use]
    pub fn moment(&self, at: Timestamp) -> Moment {
        let local = self.zone.to_datetime(at);
        let date = local.date();
        let day = if self.holidays.contains(&date) { Day::Holiday } else { Day::Working };
        let minute = u16::from(local.hour().unsigned_abs()) * 60 + u16::from(local.minute().unsigned_abs());
        Moment::new(date, day, minute)
    }
}

/// A desk and who sits on it.
#[derive(Debug, Clone)]
pub struct Desk {
    id: DeskId,
    name: String,
    name_hi: Option<String>,
    nodal: Seat,
    /// Everyone but the nodal officer, in the order of the file.
    officers: Vec<Seat>,
    /// On a district's desk: the same, by department.
    by_department: HashMap<DepartmentId, Vec<Seat>, FixedState>,
}

impl Desk {
    /// Which desk it is.
    #[must_use]
    pub fn id(&self) -> &DeskId {
        &self.id
    }

    /// Its name for people.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its name in Hindi, where the roster has one.
    #[must_use]
    pub fn name_hi(&self) -> Option<&str> {
        self.name_hi.as_deref()
    }
}

/// An officer: a post on a desk.
#[derive(Debug, Clone)]
pub struct Officer {
    id: OfficerId,
    name: String,
    desk: DeskId,
    department: Option<DepartmentId>,
    deputy: Option<Seat>,
    leave: Vec<Leave>,
}

impl Officer {
    /// Which officer it is.
    #[must_use]
    pub fn id(&self) -> &OfficerId {
        &self.id
    }

    /// The designation.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The desk they sit on.
    #[must_use]
    pub fn desk(&self) -> &DeskId {
        &self.desk
    }

    /// Their department: the desk's own, or on a district's desk the one they belong to; `None` for the nodal officer
    /// of a district and for the control desk.
    #[must_use]
    pub fn department(&self) -> Option<&DepartmentId> {
        self.department.as_ref()
    }

    /// Whether they are on leave at `now`.
    #[must_use]
    pub fn on_leave(&self, now: Timestamp) -> bool {
        self.leave.iter().any(|leave| leave.begins <= now && now < leave.ends)
    }

    /// The days of leave, both included.
    pub fn leave(&self) -> impl Iterator<Item = (Date, Date)> + '_ {
        self.leave.iter().map(|leave| leave.days)
    }
}

/// Days of leave, and the instants they stand for in the roster's time zone.
#[derive(Debug, Clone)]
struct Leave {
    days: (Date, Date),
    begins: Timestamp,
    ends: Timestamp,
}

impl Roster {
    /// Which roster this is.
    #[must_use]
    pub fn version(&self) -> RosterVersion {
        self.version
    }

    /// The desks: the control desk, the departments, the districts, each in the order of the file.
    #[must_use]
    pub fn desks(&self) -> &[Desk] {
        &self.desks
    }

    /// The officers, in the order of the file.
    #[must_use]
    pub fn officers(&self) -> &[Officer] {
        &self.officers
    }

    /// A desk.
    #[must_use]
    pub fn desk(&self, id: &DeskId) -> Option<&Desk> {
        let at = match id {
            DeskId::Control => CONTROL,
            DeskId::Department(department) => *self.department_desks.get(department)?,
            DeskId::District(district) => *self.district_desks.get(district)?,
        };
        self.desks.get(at)
    }

    /// An officer.
    #[must_use]
    pub fn officer(&self, id: &OfficerId) -> Option<&Officer> {
        self.seat(id).map(|seat| self.at(seat))
    }

    /// The nodal officer of a desk.
    #[must_use]
    pub fn nodal(&self, desk: &DeskId) -> Option<&Officer> {
        self.desk(desk).map(|desk| self.at(desk.nodal))
    }

    /// Whether a department has a desk.
    #[must_use]
    pub fn has_department(&self, department: &DepartmentId) -> bool {
        self.department_desks.contains_key(department)
    }

    /// Whether a district has a desk.
    #[must_use]
    pub fn has_district(&self, district: &DistrictId) -> bool {
        self.district_desks.contains_key(district)
    }

    /// The department that takes what complains about the control desk.
    #[must_use]
    pub fn oversight(&self) -> &DepartmentId {
        &self.oversight
    }

    /// In which roles an officer may act on a ticket at `now`; none for who is not on the roster. The deputy of a nodal
    /// officer who is on leave acts as nodal officer, and a desk that stands in for the control desk as control desk.
    #[must_use]
    pub fn roles(&self, officer: &OfficerId, ticket: &Ticket, now: Timestamp) -> Roles {
        let Some(seat) = self.seat(officer) else { return Roles::NONE };
        if self.is_barred(seat, ticket.filing().against.as_ref()) {
            return Roles::NONE;
        }
        let mut roles = Roles::NONE;
        let desk = &self.at(seat).desk;
        if let Some(holder) = ticket.holder() {
            if holder.officer == *officer {
                roles = roles.and(Roles::HOLDER);
            }
            let nodal = self.desk(&holder.desk).map(|desk| desk.nodal);
            let stands_in = |nodal: Seat| self.at(nodal).deputy == Some(seat) && self.at(nodal).on_leave(now);
            if nodal.is_some_and(|nodal| nodal == seat || stands_in(nodal)) {
                roles = roles.and(Roles::NODAL);
            }
        }
        if *desk == self.top(ticket.filing().against.as_ref()).0 {
            roles = roles.and(Roles::CONTROL);
        }
        if ticket.open_parts().iter().any(|part| part.desk == *desk) {
            roles = roles.and(Roles::ASSISTING);
        }
        roles
    }

    pub(crate) fn seat(&self, officer: &OfficerId) -> Option<Seat> {
        self.officer_by_id.get(officer).copied()
    }

    pub(crate) fn nodal_seat(&self, desk: &Desk) -> Seat {
        desk.nodal
    }

    pub(crate) fn at(&self, seat: Seat) -> &Officer {
        &self.officers[seat as usize]
    }

    /// Whether the officer may not hold a ticket that complains about `against`: it is they, or someone they stand in
    /// for, or someone above them.
    pub(crate) fn is_barred(&self, seat: Seat, against: Option<&Against>) -> bool {
        let officer = self.at(seat);
        match against {
            None => false,
            Some(Against::Desk(desk)) => self.is_below(officer, desk),
            Some(Against::Officer(id)) => {
                let Some(accused) = self.seat(id) else { return false };
                let accused_desk = &self.at(accused).desk;
                let heads_it = self.desk(accused_desk).is_some_and(|desk| desk.nodal == accused);
                seat == accused
                    || self.at(accused).deputy == Some(seat)
                    || (heads_it && self.is_below(officer, accused_desk))
            }
        }
    }

    /// Whether the officer sits on `desk` or, in a district, belongs to that department.
    fn is_below(&self, officer: &Officer, desk: &DeskId) -> bool {
        officer.desk == *desk
            || matches!(desk, DeskId::Department(department) if officer.department.as_ref() == Some(department))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::grievance::{Channel, Filing};
    use crate::personal::SourceKey;
    use crate::ticket::{Holder, MarkReason, Origin, Policy, TicketEvent, TicketId};

    fn roster() -> Roster {
        Roster::read(
            r#"
            time_zone = "UTC"
            control = { name = "Secretariat", nodal = "cms", oversight = "power" }
            department = [
                { code = "phe", name = "Public Health Engineering", nodal = "phe-state" },
                { code = "power", name = "Power", nodal = "power-state" },
            ]
            district = [{ code = "hisar", name = "Hisar", nodal = "cm-hisar" }]
            officer = [
                { id = "cms", name = "", desk = "control", deputy = "cms-triage" },
                { id = "cms-triage", name = "", desk = "control" },
                { id = "phe-state", name = "", desk = "phe" },
                { id = "power-state", name = "", desk = "power" },
                { id = "cm-hisar", name = "", desk = "hisar" },
                { id = "phe-hisar", name = "", desk = "hisar", department = "phe", deputy = "phe-je-hisar" },
                { id = "phe-je-hisar", name = "", desk = "hisar", department = "phe" },
                { id = "power-hisar", name = "", desk = "hisar", department = "power" },
            ]
            "#,
        )
        .unwrap()
    }

    /// Marked to an officer, with a part asked of the power department.
    fn held_by(desk: &str, officer: &str, against: Option<Against>) -> Ticket {
        let now: Timestamp = "2022-06-01T06:30:00Z".parse().unwrap();
        let filing = Filing {
            channel: Channel::X,
            source: SourceKey([0; 16]),
            post: None,
            author: None,
            category: None,
            place: None,
            posted_at: now,
            language: None,
            against,
            confidentiality: Default::default(),
        };
        let (ticket, origin) = (TicketId::from_number(1).unwrap(), Origin::Submitted);
        let mut ticket = Ticket::open(&TicketEvent::Received { ticket, filing: Arc::new(filing), origin }).unwrap();
        let holder = Holder { desk: desk.parse().unwrap(), officer: officer.parse().unwrap() };
        ticket.apply(&ticket.marked(holder, Rung::Officer, MarkReason::Routed, &Policy::default(), now));
        ticket.apply(&TicketEvent::PartAsked { part: 1, desk: "department:power".parse().unwrap() });
        ticket
    }

    fn roles(officer: &str, ticket: &Ticket) -> Roles {
        roster().roles(&officer.parse().unwrap(), ticket, ticket.marked_at())
    }

    fn against(officer: &str) -> Option<Against> {
        Some(Against::Officer(officer.parse().unwrap()))
    }

    #[test]
    fn an_officer_has_the_roles_of_the_seat_and_of_the_desk() {
        let ticket = held_by("district:hisar", "phe-hisar", None);
        for (officer, expected) in [
            ("phe-hisar", Roles::HOLDER),
            ("phe-je-hisar", Roles::NONE),
            ("cm-hisar", Roles::NODAL),
            ("phe-state", Roles::NONE),
            ("power-state", Roles::ASSISTING),
            ("power-hisar", Roles::NONE),
            ("cms", Roles::CONTROL),
            ("cms-triage", Roles::CONTROL),
            ("retired", Roles::NONE),
        ] {
            assert_eq!(roles(officer, &ticket), expected, "{officer}");
        }
    }

    #[test]
    fn roles_add_up() {
        let nodal = held_by("district:hisar", "cm-hisar", None);
        assert_eq!(roles("cm-hisar", &nodal), Roles::HOLDER.and(Roles::NODAL));
        let control = held_by("control", "cms", None);
        assert_eq!(roles("cms", &control), Roles::HOLDER.and(Roles::NODAL).and(Roles::CONTROL));
        let assisting = held_by("department:power", "power-state", None);
        assert_eq!(roles("power-state", &assisting), Roles::HOLDER.and(Roles::NODAL).and(Roles::ASSISTING));
    }

    #[test]
    fn whom_a_ticket_complains_about_has_no_role_in_it_nor_have_their_deputy_and_those_below() {
        let bars = |accused: Option<Against>, barred: &[&str]| {
            let ticket = held_by("department:phe", "phe-state", accused);
            let roster = roster();
            for officer in roster.officers() {
                let seat = roster.seat(officer.id()).unwrap();
                let expected = barred.contains(&officer.id().as_str());
                assert_eq!(roster.is_barred(seat, ticket.filing().against.as_ref()), expected, "{}", officer.id());
                if expected {
                    assert_eq!(
                        roster.roles(officer.id(), &ticket, ticket.marked_at()),
                        Roles::NONE,
                        "{}",
                        officer.id()
                    );
                }
            }
        };
        bars(None, &[]);
        bars(against("phe-hisar"), &["phe-hisar", "phe-je-hisar"]);
        bars(against("phe-je-hisar"), &["phe-je-hisar"]);
        bars(against("cm-hisar"), &["cm-hisar", "phe-hisar", "phe-je-hisar", "power-hisar"]);
        bars(against("phe-state"), &["phe-state", "phe-hisar", "phe-je-hisar"]);
        bars(against("cms"), &["cms", "cms-triage"]);
        bars(against("cms-triage"), &["cms-triage"]);
        bars(Some(Against::Desk(DeskId::Control)), &["cms", "cms-triage"]);
        bars(Some(Against::Desk("department:power".parse().unwrap())), &["power-state", "power-hisar"]);
    }
}
