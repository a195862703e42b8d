//! Rules and roster change while grievances come in.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use actix::prelude::*;
use tokio::sync::oneshot;

use super::{Counter, Dispatcher, Matter, Next, then};
use crate::code::{DeskId, OfficerId};
use crate::engine::desk::StopDesk;
use crate::engine::desk::{ChangeRoster, Desk, Left};
use crate::engine::errand::Stamp;
use crate::engine::errand::{Manner, Outcome, Reply, Said};
use crate::engine::error::{ActError, Failure, ReloadError};
use crate::engine::satisfaction::Satisfaction;
use crate::engine::world::World;
use crate::journal::{Entry, Format, Record, RosterChanged, RulesChanged};
use crate::roster::Roster;
use crate::rules::Rules;
use crate::ticket::{By, Ticket};

impl Dispatcher {
    pub(super) fn change_rules(
        &mut self,
        rules: Arc<Rules>,
        by: Option<OfficerId>,
        done: oneshot::Sender<Result<(), ReloadError>>,
    ) -> Next {
        let roster = Arc::clone(&self.world.roster);
        match self.world.changed(Arc::clone(&rules), Arc::clone(&roster), &self.shared.limits) {
            Err(error) => {
                drop(done.send(Err(error.into())));
                return Next::Go;
            }
            Ok(world) => self.world = world,
        }
        let stamp = self.stamp();
        let (table, rows, at) = (rules.version(), rules.rows().len(), stamp.now);
        let entry = Entry::Rules(RulesChanged { format: Format, table, rows, at, by });
        self.note(entry, stamp, done);
        self.publish.send_replace(self.world.clone());
        self.hand_over();
        let changes: Vec<_> = self.desks.iter().map(|counter| self.change(counter)).collect();
        Next::Wait(Box::pin(async move {
            for change in changes {
                drop(change.await);
            }
            then(|_, _| Next::Go)
        }))
    }

    pub(super) fn change(&self, counter: &Counter) -> Request<Desk, ChangeRoster> {
        let World { rules, roster, .. } = &self.world;
        counter.desk.send(ChangeRoster { rules: Arc::clone(rules), roster: Arc::clone(roster) })
    }

    pub(super) fn change_roster(
        &mut self,
        roster: Arc<Roster>,
        by: Option<OfficerId>,
        done: oneshot::Sender<Result<(), ReloadError>>,
        ctx: &mut Context<Self>,
    ) -> Next {
        let rules = Arc::clone(&self.world.rules);
        match self.world.changed(rules, Arc::clone(&roster), &self.shared.limits) {
            Err(error) => {
                drop(done.send(Err(error.into())));
                return Next::Go;
            }
            Ok(world) => self.world = world,
        }
        self.hand_over();
        let is_gone = |counter: &Counter| roster.desk(&counter.id).is_none();
        let left: Vec<DeskId> = self.desks.iter().filter(|c| is_gone(c)).map(|c| c.id.clone()).collect();
        let opened = self.open_desks(ctx);
        let stamp = self.stamp();
        let (version, at) = (roster.version(), stamp.now);
        let entry = RosterChanged { format: Format, roster: version, at, by, opened, left: left.clone() };
        let (written, settled) = oneshot::channel();
        self.note(Entry::Roster(entry), stamp, written);
        let changes: Vec<_> = self.desks.iter().map(|counter| self.change(counter)).collect();
        Next::Wait(Box::pin(async move {
            let mut orphans = VecDeque::new();
            for change in changes {
                orphans.extend(change.await.unwrap_or_default());
            }
            then(move |dispatcher, _| {
                dispatcher.close_desks(&left);
                dispatcher.publish.send_replace(dispatcher.world.clone());
                drop(settled);
                dispatcher.waiting.push_front(Matter::Orphans(orphans, Some(done)));
                Next::Go
            })
        }))
    }

    /// Tickets that have no holder any more go to another; then it is answered, when all is written.
    pub(super) fn adopt(
        &mut self,
        mut tickets: VecDeque<Ticket>,
        done: Option<oneshot::Sender<Result<(), ReloadError>>>,
    ) -> Next {
        while let Some(ticket) = tickets.pop_front() {
            let stamp = self.stamp();
            let (reply, by) = (Reply::nobody(), By::System);
            let (permit, request, personal) = (None, None, None);
            let (ticket, events) = (Box::new(ticket), Vec::new());
            let left = Left { stamp, reply, permit, ticket, events, by, request, personal };
            self.send_on(left, None, Manner::HandOver);
        }
        match done {
            Some(done) => self.when_written(move || drop(done.send(Ok(())))),
            None => Next::Go,
        }
    }

    /// Has an entry of the engine's own written; `done` hears of it.
    pub(super) fn note(&mut self, entry: Entry, stamp: Stamp, done: oneshot::Sender<Result<(), ReloadError>>) {
        let (answer, answered) = oneshot::channel();
        // An entry about no ticket has no receipt; whoever waits hears only whether it was written.
        let said = Said::Answer(Err(ActError::NotForCallers));
        let record = Some(Record { entry, personal: None });
        self.outcomes.push(Outcome { stamp, record, answer: said, reply: Reply::one(answer), permit: None });
        actix::spawn(async move {
            let result = match answered.await {
                Ok(Err(ActError::Failed(failure))) => Err(failure.into()),
                Ok(_) => Ok(()),
                Err(_) => Err(ReloadError::Failed(Failure::Internal)),
            };
            drop(done.send(result));
        });
    }

    /// Has it written which rules and roster the engine was started with, where the journal does not say so already.
    pub(super) fn note_what_is_in_force(&mut self) {
        let World { rules, roster, .. } = self.world.clone();
        let (table, version) = (rules.version(), roster.version());
        if self.in_force.0 != Some(table) {
            let stamp = self.stamp();
            let (rows, at) = (rules.rows().len(), stamp.now);
            let entry = RulesChanged { format: Format, table, rows, at, by: None };
            self.note(Entry::Rules(entry), stamp, oneshot::channel().0);
        }
        if self.in_force.1 != Some(version) {
            let stamp = self.stamp();
            let (at, opened, left) = (stamp.now, Vec::new(), Vec::new());
            let entry = RosterChanged { format: Format, roster: version, at, by: None, opened, left };
            self.note(Entry::Roster(entry), stamp, oneshot::channel().0);
        }
        self.hand_over();
    }

    /// Starts an actor for each desk of the roster that has none; which they are.
    pub(super) fn open_desks(&mut self, ctx: &mut Context<Self>) -> Vec<DeskId> {
        let roster = Arc::clone(&self.world.roster);
        let missing = |desk: &&crate::roster::Desk| !self.desk_by_id.contains_key(desk.id());
        let new: Vec<DeskId> = roster.desks().iter().filter(missing).map(|desk| desk.id().clone()).collect();
        for id in &new {
            let desk = self.start_desk(id, ctx);
            self.desk_by_id.insert(id.clone(), self.desks.len());
            self.desks.push(Counter { id: id.clone(), desk, jobs: Vec::new() });
        }
        new
    }

    pub(super) fn start_desk(&self, id: &DeskId, ctx: &mut Context<Self>) -> Addr<Desk> {
        let World { rules, roster, .. } = &self.world;
        let control = self.counter(&DeskId::Control).map(|at| self.desks[at].desk.clone());
        let control = control.filter(|_| *id != DeskId::Control);
        let satisfaction = match &self.satisfaction {
            Some(satisfaction) => satisfaction.clone(),
            None => Satisfaction::new(Arc::clone(&self.shared), ctx.address()).start(),
        };
        Desk::new(
            id.clone(),
            Arc::clone(&self.shared),
            Arc::clone(rules),
            Arc::clone(roster),
            ctx.address(),
            satisfaction,
            self.writer.clone(),
            control,
        )
        .start()
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
