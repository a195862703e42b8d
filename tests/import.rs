//! Pending tickets of the system used before are taken over with their old number and their old age.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on fails")]

mod haryana;

use haryana::{World, asha, at, desk};
use nivaran::engine::PendingTicket;
use nivaran::grievance::GrievanceError;
use nivaran::ticket::{By, MarkReason, Notice, Origin, Reference, StateKind, TicketEvent};
use nivaran::{Act, Action, Channel, Outcome, Source, Standing, SubmitError, TicketId, Verdict};

fn pending(world: &World, old_number: &str, hours_ago: i64, category: &str, place: &str) -> PendingTicket {
    PendingTicket {
        old_number: Reference::new(old_number).unwrap(),
        received_at: at(-hours_ago),
        grievance: world.grievance(category, place).build().unwrap(),
    }
}

async fn import(world: &World, tickets: Vec<PendingTicket>) -> Vec<(TicketId, Standing)> {
    let receipts = world.engine.import(tickets).await;
    receipts.into_iter().map(|receipt| receipt.unwrap()).map(|receipt| (receipt.ticket, receipt.standing)).collect()
}

#[tokio::test]
async fn a_pending_ticket_keeps_its_old_number_and_its_old_age_and_is_routed_and_marked_like_a_new_one() {
    let world = World::small();
    let old = pending(&world, "CMOFF/N/2022/014253", 130 * 24, "power/outage", "rohtak/meham");
    let [(id, Standing::Done)] = import(&world, vec![old]).await[..] else { panic!() };
    let ticket = world.ticket(id).await;
    assert_eq!(ticket.origin(), &Origin::Imported(Reference::new("CMOFF/N/2022/014253").unwrap()));
    assert_eq!(ticket.age(world.now()).as_hours(), 130 * 24);
    assert_eq!(
        (world.with(id).await.as_str(), ticket.state().kind()),
        ("power-rohtak at district:rohtak", StateKind::Marked)
    );
    assert_eq!(world.due(id).await, Some(at(24)), "the desk's own time begins with the mark");
    let entry = world.history(id).await.pop().unwrap();
    assert_eq!((entry.by, entry.at), (By::System, at(0)));
    let Some(TicketEvent::Marked { holder, why: MarkReason::Imported, .. }) = entry.events.last() else {
        panic!("{:?}", entry.events)
    };
    let notices: Vec<_> = entry.events.iter().filter_map(|event| event.notice(id)).map(|(_, notice)| notice).collect();
    assert_eq!(notices, [Notice::Received(id), Notice::NowWith(id, holder.clone(), MarkReason::Imported)]);
}

#[tokio::test]
async fn importing_the_same_old_number_again_gives_the_same_ticket() {
    let world = World::small();
    let both = || vec![pending(&world, "A-1", 50, "power", "hisar"), pending(&world, "A-2", 60, "water", "hisar")];
    let first = import(&world, both()).await;
    assert!(first.iter().all(|(_, standing)| *standing == Standing::Done));
    let end = world.end();
    // Also when the file comes with other words, another age, and one more ticket.
    let mut more = both();
    more[0].received_at = at(-1);
    more.push(pending(&world, "A-3", 70, "power", "rohtak"));
    let again = import(&world, more).await;
    assert_eq!(again[..2], [(first[0].0, Standing::AlreadyDone), (first[1].0, Standing::AlreadyDone)]);
    assert_eq!(again[2].1, Standing::Done);
    assert_eq!(world.end().0, end.0 + 1);
    assert_eq!(world.ticket(first[0].0).await.age(world.now()).as_hours(), 50);
    // And when the ticket is closed by now.
    world.holder_acts(first[0].0, Action::Resolve(Outcome::Fixed)).await;
    world.feedback(first[0].0, Verdict::Satisfied).await.unwrap();
    world.hours_pass(24).await;
    assert_eq!(import(&world, both()).await[0], (first[0].0, Standing::AlreadyDone));
}

#[tokio::test]
async fn the_same_old_number_twice_in_one_file_is_one_ticket() {
    let world = World::small();
    let answers =
        import(&world, vec![pending(&world, "A-1", 5, "power", "hisar"), pending(&world, "A-1", 5, "power", "hisar")])
            .await;
    assert_eq!(answers[0].0, answers[1].0);
    assert_eq!([answers[0].1, answers[1].1], [Standing::Done, Standing::AlreadyDone]);
}

#[tokio::test]
async fn the_answers_come_in_the_order_of_the_file_however_many_there_are() {
    let world = World::small();
    let count = 600;
    let file: Vec<_> = (0..count).map(|i| pending(&world, &format!("B-{i}"), i + 1, "water", "hisar")).collect();
    let answers = import(&world, file).await;
    assert_eq!(answers.len(), count as usize);
    for (i, (id, _)) in (0..count).zip(answers) {
        let ticket = world.ticket(id).await;
        assert_eq!(ticket.origin(), &Origin::Imported(Reference::new(&format!("B-{i}")).unwrap()));
        assert_eq!(ticket.age(world.now()).as_hours(), i + 1);
    }
}

#[tokio::test]
async fn an_imported_ticket_is_the_complainants_as_before_and_lives_on_like_any_other() {
    let world = World::small();
    let [(id, _)] = import(&world, vec![pending(&world, "A-1", 500, "power", "hisar")]).await[..] else { panic!() };
    world.it_gets(at(24)).await;
    assert_eq!(world.with(id).await, "hisar-ctm at district:hisar");
    assert_eq!(world.reads(id, "hisar-ctm").await, ["Nobody has come since Monday"]);
    world.act(id, "hisar-ctm", Action::Resolve(Outcome::PartlyFixed)).await;
    world.feedback(id, Verdict::NotSatisfied).await.unwrap();
    assert_eq!(world.ticket(id).await.age(world.now()).as_hours(), 524);
    world.engine.act(Act::by_citizen(id, asha(), Action::Withdraw)).await.unwrap();
    assert_eq!(world.state(id).await, StateKind::Closed);
}

#[tokio::test]
async fn an_imported_ticket_that_nobody_can_route_is_in_triage() {
    let world = World::small();
    let [(id, _)] = import(&world, vec![pending(&world, "A-1", 500, "", "")]).await[..] else { panic!() };
    assert_eq!((world.state(id).await, world.ticket(id).await.desk()), (StateKind::Triage, Some(&desk("control"))));
}

#[tokio::test]
async fn an_old_number_cannot_be_taken_by_a_grievance_that_names_it_as_its_source() {
    let world = World::small();
    import(&world, vec![pending(&world, "CM/7", 5, "power", "hisar")]).await;
    let refused = Source::new(Channel::Import, "CM/7").unwrap_err();
    assert_eq!(refused, GrievanceError::ReservedChannel { channel: Channel::Import });
}

#[tokio::test]
async fn a_pending_ticket_from_the_future_is_refused_and_the_others_are_taken() {
    let world = World::small();
    let mut wrong = pending(&world, "A-2", 5, "power", "hisar");
    wrong.received_at = at(24);
    let file = vec![pending(&world, "A-1", 5, "power", "hisar"), wrong, pending(&world, "A-3", 5, "power", "hisar")];
    let answers = world.engine.import(file).await;
    let [Ok(_), Err(SubmitError::Invalid(error)), Ok(_)] = answers.as_slice() else { panic!("{answers:?}") };
    assert_eq!(*error, GrievanceError::FromTheFuture { posted_at: at(24), now: at(0) });
    assert_eq!(world.end().0, 2 + 2);
}

#[tokio::test]
async fn the_post_behind_an_imported_ticket_is_no_second_ticket_and_the_other_way_round() {
    let world = World::small();
    let imported = pending(&world, "CM/8", 5, "power", "hisar");
    let post = imported.grievance.clone();
    let [(id, _)] = import(&world, vec![imported]).await[..] else { panic!() };
    let again = world.engine.submit(post.clone()).await.unwrap();
    assert_eq!((again.ticket, again.standing), (id, Standing::AlreadyDone));
    assert_eq!(world.engine.ticket_of(post.source()).await.unwrap().map(|ticket| ticket.id()), Some(id));

    let late = pending(&world, "CM/9", 5, "power", "hisar");
    let first = world.engine.submit(late.grievance.clone()).await.unwrap();
    let [(same, _)] = import(&world, vec![late]).await[..] else { panic!() };
    assert_eq!(same, first.ticket);
}

#[tokio::test]
async fn an_import_after_the_shutdown_is_handed_back() {
    let world = World::small();
    let ticket = pending(&world, "CM/10", 5, "power", "hisar");
    let grievance = Box::new(ticket.grievance.clone());
    world.engine.shutdown().await;
    assert_eq!(world.engine.import(vec![ticket]).await, [Err(SubmitError::Stopped(grievance))]);
}
