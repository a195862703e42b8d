//! The citizen speaks: judged by the satisfaction actor, carried out like any act.

use std::sync::Arc;

use futures_util::future::LocalBoxFuture;

use super::{Dispatcher, Matter, Next, then};
use crate::engine::book::repeated;
use crate::engine::desk::Show;
use crate::engine::errand::{Errand, Opinion, Order, Outcome, Permit, Reply, Said, Stamp, Submission, Task, Who};
use crate::engine::error::{ActError, Failure};
use crate::engine::satisfaction::{Judge, Judgement};
use crate::engine::writer::Ask;
use crate::grievance::{Channel, Filing, Source};
use crate::personal::SourceKey;
use crate::ticket::{ActionKind, Asked, By, Origin, StateKind, Ticket, TicketId};

impl Dispatcher {
    /// The satisfaction actor judges by the ticket as its desk has it; then it is carried out like any act.
    pub(super) fn feedback(&mut self, opinion: Opinion, stamp: Stamp, reply: Reply, permit: Option<Permit>) -> Next {
        let satisfaction = self.satisfaction.clone();
        let id = opinion.ticket;
        let owner = self.owner(id);
        let ticket = self.as_it_stands(id);
        Next::Wait(Box::pin(async move {
            let ticket = ticket.await;
            let judged = match ticket {
                Err(error) => Err(error),
                Ok(ticket) => {
                    let Opinion { author, verdict, request, .. } = opinion;
                    let now = stamp.now;
                    let judge = Judge { ticket: ticket.clone(), author, verdict, request, now };
                    let judgement = satisfaction.send(judge).await;
                    judgement.map(|judgement| (ticket, judgement)).map_err(|_| ActError::Failed(Failure::Internal))
                }
            };
            then(move |dispatcher, _| match judged {
                Ok((ticket, judgement)) => dispatcher.judged(ticket, judgement, owner, opinion, stamp, reply, permit),
                Err(error) => {
                    dispatcher.outcomes.push(Outcome::refused(stamp, error, reply, permit));
                    Next::Go
                }
            })
        }))
    }

    #[allow(clippy::too_many_arguments, reason = "an opinion on its way, taken apart")]
    pub(super) fn judged(
        &mut self,
        ticket: Ticket,
        judgement: Judgement,
        owner: Option<usize>,
        opinion: Opinion,
        stamp: Stamp,
        reply: Reply,
        permit: Option<Permit>,
    ) -> Next {
        match judgement {
            Judgement::Refuse(error) => {
                self.outcomes.push(Outcome::refused(stamp, *error, reply, permit));
                Next::Go
            }
            Judgement::Already(receipt) => {
                let answer = Said::Answer(Ok(receipt));
                self.outcomes.push(Outcome { stamp, record: None, answer, reply, permit });
                Next::Go
            }
            Judgement::FollowUp => self.follow_up(&ticket, opinion, stamp, reply, permit),
            Judgement::CarryOut => {
                let Opinion { ticket: id, author, verdict, request, personal } = opinion;
                let (who, action) = (Who::Citizen(author), verdict.action());
                let order = Box::new(Order { ticket: id, who, action, request, expected: None, personal });
                match owner {
                    Some(desk) => self.depart(desk, order, stamp, reply, permit),
                    None => {
                        self.carry_out_on_closed(Ok(ticket), *order, stamp, reply, permit);
                        Next::Go
                    }
                }
            }
        }
    }

    /// What a complaint becomes when its ticket cannot be opened again any more: a ticket of its own, linked to it. A
    /// ticket has one follow-up; once that is answered, the complaint is about it.
    fn follow_up(
        &mut self,
        ticket: &Ticket,
        opinion: Opinion,
        stamp: Stamp,
        reply: Reply,
        permit: Option<Permit>,
    ) -> Next {
        let source = self.shared.key.source(&Source::reserved(Channel::FollowUp, ticket.id()));
        let earlier = self.shared.lookup.by_source.get(&source).map(|id| *id);
        if earlier.is_none() && self.shared.seen.perhaps(&source) {
            return self.follow_up_of_old(ticket.clone(), source, opinion, stamp, reply, permit);
        }
        let Some(earlier) = earlier else {
            return self.open_follow_up(ticket, source, opinion, stamp, reply, permit);
        };
        let earlier = self.as_it_stands(earlier);
        Next::Wait(Box::pin(async move {
            let earlier = earlier.await;
            then(move |dispatcher, _| match earlier {
                Ok(earlier) => dispatcher.complaint_again(&earlier, opinion, stamp, reply, permit),
                Err(error) => {
                    dispatcher.outcomes.push(Outcome::refused(stamp, error, reply, permit));
                    Next::Go
                }
            })
        }))
    }

    /// A ticket as its desk has it, ahead of the disk, or as it was closed.
    fn as_it_stands(&self, id: TicketId) -> LocalBoxFuture<'static, Result<Ticket, ActError>> {
        let Some(desk) = self.owner(id) else { return self.closed_ticket(id) };
        let desk = self.desks[desk].desk.clone();
        // Asked only when it is waited for: what is gathered for the desk is handed over before.
        Box::pin(async move { desk.send(Show(id)).await.ok().flatten().ok_or(ActError::Failed(Failure::Internal)) })
    }

    /// A complaint whose ticket has a follow-up already: said again it is answered the same; it is about the follow-up
    /// once that is answered; until then it is refused, so that no words are lost.
    fn complaint_again(
        &mut self,
        earlier: &Ticket,
        opinion: Opinion,
        stamp: Stamp,
        reply: Reply,
        permit: Option<Permit>,
    ) -> Next {
        let (by, action, id) = (By::Citizen, ActionKind::NotSatisfied, earlier.id());
        let asked = opinion.request.map(|request| Asked { request, by, action });
        let answer = match repeated(earlier, asked) {
            Ok(Some(receipt)) => Ok(receipt),
            Err(error) => Err(error),
            Ok(None) => match earlier.state().kind() {
                StateKind::Resolved | StateKind::Rejected | StateKind::Closed => {
                    return self.feedback(Opinion { ticket: id, ..opinion }, stamp, reply, permit);
                }
                _ => Err(ActError::FollowUpOpen { follow_up: id }),
            },
        };
        self.outcomes.push(Outcome { stamp, record: None, answer: Said::Answer(answer), reply, permit });
        Next::Go
    }

    /// Perhaps the follow-up was closed so long ago that only the store knows it: then the complaint is about that.
    fn follow_up_of_old(
        &mut self,
        ticket: Ticket,
        source: SourceKey,
        opinion: Opinion,
        stamp: Stamp,
        reply: Reply,
        permit: Option<Permit>,
    ) -> Next {
        let (ask, answered) = Ask::new(move |store| store.sources(&[source]));
        self.writer.do_send(ask);
        Next::Wait(Box::pin(async move {
            let known = answered.await;
            then(move |dispatcher, _| match known {
                Ok(Ok(ids)) => match ids.into_iter().flatten().next() {
                    Some(earlier) => dispatcher.feedback(Opinion { ticket: earlier, ..opinion }, stamp, reply, permit),
                    None => dispatcher.open_follow_up(&ticket, source, opinion, stamp, reply, permit),
                },
                Ok(Err(error)) => {
                    let failure = Failure::NotStored { reason: error.reason };
                    dispatcher.outcomes.push(Outcome::refused(stamp, failure, reply, permit));
                    Next::Go
                }
                Err(_) => {
                    dispatcher.outcomes.push(Outcome::refused(stamp, Failure::Internal, reply, permit));
                    Next::Go
                }
            })
        }))
    }

    fn open_follow_up(
        &mut self,
        ticket: &Ticket,
        source: SourceKey,
        opinion: Opinion,
        stamp: Stamp,
        reply: Reply,
        permit: Option<Permit>,
    ) -> Next {
        let filing = Filing { source, post: None, posted_at: stamp.now, ..Filing::clone(ticket.filing()) };
        let Opinion { personal, request, .. } = opinion;
        let (origin, table) = (Origin::FollowUp(ticket.id()), stamp.table);
        let submission = Submission { filing: Arc::new(filing), origin, personal, table, request };
        if self.numbers.is_empty() {
            let mut errand = Errand::new(Task::Submit(submission), reply, permit);
            errand.stamp = Some(stamp);
            self.waiting.push_front(Matter::Errand(errand));
            return Next::Go;
        }
        self.submit(submission, stamp, reply, permit)
    }
}
