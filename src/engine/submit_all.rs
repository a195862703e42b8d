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
    /// Taken from the input and not through the door yet: they hold no room.
    gathered: VecDeque<Grievance>,
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
    let (gathered, due, first) = (VecDeque::new(), VecDeque::new(), 0);
    let many = Box::new(Many { door, input, gathered, due, first, answers, caller });
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
                        More::Grievance(grievance) => self.gathered.push_back(grievance),
                        More::End => self.input = None,
                        More::Answer(Some(answer)) => self.answered(answer),
                        // This end holds a sender, so the channel does not close.
                        More::Answer(None) => return None,
                    }
                }
                None => {
                    self.depart();
                    if self.due.is_empty() {
                        self.wait_for_room_or_input().await?;
                    }
                }
            }
        }
    }

    /// Nothing of this stream is under way: either others have the room, or there is nothing to send; `None` at the end.
    async fn wait_for_room_or_input(&mut self) -> Option<()> {
        match (self.gathered.pop_front(), &mut self.input) {
            (Some(grievance), _) => match self.door.enter(self.door.share_for(&grievance)).await {
                Ok(permit) => {
                    let errand = self.errand(grievance, permit);
                    self.door.send(vec![errand]);
                }
                Err(_) => self.due.push_back(Due::Here(Err(SubmitError::Stopped(Box::new(grievance))))),
            },
            (None, Some(input)) => match input.next().await {
                Some(grievance) => self.gathered.push_back(grievance),
                None => self.input = None,
            },
            (None, None) => return None,
        }
        Some(())
    }

    /// Waits for more of the input, where there may be more, or for the first answer, whichever comes first.
    async fn more_or_answer(&mut self) -> More {
        let Self { input, answers, .. } = self;
        let answer = std::pin::pin!(answers.recv());
        match input {
            Some(input) if self.due.len() < UNDER_WAY && self.gathered.is_empty() => {
                match future::select(input.next(), answer).await {
                    Either::Left((Some(grievance), _)) => More::Grievance(grievance),
                    Either::Left((None, _)) => More::End,
                    Either::Right((answer, _)) => More::Answer(answer),
                }
            }
            _ => More::Answer(answer.await),
        }
    }

    /// Takes in what the input has ready; a full batch departs at once, if there is room.
    fn take_in(&mut self) {
        while self.due.len() + self.gathered.len() < UNDER_WAY {
            if self.gathered.len() >= TOGETHER {
                self.depart();
                if !self.gathered.is_empty() {
                    break;
                }
            }
            let Some(input) = &mut self.input else { break };
            match input.next().now_or_never() {
                Some(Some(grievance)) => self.gathered.push_back(grievance),
                Some(None) => self.input = None,
                None => break,
            }
        }
    }

    /// Sends what is gathered through the door, as far as there is room.
    fn depart(&mut self) {
        let mut errands = Vec::with_capacity(self.gathered.len());
        while let Some(grievance) = self.gathered.pop_front() {
            if let Err(error) = self.door.check(&grievance) {
                self.due.push_back(Due::Here(Err(error)));
                continue;
            }
            match self.door.try_enter(self.door.share_for(&grievance).as_ref()) {
                Ok(permit) => errands.push(self.errand(grievance, permit)),
                Err(NoRoom::Full) => {
                    self.gathered.push_front(grievance);
                    break;
                }
                Err(NoRoom::Closed) => {
                    self.due.push_back(Due::Here(Err(SubmitError::Stopped(Box::new(grievance)))));
                }
            }
        }
        if !errands.is_empty() {
            self.door.send(errands);
        }
    }

    fn errand(&mut self, grievance: Grievance, permit: Permit) -> Errand {
        let task = Task::Submit(self.door.submission(grievance));
        let number = self.first + self.due.len() as u64;
        self.due.push_back(Due::Awaited);
        Door::errand(task, Reply::many(self.caller.clone(), number), permit)
    }

    fn answered(&mut self, (number, answer): (u64, Answer)) {
        // Numbers are given in the order of `due`, and an answer comes once, before its place is given up.
        let place = number.checked_sub(self.first).and_then(|at| self.due.get_mut(usize::try_from(at).ok()?));
        if let Some(place) = place {
            *place = Due::Here(answer.map_err(|error| submit_error(self.door.shared.told(error))));
        }
    }
}
