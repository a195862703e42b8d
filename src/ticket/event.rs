//! What happened to a ticket: the events that an entry of the journal holds.
//!
//! An event carries every date it sets, so that folding old events never depends on today's policy or calendar.
//! None has a field that could hold free text.

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use crate::calendar::Hours;
use crate::code::{CategoryPath, CodeError, DeskId, OfficerId, PlacePath, RowId};
use crate::grievance::Filing;
use crate::roster::Rung;
use crate::rules::{Routing, TableVersion};
use crate::ticket::TicketId;

/// Who holds a ticket: an officer at a desk.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Holder {
    /// The desk that owns it.
    pub desk: DeskId,
    /// The officer it is marked to.
    pub officer: OfficerId,
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.officer, self.desk)
    }
}

/// Where a ticket comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// A grievance that came in.
    Submitted,
    /// A complaint that a closed ticket was not done well, after its window for reopening.
    FollowUp(TicketId),
    /// A pending ticket of the system used before, under its old number.
    Imported(Reference),
}

/// A number given by another office or system, e.g. `CMOFF/N/2022/014253`: letters, digits and `/ - . _`, at most
/// [`MAX_CODE`](crate::code::MAX_CODE).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "SmolStr", into = "SmolStr")]
pub struct Reference(SmolStr);

impl Reference {
    /// Takes another office's number.
    ///
    /// # Errors
    /// [`CodeError`] when it is empty, too long or has another character.
    pub fn new(text: &str) -> Result<Self, CodeError> {
        // The same characters as a row's name, and the slashes of file numbers.
        RowId::new(&text.replace('/', "-"))
            .map(|_| Self(SmolStr::new(text)))
            .map_err(|error| CodeError { what: "reference", ..error })
    }

    /// The number as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<SmolStr> for Reference {
    type Error = CodeError;
    fn try_from(text: SmolStr) -> Result<Self, CodeError> {
        Self::new(&text)
    }
}

impl From<Reference> for SmolStr {
    fn from(reference: Reference) -> SmolStr {
        reference.0
    }
}

/// What came of a ticket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Outcome {
    /// Done as asked.
    Fixed,
    /// Done in part.
    PartlyFixed,
    /// It cannot be done; the report says why.
    CannotBeDone,
    /// The same matter as another ticket.
    Duplicate(TicketId),
    /// With a statutory authority, under that authority's reference.
    PassedToAuthority(Reference),
    /// The citizen did not answer what had to be known.
    NoAnswerFromCitizen,
    /// Turned down, on these grounds.
    Rejected(Grounds),
    /// The citizen took it back.
    Withdrawn,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed => f.write_str("fixed"),
            Self::PartlyFixed => f.write_str("partly fixed"),
            Self::CannotBeDone => f.write_str("cannot be done"),
            Self::Duplicate(ticket) => write!(f, "duplicate of {ticket}"),
            Self::PassedToAuthority(reference) => write!(f, "passed to a statutory authority under {reference}"),
            Self::NoAnswerFromCitizen => f.write_str("no answer from the citizen"),
            Self::Rejected(grounds) => write!(f, "rejected: {grounds}"),
            Self::Withdrawn => f.write_str("withdrawn"),
        }
    }
}

/// Grounds on which a grievance may be rejected. "It does not pertain to us" is none: such a ticket is forwarded.
///
/// Source: CPGRAMS, "grievances not taken up for redress".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Grounds {
    /// A court has it.
    SubJudice,
    /// A personal or family dispute.
    PersonalDispute,
    /// A request for information under the Right to Information Act.
    InformationRequest,
    /// A government servant's service matter.
    ServiceMatter,
    /// A suggestion, thanks or an opinion; nothing to redress.
    NotAGrievance,
    /// Abuse or advertisement.
    Abuse,
    /// What happened cannot be made out, also after asking.
    Incomprehensible,
}

impl fmt::Display for Grounds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SubJudice => "a court has the matter",
            Self::PersonalDispute => "a personal or family dispute",
            Self::InformationRequest => "a request under the Right to Information Act",
            Self::ServiceMatter => "a government servant's service matter",
            Self::NotAGrievance => "nothing to redress",
            Self::Abuse => "abuse or advertisement",
            Self::Incomprehensible => "it cannot be made out",
        })
    }
}

/// Why a ticket rests until a date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ParkReason {
    /// A court has the matter.
    SubJudice,
    /// A question of policy is before the government.
    PolicyQuestion,
    /// The work is planned for a date.
    WorkPlanned,
    /// Money has to be sanctioned first.
    AwaitingFunds,
}

impl fmt::Display for ParkReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SubJudice => "a court has the matter",
            Self::PolicyQuestion => "a question of policy is before the government",
            Self::WorkPlanned => "the work is planned for a date",
            Self::AwaitingFunds => "money has to be sanctioned",
        })
    }
}

/// Why a ticket is marked to whom it is marked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum MarkReason {
    /// The rules table sent it there.
    Routed,
    /// Another desk forwarded it.
    Forwarded,
    /// It was returned as not theirs.
    Returned,
    /// Its category was corrected.
    CategoryChanged,
    /// Its place was corrected.
    PlaceChanged,
    /// A deadline passed.
    Escalated,
    /// The complainant is not satisfied.
    NotSatisfied,
    /// Its transfers or re-marks are used up.
    UsedUp,
    /// Officer or desk left the roster.
    RosterChanged,
    /// It was brought over from the system used before.
    Imported,
}

impl fmt::Display for MarkReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Routed => "the rules send such matters there",
            Self::Forwarded => "it was forwarded",
            Self::Returned => "it was returned",
            Self::CategoryChanged => "its category was corrected",
            Self::PlaceChanged => "its place was corrected",
            Self::Escalated => "a deadline passed",
            Self::NotSatisfied => "the complainant is not satisfied",
            Self::UsedUp => "its transfers or re-marks are used up",
            Self::RosterChanged => "the officer or desk that had it left the roster",
            Self::Imported => "it was brought over from the old system",
        })
    }
}

/// What follows when the complainant is not satisfied. The number counts a ticket's re-marks from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Remark {
    /// The same officer gets it again.
    Back(u16),
    /// It goes a step up the ladder.
    StepUp(u16),
    /// The policy's re-marks are used up: the control desk concludes, for good.
    UsedUp,
}

/// Why a ticket is with the control desk for triage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum TriageReason {
    /// Only the row for everything else holds.
    NoRule,
    /// The department or district that the rules name is not on the roster.
    NoDesk,
    /// The engine met a fault of its own on this grievance; it is in `health` and in the log.
    Fault,
}

impl fmt::Display for TriageReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoRule => "only the row for everything else holds",
            Self::NoDesk => "the desk that the rules name is not on the roster",
            Self::Fault => "the engine met a fault of its own on it",
        })
    }
}

/// Who declared a ticket closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClosedBy {
    /// The complainant said they are satisfied.
    Satisfied,
    /// The complainant took it back.
    Withdrawn,
    /// The complainant said nothing for the policy's time.
    Silence,
    /// The control desk concluded it for good.
    ControlDesk,
}

impl fmt::Display for ClosedBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Satisfied => "the complainant is satisfied",
            Self::Withdrawn => "the complainant withdrew it",
            Self::Silence => "the complainant did not answer",
            Self::ControlDesk => "the control desk concluded it for good",
        })
    }
}

/// Something that happened to a ticket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
#[non_exhaustive]
pub enum TicketEvent {
    /// A grievance came in and has this number now. Never alone in an entry: a mark follows.
    Received {
        /// The number.
        ticket: TicketId,
        /// What it is routed by.
        filing: Arc<Filing>,
        /// Where it comes from.
        origin: Origin,
    },
    /// The rules table sent it to a department.
    Routed(Arc<Routing>),
    /// It is with the control desk for triage.
    SentToTriage {
        /// Why.
        why: TriageReason,
        /// The table that was asked.
        table: TableVersion,
        /// The row that won, where one did.
        row: Option<RowId>,
        /// How often the control desk is reminded, and how long a desk has to which it forwards the ticket, by that
        /// row; `None` where the policy says.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        remind_every: Option<Hours>,
    },
    /// It is given to an officer.
    Marked {
        /// To whom.
        holder: Holder,
        /// How high on the ladder.
        rung: Rung,
        /// Why.
        why: MarkReason,
        /// When the mark was made, from which the time to return it counts.
        at: Timestamp,
        /// When silence escalates it, or in triage reminds the control desk.
        due: Timestamp,
    },
    /// The officer has seen it.
    Acknowledged,
    /// The officer filed an action-taken report.
    ReportFiled {
        /// What came of it, as the officer declares.
        outcome: Outcome,
        /// Until when the nodal officer has to review it; `None` where none is needed.
        review_due: Option<Timestamp>,
    },
    /// The nodal officer approved the report.
    ReportApproved,
    /// The nodal officer sent the report back.
    ReportSentBack {
        /// When silence escalates it.
        due: Timestamp,
    },
    /// It is resolved (or rejected): the citizen is asked.
    Resolved {
        /// What came of it.
        outcome: Outcome,
        /// When.
        at: Timestamp,
        /// When silence closes it.
        silence_at: Timestamp,
    },
    /// "Not mine": it goes to another desk.
    Forwarded {
        /// The desk that was named; `None` where the rules are asked again.
        to: Option<DeskId>,
    },
    /// "Not mine": it goes back to the control desk.
    Returned,
    /// Its category was corrected.
    CategoryChanged {
        /// What it was.
        from: Option<CategoryPath>,
        /// What it is.
        to: CategoryPath,
    },
    /// Its place was corrected.
    PlaceChanged {
        /// What it was.
        from: Option<PlacePath>,
        /// What it is.
        to: PlacePath,
    },
    /// The officer asked the citizen something.
    CitizenAsked {
        /// Until when an answer is waited for.
        until: Timestamp,
        /// When it was asked: the deadline rests from here.
        since: Timestamp,
    },
    /// It rests.
    Parked {
        /// Until when.
        until: Timestamp,
        /// Why.
        why: ParkReason,
        /// When it was parked: the deadline rests from here.
        since: Timestamp,
    },
    /// The citizen got an interim reply with a next date.
    InterimReplied {
        /// The date.
        next: Timestamp,
    },
    /// The citizen answered, or the date came: the officer goes on.
    Resumed {
        /// When silence escalates it.
        due: Timestamp,
    },
    /// Another desk was asked for a part.
    PartAsked {
        /// The part's number in this ticket, from 1.
        part: u16,
        /// The desk.
        desk: DeskId,
    },
    /// A part is done.
    PartDone {
        /// The part's number.
        part: u16,
    },
    /// A deadline passed at the top of the ladder: the control desk is reminded.
    Reminded {
        /// When it is reminded again.
        due: Timestamp,
    },
    /// A deadline passed: it goes a step up.
    Escalated {
        /// From which rung.
        from: Rung,
    },
    /// The complainant is satisfied.
    Satisfied,
    /// The complainant is not satisfied; the ticket is marked again.
    NotSatisfied {
        /// To whom, and the how-manieth time.
        remark: Remark,
    },
    /// A closed ticket is open again, within its window.
    Reopened,
    /// It was handed to another officer or desk because the roster changed; its state stays.
    HandedOver {
        /// To whom.
        holder: Holder,
        /// How high on the ladder.
        rung: Rung,
        /// When, from which the time to return it counts.
        at: Timestamp,
    },
    /// It is closed.
    Closed {
        /// Who declared it.
        by: ClosedBy,
        /// What came of it.
        outcome: Outcome,
        /// When.
        at: Timestamp,
        /// Until when a complaint reopens it; `None` where it is closed for good.
        reopen_until: Option<Timestamp>,
    },
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::calendar::Hours;
    use crate::grievance::{Against, Author, Channel, Complainant, Confidentiality, Grievance, Language, Source};
    use crate::personal::InstallationKey;
    use crate::rules::{Level, Priority};
    use crate::ticket::{Action, Command, Policy, Review, Roles, Ticket};

    pub fn id(n: u64) -> TicketId {
        TicketId::from_number(n).unwrap()
    }

    pub fn at(day: u8) -> Timestamp {
        format!("2022-07-{day:02}T06:30:00Z").parse().unwrap()
    }

    pub fn holder() -> Holder {
        Holder { desk: "district:hisar".parse().unwrap(), officer: "phe-hisar".parse().unwrap() }
    }

    fn outcomes() -> Vec<Outcome> {
        let reference = Reference::new("HERC/2022/014-B").unwrap();
        vec![
            Outcome::Fixed,
            Outcome::PartlyFixed,
            Outcome::CannotBeDone,
            Outcome::Duplicate(id(2)),
            Outcome::PassedToAuthority(reference),
            Outcome::NoAnswerFromCitizen,
            Outcome::Rejected(Grounds::InformationRequest),
            Outcome::Withdrawn,
        ]
    }

    /// What a grievance says, part by part, none of which may be in an event.
    const SAID: [&str; 8] = [
        "Water stands knee-deep in our street",
        "asha_hisar",
        "Asha Devi",
        "9812345678",
        "1601234567890",
        "https://example.org/photo.jpg",
        "conversation-77",
        "28.6",
    ];

    fn filing() -> Filing {
        let [text, handle, name, contact, post, link, conversation, latitude] = SAID;
        let point = crate::grievance::Coordinates::new(latitude.parse().unwrap(), 75.7).unwrap();
        let grievance = Grievance::builder(Source::new(Channel::X, post).unwrap(), text)
            .complainant(Complainant {
                handle: Some(handle.to_owned()),
                name: Some(name.to_owned()),
                contact: Some(contact.to_owned()),
            })
            .media(link)
            .conversation(conversation)
            .coordinates(point)
            .build()
            .unwrap();
        let key = InstallationKey::new(&[7; 32]);
        Filing {
            channel: Channel::X,
            source: key.source(grievance.source()),
            post: None,
            author: grievance.complainant().author(Channel::X).map(|author: Author| key.author(&author)),
            category: Some("water/logging".parse().unwrap()),
            place: Some("hisar/hansi".parse().unwrap()),
            posted_at: at(1),
            language: Some(Language::new("hi-Latn").unwrap()),
            against: Some(Against::Officer("phe-je-hisar".parse().unwrap())),
            confidentiality: Confidentiality::Confidential,
        }
    }

    fn routing() -> Routing {
        let route = crate::rules::Route {
            department: "phe".parse().unwrap(),
            level: Level::District,
            priority: Priority::Urgent,
            deadline: Hours::from_days(3),
        };
        let table = "0123456789abcdef".to_owned().try_into().unwrap();
        Routing { table, row: RowId::new("W-01").unwrap(), held: crate::rules::Held::default(), route }
    }

    /// The number of variants below.
    const VARIANTS: usize = 26;

    /// Which variant an event is. A new variant has to be added here, and then to [`every_event`].
    fn variant(event: &TicketEvent) -> usize {
        use TicketEvent as E;
        match event {
            E::Received { .. } => 0,
            E::Routed(_) => 1,
            E::SentToTriage { .. } => 2,
            E::Marked { .. } => 3,
            E::Acknowledged => 4,
            E::ReportFiled { .. } => 5,
            E::ReportApproved => 6,
            E::ReportSentBack { .. } => 7,
            E::Resolved { .. } => 8,
            E::Forwarded { .. } => 9,
            E::Returned => 10,
            E::CategoryChanged { .. } => 11,
            E::PlaceChanged { .. } => 12,
            E::CitizenAsked { .. } => 13,
            E::Parked { .. } => 14,
            E::InterimReplied { .. } => 15,
            E::Resumed { .. } => 16,
            E::PartAsked { .. } => 17,
            E::PartDone { .. } => 18,
            E::Reminded { .. } => 19,
            E::Escalated { .. } => 20,
            E::Satisfied => 21,
            E::NotSatisfied { .. } => 22,
            E::Reopened => 23,
            E::HandedOver { .. } => 24,
            E::Closed { .. } => 25,
        }
    }

    /// At least one event of each variant, with what is optional given and left out.
    pub fn every_event() -> Vec<TicketEvent> {
        use TicketEvent as E;
        let water = || "water".parse::<CategoryPath>().unwrap();
        let hansi = || "hisar/hansi".parse::<PlacePath>().unwrap();
        let bare = Filing {
            author: None,
            category: None,
            place: None,
            language: None,
            against: Some(Against::Desk(DeskId::Control)),
            ..filing()
        };
        let table = routing().table;
        let mut events = vec![
            E::Received { ticket: id(1), filing: Arc::new(filing()), origin: Origin::Submitted },
            E::Received { ticket: id(1), filing: Arc::new(bare.clone()), origin: Origin::FollowUp(id(3)) },
            E::Received {
                ticket: id(1),
                filing: Arc::new(bare),
                origin: Origin::Imported(Reference::new("CMOFF/N/2022/014253").unwrap()),
            },
            E::Routed(Arc::new(routing())),
            E::SentToTriage {
                why: TriageReason::NoRule,
                table,
                row: Some(RowId::new("ELSE").unwrap()),
                remind_every: Some(Hours::from_days(1)),
            },
            E::SentToTriage { why: TriageReason::Fault, table, row: None, remind_every: None },
            E::Marked { holder: holder(), rung: Rung::DistrictNodal, why: MarkReason::UsedUp, at: at(1), due: at(4) },
            E::Acknowledged,
            E::ReportFiled { outcome: Outcome::Fixed, review_due: Some(at(3)) },
            E::ReportFiled { outcome: Outcome::Fixed, review_due: None },
            E::ReportApproved,
            E::ReportSentBack { due: at(5) },
            E::Forwarded { to: Some("department:power".parse().unwrap()) },
            E::Forwarded { to: None },
            E::Returned,
            E::CategoryChanged { from: Some(water()), to: water() },
            E::CategoryChanged { from: None, to: water() },
            E::PlaceChanged { from: Some(hansi()), to: hansi() },
            E::PlaceChanged { from: None, to: hansi() },
            E::CitizenAsked { until: at(9), since: at(2) },
            E::Parked { until: at(9), why: ParkReason::AwaitingFunds, since: at(2) },
            E::InterimReplied { next: at(9) },
            E::Resumed { due: at(10) },
            E::PartAsked { part: 1, desk: DeskId::Control },
            E::PartDone { part: 1 },
            E::Reminded { due: at(11) },
            E::Escalated { from: Rung::Officer },
            E::Satisfied,
            E::NotSatisfied { remark: Remark::Back(1) },
            E::NotSatisfied { remark: Remark::StepUp(2) },
            E::NotSatisfied { remark: Remark::UsedUp },
            E::Reopened,
            E::HandedOver { holder: holder(), rung: Rung::Control, at: at(2) },
        ];
        for (i, outcome) in outcomes().into_iter().enumerate() {
            let by = [ClosedBy::Satisfied, ClosedBy::Withdrawn, ClosedBy::Silence, ClosedBy::ControlDesk][i % 4];
            events.push(E::Resolved { outcome: outcome.clone(), at: at(6), silence_at: at(13) });
            events.push(E::Closed { by, outcome, at: at(7), reopen_until: (i % 2 == 0).then(|| at(12)) });
        }
        events
    }

    /// All texts in a JSON value, names of fields included.
    fn texts(value: &serde_json::Value, found: &mut Vec<String>) {
        match value {
            serde_json::Value::String(text) => found.push(text.clone()),
            serde_json::Value::Array(values) => values.iter().for_each(|value| texts(value, found)),
            serde_json::Value::Object(fields) => {
                found.extend(fields.keys().cloned());
                fields.values().for_each(|value| texts(value, found));
            }
            _ => {}
        }
    }

    #[test]
    fn there_is_a_sample_of_each_event() {
        let variants: std::collections::BTreeSet<_> = every_event().iter().map(variant).collect();
        assert_eq!(variants, (0..VARIANTS).collect());
    }

    #[test]
    fn every_event_survives_json() {
        for event in every_event() {
            let json = serde_json::to_string(&event).unwrap();
            let read_back: TicketEvent = serde_json::from_str(&json).unwrap_or_else(|e| panic!("{json}: {e}"));
            assert_eq!(read_back, event, "{json}");
        }
    }

    #[test]
    fn an_event_is_written_as_a_person_would_read_it() {
        let json = |event: &TicketEvent| serde_json::to_string(event).unwrap();
        let asked = TicketEvent::CitizenAsked { until: at(9), since: at(2) };
        let expected = r#"{"event":"citizen_asked","until":"2022-07-09T06:30:00Z","since":"2022-07-02T06:30:00Z"}"#;
        assert_eq!(json(&asked), expected);
        let routed = TicketEvent::Routed(Arc::new(routing()));
        let expected = concat!(
            r#"{"event":"routed","table":"0123456789abcdef","row":"W-01","held":{},"route":"#,
            r#"{"department":"phe","level":"district","priority":"urgent","deadline":72}}"#
        );
        assert_eq!(json(&routed), expected);
    }

    #[test]
    fn no_event_has_room_for_a_sentence() {
        for event in every_event() {
            let mut found = Vec::new();
            texts(&serde_json::to_value(&event).unwrap(), &mut found);
            for text in found {
                assert!(text.len() <= 64 && !text.contains(char::is_whitespace), "{text:?} in {event:?}");
            }
        }
    }

    #[test]
    fn a_sentence_is_not_read_back_as_a_code() {
        let json = r#"{"event":"forwarded","to":"department:please call Asha"}"#;
        assert!(serde_json::from_str::<TicketEvent>(json).is_err());
        let json = r#"{"event":"resolved","outcome":{"passed_to_authority":"see the letter of Asha Devi"},
            "at":"2022-07-09T06:30:00Z","silence_at":"2022-07-09T06:30:00Z"}"#;
        assert!(serde_json::from_str::<TicketEvent>(json).is_err());
    }

    #[test]
    fn nothing_that_was_said_is_in_a_whole_tickets_events() {
        let first = TicketEvent::Received { ticket: id(1), filing: Arc::new(filing()), origin: Origin::Submitted };
        let mut ticket = Ticket::open(&first).unwrap();
        let mut events = vec![first, TicketEvent::Routed(Arc::new(routing()))];
        ticket.apply(&events[1]);
        let policy = Policy { review: Review::NodalOfficer, ..Policy::default() };
        let marked = ticket.marked(holder(), Rung::Officer, MarkReason::Routed, &policy, at(1));
        ticket.advance([&marked], None);
        events.push(marked);
        for (roles, action) in [
            (Roles::HOLDER, Action::AskCitizen { until: at(5) }),
            (Roles::CITIZEN, Action::CitizenAnswers),
            (Roles::HOLDER, Action::InterimReply { next: at(6) }),
            (Roles::HOLDER, Action::Assist("department:power".parse().unwrap())),
            (Roles::ASSISTING, Action::PartDone(1)),
            (Roles::HOLDER, Action::Resolve(Outcome::Fixed)),
            (Roles::NODAL, Action::Approve),
            (Roles::CITIZEN, Action::Satisfied),
            (Roles::CITIZEN, Action::NotSatisfied),
        ] {
            let decided = ticket.decide(&Command { action, roles, expected: None }, &policy, at(2)).unwrap();
            ticket.advance(&decided, None);
            events.extend(decided);
        }
        let (json, words) = (serde_json::to_string(&events).unwrap(), format!("{events:?}"));
        for said in SAID {
            assert!(!json.contains(said), "{said} in {json}");
            assert!(!words.contains(said), "{said} in {words}");
        }
    }

    #[test]
    fn a_reference_is_a_number_and_no_sentence() {
        assert_eq!(Reference::new("CMOFF/N/2022/014253").unwrap().to_string(), "CMOFF/N/2022/014253");
        for bad in ["", "see letter", "पत्र", &"7".repeat(65)] {
            assert_eq!(Reference::new(bad).unwrap_err().what, "reference", "{bad}");
        }
    }

    #[test]
    fn a_ticket_opens_with_its_receipt_only() {
        for event in every_event() {
            assert_eq!(Ticket::open(&event).is_some(), matches!(event, TicketEvent::Received { .. }), "{event}");
        }
    }
}
