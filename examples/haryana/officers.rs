//! What officers do with the tickets marked to them, and when.

use std::collections::BTreeMap;
use std::error::Error;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use nivaran::roster::Rung;
use nivaran::rules::{Facts, Level};
use nivaran::ticket::{Grounds, ParkReason, Reference, State};
use nivaran::{
    Act, Action, CategoryPath, Channel, DepartmentId, DeskId, OfficerId, Outcome, Roster, Rules, Statement, Ticket,
};

use crate::calendar::{in_office, is_monsoon};
use crate::case::Case;
use crate::dice::Dice;

/// What has a deadline of so many hours or less is dealt with around the clock.
const URGENT: i64 = 96;
/// Whom the lead desk asks for a part.
const HELPERS: [&str; 4] = ["pwd", "irrigation", "revenue", "police"];

/// What the rain holds up.
const WET: [&str; 3] = ["water/logging", "sewerage", "roads"];

/// The officers of the roster.
pub struct Officers {
    rules: Arc<Rules>,
    roster: Arc<Roster>,
    seed: u64,
    helpers: Vec<DeskId>,
    /// Until when each has work on the desk already: more than one can do in a day has to wait.
    busy_until: BTreeMap<OfficerId, Timestamp>,
}

/// How an officer works.
#[derive(Clone, Copy, PartialEq)]
enum Temper {
    Steady,
    Slow,
    /// Leaves more than half of it lying, so that the deadline takes it up the ladder.
    Silent,
}

impl Officers {
    pub fn new(rules: Arc<Rules>, roster: Arc<Roster>, seed: u64) -> Result<Self, Box<dyn Error>> {
        let desk = |code: &&str| Ok(DeskId::Department(DepartmentId::new(code)?));
        let helpers = HELPERS.iter().map(desk).collect::<Result<_, Box<dyn Error>>>()?;
        Ok(Self { rules, roster, seed, helpers, busy_until: BTreeMap::new() })
    }

    /// When the officer who holds a ticket turns to it next; `None` if they leave it lying.
    pub fn next_turn(&mut self, ticket: &Ticket, case: &mut Case, now: Timestamp) -> Option<Timestamp> {
        let officer = &ticket.holder()?.officer;
        match ticket.state() {
            State::Triage { .. } => Some(now + minutes(case.dice.between(20, 240))),
            State::Marked { .. } => self.first_look(ticket, officer, case, now),
            State::InProgress { .. } if !ticket.open_parts().is_empty() => {
                Some(in_office(now + hours(case.dice.between(20, 100)), &mut case.dice))
            }
            State::InProgress { .. } => Some(self.work_done(ticket, officer, case, now)),
            _ => None,
        }
    }

    /// The shorter the deadline, the sooner the officer looks.
    fn first_look(&self, ticket: &Ticket, officer: &OfficerId, case: &mut Case, now: Timestamp) -> Option<Timestamp> {
        let dice = &mut case.dice;
        let percent = match self.temper(officer, ticket.rung()) {
            Temper::Silent if dice.chance(600) => return None,
            Temper::Steady => dice.between(2, 12),
            _ => dice.between(15, 50),
        };
        Some(on_duty(ticket, now + minutes(deadline(ticket) * 60 * percent / 100), dice))
    }

    /// The work takes its time outside and some hours at the desk, behind what lies there already.
    fn work_done(&mut self, ticket: &Ticket, officer: &OfficerId, case: &mut Case, now: Timestamp) -> Timestamp {
        let dice = &mut case.dice;
        let share = if self.temper(officer, ticket.rung()) == Temper::Steady { 0.15 } else { 0.4 };
        let outside = deadline(ticket) as f64 * share * dice.spread() * rain(ticket, now);
        // In a district officers go and see; above it they have it done.
        let in_district = ticket.rung() == Rung::Officer && matches!(ticket.desk(), Some(DeskId::District(_)));
        let at_desk = if in_district { dice.between(120, 420) } else { dice.between(10, 40) };
        let busy_until = self.busy_until.entry(officer.clone()).or_insert(now);
        *busy_until = now.max(*busy_until) + minutes(at_desk);
        let done = (now + minutes((outside * 60.0) as i64)).max(*busy_until);
        on_duty(ticket, done, dice)
    }

    fn temper(&self, officer: &OfficerId, rung: Rung) -> Temper {
        if rung != Rung::Officer {
            return Temper::Steady;
        }
        let name = officer.as_str().bytes().fold(0_u64, |name, byte| name.wrapping_mul(31) + u64::from(byte));
        match Dice::new(self.seed, name).between(0, 99) {
            0..80 => Temper::Steady,
            80..95 => Temper::Slow,
            _ => Temper::Silent,
        }
    }

    /// What the officer does at their turn.
    pub fn act(&self, ticket: &Ticket, case: &mut Case, now: Timestamp) -> Result<Option<Act>, Box<dyn Error>> {
        let Some(holder) = ticket.holder() else { return Ok(None) };
        if let Some(part) = ticket.open_parts().first() {
            let helper = self.roster.nodal(&part.desk).ok_or("a helper that is not on the roster")?;
            return Ok(Some(Act::by_officer(ticket.id(), helper.id().clone(), Action::PartDone(part.number))));
        }
        let action = match self.elsewhere(ticket, case, now) {
            Some(action) => action,
            None if matches!(ticket.state(), State::Marked { .. }) => Action::Acknowledge,
            None => self.work(ticket, case, now)?,
        };
        let words = words(&action);
        let act = Act::by_officer(ticket.id(), holder.officer.clone(), action);
        Ok(Some(match words {
            Some(words) => act.statement(Statement::new(words)?),
            None => act,
        }))
    }

    /// What sends a ticket to where it belongs, if that is not here.
    fn elsewhere(&self, ticket: &Ticket, case: &mut Case, now: Timestamp) -> Option<Action> {
        let home = self.home(case, now);
        if ticket.filing().category.as_ref() != Some(&case.category) && !case.sent_home {
            if case.dice.chance(300)
                && let Some(desk @ DeskId::Department(_)) = &home
                && ticket.desk() != Some(desk)
                && !ticket.earlier_desks().contains(desk)
            {
                case.sent_home = true;
                return Some(Action::Forward(home));
            }
            return Some(Action::ChangeCategory(case.category.clone()));
        }
        if ticket.filing().place.as_ref() != Some(&case.place) {
            return Some(Action::ChangePlace(case.place.clone()));
        }
        // What was sent away wrongly lies at the control desk, which sends it back.
        if ticket.desk() == Some(&DeskId::Control) && std::mem::take(&mut case.sent_away) {
            return home.map(|home| Action::Forward(Some(home)));
        }
        None
    }

    /// The desk to which the rules send what it is really about.
    fn home(&self, case: &Case, now: Timestamp) -> Option<DeskId> {
        let facts = Facts {
            category: Some(&case.category),
            place: Some(&case.place),
            channel: Channel::Web,
            language: None,
            words: None,
            moment: self.roster.moment(now),
        };
        let route = self.rules.decide(&facts).row.route()?;
        Some(match route.level {
            Level::District => DeskId::District(case.place.district()),
            Level::State => DeskId::Department(route.department),
        })
    }

    /// What comes of the work.
    fn work(&self, ticket: &Ticket, case: &mut Case, now: Timestamp) -> Result<Action, Box<dyn Error>> {
        if case.asked == Some(false) {
            return Ok(Action::Resolve(Outcome::NoAnswerFromCitizen));
        }
        let kind = case.dice.between(0, 999);
        if kind < 15 && ticket.desk() != Some(&DeskId::Control) && !ticket.is_concluding() {
            case.sent_away = true;
            let can_return = now < ticket.marked_at() + days(5);
            return Ok(if kind < 7 && can_return { Action::Return } else { Action::Forward(None) });
        }
        if (15..145).contains(&kind) && !std::mem::replace(&mut case.delayed, true) {
            return Ok(self.delay(kind, ticket, case, now));
        }
        if (145..175).contains(&kind) {
            let grounds =
                [Grounds::NotAGrievance, Grounds::PersonalDispute, Grounds::SubJudice, Grounds::ServiceMatter];
            return Ok(Action::Reject(grounds[case.dice.pick([4, 3, 2, 1].into_iter())]));
        }
        resolve(ticket, case).map(Action::Resolve)
    }

    /// What takes longer: the citizen is asked, it rests, more is promised, another desk helps.
    fn delay(&self, kind: i64, ticket: &Ticket, case: &mut Case, now: Timestamp) -> Action {
        match kind {
            15..55 => {
                case.asked = Some(false);
                Action::AskCitizen { until: now + days(case.dice.between(3, 7)) }
            }
            55..75 => {
                let why = [ParkReason::WorkPlanned, ParkReason::AwaitingFunds, ParkReason::PolicyQuestion];
                let why = why[case.dice.pick([6, 3, 1].into_iter())];
                Action::Park { until: now + days(case.dice.between(20, 170)), why }
            }
            75..110 => Action::InterimReply { next: now + days(case.dice.between(3, 10)) },
            _ => {
                let other = |desk: &&DeskId| ticket.desk() != Some(*desk);
                let first = case.dice.between(0, 3) as usize;
                let helper = self.helpers.iter().cycle().skip(first).take(self.helpers.len()).find(other);
                helper.map_or(Action::Resolve(Outcome::PartlyFixed), |desk| Action::Assist(desk.clone()))
            }
        }
    }
}

fn resolve(ticket: &Ticket, case: &mut Case) -> Result<Outcome, Box<dyn Error>> {
    case.is_sham = case.dice.chance(if ticket.remarks() == 0 { 80 } else { 40 });
    Ok(match case.dice.between(0, 99) {
        0..84 => Outcome::Fixed,
        84..94 => Outcome::PartlyFixed,
        94..98 => Outcome::CannotBeDone,
        _ => Outcome::PassedToAuthority(Reference::new(&format!("AUTH/2022/{}", ticket.id().number()))?),
    })
}

fn words(action: &Action) -> Option<&'static str> {
    Some(match action {
        Action::Resolve(Outcome::Fixed) => "Done; photographs are with the office.",
        Action::Resolve(_) => "What could be done is done; the rest is explained in the report.",
        Action::Reject(_) => "It cannot be taken up on these grounds.",
        Action::Forward(_) | Action::Return => "It does not pertain to this office.",
        Action::AskCitizen { .. } => "Please send the house number and a photograph.",
        Action::Park { .. } => "The work is on the list.",
        Action::InterimReply { .. } => "The team is at it; more by the date given.",
        Action::Assist(_) => "Please do your part and report.",
        _ => return None,
    })
}

/// How much longer work on streets and drains takes in the monsoon: there are fewer pumps than flooded streets, and a
/// pothole has to dry.
fn rain(ticket: &Ticket, now: Timestamp) -> f64 {
    let in_the_wet = |category: &CategoryPath| WET.iter().any(|wet| category.as_str().starts_with(wet));
    if is_monsoon(now) && ticket.filing().category.as_ref().is_some_and(in_the_wet) { 6.0 } else { 1.0 }
}

/// When somebody is there for it.
fn on_duty(ticket: &Ticket, at: Timestamp, dice: &mut Dice) -> Timestamp {
    if deadline(ticket) <= URGENT { at } else { in_office(at, dice) }
}

/// The hours that the rules give for it.
fn deadline(ticket: &Ticket) -> i64 {
    ticket.routing().map_or(24, |routing| routing.route.deadline.get().into())
}

pub fn minutes(count: i64) -> SignedDuration {
    SignedDuration::from_mins(count)
}

pub fn hours(count: i64) -> SignedDuration {
    SignedDuration::from_hours(count)
}

pub fn days(count: i64) -> SignedDuration {
    SignedDuration::from_hours(24 * count)
}
