//! Somebody acts on a ticket.

use futures_util::future::LocalBoxFuture;
use tokio::sync::oneshot;

use super::{Dispatcher, Next, then};
use crate::engine::book::{carry_out, repeated};
use crate::engine::desk::{Depart, Departure, Left};
use crate::engine::errand::{Attempt, Job, Manner, Order, Outcome, Permit, Reply, Said, Stamp, Work};
use crate::engine::error::{ActError, Failure};
use crate::engine::world::World;
use crate::engine::writer::Ask;
use crate::journal::fold;
use crate::ticket::{self, Action, Ticket, TicketId};

impl Dispatcher {
    pub(super) fn act(&mut self, order: Box<Order>, stamp: Stamp, reply: Reply, permit: Option<Permit>) -> Next {
        if let Action::Resolve(ticket::Outcome::Duplicate(other)) = order.action
            && self.owner(other).is_none()
        {
            return self.resolve_as_duplicate(other, order, stamp, reply, permit);
        }
        self.act_on_known(order, stamp, reply, permit)
    }

    /// Looks whether the ticket that it is said to be a duplicate of was ever there.
    fn resolve_as_duplicate(
        &mut self,
        other: TicketId,
        order: Box<Order>,
        stamp: Stamp,
        reply: Reply,
        permit: Option<Permit>,
    ) -> Next {
        let other = self.closed_ticket(other);
        Next::Wait(Box::pin(async move {
            let other = other.await;
            then(move |dispatcher, _| match other {
                Ok(_) => dispatcher.act_on_known(order, stamp, reply, permit),
                Err(error) => {
                    dispatcher.outcomes.push(Outcome::refused(stamp, error, reply, permit));
                    Next::Go
                }
            })
        }))
    }

    fn act_on_known(&mut self, order: Box<Order>, stamp: Stamp, reply: Reply, permit: Option<Permit>) -> Next {
        match self.owner(order.ticket) {
            None => self.act_on_closed(order, stamp, reply, permit),
            Some(desk) if order.action.may_move() => self.depart(desk, order, stamp, reply, permit),
            Some(desk) => {
                let work = Work::Act(order);
                self.give(desk, Job { stamp, reply, permit, attempt: Attempt::First, work });
                Next::Go
            }
        }
    }

    /// Has a desk carry out what may make the ticket leave, and if it does, sends it on.
    pub(super) fn depart(
        &mut self,
        desk: usize,
        order: Box<Order>,
        stamp: Stamp,
        reply: Reply,
        permit: Option<Permit>,
    ) -> Next {
        self.hand_over();
        let (back, departed) = oneshot::channel();
        let job = Job { stamp, reply, permit, attempt: Attempt::First, work: Work::Act(order) };
        self.desks[desk].desk.do_send(Depart { job, back });
        Next::Wait(Box::pin(async move {
            let departure = departed.await;
            then(move |dispatcher, _| {
                match departure {
                    Ok(Departure::Left(left)) => dispatcher.send_on(*left, None, Manner::Mark),
                    Ok(Departure::Settled) => {}
                    // The desk died with it; that is noticed by itself, and everything begins anew.
                    Err(_) => {}
                }
                Next::Go
            })
        }))
    }

    /// An act on a ticket that no desk has: it is closed, or there is none.
    pub(super) fn act_on_closed(
        &mut self,
        order: Box<Order>,
        stamp: Stamp,
        reply: Reply,
        permit: Option<Permit>,
    ) -> Next {
        let ticket = self.closed_ticket(order.ticket);
        Next::Wait(Box::pin(async move {
            let ticket = ticket.await;
            then(move |dispatcher, _| {
                dispatcher.carry_out_on_closed(ticket, *order, stamp, reply, permit);
                Next::Go
            })
        }))
    }

    /// A closed ticket, from the tables or the store.
    pub(super) fn closed_ticket(&self, id: TicketId) -> LocalBoxFuture<'static, Result<Ticket, ActError>> {
        if let Some(ticket) = self.shared.lookup.ticket(id) {
            return Box::pin(async move { Ok(ticket) });
        }
        let (ask, answered) = Ask::new(move |store| store.history(id));
        self.writer.do_send(ask);
        Box::pin(async move {
            let entries = answered.await.map_err(|_| Failure::Internal)?;
            let entries = entries.map_err(|error| Failure::NotStored { reason: error.reason })?;
            let ticket = fold(entries.iter().filter_map(|entry| entry.ticket()))
                .map_err(|error| Failure::NotStored { reason: error.to_string() })?;
            ticket.ok_or(ActError::UnknownTicket { ticket: id })
        })
    }

    pub(super) fn carry_out_on_closed(
        &mut self,
        ticket: Result<Ticket, ActError>,
        order: Order,
        stamp: Stamp,
        reply: Reply,
        permit: Option<Permit>,
    ) {
        let World { rules, roster, .. } = &self.world;
        match ticket.as_ref().map(|ticket| repeated(ticket, order.asked())) {
            Ok(Ok(Some(receipt))) => {
                let answer = Said::Answer(Ok(receipt));
                return self.outcomes.push(Outcome { stamp, record: None, answer, reply, permit });
            }
            Ok(Err(error)) => return self.outcomes.push(Outcome::refused(stamp, error, reply, permit)),
            _ => {}
        }
        let decided = ticket.and_then(|ticket| {
            let events = carry_out(&ticket, &order, rules, roster, &self.shared.policy, stamp.now)?;
            Ok((ticket, events))
        });
        match decided {
            Ok((mut ticket, events)) => {
                events.iter().for_each(|event| ticket.apply(event));
                let (by, action, ticket) = (order.who.by(), Some(order.action.kind()), Box::new(ticket));
                let Order { request, personal, .. } = order;
                let left = Left { stamp, reply, permit, ticket, events, by, action, request, personal };
                self.send_on(left, None, Manner::Mark);
            }
            Err(error) => self.outcomes.push(Outcome::refused(stamp, error, reply, permit)),
        }
    }
}
