//! Rules and roster change while grievances come in.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use actix::prelude::*;
use jiff::Timestamp;
use tokio::sync::oneshot;

use super::{Counter, Dispatcher, Done, Matter, Next, then};
use crate::code::{DeskId, OfficerId};
use crate::engine::book::holds_here;
use crate::engine::desk::{Change, Colleagues, Desk, Left, StopDesk};
use crate::engine::errand::{Manner, Outcome, Reply, Said};
use crate::engine::error::{ActError, Failure};
use crate::engine::world::World;
use crate::journal::{Entry, Format, Record, RosterChanged, RulesChanged};
use crate::roster::Roster;
use crate::rules::Rules;
use crate::ticket::{By, Ticket};

/// That a table is in force.
fn in_force(rules: &Rules, at: Timestamp, by: Option<OfficerId>) -> Entry {
    let (table, rows, content) = (rules.version(), rules.rows().len(), rules.written());
    Entry::Rules(RulesChanged { format: Format, table, rows, content, at, by })
}

impl Dispatcher {
    /// Other rules come into force once it is written that they do.
    pub(super) fn change_rules(&mut self, rules: Arc<Rules>, by: Option<OfficerId>, done: Done) -> Next {
        let roster = Arc::clone(&self.world.roster);
        let world = match self.world.changed(Arc::clone(&rules), roster, &self.shared.limits) {
            Ok(world) => world,
            Err(error) => {
                drop(done.send(Err(error.into())));
                return Next::Go;
            }
        };
        let table = rules.version();
        let written = self.note(in_force(&rules, self.now, by));
        self.hand_over();
        Next::Wait(Box::pin(async move {
            let written = written.await;
            then(move |dispatcher, _| match written {
                Err(failure) => {
                    drop(done.send(Err(failure.into())));
                    Next::Go
                }
                Ok(()) => {
                    dispatcher.world = world;
                    dispatcher.bearings.table = Some(table);
                    dispatcher.publish.send_replace(dispatcher.world.clone());
                    let changes: Vec<_> = dispatcher.desks.iter().map(|counter| dispatcher.change(counter)).collect();
                    Next::Wait(Box::pin(async move {
                        for change in changes {
                            drop(change.await);
                        }
                        drop(done.send(Ok(())));
                        then(|_, _| Next::Go)
                    }))
                }
            })
        }))
    }

    fn change(&self, counter: &Counter) -> Request<Desk, Change> {
        let World { rules, roster, .. } = &self.world;
        counter.desk.send(Change { rules: Arc::clone(rules), roster: Arc::clone(roster) })
    }

    /// Another roster comes into force once it is written that it does: desks are opened and closed, and whose officer
    /// or desk is gone goes to another.
    pub(super) fn change_roster(&mut self, roster: Arc<Roster>, by: Option<OfficerId>, done: Done) -> Next {
        let rules = Arc::clone(&self.world.rules);
        let world = match self.world.changed(rules, Arc::clone(&roster), &self.shared.limits) {
            Ok(world) => world,
            Err(error) => {
                drop(done.send(Err(error.into())));
                return Next::Go;
            }
        };
        let is_gone = |counter: &&Counter| roster.desk(&counter.id).is_none();
        let left: Vec<DeskId> = self.desks.iter().filter(is_gone).map(|counter| counter.id.clone()).collect();
        let (opened, version, at) = (self.missing_desks(&roster), roster.version(), self.now);
        let entry = RosterChanged { format: Format, roster: version, at, by, opened, left: left.clone() };
        let written = self.note(Entry::Roster(entry));
        self.hand_over();
        Next::Wait(Box::pin(async move {
            let written = written.await;
            then(move |dispatcher, ctx| match written {
                Err(failure) => {
                    drop(done.send(Err(failure.into())));
                    Next::Go
                }
                Ok(()) => {
                    dispatcher.world = world;
                    dispatcher.bearings.roster = Some(version);
                    dispatcher.open_desks(ctx);
                    dispatcher.settle_in(left, done)
                }
            })
        }))
    }

    /// Tells all desks of the world they are in, closes those that are not in it, and houses whoever is homeless.
    fn settle_in(&mut self, left: Vec<DeskId>, done: Done) -> Next {
        let changes: Vec<_> = self.desks.iter().map(|counter| self.change(counter)).collect();
        Next::Wait(Box::pin(async move {
            let mut orphans = VecDeque::new();
            for change in changes {
                orphans.extend(change.await.unwrap_or_default());
            }
            then(move |dispatcher, _| {
                dispatcher.close_desks(&left);
                dispatcher.publish.send_replace(dispatcher.world.clone());
                dispatcher.waiting.push_front(Matter::Orphans(orphans, Some(done)));
                Next::Go
            })
        }))
    }

    /// After a start or a recovery, when memory is what is durable: tickets whose desk or officer is not on the roster
    /// in force go to another, and what is in force is written where the journal does not say it.
    pub(super) fn set_in_order(&mut self, ctx: &mut Context<Self>) -> Next {
        self.note_what_is_in_force(ctx);
        let roster = Arc::clone(&self.world.roster);
        let is_homeless = |ticket: &Ticket| ticket.desk().is_none_or(|desk| !holds_here(ticket, desk, &roster));
        let homeless = self.shared.lookup.open(is_homeless);
        if homeless.is_empty() {
            return Next::Go;
        }
        // Desks that have some of them let go of them.
        let changes: Vec<_> = self.desks.iter().map(|counter| self.change(counter)).collect();
        Next::Wait(Box::pin(async move {
            for change in changes {
                drop(change.await);
            }
            then(move |dispatcher, _| {
                dispatcher.waiting.push_front(Matter::Orphans(homeless.into(), None));
                Next::Go
            })
        }))
    }

    /// Tickets that have no holder any more go to another; then it is answered, when all is written.
    pub(super) fn adopt(&mut self, mut tickets: VecDeque<Ticket>, done: Option<Done>) -> Next {
        while let Some(ticket) = tickets.pop_front() {
            let stamp = self.stamp();
            let (reply, by) = (Reply::nobody(), By::System);
            let (permit, action, request, personal) = (None, None, None, None);
            let (ticket, events) = (Box::new(ticket), Vec::new());
            let left = Left { stamp, reply, permit, ticket, events, by, action, request, personal };
            self.send_on(left, None, Manner::HandOver);
        }
        match done {
            Some(done) => self.when_written(move || drop(done.send(Ok(())))),
            None => Next::Go,
        }
    }

    /// Has an entry of the engine's own written; the answer says whether it was.
    pub(super) fn note(&mut self, entry: Entry) -> impl Future<Output = Result<(), Failure>> + 'static {
        let (answer, answered) = oneshot::channel();
        // An entry about no ticket has no receipt: who waits hears this error where it was written.
        let said = Said::Answer(Err(ActError::NotForCallers));
        let (stamp, record) = (self.stamp(), Some(Record { entry, personal: None }));
        self.outcomes.push(Outcome { stamp, record, answer: said, reply: Reply::one(answer), permit: None });
        async move {
            match answered.await {
                Ok(Err(ActError::Failed(failure))) => Err(failure),
                Ok(_) => Ok(()),
                Err(_) => Err(Failure::Internal),
            }
        }
    }

    /// Has it written which rules and roster are in force, where the journal does not say so already.
    fn note_what_is_in_force(&mut self, ctx: &mut Context<Self>) {
        let World { rules, roster, .. } = self.world.clone();
        let (table, version, at) = (rules.version(), roster.version(), self.now);
        if self.bearings.table != Some(table) {
            let written = self.note(in_force(&rules, at, None)).into_actor(self);
            ctx.spawn(written.map(move |written, dispatcher, _| {
                if written.is_ok() {
                    dispatcher.bearings.table = Some(table);
                }
            }));
        }
        if self.bearings.roster != Some(version) {
            let (opened, left) = (Vec::new(), Vec::new());
            let entry = RosterChanged { format: Format, roster: version, at, by: None, opened, left };
            let written = self.note(Entry::Roster(entry)).into_actor(self);
            ctx.spawn(written.map(move |written, dispatcher, _| {
                if written.is_ok() {
                    dispatcher.bearings.roster = Some(version);
                }
            }));
        }
    }

    fn missing_desks(&self, roster: &Roster) -> Vec<DeskId> {
        let missing = |desk: &&crate::roster::Desk| !self.desk_by_id.contains_key(desk.id());
        roster.desks().iter().filter(missing).map(|desk| desk.id().clone()).collect()
    }

    /// Starts an actor for each desk of the roster that has none.
    pub(super) fn open_desks(&mut self, ctx: &mut Context<Self>) {
        let missing = self.missing_desks(&Arc::clone(&self.world.roster));
        if missing.is_empty() {
            return;
        }
        let mut tickets = self.shared.lookup.open_by_desk();
        for id in missing {
            let desk = self.start_desk(&id, tickets.remove(&id).unwrap_or_default(), ctx);
            self.desk_by_id.insert(id.clone(), self.desks.len());
            self.desks.push(Counter { id, desk, jobs: Vec::new() });
        }
    }

    pub(super) fn start_desk(&self, id: &DeskId, tickets: Vec<Ticket>, ctx: &mut Context<Self>) -> Addr<Desk> {
        let World { rules, roster, .. } = &self.world;
        let colleagues = Colleagues {
            dispatcher: ctx.address(),
            satisfaction: self.satisfaction.clone(),
            writer: self.writer.clone(),
        };
        let (shared, rules, roster) = (Arc::clone(&self.shared), Arc::clone(rules), Arc::clone(roster));
        Desk::new(id.clone(), shared, rules, roster, tickets, colleagues).start()
    }

    /// Stops the actors of these desks, which have no tickets any more.
    pub(super) fn close_desks(&mut self, left: &[DeskId]) {
        let desks: BTreeMap<usize, DeskId> =
            self.desks.iter().enumerate().map(|(at, counter)| (at, counter.id.clone())).collect();
        if left.is_empty() {
            return;
        }
        for counter in self.desks.extract_if(.., |counter| left.contains(&counter.id)) {
            counter.desk.do_send(StopDesk);
        }
        self.desk_by_id = self.desks.iter().enumerate().map(|(at, counter)| (counter.id.clone(), at)).collect();
        let moved = |at: u32| desks.get(&(at as usize)).and_then(|desk| self.desk_by_id.get(desk));
        self.owner = std::mem::take(&mut self.owner)
            .into_iter()
            .filter_map(|(ticket, at)| Some((ticket, *moved(at)? as u32)))
            .collect();
    }
}
