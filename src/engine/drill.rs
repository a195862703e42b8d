//! Fire drills: making an actor panic or die on purpose, to see that nothing is lost and that the alarm rings.

use crate::engine::health::ActorName;
use crate::ticket::TicketId;

/// A step that an actor is about to take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step<'a> {
    /// Who.
    pub actor: &'a ActorName,
    /// On which ticket; `None` where it has no number yet.
    pub ticket: Option<TicketId>,
}

/// What shall happen at a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Mishap {
    /// The handler panics.
    Panic,
    /// The actor stops, with all that waits in its mailbox. Only desks do.
    Death,
}

/// Says at which steps something goes wrong. It is asked by the dispatcher before each submit, act and feedback, by a
/// desk before each job, and by the satisfaction actor before each judgement; leave it out in service.
pub trait Drill: Send + Sync + 'static {
    /// What happens at this step; `None` for nothing.
    fn mishap(&self, step: &Step<'_>) -> Option<Mishap>;
}

impl<F: Fn(&Step<'_>) -> Option<Mishap> + Send + Sync + 'static> Drill for F {
    fn mishap(&self, step: &Step<'_>) -> Option<Mishap> {
        self(step)
    }
}
