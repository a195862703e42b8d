//! Dates come.

use tokio::sync::oneshot;

use super::{Dispatcher, Matter, Next, then};
use crate::engine::desk::Due;
use crate::engine::errand::{Order, Reply, Who};
use crate::engine::satisfaction::Silences;
use crate::ticket::{Action, TicketId};

impl Dispatcher {
    pub(super) fn date_passes(&mut self, ticket: TicketId) -> Next {
        let Some(desk) = self.owner(ticket) else { return Next::Go };
        let stamp = self.stamp();
        let (who, action) = (Who::System, Action::DatePasses);
        let order = Order { ticket, who, action, request: None, expected: None, personal: None };
        // A ticket that has moved on meanwhile refuses, and nobody hears of it.
        self.depart(desk, Box::new(order), stamp, Reply::nobody(), None)
    }

    /// Asks each desk, then the satisfaction actor, for dates that have come, until none has any.
    pub(super) fn tick(&mut self, at: usize, done: oneshot::Sender<()>) -> Next {
        self.hand_over();
        let now = self.now;
        let desk = self.desks.get(at).map(|counter| (counter.id.clone(), counter.desk.clone()));
        let satisfaction = self.satisfaction.clone();
        let last = self.desks.len();
        Next::Wait(Box::pin(async move {
            let (from, due) = match (desk, satisfaction) {
                (Some((id, desk)), _) => (Some(id), desk.send(Due(now)).await.unwrap_or_default()),
                (None, actor) => (None, actor.send(Silences(now)).await.unwrap_or_default()),
            };
            then(move |dispatcher, _| {
                if !due.is_empty() {
                    dispatcher.waiting.push_front(Matter::Tick(at, done));
                    dispatcher.waiting.push_front(Matter::Dates(from, due.into()));
                    return Next::Go;
                }
                if at < last {
                    dispatcher.waiting.push_front(Matter::Tick(at + 1, done));
                    return Next::Go;
                }
                dispatcher.waiting.push_front(Matter::Passed(done));
                dispatcher.waiting.push_front(Matter::Expire);
                Next::Go
            })
        }))
    }
}
