//! Submitting many: a stream of grievances in, a stream of receipts out, in the same order.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;

use futures_core::Stream;
use futures_util::future::{self, Either, FutureExt};
use futures_util::stream::{self, StreamExt};
use tokio::sync::mpsc;

use crate::engine::door::{Door, NoRoom};
use crate::engine::errand::{Answer, Errand, Permit, Reply, Task};
use crate::engine::error::SubmitError;
use crate::engine::request::Receipt;
use crate::engine::submit_error;
use crate::grievance::Grievance;

/// How many grievances travel to the dispatcher in one message at most.
const TOGETHER: usize = 256;
/// How many may be under way for one stream at most, so that a slow reader holds the stream up and nothing else.
const UNDER_WAY: usize = 8_192;

/// What is to be answered next.
enum Due {
    /// The journal answers it.
    Awaited,
    /// The answer is here.
    Here(Result<Receipt, SubmitError>),
}

/// What comes first.
#[expect(clippy::large_enum_variant, reason = "short-lived, and most are the large one")]
enum More {
    Grievance(Grievance),
    End,
    Answer(Option<(u64, Answer)>),
}

struct Many<S> {
    door: Arc<Door>,
    input: Option<Pin<Box<S>>>,
    /// A grievance for which there was no room.
    held: Option<Grievance>,
    together: Vec<Errand>,
    /// In the input's order; the first has the number `first`.
    due: VecDeque<Due>,
    first: u64,
    answers: mpsc::UnboundedReceiver<(u64, Answer)>,
    caller: mpsc::UnboundedSender<(u64, Answer)>,
}

/// Sends all of `input` through the door; see [`Engine::submit_all`](crate::Engine::submit_all).
pub(crate) fn submit_all<S>(door: Arc<Door>, input: S) -> impl Stream<Item = Result<Receipt, SubmitError>> + Send
where
    S: Stream<Item = Grievance> + Send,
{
    // What is under way for one stream is bounded, and so is this channel.
    let (caller, answers) = mpsc::unbounded_channel();
    let input = Some(Box::pin(input));
    // Boxed, since the stream moves it for each item.
    let (together, due, held, first) = (Vec::new(), VecDeque::new(), None, 0);
    let many = Box::new(Many { door, input, held, together, due, first, answers, caller });
    stream::unfold(many, |mut many| async move { many.next().await.map(|answer| (answer, many)) })
}

impl<S: Stream<Item = Grievance> + Send> Many<S> {
    async fn next(&mut self) -> Option<Result<Receipt, SubmitError>> {
        loop {
            self.take_in();
            match self.due.front() {
                Some(Due::Here(_)) => {
                    self.first += 1;
                    if let Some(Due::Here(answer)) = self.due.pop_front() {
                        return Some(answer);
                    }
                }
                Some(Due::Awaited) => {
                    if let Ok(answer) = self.answers.try_recv() {
                        self.answered(answer);
                        continue;
                    }
                    // Whoever has to wait sends off what is gathered first, however little it is.
                    self.depart();
                    match self.more_or_answer().await {
                        More::Grievance(grievance) => self.enter(grievance),
                        More::End => self.input = None,
                        More::Answer(Some(answer)) => self.answered(answer),
                        // This end holds a sender, so the channel does not close.
                        More::Answer(None) => return None,
                    }
                }
                None => match self.held.take() {
                    // Nothing of this stream is under way, so others have the room: wait in line.
                    Some(grievance) => {
                        let share = self.door.share_for(&grievance);
                        match self.door.enter(share).await {
                            Ok(permit) => self.send(grievance, permit),
                            Err(_) => self.due.push_back(Due::Here(Err(SubmitError::Stopped(Box::new(grievance))))),
                        }
                    }
                    None => match &mut self.input {
                        Some(input) => match input.next().await {
                            Some(grievance) => self.enter(grievance),
                            None => self.input = None,
                        },
                        None => return None,
                    },
                },
            }
        }
    }

    /// Waits for more of the input, where there may be more, or for the first answer, whichever comes first.
    async fn more_or_answer(&mut self) -> More {
        let Self { input, answers, .. } = self;
        let answer = std::pin::pin!(answers.recv());
        match input {
            Some(input) if self.due.len() < UNDER_WAY && self.held.is_none() => {
                match future::select(input.next(), answer).await {
                    Either::Left((Some(grievance), _)) => More::Grievance(grievance),
                    Either::Left((None, _)) => More::End,
                    Either::Right((answer, _)) => More::Answer(answer),
                }
            }
            _ => More::Answer(answer.await),
        }
    }

    /// Takes in what the input has ready and the door has room for; a full batch departs at once.
    fn take_in(&mut self) {
        if let Some(grievance) = self.held.take() {
            self.enter(grievance);
        }
        while self.held.is_none() && self.due.len() < UNDER_WAY {
            let Some(input) = &mut self.input else { break };
            match input.next().now_or_never() {
                Some(Some(grievance)) => self.enter(grievance),
                Some(None) => self.input = None,
                None => break,
            }
        }
    }

    fn enter(&mut self, grievance: Grievance) {
        if let Err(error) = self.door.check(&grievance) {
            return self.due.push_back(Due::Here(Err(error)));
        }
        let share = self.door.share_for(&grievance);
        match self.door.try_enter(share.as_ref()) {
            Ok(permit) => self.send(grievance, permit),
            Err(NoRoom::Full) => self.held = Some(grievance),
            Err(NoRoom::Closed) => self.due.push_back(Due::Here(Err(SubmitError::Stopped(Box::new(grievance))))),
        }
    }

    fn send(&mut self, grievance: Grievance, permit: Permit) {
        let task = Task::Submit(self.door.submission(grievance));
        let number = self.first + self.due.len() as u64;
        self.together.push(Door::errand(task, Reply::many(self.caller.clone(), number), permit));
        self.due.push_back(Due::Awaited);
        if self.together.len() >= TOGETHER {
            self.depart();
        }
    }

    fn depart(&mut self) {
        if !self.together.is_empty() {
            self.door.send(std::mem::replace(&mut self.together, Vec::with_capacity(TOGETHER)));
        }
    }

    fn answered(&mut self, (number, answer): (u64, Answer)) {
        // Numbers are given in the order of `due`, and an answer comes once, before its place is given up.
        let place = number.checked_sub(self.first).and_then(|at| self.due.get_mut(usize::try_from(at).ok()?));
        if let Some(place) = place {
            *place = Due::Here(answer.map_err(submit_error));
        }
    }
}
