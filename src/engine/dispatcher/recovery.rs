//! Panics, deaths, refused batches: the memory is suspect and begins again from the journal.

use actix::prelude::*;

use super::{Counter, Dispatcher, Matter, Next, then};
use crate::code::DeskId;
use crate::engine::desk::{Adopt, Give, Rebuild};
use crate::engine::errand::{Attempt, Errand, Outcome, Said, Task};
use crate::engine::error::Failure;
use crate::engine::health::ActorName;
use crate::engine::satisfaction::Turn;
use crate::engine::writer::{BeginAnew, Flush, Resume};
use crate::placing;
use crate::ticket::TicketId;

impl Dispatcher {
    pub(super) fn begin_anew(&mut self, reason: &str) {
        self.hand_over();
        self.writer.do_send(BeginAnew { reason: reason.to_owned() });
    }

    /// The memory is suspect: it is rebuilt when all that was handed over is written, and the matter tried once more.
    pub(super) fn panicked(&mut self, held: Option<Matter>, ctx: &mut Context<Self>) {
        match held {
            Some(Matter::Errand(mut errand)) if errand.attempt == Attempt::First => {
                errand.attempt = Attempt::Second;
                self.waiting.push_front(Matter::Errand(errand));
            }
            Some(Matter::Errand(errand)) => self.give_up(errand),
            // It was taken apart already, or is asked again by whoever asked: everything begins anew from the journal,
            // and whoever waits hears of it.
            _ => {
                self.begin_anew("the dispatcher panicked with something in hand");
                return self.work(ctx);
            }
        }
        self.hand_over();
        // An errand that is tried again may have its place in the order already, which is not written before it.
        let upto = match self.waiting.front() {
            Some(Matter::Errand(Errand { stamp: Some(stamp), .. })) => stamp.seq - 1,
            _ => self.seq,
        };
        let written = self.writer.send(Flush { upto, generation: self.generation });
        ctx.wait(written.into_actor(self).map(|_, dispatcher, ctx| {
            dispatcher.rebuild();
            dispatcher.shared.health.rebuilt(&ActorName::Dispatcher);
            dispatcher.work(ctx);
        }));
    }

    /// What made the dispatcher panic twice: a grievance goes to the control desk with the reason, the rest gets an
    /// error.
    pub(super) fn give_up(&mut self, errand: Errand) {
        let Errand { task, reply, permit, stamp, .. } = errand;
        let stamp = stamp.unwrap_or_else(|| self.stamp());
        let Task::Submit(submission) = task else {
            self.outcomes.push(Outcome::refused(stamp, Failure::Internal, reply, permit));
            return;
        };
        let by_source = |source| self.shared.lookup.by_source.get(&source).map(|id| *id);
        if let Some(id) = submission.filing.sources().find_map(by_source) {
            self.outcomes.push(Outcome { stamp, record: None, answer: Said::AlreadyThere(id), reply, permit });
            return;
        }
        // One that was perhaps here long ago is not opened without asking the store, which is no time for now.
        let seen = submission.filing.sources().any(|source| self.shared.seen.perhaps(&source));
        match self.number().filter(|_| !seen) {
            Some(id) => {
                let placement = placing::place_after_fault(&submission.filing, &self.world.rules, &self.world.roster);
                self.open(id, submission, Some(placement), stamp, reply, permit);
            }
            None => self.outcomes.push(Outcome::refused(stamp, Failure::Internal, reply, permit)),
        }
    }

    /// Begins again from what is durable.
    pub(super) fn rebuild(&mut self) {
        let lookup = &self.shared.lookup;
        lookup.by_source.retain(|_, id| lookup.by_id.contains_key(id));
        self.owner.clear();
        for ticket in lookup.by_id.iter() {
            let desk = ticket.desk().and_then(|desk| self.desk_by_id.get(desk));
            if let Some(&desk) = desk.filter(|_| ticket.state().kind().is_open()) {
                self.owner.insert(ticket.id(), desk as u32);
            }
        }
    }

    /// Takes a ticket from the desk that marked it to another after a fault, and brings it there.
    pub(super) fn collect(&mut self, ticket: TicketId) -> Next {
        let Some(desk) = self.owner(ticket) else { return Next::Go };
        self.hand_over();
        let given = self.desks[desk].desk.send(Give(ticket));
        Next::Wait(Box::pin(async move {
            let given = given.await.ok().flatten();
            then(move |dispatcher, _| {
                let to = given.as_ref().and_then(|ticket| dispatcher.counter(ticket.desk()?));
                if let (Some(ticket), Some(to)) = (given, to) {
                    dispatcher.owner.insert(ticket.id(), to as u32);
                    dispatcher.desks[to].desk.do_send(Adopt(ticket));
                }
                Next::Go
            })
        }))
    }
}

/// A desk died: it is replaced. It has told the journal's writer too, which has everything begin anew.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct DeskDied {
    pub(crate) desk: DeskId,
}

impl Handler<DeskDied> for Dispatcher {
    type Result = ();
    fn handle(&mut self, DeskDied { desk }: DeskDied, ctx: &mut Self::Context) {
        let Some(at) = self.counter(&desk).filter(|&at| !self.desks[at].desk.connected()) else { return };
        let tickets = self.shared.lookup.open(|ticket| ticket.desk() == Some(&desk));
        self.desks[at].desk = self.start_desk(&desk, tickets, ctx);
        let name = ActorName::Desk(desk);
        self.shared.health.rebuilt(&name);
    }
}

/// The journal refused a batch, and what stands behind it: begin again from what is durable.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct Recover {
    pub(crate) generation: u32,
}

impl Handler<Recover> for Dispatcher {
    type Result = ();
    fn handle(&mut self, Recover { generation }: Recover, ctx: &mut Self::Context) {
        // What is gathered belongs to the old generation: the desks send it to the journal, which refuses it.
        self.hand_over();
        self.generation = generation;
        let mut tickets = self.shared.lookup.open_by_desk();
        let rebuild = |counter: &Counter| counter.desk.send(Rebuild(tickets.remove(&counter.id).unwrap_or_default()));
        let rebuilt: Vec<_> = self.desks.iter().map(rebuild).collect();
        self.satisfaction.do_send(Turn::Rebuild);
        ctx.wait(
            async move {
                for desk in rebuilt {
                    let _ = desk.await;
                }
            }
            .into_actor(self)
            .map(|(), dispatcher, ctx| {
                dispatcher.rebuild();
                let (generation, next) = (dispatcher.generation, dispatcher.seq + 1);
                dispatcher.writer.do_send(Resume { generation, next });
                dispatcher.waiting.push_front(Matter::Order);
                dispatcher.work(ctx);
            }),
        );
    }
}
