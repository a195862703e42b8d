//! What is personal is erased: when somebody asks, and when it is too old.

use std::time::Duration;

use actix::prelude::*;
use jiff::SignedDuration;
use tokio::sync::oneshot;

use super::{Dispatcher, Matter, Next, then};
use crate::code::OfficerId;
use crate::engine::error::EraseError;
use crate::engine::writer::Ask;
use crate::journal::{Entry, Erased, Erasure, Format};

/// How often, by the clock on the wall, it is looked whether a day has passed.
const LOOK: Duration = Duration::from_secs(3_600);
/// How long after a reader stood in the way it is tried again to leave no copy.
const AGAIN: Duration = Duration::from_secs(5);
/// How often what is too old is erased.
const DAILY: SignedDuration = SignedDuration::from_hours(24);

impl Dispatcher {
    /// Has it written that personal records are erased, which takes them, and then sees to it that no copy is left.
    pub(super) fn erase(
        &mut self,
        of: Erased,
        by: Option<OfficerId>,
        done: Option<oneshot::Sender<Result<u64, EraseError>>>,
    ) -> Next {
        let written = self.note(Entry::Erased(Erasure { format: Format, of, at: self.now, by }));
        self.hand_over();
        let writer = self.writer.clone();
        Next::Wait(Box::pin(async move {
            let erased = match written.await {
                Err(failure) => Err(failure.into()),
                Ok(()) => {
                    let (ask, answered) = Ask::new(|store| store.scrub());
                    writer.do_send(ask);
                    match answered.await {
                        Ok(Ok(count)) => Ok(count),
                        Ok(Err(error)) => Err(EraseError::NotScrubbed { reason: error.reason }),
                        Err(_) => Err(EraseError::NotScrubbed { reason: "the store failed on it".to_owned() }),
                    }
                }
            };
            if let Err(error) = &erased {
                tracing::error!(%error, "personal records");
            }
            let is_left = matches!(erased, Err(EraseError::NotScrubbed { .. }));
            let is_scrubbed = erased.is_ok();
            if let Some(done) = done {
                drop(done.send(erased));
            }
            then(move |dispatcher, ctx| {
                // One that was refused says nothing of what an earlier one left.
                if is_left && !dispatcher.copies_are_left {
                    ctx.run_later(AGAIN, Self::scrub_again);
                }
                dispatcher.copies_are_left = is_left || dispatcher.copies_are_left && !is_scrubbed;
                Next::Go
            })
        }))
    }

    /// Sees to it, as soon as whoever held the log is gone, that no copy is left of what is erased.
    fn scrub_again(&mut self, ctx: &mut Context<Self>) {
        if !self.copies_are_left {
            return;
        }
        let (ask, answered) = Ask::new(|store| store.scrub());
        self.writer.do_send(ask);
        let asked = answered.into_actor(self);
        ctx.spawn(asked.map(|answer, dispatcher, ctx| match answer {
            Ok(Ok(_)) => dispatcher.copies_are_left = false,
            Ok(Err(error)) => {
                tracing::warn!(%error, "copies of erased records are left in the log; it is tried again");
                ctx.run_later(AGAIN, Self::scrub_again);
            }
            // The engine ends.
            Err(_) => {}
        }));
    }

    /// Has it looked every hour whether personal records are too old.
    pub(super) fn watch_ages(&self, ctx: &mut Context<Self>) {
        if self.shared.policy.keep_personal_after_closing.is_some() {
            ctx.run_interval(LOOK, |dispatcher, ctx| {
                dispatcher.waiting.push_back(Matter::Expire);
                dispatcher.work(ctx);
            });
        }
    }

    /// Erases what is too old, if that was not done today.
    pub(super) fn expire(&mut self) -> Next {
        let Some(keep) = self.shared.policy.keep_personal_after_closing else { return Next::Go };
        let now = self.now;
        if self.bearings.expired_at.is_some_and(|last| now.duration_since(last) < DAILY) {
            return Next::Go;
        }
        let keep = SignedDuration::from_hours(keep.get().into());
        let Ok(time) = now.checked_sub(keep) else { return Next::Go };
        self.bearings.expired_at = Some(now);
        self.erase(Erased::ClosedBefore(time), None, None)
    }
}
