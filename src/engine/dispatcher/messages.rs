//! What the dispatcher is told.

use std::sync::Arc;

use actix::prelude::*;
use tokio::sync::oneshot;

use super::{Dispatcher, Matter};
use crate::code::{DeskId, OfficerId};
use crate::engine::errand::Errand;
use crate::engine::error::{EraseError, ReloadError};
use crate::journal::Erased;
use crate::roster::Roster;
use crate::rules::Rules;
use crate::ticket::TicketId;

/// Errands from the door.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct Arrivals(pub(crate) Vec<Errand>);

impl Handler<Arrivals> for Dispatcher {
    type Result = ();
    fn handle(&mut self, Arrivals(errands): Arrivals, ctx: &mut Self::Context) {
        self.waiting.extend(errands.into_iter().map(Matter::Errand));
        self.work(ctx);
    }
}

macro_rules! matters {
    ($($(#[$doc:meta])* $name:ident { $($field:ident: $type:ty),* } => $matter:expr;)*) => {$(
        $(#[$doc])*
        #[derive(Message)]
        #[rtype(result = "()")]
        pub(crate) struct $name { $(pub(crate) $field: $type),* }

        impl Handler<$name> for Dispatcher {
            type Result = ();
            fn handle(&mut self, $name { $($field),* }: $name, ctx: &mut Self::Context) {
                self.waiting.push_back($matter);
                self.work(ctx);
            }
        }
    )*};
}

matters! {
    /// Dates of a desk's tickets came or, without a desk, silences.
    DatesPassed { desk: Option<DeskId>, tickets: Vec<TicketId> } => Matter::Dates(desk, tickets.into());
    /// Let all dates pass that have come.
    Tick { done: oneshot::Sender<()> } => Matter::Tick(0, done);
    /// Another rules table.
    ReloadRules { rules: Arc<Rules>, by: Option<OfficerId>, done: oneshot::Sender<Result<(), ReloadError>> }
        => Matter::Rules(rules, by, done);
    /// Another roster.
    ReloadRoster { roster: Arc<Roster>, by: Option<OfficerId>, done: oneshot::Sender<Result<(), ReloadError>> }
        => Matter::Roster(roster, by, done);
    /// A desk marked this ticket to another desk, after a fault: bring it there.
    Collect { ticket: TicketId } => Matter::Collect(ticket);
    /// Have personal records erased.
    Erase { of: Erased, by: Option<OfficerId>, done: oneshot::Sender<Result<u64, EraseError>> }
        => Matter::Erase(of, by, Some(done));
    /// Carry out what was accepted, then stop.
    Stop { done: oneshot::Sender<()> } => Matter::Stop(done);
}

/// The closing of these tickets is written.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct Closed(pub(crate) Vec<TicketId>);

impl Handler<Closed> for Dispatcher {
    type Result = ();
    fn handle(&mut self, Closed(tickets): Closed, ctx: &mut Self::Context) {
        self.waiting.push_back(Matter::Closed(tickets));
        self.work(ctx);
    }
}
