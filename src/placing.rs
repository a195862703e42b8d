//! Where a ticket goes next: the rules asked, the ladder climbed, circles and used-up transfers kept in mind.
//!
//! This is what the dispatcher decides. Which officer at the desk gets the ticket is the desk's decision.

use std::sync::Arc;

use jiff::Timestamp;

use crate::code::{DepartmentId, DeskId, OfficerId};
use crate::grievance::Filing;
use crate::roster::{Roster, Rung, Track};
use crate::rules::{Facts, Level, Rules};
use crate::ticket::{Bound, Holder, MarkReason, Policy, State, Ticket, TicketEvent, TriageReason};

/// Where a ticket goes: to which desk, how high on the ladder, and why.
#[derive(Debug, Clone, PartialEq)]
pub struct Placement {
    /// What the rules said, where they were asked: [`TicketEvent::Routed`] or [`TicketEvent::SentToTriage`].
    pub routed: Option<TicketEvent>,
    /// The desk.
    pub desk: DeskId,
    /// How high on the ladder.
    pub rung: Rung,
    /// The department whose matter it is.
    pub department: Option<DepartmentId>,
    /// The officer, where it has to be this one if they are there.
    pub officer: Option<OfficerId>,
    /// Why it is marked there.
    pub why: MarkReason,
}

/// Where `ticket`, which is between desks, goes. `text` is what the citizen wrote, where it is at hand: rules may ask for
/// words in it.
#[must_use]
pub fn place(
    ticket: &Ticket,
    text: Option<&str>,
    rules: &Rules,
    roster: &Roster,
    policy: &Policy,
    now: Timestamp,
) -> Placement {
    let going = Going { ticket, text, rules, roster, now };
    let State::Unplaced { bound, why } = ticket.state() else {
        // Only a ticket whose officer or desk left the roster is placed from another state.
        return going.hand_over();
    };
    let (bound, why) = (bound.clone(), *why);
    let had_it = |desk: &DeskId| ticket.desk() == Some(desk) || ticket.earlier_desks().contains(desk);
    let placement = match bound {
        Bound::ByRules => going.by_rules(why),
        Bound::ByRulesElsewhere => {
            let placement = going.by_rules(why);
            if had_it(&placement.desk) { going.top(why) } else { placement }
        }
        Bound::Desk(desk) => {
            let placement = going.to_desk(&desk, Rung::Officer, why);
            // Where nobody is on duty at the named desk it climbs, and must not come round to a desk that had it.
            let round = why == MarkReason::Forwarded && placement.desk != desk && had_it(&placement.desk);
            if round { going.top(why) } else { placement }
        }
        Bound::Above(rung) => going.climb(rung.above(), why),
        Bound::Back(holder) => going.back(&holder, why),
        Bound::Control => going.top(why),
    };
    if is_transfer(ticket, &placement) && ticket.transfers_used_up(policy) {
        return going.top(MarkReason::UsedUp);
    }
    placement
}

/// Where a grievance goes on which the engine met a fault of its own: to the control desk, with that reason.
#[must_use]
pub fn place_after_fault(filing: &Filing, rules: &Rules, roster: &Roster) -> Placement {
    let (desk, rung) = roster.top(filing.against.as_ref());
    let (table, row, remind_every) = (rules.version(), None, None);
    let routed = TicketEvent::SentToTriage { why: TriageReason::Fault, table, row, remind_every };
    Placement { routed: Some(routed), desk, rung, department: None, officer: None, why: MarkReason::Routed }
}

fn is_transfer(ticket: &Ticket, placement: &Placement) -> bool {
    let chosen =
        matches!(placement.why, MarkReason::Forwarded | MarkReason::CategoryChanged | MarkReason::PlaceChanged);
    let between_desks = ticket.desk().is_some_and(|from| *from != placement.desk && *from != DeskId::Control);
    chosen && between_desks && placement.desk != DeskId::Control
}

struct Going<'a> {
    ticket: &'a Ticket,
    text: Option<&'a str>,
    rules: &'a Rules,
    roster: &'a Roster,
    now: Timestamp,
}

impl Going<'_> {
    fn by_rules(&self, why: MarkReason) -> Placement {
        let filing = self.ticket.filing();
        let words = self.text.and_then(|text| self.rules.words_in(text));
        let facts = Facts { words: words.as_ref(), ..Facts::of(filing, self.roster.moment(self.now)) };
        let decision = self.rules.decide(&facts);
        let triage = |reason| {
            let row = Some(decision.row.id.clone());
            let remind_every = Some(decision.row.deadline);
            let routed = TicketEvent::SentToTriage { why: reason, table: decision.table, row, remind_every };
            Placement { routed: Some(routed), department: None, ..self.top(why) }
        };
        let Some(routing) = decision.routing else { return triage(TriageReason::NoRule) };
        let route = &routing.route;
        if !self.roster.has_department(&route.department) {
            return triage(TriageReason::NoDesk);
        }
        // A district's matter whose district is not known, or has no desk, is the department's own.
        let district = filing.place.as_ref().map(|place| place.district());
        let district = district.filter(|d| route.level == Level::District && self.roster.has_district(d));
        let track = Track { district, department: Some(route.department.clone()) };
        let routed = Some(TicketEvent::Routed(Arc::clone(routing)));
        Placement { routed, ..self.on_ladder(track, Rung::Officer, why) }
    }

    /// At a desk that stays the ticket keeps its step of the ladder.
    fn hand_over(&self) -> Placement {
        let why = MarkReason::RosterChanged;
        match self.ticket.desk() {
            Some(desk) if self.roster.desk(desk).is_some() => self.to_desk(desk, self.ticket.rung(), why),
            _ => self.by_rules(why),
        }
    }

    fn to_desk(&self, desk: &DeskId, rung: Rung, why: MarkReason) -> Placement {
        match desk {
            DeskId::Control => self.top(why),
            _ => self.on_ladder(Track::at(desk, self.department()), rung, why),
        }
    }

    fn climb(&self, rung: Rung, why: MarkReason) -> Placement {
        let here = self.ticket.desk().unwrap_or(&DeskId::Control);
        self.on_ladder(Track::at(here, self.department()), rung, why)
    }

    /// To the officer who had it; if they are away for good, to whoever sits where they sat.
    fn back(&self, holder: &Holder, why: MarkReason) -> Placement {
        let placement = self.to_desk(&holder.desk, self.ticket.rung(), why);
        let same_desk = placement.desk == holder.desk;
        Placement { officer: same_desk.then(|| holder.officer.clone()), ..placement }
    }

    fn top(&self, why: MarkReason) -> Placement {
        let (desk, rung) = self.roster.top(self.ticket.filing().against.as_ref());
        Placement { routed: None, desk, rung, department: self.department(), officer: None, why }
    }

    fn on_ladder(&self, track: Track, from: Rung, why: MarkReason) -> Placement {
        let against = self.ticket.filing().against.as_ref();
        let (desk, rung) = self.roster.lowest(&track, from, against, self.now);
        Placement { routed: None, desk, rung, department: track.department, officer: None, why }
    }

    fn department(&self) -> Option<DepartmentId> {
        self.ticket.routing().map(|routing| routing.route.department.clone())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use jiff::SignedDuration;
    use proptest::prelude::*;

    use super::*;
    use crate::grievance::{Against, Channel};
    use crate::personal::SourceKey;
    use crate::ticket::{Action, ActionKind, Command, Grounds, Origin, Outcome, ParkReason, RemarkPolicy, Review};
    use crate::ticket::{Remark, Roles, StateKind, TicketId, may};
    use crate::tree::{CategoryTree, PlaceTree};

    /// Two departments (one of them the oversight, with nobody but its head), two districts, the control desk; there
    /// are days on which whole rungs are on leave.
    const ROSTER: &str = r#"
        time_zone = "UTC"
        control = { name = "Secretariat", nodal = "cms", oversight = "power" }
        department = [
            { code = "phe", name = "Public Health Engineering", nodal = "phe-state" },
            { code = "power", name = "Power", nodal = "power-state" },
        ]
        district = [
            { code = "hisar", name = "Hisar", nodal = "cm-hisar" },
            { code = "rohtak", name = "Rohtak", nodal = "cm-rohtak" },
        ]
        officer = [
            { id = "cms", name = "", desk = "control", deputy = "cms-triage" },
            { id = "cms-triage", name = "", desk = "control", leave = [{ from = 2022-06-10, to = 2022-06-20 }] },
            { id = "phe-state", name = "", desk = "phe", deputy = "phe-se", leave = [{ from = 2022-06-05, to = 2022-06-12 }] },
            { id = "phe-se", name = "", desk = "phe", leave = [{ from = 2022-06-09, to = 2022-06-12 }] },
            { id = "power-state", name = "", desk = "power", leave = [{ from = 2022-06-18, to = 2022-06-19 }] },
            { id = "cm-hisar", name = "", desk = "hisar", leave = [{ from = 2022-06-08, to = 2022-06-30 }] },
            { id = "phe-hisar", name = "", desk = "hisar", department = "phe", deputy = "phe-je-hisar", leave = [{ from = 2022-06-04, to = 2022-06-16 }] },
            { id = "phe-je-hisar", name = "", desk = "hisar", department = "phe", leave = [{ from = 2022-06-08, to = 2022-06-14 }] },
            { id = "power-hisar", name = "", desk = "hisar", department = "power", deputy = "cm-hisar" },
            { id = "cm-rohtak", name = "", desk = "rohtak", deputy = "phe-rohtak", leave = [{ from = 2022-06-02, to = 2022-06-30 }] },
            { id = "phe-rohtak", name = "", desk = "rohtak", department = "phe", leave = [{ from = 2022-06-11, to = 2022-06-12 }] },
        ]
    "#;

    /// The same without a district and without one officer of the other.
    fn smaller_roster() -> Roster {
        let stays = |line: &&str| !line.contains("rohtak") && !line.contains("id = \"phe-hisar\"");
        Roster::read(&ROSTER.lines().filter(stays).collect::<Vec<_>>().join("\n")).unwrap()
    }

    /// The department of bridges has no desk.
    const RULES: &str = "id,category,location,department,level,priority,deadline_hours
W-1,water,,phe,district,high,72
W-2,water/sewer,,phe,state,normal,48
W-3,water,rohtak,phe,state,high,48
P-1,power,,power,district,urgent,24
P-2,power,rohtak,power,state,urgent,24
B-1,bridge,,bridges,state,low,96
ELSE,,,control,,normal,24
";
    const CATEGORIES: [&str; 5] = ["water", "water/sewer", "power", "bridge", "cattle"];
    const PLACES: [&str; 4] = ["hisar", "hisar/hansi", "rohtak", "sirsa"];
    const DESKS: [&str; 5] = ["control", "department:phe", "department:power", "district:hisar", "district:rohtak"];

    struct World {
        rules: Rules,
        roster: Roster,
        policy: Policy,
    }

    impl World {
        fn new(policy: Policy) -> Self {
            let categories = CategoryTree::from_paths(CATEGORIES.map(|path| path.parse().unwrap()));
            let places = PlaceTree::from_paths(PLACES.map(|path| path.parse().unwrap()));
            let rules = Rules::read(categories, places, RULES.as_bytes()).unwrap();
            Self { rules, roster: Roster::read(ROSTER).unwrap(), policy }
        }

        /// Marks a ticket that is between desks to one of the candidates, as the dispatcher and the desk do.
        fn settle(&self, ticket: &mut Ticket, pick: usize, now: Timestamp) -> Vec<TicketEvent> {
            let placement = place(ticket, None, &self.rules, &self.roster, &self.policy, now);
            let against = ticket.filing().against.clone();
            let desk = self.roster.desk(&placement.desk).expect("it is placed on a desk of the roster");
            let again = placement.officer.as_ref();
            let again = again.and_then(|officer| self.roster.stand_in(officer, against.as_ref(), now));
            let again = again.filter(|seat| *self.roster.at(*seat).desk() == placement.desk);
            let department = placement.department.as_ref();
            let candidates: Vec<_> =
                self.roster.candidates(desk, placement.rung, department, against.as_ref(), now).collect();
            let seat = again.unwrap_or_else(|| candidates[pick % candidates.len()]);
            let holder = Holder { desk: placement.desk, officer: self.roster.at(seat).id().clone() };
            let mut events: Vec<_> = placement.routed.into_iter().collect();
            events.iter().for_each(|event| ticket.apply(event));
            events.push(ticket.marked(holder, placement.rung, placement.why, &self.policy, now));
            events.iter().skip(events.len() - 1).for_each(|event| ticket.apply(event));
            events
        }

        /// Hands a ticket on whose officer or desk left the roster, as the engine does.
        fn hand_over(&self, ticket: &mut Ticket, now: Timestamp) -> Vec<TicketEvent> {
            let placement = place(ticket, None, &self.rules, &self.roster, &self.policy, now);
            assert_eq!(placement.why, MarkReason::RosterChanged);
            let against = ticket.filing().against.clone();
            let desk = self.roster.desk(&placement.desk).expect("it is placed on a desk of the roster");
            let department = placement.department.as_ref();
            let seat = self.roster.candidates(desk, placement.rung, department, against.as_ref(), now).next();
            let officer = self.roster.at(seat.expect("there is always a candidate")).id().clone();
            let holder = Holder { desk: placement.desk, officer };
            let mut events: Vec<_> = placement.routed.into_iter().collect();
            events.push(TicketEvent::HandedOver { holder, rung: placement.rung, at: now });
            events.iter().for_each(|event| ticket.apply(event));
            events
        }

        /// An action that `step` stands for at `now`, asked for in the roles of whom it stands for.
        fn command(&self, ticket: &Ticket, step: &Step, now: Timestamp) -> Command {
            let state = ticket.state().kind();
            let possible = || ActionKind::ALL.iter().copied().filter(|kind| !may(*kind, state).is_empty());
            let of_possible = || possible().cycle().nth(step.which).expect("something is possible in each state");
            let kind = step.kind.unwrap_or_else(of_possible);
            let needed = may(kind, state);
            let officers = self.roster.officers();
            let roles_of = |n: usize| self.roster.roles(officers[n % officers.len()].id(), ticket, now);
            let roles = match step.party {
                Party::Citizen => Roles::CITIZEN,
                Party::Engine => Roles::SYSTEM,
                Party::Officer => roles_of(step.n),
                Party::WhoMay if needed.meets(Roles::CITIZEN) => Roles::CITIZEN,
                Party::WhoMay if needed.meets(Roles::SYSTEM) => Roles::SYSTEM,
                Party::WhoMay => {
                    let mut everyone = (step.n..step.n + officers.len()).map(roles_of);
                    everyone.find(|roles| roles.meets(needed)).unwrap_or(Roles::NONE)
                }
            };
            Command { action: action(kind, step.n, now), roles, expected: None }
        }
    }

    #[derive(Debug, Clone, Copy)]
    enum Party {
        Citizen,
        Engine,
        Officer,
        WhoMay,
    }

    /// Something that is tried.
    #[derive(Debug, Clone)]
    struct Step {
        party: Party,
        /// `None`: one that the ticket's state allows, chosen by `which`.
        kind: Option<ActionKind>,
        which: usize,
        /// Chooses whatever else there is to choose.
        n: usize,
        /// How many hours pass before; `None`: until the ticket's next date.
        wait: Option<u16>,
    }

    fn step() -> impl Strategy<Value = Step> {
        let party = prop_oneof![
            1 => Just(Party::Citizen),
            1 => Just(Party::Engine),
            2 => Just(Party::Officer),
            8 => Just(Party::WhoMay),
        ];
        let kind = prop_oneof![1 => prop::sample::select(ActionKind::ALL).prop_map(Some), 3 => Just(None)];
        let wait = prop_oneof![2 => (0u16..60).prop_map(Some), 1 => Just(None)];
        let step = (party, kind, 0usize..1000, 0usize..1000, wait);
        step.prop_map(|(party, kind, which, n, wait)| Step { party, kind, which, n, wait })
    }

    fn action(kind: ActionKind, n: usize, now: Timestamp) -> Action {
        let later = now + SignedDuration::from_hours(1 + (n % 90) as i64);
        let desk: DeskId = DESKS[n % DESKS.len()].parse().unwrap();
        match kind {
            ActionKind::Acknowledge => Action::Acknowledge,
            ActionKind::Resolve => Action::Resolve(Outcome::Fixed),
            ActionKind::Approve => Action::Approve,
            ActionKind::SendBack => Action::SendBack,
            ActionKind::Reject => Action::Reject(Grounds::Abuse),
            ActionKind::Forward => Action::Forward((!n.is_multiple_of(3)).then_some(desk)),
            ActionKind::Return => Action::Return,
            ActionKind::ChangeCategory => Action::ChangeCategory(CATEGORIES[n % CATEGORIES.len()].parse().unwrap()),
            ActionKind::ChangePlace => Action::ChangePlace(PLACES[n % PLACES.len()].parse().unwrap()),
            ActionKind::AskCitizen => Action::AskCitizen { until: later },
            ActionKind::Park => Action::Park { until: later, why: ParkReason::WorkPlanned },
            ActionKind::InterimReply => Action::InterimReply { next: later },
            ActionKind::CitizenAnswers => Action::CitizenAnswers,
            ActionKind::Assist => Action::Assist(desk),
            ActionKind::PartDone => Action::PartDone(1 + (n % 3) as u16),
            ActionKind::DatePasses => Action::DatePasses,
            ActionKind::Satisfied => Action::Satisfied,
            ActionKind::NotSatisfied => Action::NotSatisfied,
            ActionKind::Withdraw => Action::Withdraw,
        }
    }

    fn against() -> impl Strategy<Value = Option<Against>> {
        let officer = |id: &str| Against::Officer(id.parse().unwrap());
        prop::sample::select(vec![
            None,
            Some(officer("phe-hisar")),
            Some(officer("phe-je-hisar")),
            Some(officer("cm-hisar")),
            Some(officer("phe-state")),
            Some(officer("power-state")),
            Some(officer("cms-triage")),
            Some(officer("cms")),
            Some(Against::Desk("district:hisar".parse().unwrap())),
            Some(Against::Desk("department:phe".parse().unwrap())),
            Some(Against::Desk("department:power".parse().unwrap())),
            Some(Against::Desk(DeskId::Control)),
        ])
    }

    fn filed(category: Option<&str>, place: Option<&str>, against: Option<Against>) -> Filing {
        Filing {
            channel: Channel::X,
            source: SourceKey([0; 16]),
            post: None,
            author: None,
            category: category.map(|path| path.parse().unwrap()),
            place: place.map(|path| path.parse().unwrap()),
            posted_at: first_of_june(),
            language: None,
            against,
            confidentiality: Default::default(),
        }
    }

    /// Nobody is on leave.
    fn first_of_june() -> Timestamp {
        "2022-06-01T06:30:00Z".parse().unwrap()
    }

    fn filing() -> impl Strategy<Value = Filing> {
        let category = prop::option::of(prop::sample::select(CATEGORIES.to_vec()));
        let place = prop::option::of(prop::sample::select(PLACES.to_vec()));
        (category, place, against()).prop_map(|(category, place, against)| filed(category, place, against))
    }

    fn policy() -> impl Strategy<Value = Policy> {
        let review = prop_oneof![Just(Review::None), Just(Review::NodalOfficer)];
        (review, 0u8..3, 0u8..3, 0u8..4).prop_map(|(review, to_same_officer, steps_up, most_transfers)| Policy {
            review,
            remarks: RemarkPolicy { to_same_officer, steps_up },
            most_transfers,
            ..Policy::default()
        })
    }

    fn received(filing: Filing) -> TicketEvent {
        let ticket = TicketId::from_number(1).unwrap();
        TicketEvent::Received { ticket, filing: Arc::new(filing), origin: Origin::Submitted }
    }

    /// What holds of a ticket between any two entries.
    fn check(world: &World, ticket: &Ticket) -> Result<(), TestCaseError> {
        let (state, filing) = (ticket.state().kind(), ticket.filing());
        prop_assert_ne!(state, StateKind::Unplaced);
        prop_assert_eq!(ticket.id(), TicketId::from_number(1).unwrap());
        prop_assert!(ticket.transfers() <= world.policy.most_transfers, "{} transfers", ticket.transfers());
        prop_assert!(ticket.remarks() <= world.policy.remarks.most(), "{} re-marks", ticket.remarks());
        prop_assert_eq!(ticket.state().next_date().is_some(), state.is_open());
        prop_assert!(state != StateKind::Triage || ticket.desk() == Some(&DeskId::Control));

        let holder = ticket.holder().expect("a ticket has a holder");
        if !state.is_open() {
            return Ok(());
        }
        let seat = world.roster.seat(&holder.officer).expect("a holder is on the roster");
        prop_assert_eq!(world.roster.at(seat).desk(), &holder.desk);
        prop_assert!(!world.roster.is_barred(seat, filing.against.as_ref()), "{} is barred", holder);
        // The same once more without the roster's help.
        let accused = match &filing.against {
            None => false,
            Some(Against::Officer(officer)) => holder.officer == *officer,
            Some(Against::Desk(desk)) => holder.desk == *desk,
        };
        prop_assert!(!accused, "{} is the accused", holder);
        Ok(())
    }

    /// What holds of one accepted action.
    fn check_step(
        world: &World,
        before: &Ticket,
        after: &Ticket,
        command: &Command,
        events: &[TicketEvent],
        now: Timestamp,
    ) -> Result<(), TestCaseError> {
        let against = after.filing().against.as_ref();
        let (top, _) = world.roster.top(against);
        if command.action.kind() == ActionKind::Forward && !command.roles.meets(Roles::CONTROL) {
            let had_it = before.earlier_desks().iter().chain(before.desk()).any(|desk| Some(desk) == after.desk());
            prop_assert!(!had_it || after.desk() == Some(&top), "forwarded in a circle to {:?}", after.holder());
        }
        if events.iter().any(|event| matches!(event, TicketEvent::Escalated { .. })) {
            prop_assert!(after.rung() > before.rung(), "escalated from {} to {}", before.rung(), after.rung());
        }
        if command.action.kind() == ActionKind::DatePasses {
            // Otherwise the engine would let the date pass again at once, and so on.
            prop_assert!(after.state().next_date().is_none_or(|due| due > now));
        }
        if let State::Closed { reopen_until: None, .. } = after.state() {
            prop_assert!(after.is_concluding() && after.desk() == Some(&top));
        }
        prop_assert_eq!(after.age(now), now.duration_since(before.filing().posted_at));
        Ok(())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(500))]

        #[test]
        fn whatever_is_tried_a_ticket_keeps_its_number_its_holder_and_its_date(
            filing in filing(),
            policy in policy(),
            steps in prop::collection::vec(step(), 0..60),
            roster_changes_before in prop::option::of(0usize..15),
        ) {
            let mut world = World::new(policy);
            let mut now = filing.posted_at;
            let mut entry = vec![received(filing)];
            let mut ticket = Ticket::open(&entry[0]).unwrap();
            entry.extend(world.settle(&mut ticket, 0, now));
            ticket.advance([], None);
            let mut entries = vec![entry];
            check(&world, &ticket)?;

            for (i, step) in steps.into_iter().enumerate() {
                let until_due = ticket.state().next_date().unwrap_or(now).max(now);
                now = step.wait.map_or(until_due, |hours| now + SignedDuration::from_hours(hours.into()));
                if roster_changes_before == Some(i) {
                    world.roster = smaller_roster();
                    let holder = ticket.holder().unwrap();
                    let gone = world.roster.officer(&holder.officer).is_none();
                    if gone && ticket.state().kind().is_open() {
                        let before = ticket.state().clone();
                        entries.push(world.hand_over(&mut ticket, now));
                        ticket.advance([], None);
                        prop_assert_eq!(ticket.state(), &before);
                    }
                    check(&world, &ticket)?;
                }
                let command = world.command(&ticket, &step, now);
                let Ok(mut events) = ticket.decide(&command, &world.policy, now) else { continue };
                let before = ticket.clone();
                events.iter().for_each(|event| ticket.apply(event));
                if ticket.state().kind() == StateKind::Unplaced {
                    events.extend(world.settle(&mut ticket, step.n, now));
                }
                ticket.advance([], None);
                check(&world, &ticket)?;
                check_step(&world, &before, &ticket, &command, &events, now)?;
                entries.push(events);
            }

            let text = serde_json::to_string(&entries).unwrap();
            let read_back: Vec<Vec<TicketEvent>> = serde_json::from_str(&text).unwrap();
            let mut replayed = Ticket::open(&read_back[0][0]).unwrap();
            read_back.iter().for_each(|entry| replayed.advance(entry, None));
            prop_assert_eq!(replayed, ticket);
        }
    }

    /// A ticket as it comes in, not marked yet.
    fn fresh(category: Option<&str>, place: Option<&str>, against: Option<Against>) -> Ticket {
        Ticket::open(&received(filed(category, place, against))).unwrap()
    }

    /// An officer forwards a ticket to a named desk, or where the rules say.
    fn forward(ticket: &mut Ticket, to: Option<&str>) {
        ticket.apply(&TicketEvent::Forwarded { to: to.map(|desk| desk.parse().unwrap()) });
    }

    fn where_to(world: &World, ticket: &Ticket, now: Timestamp) -> (String, Rung, MarkReason) {
        let placement = place(ticket, None, &world.rules, &world.roster, &world.policy, now);
        (placement.desk.to_string(), placement.rung, placement.why)
    }

    #[test]
    fn a_fresh_ticket_goes_where_the_rules_say_or_to_triage() {
        let world = World::new(Policy::default());
        for (category, at, desk, rung) in [
            (Some("water"), Some("hisar/hansi"), "district:hisar", Rung::Officer),
            (Some("water"), None, "department:phe", Rung::Officer),
            (Some("water"), Some("sirsa"), "department:phe", Rung::Officer),
            (Some("power"), Some("rohtak"), "department:power", Rung::Department),
            (Some("bridge"), Some("hisar"), "control", Rung::Control),
            (Some("cattle"), Some("hisar"), "control", Rung::Control),
            (None, None, "control", Rung::Control),
        ] {
            let placed = where_to(&world, &fresh(category, at, None), first_of_june());
            assert_eq!(placed, (desk.to_owned(), rung, MarkReason::Routed), "{category:?} in {at:?}");
        }
        let why = |category| {
            let ticket = fresh(Some(category), None, None);
            place(&ticket, None, &world.rules, &world.roster, &world.policy, first_of_june()).routed
        };
        let triage = |event, reason| matches!(event, Some(TicketEvent::SentToTriage { why, .. }) if why == reason);
        assert!(triage(why("cattle"), TriageReason::NoRule));
        assert!(triage(why("bridge"), TriageReason::NoDesk));
    }

    #[test]
    fn a_forwarded_ticket_never_comes_round_to_a_desk_that_had_it() {
        let world = World::new(Policy::default());
        let mut ticket = fresh(Some("water/sewer"), Some("hisar"), None);
        world.settle(&mut ticket, 0, first_of_june());
        assert_eq!(ticket.desk().unwrap().to_string(), "department:phe");

        // On the 13th nobody in Hisar is on duty for it, and on the rung above stands the desk that forwards.
        let thirteenth = first_of_june() + SignedDuration::from_hours(12 * 24);
        let mut named = ticket.clone();
        forward(&mut named, Some("district:hisar"));
        assert_eq!(where_to(&world, &named, thirteenth), ("control".to_owned(), Rung::Control, MarkReason::Forwarded));
        forward(&mut ticket, None);
        assert_eq!(where_to(&world, &ticket, thirteenth), ("control".to_owned(), Rung::Control, MarkReason::Forwarded));
    }

    #[test]
    fn a_passed_deadline_or_a_second_complaint_takes_it_to_the_rung_above() {
        let world = World::new(Policy::default());
        let mut ticket = fresh(Some("water"), Some("hisar"), None);
        world.settle(&mut ticket, 0, first_of_june());
        for (desk, rung) in
            [("district:hisar", Rung::DistrictNodal), ("department:phe", Rung::Department), ("control", Rung::Control)]
        {
            let mut complained_of = ticket.clone();
            complained_of.apply(&TicketEvent::NotSatisfied { remark: Remark::StepUp(2) });
            let placed = where_to(&world, &complained_of, first_of_june());
            assert_eq!(placed, (desk.to_owned(), rung, MarkReason::NotSatisfied));

            ticket.apply(&TicketEvent::Escalated { from: ticket.rung() });
            let placed = where_to(&world, &ticket, first_of_june());
            assert_eq!(placed, (desk.to_owned(), rung, MarkReason::Escalated));
            world.settle(&mut ticket, 0, first_of_june());
        }
    }

    #[test]
    fn a_first_complaint_takes_it_back_to_the_officer_who_had_it() {
        let world = World::new(Policy::default());
        let mut ticket = fresh(Some("water"), Some("hisar"), None);
        for turn in [0, 1] {
            world.settle(&mut ticket, turn, first_of_june());
            let holder = ticket.holder().unwrap().clone();
            ticket.apply(&TicketEvent::NotSatisfied { remark: Remark::Back(1) });
            let placement = place(&ticket, None, &world.rules, &world.roster, &world.policy, first_of_june());
            assert_eq!((placement.desk, placement.rung), (holder.desk, Rung::Officer));
            assert_eq!(placement.officer, Some(holder.officer));
        }
    }

    #[test]
    fn a_corrected_category_that_no_rule_knows_takes_it_to_triage() {
        let world = World::new(Policy::default());
        let mut ticket = fresh(Some("water"), Some("hisar"), None);
        world.settle(&mut ticket, 0, first_of_june());
        ticket.apply(&TicketEvent::CategoryChanged { from: None, to: "cattle".parse().unwrap() });
        let events = world.settle(&mut ticket, 0, first_of_june());
        assert!(matches!(events[0], TicketEvent::SentToTriage { why: TriageReason::NoRule, .. }));
        assert_eq!((ticket.state().kind(), ticket.routing()), (StateKind::Triage, None));
    }

    #[test]
    fn when_the_transfers_are_used_up_the_control_desk_decides() {
        let world = World::new(Policy { most_transfers: 1, ..Policy::default() });
        let mut ticket = fresh(Some("water"), Some("hisar"), None);
        world.settle(&mut ticket, 0, first_of_june());
        forward(&mut ticket, Some("department:power"));
        world.settle(&mut ticket, 0, first_of_june());
        assert_eq!(ticket.transfers(), 1);
        forward(&mut ticket, Some("district:rohtak"));
        let placed = where_to(&world, &ticket, first_of_june());
        assert_eq!(placed, ("control".to_owned(), Rung::Control, MarkReason::UsedUp));
    }

    #[test]
    fn a_ticket_whose_officer_left_stays_at_the_desk_and_one_whose_desk_went_is_routed_anew() {
        let mut world = World::new(Policy::default());
        let mut in_hisar = fresh(Some("water"), Some("hisar"), None);
        world.settle(&mut in_hisar, 0, first_of_june());
        let mut in_rohtak = fresh(Some("water/sewer"), Some("hisar"), None);
        forward(&mut in_rohtak, Some("district:rohtak"));
        world.settle(&mut in_rohtak, 0, first_of_june());
        assert_eq!(in_rohtak.desk().unwrap().to_string(), "district:rohtak");

        world.roster = smaller_roster();
        let why = MarkReason::RosterChanged;
        assert_eq!(where_to(&world, &in_hisar, first_of_june()), ("district:hisar".to_owned(), Rung::Officer, why));
        assert_eq!(where_to(&world, &in_rohtak, first_of_june()), ("department:phe".to_owned(), Rung::Officer, why));
    }

    #[test]
    fn after_a_fault_the_control_desk_has_it_or_whoever_stands_in_for_it() {
        let world = World::new(Policy::default());
        for (against, desk) in [(None, "control"), (Some(Against::Desk(DeskId::Control)), "department:power")] {
            let ticket = fresh(Some("water"), Some("hisar"), against);
            let placement = place_after_fault(ticket.filing(), &world.rules, &world.roster);
            assert_eq!((placement.desk.to_string().as_str(), placement.rung), (desk, Rung::Control));
            let routed = placement.routed;
            assert!(matches!(routed, Some(TicketEvent::SentToTriage { why: TriageReason::Fault, row: None, .. })));
        }
    }
}
