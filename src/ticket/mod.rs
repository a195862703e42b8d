//! The ticket: a grievance's record, as a state machine without clock, disk or lock.
//!
//! [`Ticket::decide`] says what follows from an action, or why not; [`Ticket::apply`] makes it so. A ticket is always
//! `apply` folded over its events, whether they were decided just now or read back from a journal.
//!
//! The states and who may do what in them stand in one table, [`may`]:
//!
//! | state | meaning | what ends it by itself |
//! |---|---|---|
//! | triage | with the control desk, since no rule routes it | a reminder, again and again |
//! | marked | given to an officer | the deadline: a step up the ladder |
//! | in progress | acknowledged | the deadline: a step up |
//! | asked, parked | rests until a date, and so does the deadline | the date: in progress |
//! | under review | the report waits for the nodal officer | the deadline: a step up |
//! | resolved, rejected | the citizen is asked | silence: closed |
//! | closed | done; a complaint within the window reopens it | nothing |

mod action;
mod authority;
mod decide;
mod event;
mod id;
mod notice;
mod policy;
mod state;

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use action::{Action, By, Command, Refusal, RequestId, StatementNeed};
pub use authority::{ActionKind, Roles, may};
pub use event::{
    ClosedBy, Grounds, Holder, MarkReason, Origin, Outcome, ParkReason, Reference, Remark, TicketEvent, TriageReason,
};
pub use id::{MOST_UNUSED, TicketId, TicketIdError};
pub use notice::{Notice, Recipient};
pub use policy::{Policy, RemarkPolicy, Review};
pub use state::{Bound, Rest, State, StateKind};

use crate::calendar::Hours;
use crate::code::{DeskId, RowId};
use crate::grievance::Filing;
use crate::roster::Rung;
use crate::rules::{Routing, TableVersion};

/// How many entries a ticket has: its own sequence, 1 after it was received.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Version(pub u32);

impl Version {
    /// The next one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl std::fmt::Display for Version {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// An act that came with a request id: whose it was and what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// The caller's own id.
    pub request: RequestId,
    /// Who asked.
    pub by: By,
    /// For what.
    pub action: ActionKind,
}

/// An act with a request id that was carried out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Done {
    asked: Asked,
    version: Version,
}

/// A part of a ticket that another desk was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// Its number in this ticket, from 1.
    pub number: u16,
    /// The desk.
    pub desk: DeskId,
}

/// A grievance's record.
///
/// It can be written and read back, so that a store may keep it ready for the next start; what counts is the journal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ticket {
    id: TicketId,
    version: Version,
    filing: Arc<Filing>,
    origin: Origin,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    routing: Option<Arc<Routing>>,
    /// How often the control desk is reminded of it in triage, where the rules say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    remind_every: Option<Hours>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    holder: Option<Holder>,
    rung: Rung,
    marked_at: Timestamp,
    state: State,
    /// The deadline it had when it left its desk or was corrected there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    left_due: Option<Timestamp>,
    transfers: u8,
    remarks: u16,
    interim_replies: u8,
    rests: u8,
    corrections: u8,
    escalations: u16,
    concluding: bool,
    last_part: u16,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    open_parts: Vec<Part>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    left_desks: Vec<DeskId>,
    done: Vec<Done>,
}

impl Ticket {
    /// Opens a ticket from its first event; `None` when that is another than [`TicketEvent::Received`].
    #[must_use]
    pub fn open(first: &TicketEvent) -> Option<Self> {
        let TicketEvent::Received { ticket, filing, origin } = first else { return None };
        Some(Self {
            id: *ticket,
            version: Version(0),
            filing: Arc::clone(filing),
            origin: origin.clone(),
            routing: None,
            remind_every: None,
            holder: None,
            rung: Rung::Officer,
            marked_at: filing.posted_at,
            state: State::Unplaced {
                bound: Bound::ByRules,
                why: if matches!(origin, Origin::Imported(_)) { MarkReason::Imported } else { MarkReason::Routed },
            },
            transfers: 0,
            remarks: 0,
            interim_replies: 0,
            rests: 0,
            corrections: 0,
            left_due: None,
            escalations: 0,
            concluding: false,
            last_part: 0,
            open_parts: Vec::new(),
            left_desks: Vec::new(),
            done: Vec::new(),
        })
    }

    /// Makes an event so.
    pub fn apply(&mut self, event: &TicketEvent) {
        use TicketEvent as E;
        match event {
            E::Received { .. } => {}
            E::Routed(routing) => self.routing = Some(Arc::clone(routing)),
            E::SentToTriage { remind_every, .. } => {
                self.routing = None;
                self.remind_every = *remind_every;
            }
            E::Marked { holder, rung, why, at, due } => self.mark(holder, *rung, *why, *at, *due),
            E::Acknowledged => {
                if let State::Marked { due } = self.state {
                    self.state = State::InProgress { due };
                }
            }
            E::ReportFiled { outcome, review_due } => {
                if let Some(due) = *review_due {
                    self.state = State::UnderReview { outcome: outcome.clone(), due };
                }
            }
            E::ReportApproved => {}
            E::ReportSentBack { due } | E::Resumed { due } => self.state = State::InProgress { due: *due },
            E::Resolved { outcome, at, silence_at } => {
                let (outcome, at, silence_at) = (outcome.clone(), *at, *silence_at);
                self.state = match outcome {
                    Outcome::Rejected(_) => State::Rejected { outcome, at, silence_at },
                    _ => State::Resolved { outcome, at, silence_at },
                };
            }
            E::Forwarded { to: Some(desk) } => self.leave(Bound::Desk(desk.clone()), MarkReason::Forwarded),
            E::Forwarded { to: None } => self.leave(Bound::ByRulesElsewhere, MarkReason::Forwarded),
            E::Returned => self.leave(Bound::Control, MarkReason::Returned),
            E::CategoryChanged { to, .. } => {
                self.corrections = self.corrections.saturating_add(1);
                Arc::make_mut(&mut self.filing).category = Some(to.clone());
                self.leave(Bound::ByRules, MarkReason::CategoryChanged);
            }
            E::PlaceChanged { to, .. } => {
                self.corrections = self.corrections.saturating_add(1);
                Arc::make_mut(&mut self.filing).place = Some(to.clone());
                self.leave(Bound::ByRules, MarkReason::PlaceChanged);
            }
            E::CitizenAsked { until, since } => self.state = State::Asked { until: *until, rest: self.rest(*since) },
            E::Parked { until, why, since } => {
                self.state = State::Parked { until: *until, why: *why, rest: self.rest(*since) };
            }
            E::InterimReplied { next } => {
                self.interim_replies = self.interim_replies.saturating_add(1);
                match &mut self.state {
                    State::InProgress { due } => *due = *next,
                    State::Asked { until, .. } | State::Parked { until, .. } => *until = *next,
                    _ => {}
                }
            }
            E::PartAsked { part, desk } => {
                self.last_part = *part;
                self.open_parts.push(Part { number: *part, desk: desk.clone() });
            }
            E::PartDone { part } => self.open_parts.retain(|open| open.number != *part),
            E::Reminded { due: again } => match &mut self.state {
                State::Triage { due } | State::Marked { due } | State::InProgress { due } => *due = *again,
                State::UnderReview { due, .. } => *due = *again,
                _ => {}
            },
            E::Escalated { from } => {
                self.escalations = self.escalations.saturating_add(1);
                self.leave(Bound::Above(*from), MarkReason::Escalated);
            }
            E::Satisfied => {}
            E::NotSatisfied { remark } => self.mark_again(*remark),
            E::Reopened => {}
            E::HandedOver { holder, rung, at } => {
                self.marked_at = *at;
                self.left_desk(&holder.desk);
                self.holder = Some(holder.clone());
                self.rung = *rung;
            }
            E::Closed { by, outcome, at, reopen_until } => {
                self.open_parts.clear();
                self.state = State::Closed { by: *by, outcome: outcome.clone(), at: *at, reopen_until: *reopen_until };
            }
        }
    }

    /// Makes an entry's events so and counts the entry.
    pub fn advance<'a>(&mut self, events: impl IntoIterator<Item = &'a TicketEvent>, asked: Option<Asked>) {
        events.into_iter().for_each(|event| self.apply(event));
        self.version = self.version.next();
        if let Some(asked) = asked {
            self.done.push(Done { asked, version: self.version });
        }
    }

    fn mark(&mut self, holder: &Holder, rung: Rung, why: MarkReason, at: Timestamp, due: Timestamp) {
        let moves = self.left_desk(&holder.desk);
        let chosen = matches!(why, MarkReason::Forwarded | MarkReason::CategoryChanged | MarkReason::PlaceChanged);
        // What the control desk hands out or takes in is its own decision and no transfer between desks.
        if moves && chosen && holder.desk != DeskId::Control && self.left_desks.last() != Some(&DeskId::Control) {
            self.transfers = self.transfers.saturating_add(1);
        }
        // What the control desk is to conclude is no longer a question of whose it is.
        self.state = if holder.desk == DeskId::Control && self.routing.is_none() && !self.concluding {
            State::Triage { due }
        } else {
            State::Marked { due }
        };
        self.holder = Some(holder.clone());
        self.rung = rung;
        self.marked_at = at;
    }

    /// Notes that the ticket leaves its desk for `next`; whether it does.
    fn left_desk(&mut self, next: &DeskId) -> bool {
        match &self.holder {
            Some(last) if last.desk != *next => {
                self.left_desks.push(last.desk.clone());
                true
            }
            _ => false,
        }
    }

    fn leave(&mut self, bound: Bound, why: MarkReason) {
        self.left_due = match self.state {
            State::Asked { rest, .. } | State::Parked { rest, .. } => Some(rest.due),
            _ => self.state.next_date(),
        };
        self.state = State::Unplaced { bound, why };
    }

    fn mark_again(&mut self, remark: Remark) {
        let back = self.holder.clone();
        let bound = match (remark, back) {
            (Remark::Back(_), Some(holder)) => Bound::Back(holder),
            (Remark::Back(_) | Remark::StepUp(_), _) => Bound::Above(self.rung),
            (Remark::UsedUp, _) => Bound::Control,
        };
        match remark {
            Remark::Back(number) | Remark::StepUp(number) => {
                self.remarks = number;
                self.leave(bound, MarkReason::NotSatisfied);
            }
            Remark::UsedUp => {
                self.concluding = true;
                self.leave(bound, MarkReason::UsedUp);
            }
        }
    }

    /// The deadline that rests from `since` on; one that rests already goes on resting.
    fn rest(&mut self, since: Timestamp) -> Rest {
        match self.state {
            State::Asked { rest, .. } | State::Parked { rest, .. } => rest,
            _ => {
                self.rests = self.rests.saturating_add(1);
                Rest { due: self.state.next_date().unwrap_or(since), since }
            }
        }
    }
}

impl Ticket {
    /// Has it share what the rules said with tickets of which they said the same; `known` has that of those before.
    pub(crate) fn share_routing(&mut self, known: &mut BTreeMap<(TableVersion, RowId), Arc<Routing>>) {
        let Some(routing) = &mut self.routing else { return };
        let shared = known.entry((routing.table, routing.row.clone())).or_insert_with(|| Arc::clone(routing));
        if **shared == **routing {
            *routing = Arc::clone(shared);
        }
    }
}

/// What can be read off a ticket.
impl Ticket {
    /// Its number.
    #[must_use]
    pub fn id(&self) -> TicketId {
        self.id
    }

    /// How many entries it has.
    #[must_use]
    pub fn version(&self) -> Version {
        self.version
    }

    /// What it is routed by.
    #[must_use]
    pub fn filing(&self) -> &Arc<Filing> {
        &self.filing
    }

    /// Where it comes from.
    #[must_use]
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// What the rules said, and by which row; `None` in triage.
    #[must_use]
    pub fn routing(&self) -> Option<&Routing> {
        self.routing.as_deref()
    }

    /// Who holds it, or held it last. `None` only between desks, on the way to the first.
    #[must_use]
    pub fn holder(&self) -> Option<&Holder> {
        self.holder.as_ref()
    }

    /// The desk that owns it, or owned it last.
    #[must_use]
    pub fn desk(&self) -> Option<&DeskId> {
        self.holder.as_ref().map(|holder| &holder.desk)
    }

    /// How high on the ladder it stands.
    #[must_use]
    pub fn rung(&self) -> Rung {
        self.rung
    }

    /// Its state.
    #[must_use]
    pub fn state(&self) -> &State {
        &self.state
    }

    /// When it was marked last.
    #[must_use]
    pub fn marked_at(&self) -> Timestamp {
        self.marked_at
    }

    /// How old it is as a whole: counted from the post, never restarted.
    #[must_use]
    pub fn age(&self, now: Timestamp) -> jiff::SignedDuration {
        now.duration_since(self.filing.posted_at)
    }

    /// How often it moved between desks by forwarding or a corrected category or place.
    #[must_use]
    pub fn transfers(&self) -> u8 {
        self.transfers
    }

    /// How often it was marked again because the complainant was not satisfied.
    #[must_use]
    pub fn remarks(&self) -> u16 {
        self.remarks
    }

    /// How often a deadline took it a step up.
    #[must_use]
    pub fn escalations(&self) -> u16 {
        self.escalations
    }

    /// Whether its re-marks are used up, so that the top of the ladder concludes it for good.
    #[must_use]
    pub fn is_concluding(&self) -> bool {
        self.concluding
    }

    /// The parts that other desks were asked for and have not done.
    #[must_use]
    pub fn open_parts(&self) -> &[Part] {
        &self.open_parts
    }

    /// The desks that had it before, in order.
    #[must_use]
    pub fn earlier_desks(&self) -> &[DeskId] {
        &self.left_desks
    }

    /// The version at which the same act, by its request id, was carried out, if it was.
    ///
    /// # Errors
    /// [`Refusal::RequestUsed`] when the id was that of another act, or of somebody else's.
    pub fn done(&self, asked: &Asked) -> Result<Option<Version>, Refusal> {
        match self.done.iter().find(|done| done.asked.request == asked.request) {
            None => Ok(None),
            Some(done) if done.asked == *asked => Ok(Some(done.version)),
            Some(_) => Err(Refusal::RequestUsed { request: asked.request }),
        }
    }
}
