//! The door: what is asked is checked, taken apart, given room, and sent to the dispatcher.

use std::sync::Arc;

use actix::Addr;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, TryAcquireError, watch};

use crate::code::DeskId;
use crate::engine::dispatcher::{Arrivals, Dispatcher};
use crate::engine::errand::{Errand, Opinion, Order, Permit, Reply, Submission, Task, Who};
use crate::engine::error::{ActError, SubmitError};
use crate::engine::request::{Act, Feedback, Party, PendingTicket, StatementMisfit};
use crate::engine::secret::SecretSource;
use crate::engine::shared::Shared;
use crate::engine::world::World;
use crate::grievance::{Against, Channel, Filing, Grievance, GrievanceError, MAX_AHEAD, Source};
use crate::personal::{Personal, SaltedRecord, SourceKey, Statement};
use crate::rules::Facts;
use crate::ticket::{Action, Origin, RequestId, StatementNeed, TicketId};

/// The way in.
pub(crate) struct Door {
    pub(crate) shared: Arc<Shared>,
    pub(crate) dispatcher: Addr<Dispatcher>,
    pub(crate) world: watch::Receiver<World>,
    pub(crate) secrets: Arc<dyn SecretSource>,
    pub(crate) room: Arc<Semaphore>,
}

/// Why there is no permit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoRoom {
    Full,
    Closed,
}

impl Door {
    /// Waits for room: first for a share of the desk, so that whoever waits for a flooded desk holds no other room.
    pub(crate) async fn enter(&self, share: Option<Arc<Semaphore>>) -> Result<Permit, NoRoom> {
        let share = match share {
            // A desk's share is never closed.
            Some(share) => share.acquire_owned().await.ok(),
            None => None,
        };
        let door = Arc::clone(&self.room).acquire_owned().await.map_err(|_| NoRoom::Closed)?;
        Ok(Permit { _door: door, _share: share })
    }

    /// Room, if there is some.
    pub(crate) fn try_enter(&self, share: Option<&Arc<Semaphore>>) -> Result<Permit, NoRoom> {
        let acquire = |room: &Arc<Semaphore>| -> Result<OwnedSemaphorePermit, NoRoom> {
            Arc::clone(room).try_acquire_owned().map_err(|error| match error {
                TryAcquireError::NoPermits => NoRoom::Full,
                TryAcquireError::Closed => NoRoom::Closed,
            })
        };
        let share = share.map(acquire).transpose()?;
        Ok(Permit { _door: acquire(&self.room)?, _share: share })
    }

    /// The share of the desk that a grievance will probably go to.
    pub(crate) fn share_for(&self, grievance: &Grievance) -> Option<Arc<Semaphore>> {
        let world = self.world.borrow();
        let moment = world.roster.moment(self.shared.now().unwrap_or_default());
        let desk = world.probable_desk(&Facts::about(grievance, moment));
        world.share(&desk).cloned()
    }

    /// The share of the desk that has a ticket.
    pub(crate) fn share_of(&self, ticket: TicketId) -> Option<Arc<Semaphore>> {
        let desk: DeskId = self.shared.lookup.by_id.get(&ticket)?.desk()?.clone();
        self.world.borrow().share(&desk).cloned()
    }

    pub(crate) fn send(&self, errands: Vec<Errand>) {
        // The dispatcher is there as long as the door is open, and the permits bound what waits in its mailbox.
        self.dispatcher.do_send(Arrivals(errands));
    }

    /// Checks what can only be checked against the clock and the roster.
    pub(crate) fn check(&self, grievance: &Grievance) -> Result<(), SubmitError> {
        if let (Some(posted_at), Some(now)) = (grievance.posted_at, self.shared.now())
            && posted_at.duration_since(now) > MAX_AHEAD
        {
            return Err(GrievanceError::FromTheFuture { posted_at, now }.into());
        }
        let roster = &self.world.borrow().roster;
        let unknown = match &grievance.against {
            Some(Against::Officer(officer)) if roster.officer(officer).is_none() => format!("officer '{officer}'"),
            Some(Against::Desk(desk)) if roster.desk(desk).is_none() => format!("desk '{desk}'"),
            _ => return Ok(()),
        };
        Err(GrievanceError::AgainstUnknown { against: unknown }.into())
    }

    /// Takes a grievance apart: what is personal here, what it is routed by there.
    pub(crate) fn submission(&self, grievance: Grievance) -> Submission {
        let source = self.shared.key.source(&grievance.source);
        self.take_apart(grievance, source, None, Origin::Submitted)
    }

    /// The same for a pending ticket of the old system: its old number is what identifies it.
    pub(crate) fn imported(&self, pending: PendingTicket) -> Result<Submission, SubmitError> {
        let PendingTicket { old_number, received_at, mut grievance } = pending;
        let old = self.shared.key.source(&Source::reserved(Channel::Import, &old_number));
        let post = self.shared.key.source(&grievance.source);
        grievance.posted_at = Some(received_at);
        self.check(&grievance)?;
        Ok(self.take_apart(grievance, old, Some(post), Origin::Imported(old_number)))
    }

    fn take_apart(
        &self,
        grievance: Grievance,
        source: SourceKey,
        post: Option<SourceKey>,
        origin: Origin,
    ) -> Submission {
        let (filing, table) = {
            let world = self.world.borrow();
            let known = |path: &crate::CategoryPath| world.rules.categories().nearest(path.as_str()).cloned();
            let there = |path: &crate::PlacePath| world.rules.places().nearest(path.as_str()).cloned();
            let filing = Filing {
                channel: grievance.source.channel(),
                source,
                post,
                author: grievance.author().map(|author| self.shared.key.author(&author)),
                category: grievance.category.as_ref().and_then(known),
                place: grievance.location.place.as_ref().and_then(there),
                posted_at: grievance.posted_at.or_else(|| self.shared.now()).unwrap_or_default(),
                language: grievance.language.clone(),
                against: grievance.against.clone(),
                confidentiality: grievance.confidentiality,
            };
            (filing, world.rules.version())
        };
        let salt = self.secrets.salt(source.as_bytes());
        let record = Personal::Grievance(grievance.into());
        let personal = Some(Box::new(SaltedRecord::new(salt, record)));
        Submission { filing: Arc::new(filing), origin, personal, table, request: None }
    }

    /// An act as an order, or why it is none.
    pub(crate) fn order(&self, act: Act) -> Result<Order, ActError> {
        let Act { ticket, by, action, statement, request, expected } = act;
        match action {
            Action::Satisfied | Action::NotSatisfied => return Err(ActError::UseFeedback),
            Action::DatePasses => return Err(ActError::NotForCallers),
            _ => {}
        }
        let kind = action.kind();
        match (action.statement_need(), &statement) {
            (StatementNeed::Required, None) => return Err(StatementMisfit::Missing { action: kind }.into()),
            (StatementNeed::None, Some(_)) => return Err(StatementMisfit::Unwanted { action: kind }.into()),
            _ => {}
        }
        let who = match by {
            Party::Officer(officer) => Who::Officer(officer),
            Party::Citizen(author) => Who::Citizen(self.shared.key.author(&author)),
        };
        let personal = statement.map(|statement| self.seal(statement, ticket, request));
        Ok(Order { ticket, who, action, request, expected, personal })
    }

    pub(crate) fn opinion(&self, feedback: Feedback) -> Opinion {
        let Feedback { ticket, author, verdict, reason, request } = feedback;
        let author = self.shared.key.author(&author);
        let personal = reason.map(|reason| self.seal(reason, ticket, request));
        Opinion { ticket, author, verdict, request, personal }
    }

    fn seal(&self, statement: Statement, ticket: TicketId, request: Option<RequestId>) -> Box<SaltedRecord> {
        let mut occasion = Vec::with_capacity(64);
        occasion.extend(ticket.number().to_be_bytes());
        occasion.extend(request.map_or(0, |request| request.0).to_be_bytes());
        occasion.extend(statement.text().as_bytes());
        let salt = self.secrets.salt(&occasion);
        Box::new(SaltedRecord::new(salt, Personal::Statement(statement)))
    }

    pub(crate) fn errand(task: Task, reply: Reply, permit: Permit) -> Errand {
        Errand::new(task, reply, Some(permit))
    }
}
