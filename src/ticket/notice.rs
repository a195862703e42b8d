//! Who is to be told what: the words that follow from an event.
//!
//! The engine sends nothing itself. An embedding service subscribes to the entries, asks each event for its notice
//! and sends it by whatever way it has.

use std::fmt;

use jiff::Timestamp;

use crate::code::DeskId;
use crate::rules::Routing;
use crate::ticket::{ClosedBy, Holder, MarkReason, Origin, Outcome, TicketEvent, TicketId};

/// To whom a notice goes.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Recipient {
    /// The complainant.
    Complainant,
    /// The desk that was asked for a part.
    Desk(DeskId),
}

/// Something that somebody is to be told, in plain words by its `Display`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Notice {
    /// The grievance has a number.
    Received(TicketId),
    /// Who has it now, and why.
    NowWith(TicketId, Holder, MarkReason),
    /// The control desk finds out whose it is.
    InTriage(TicketId),
    /// The officer asks something; an answer is waited for until then.
    Question(TicketId, Timestamp),
    /// It rests until a date.
    Rests(TicketId, Timestamp),
    /// More is heard by this date.
    Interim(TicketId, Timestamp),
    /// It is answered, with this outcome: is the complainant satisfied? Silence until then closes it.
    Answered(TicketId, Outcome, Timestamp),
    /// It is closed, by whom, and until when a complaint reopens it; `None` for good.
    Closed(TicketId, ClosedBy, Option<Timestamp>),
    /// A part is asked for, under this number in the ticket.
    PartAsked(TicketId, u16),
}

impl TicketEvent {
    /// What is to be told to whom because of this event of `ticket`; `None` for most events.
    #[must_use]
    pub fn notice(&self, ticket: TicketId) -> Option<(Recipient, Notice)> {
        let notice = match self {
            Self::Received { .. } => Notice::Received(ticket),
            Self::SentToTriage { .. } => Notice::InTriage(ticket),
            Self::Marked { holder, why, .. } => Notice::NowWith(ticket, holder.clone(), *why),
            Self::HandedOver { holder, .. } => Notice::NowWith(ticket, holder.clone(), MarkReason::RosterChanged),
            Self::CitizenAsked { until, .. } => Notice::Question(ticket, *until),
            Self::Parked { until, .. } => Notice::Rests(ticket, *until),
            Self::InterimReplied { next } => Notice::Interim(ticket, *next),
            Self::Resolved { outcome, silence_at, .. } => Notice::Answered(ticket, outcome.clone(), *silence_at),
            Self::Closed { by, reopen_until, .. } => Notice::Closed(ticket, *by, *reopen_until),
            Self::PartAsked { part, desk } => {
                return Some((Recipient::Desk(desk.clone()), Notice::PartAsked(ticket, *part)));
            }
            _ => return None,
        };
        Some((Recipient::Complainant, notice))
    }
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Received(ticket) => write!(f, "Your grievance has the number {ticket}."),
            Self::NowWith(ticket, holder, why) => {
                write!(f, "Your grievance {ticket} is now with {}, {}, because {why}.", holder.officer, holder.desk)
            }
            Self::InTriage(ticket) => {
                write!(f, "The control desk finds out who is responsible for grievance {ticket}.")
            }
            Self::Question(ticket, until) => {
                write!(f, "The officer asks you something about grievance {ticket}; please answer until {until}.")
            }
            Self::Rests(ticket, until) => write!(f, "Grievance {ticket} rests until {until}."),
            Self::Interim(ticket, next) => write!(f, "You will hear more about grievance {ticket} by {next}."),
            Self::Answered(ticket, outcome, until) => {
                write!(f, "Grievance {ticket} is answered ({outcome}). Are you satisfied? Please say so until {until}.")
            }
            Self::Closed(ticket, by, None) => write!(f, "Grievance {ticket} is closed for good: {by}."),
            Self::Closed(ticket, by, Some(until)) => {
                write!(f, "Grievance {ticket} is closed: {by}. Until {until} you can have it reopened.")
            }
            Self::PartAsked(ticket, part) => write!(f, "Part {part} of grievance {ticket} is asked of your desk."),
        }
    }
}

/// The event in words, as a line of the ticket's history.
impl fmt::Display for TicketEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Received { filing, origin, .. } => {
                write!(f, "received by {}", filing.channel)?;
                match origin {
                    Origin::Submitted => {}
                    Origin::FollowUp(first) => write!(f, ", to follow up {first}")?,
                    Origin::Imported(number) => write!(f, ", imported as {number}")?,
                }
                if let Some(category) = &filing.category {
                    write!(f, ", about {category}")?;
                }
                filing.place.as_ref().map_or(Ok(()), |place| write!(f, ", in {place}"))
            }
            Self::Routed(routing) => {
                let Routing { table, row, held, route } = &**routing;
                write!(f, "routed by row {row} of table {table} ({held}) to {route}")
            }
            Self::SentToTriage { why, .. } => write!(f, "sent to triage: {why}"),
            Self::Marked { holder, why, due, .. } => write!(f, "marked to {holder} until {due}, because {why}"),
            Self::Acknowledged => f.write_str("acknowledged"),
            Self::ReportFiled { outcome, review_due: None } => write!(f, "action-taken report filed: {outcome}"),
            Self::ReportFiled { outcome, review_due: Some(due) } => {
                write!(f, "action-taken report filed: {outcome}; to be reviewed until {due}")
            }
            Self::ReportApproved => f.write_str("report approved"),
            Self::ReportSentBack { due } => write!(f, "report sent back, due again {due}"),
            Self::Resolved { outcome, silence_at, .. } => {
                write!(f, "answered: {outcome}; the complainant is asked until {silence_at}")
            }
            Self::Forwarded { to: Some(desk) } => write!(f, "forwarded to {desk}"),
            Self::Forwarded { to: None } => f.write_str("forwarded, to whom the rules say"),
            Self::Returned => f.write_str("returned to the control desk"),
            Self::CategoryChanged { from: Some(from), to } => write!(f, "category corrected from {from} to {to}"),
            Self::CategoryChanged { from: None, to } => write!(f, "category set to {to}"),
            Self::PlaceChanged { from: Some(from), to } => write!(f, "place corrected from {from} to {to}"),
            Self::PlaceChanged { from: None, to } => write!(f, "place set to {to}"),
            Self::CitizenAsked { until, .. } => write!(f, "the complainant is asked until {until}"),
            Self::Parked { until, why, .. } => write!(f, "parked until {until}: {why}"),
            Self::InterimReplied { next } => write!(f, "interim reply, next date {next}"),
            Self::Resumed { due } => write!(f, "resumed, due {due}"),
            Self::PartAsked { part, desk } => write!(f, "part {part} asked of {desk}"),
            Self::PartDone { part } => write!(f, "part {part} done"),
            Self::Reminded { due } => write!(f, "reminded, next reminder {due}"),
            Self::Escalated { from } => write!(f, "escalated from the {from}: the deadline passed"),
            Self::Satisfied => f.write_str("the complainant is satisfied"),
            Self::NotSatisfied { .. } => f.write_str("the complainant is not satisfied"),
            Self::Reopened => f.write_str("reopened"),
            Self::HandedOver { holder, .. } => write!(f, "handed over to {holder}: the roster changed"),
            Self::Closed { by, outcome, .. } => write!(f, "closed: {outcome}; {by}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ticket::event::tests::{at, every_event, holder, id};
    use crate::ticket::{Grounds, ParkReason};

    /// Not empty, one line, and no word of the code in it.
    fn assert_in_words(words: &str) {
        assert!(!words.is_empty() && words.trim() == words, "{words:?}");
        assert!(!words.contains(['\n', '{', '}', '_']) && !words.contains("::"), "{words:?}");
    }

    #[test]
    fn every_event_is_said_in_words() {
        for event in every_event() {
            assert_in_words(&event.to_string());
        }
    }

    #[test]
    fn every_notice_is_said_in_words_and_names_the_ticket() {
        for notice in every_event().iter().filter_map(|event| event.notice(id(1))) {
            assert_in_words(&notice.1.to_string());
            assert!(notice.1.to_string().contains(&id(1).to_string()), "{}", notice.1);
        }
    }

    #[test]
    fn the_complainant_hears_what_concerns_them_and_a_desk_what_it_is_asked_for() {
        let told = |event: TicketEvent| event.notice(id(1));
        assert_eq!(told(TicketEvent::Acknowledged), None);
        assert_eq!(told(TicketEvent::Reminded { due: at(2) }), None);
        assert_eq!(
            told(TicketEvent::ReportFiled { outcome: Outcome::Fixed, review_due: Some(at(2)) }),
            None,
            "a report that is under review is not the citizen's yet"
        );
        let power: DeskId = "department:power".parse().unwrap();
        let part = told(TicketEvent::PartAsked { part: 2, desk: power.clone() });
        assert_eq!(part, Some((Recipient::Desk(power), Notice::PartAsked(id(1), 2))));
        let parked = TicketEvent::Parked { until: at(9), why: ParkReason::WorkPlanned, since: at(1) };
        assert_eq!(told(parked), Some((Recipient::Complainant, Notice::Rests(id(1), at(9)))));
        let outcome = Outcome::Rejected(Grounds::SubJudice);
        let rejected = TicketEvent::Resolved { outcome: outcome.clone(), at: at(1), silence_at: at(8) };
        assert_eq!(told(rejected), Some((Recipient::Complainant, Notice::Answered(id(1), outcome, at(8)))));
    }

    #[test]
    fn whoever_closes_for_good_says_so() {
        let closed = |reopen_until| TicketEvent::Closed {
            by: ClosedBy::ControlDesk,
            outcome: Outcome::CannotBeDone,
            at: at(1),
            reopen_until,
        };
        let words = |event: TicketEvent| event.notice(id(1)).unwrap().1.to_string();
        let number = id(1);
        assert_eq!(
            words(closed(None)),
            format!("Grievance {number} is closed for good: the control desk concluded it for good.")
        );
        assert!(words(closed(Some(at(6)))).contains("can have it reopened"));
    }

    #[test]
    fn a_handed_over_ticket_is_told_like_a_mark_with_its_reason() {
        let rung = crate::roster::Rung::Officer;
        let handed_over = TicketEvent::HandedOver { holder: holder(), rung, at: at(2) }.notice(id(1));
        let notice = Notice::NowWith(id(1), holder(), MarkReason::RosterChanged);
        assert_eq!(handed_over, Some((Recipient::Complainant, notice)));
    }
}
