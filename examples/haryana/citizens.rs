//! What citizens say once they have an answer or are asked, and when.

use std::error::Error;

use jiff::Timestamp;
use nivaran::ticket::{ClosedBy, State};
use nivaran::{Act, Action, Feedback, Outcome, Statement, Ticket, Verdict};

use crate::case::Case;
use crate::officers::{days, hours};

/// What a citizen says.
pub enum Word {
    Act(Act),
    Feedback(Feedback),
}

/// When the citizen speaks next; `None` if they say nothing.
pub fn next_word(ticket: &Ticket, case: &mut Case, now: Timestamp) -> Option<Timestamp> {
    let dice = &mut case.dice;
    match ticket.state() {
        State::Asked { until, .. } if dice.chance(750) => {
            let at = now + hours(dice.between(2, 60));
            (at < *until).then_some(at)
        }
        State::Resolved { .. } | State::Rejected { .. } if dice.chance(500) => Some(now + hours(dice.between(1, 150))),
        // Some find out only later that it was not done well: within the window or after it.
        State::Closed { by: ClosedBy::Silence, .. } if dice.chance(25) => Some(now + days(dice.between(1, 15))),
        _ => None,
    }
}

/// What the citizen says.
pub fn speak(ticket: &Ticket, case: &mut Case) -> Result<Option<Word>, Box<dyn Error>> {
    let verdict = match ticket.state() {
        State::Asked { .. } => {
            case.asked = Some(true);
            let act = Act::by_citizen(ticket.id(), case.author.clone(), Action::CitizenAnswers);
            return Ok(Some(Word::Act(act.statement(Statement::new("House 114, opposite the school.")?))));
        }
        State::Resolved { outcome, .. } | State::Rejected { outcome, .. } => verdict(ticket, outcome, case),
        State::Closed { .. } => Verdict::NotSatisfied,
        _ => return Ok(None),
    };
    let feedback = Feedback::new(ticket.id(), case.author.clone(), verdict);
    Ok(Some(Word::Feedback(match verdict {
        Verdict::Satisfied => feedback,
        Verdict::NotSatisfied => {
            // Who complains is there, and answers the next question.
            case.asked = case.asked.map(|_| true);
            feedback.reason(Statement::new("It is as it was. Nobody came.")?)
        }
    })))
}

fn verdict(ticket: &Ticket, outcome: &Outcome, case: &mut Case) -> Verdict {
    let pleased: u64 = match outcome {
        Outcome::Fixed if case.is_sham => 50,
        Outcome::Fixed => 850,
        Outcome::PartlyFixed => 500,
        _ => 220,
    };
    let waited: u64 = if ticket.escalations() > 0 { 120 } else { 0 };
    if case.dice.chance(pleased.saturating_sub(waited)) { Verdict::Satisfied } else { Verdict::NotSatisfied }
}
