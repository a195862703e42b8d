//! What stands in the journal for good: nothing that was written by a citizen, nothing that says who they are.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on fails")]

mod haryana;

use haryana::{ROSTER, World, at, by, desk, officer, roster, said, start, with_hansi};
use nivaran::engine::PendingTicket;
use nivaran::grievance::{Against, Confidentiality, Coordinates, Language};
use nivaran::journal::Entry;
use nivaran::personal::Personal;
use nivaran::ticket::{Grounds, ParkReason, Reference, Review};
use nivaran::{Act, Action, Author, Channel, Complainant, Feedback, Grievance, Outcome, Policy, RequestId, Source};
use nivaran::{Store, TicketId, Verdict};

/// What is personal in this file, each once and nowhere else, so that it can be looked for.
const PERSONAL: [&str; 27] = [
    "@savitri_devi_77",
    "savitri_devi_77",
    "Savitri Devi",
    "98120-45617",
    "savitri@example.org",
    "1601234567890123456",
    "CMW-2022-55512",
    "FB-4477-9911",
    "thread-887766",
    "The sewer in front of my door overflows",
    "Ward 9 and my shop are under water",
    "https://pic.example/abc123",
    "29.149188",
    "75.721653",
    "house-42-gali-7",
    "my-own-words",
    "Pumped at 16:40 by Mohan Lal",
    "https://evidence.example/77",
    "Which manhole do you mean",
    "The one beside the temple of Durga",
    "Sanction is with the chief engineer Verma",
    "Not ours, ask the corporation",
    "No photograph of the drain",
    "It overflows again since Tuesday",
    "Thank you all very much",
    "A bribe of 500 rupees was asked",
    "post 1601234567890123456",
];

fn policy() -> Policy {
    let mut policy = Policy::default();
    policy.review = Review::NodalOfficer;
    policy
}

fn author() -> Author {
    Author::new(Channel::X, "@savitri_devi_77")
}

fn complainant() -> Complainant {
    Complainant {
        handle: Some("@savitri_devi_77".to_owned()),
        name: Some("Savitri Devi".to_owned()),
        contact: Some("98120-45617".to_owned()),
    }
}

/// An engine that has seen everything once; the ticket that saw most of it.
async fn busy() -> (World, TicketId) {
    let world = World::with_policy(policy());
    let engine = &world.engine;
    let post = Source::new(Channel::X, "1601234567890123456").unwrap();
    let grievance = Grievance::builder(post, "The sewer in front of my door overflows")
        .complainant(complainant())
        .category("power/my-own-words".parse().unwrap())
        .place("hisar/barwala/house-42-gali-7".parse().unwrap())
        .coordinates(Coordinates::new(29.149_188, 75.721_653).unwrap())
        .posted_at(at(-2))
        .language(Language::new("hi-Latn").unwrap())
        .media("https://pic.example/abc123")
        .conversation("thread-887766");
    let id = world.file(grievance).await;
    let act = async |officer: &str, action: Action, words: &str| {
        // A request id counts once for a ticket.
        let request = RequestId::named(&format!("post 1601234567890123456 {words} {action:?} {}", world.end()));
        engine.act(by(id, officer, action).statement(said(words)).request(request)).await.unwrap();
    };
    act("power-hisar", Action::AskCitizen { until: at(10) }, "Which manhole do you mean").await;
    let answer = Act::by_citizen(id, author(), Action::CitizenAnswers);
    engine.act(answer.statement(said("The one beside the temple of Durga"))).await.unwrap();
    let park = Action::Park { until: at(20), why: ParkReason::AwaitingFunds };
    act("power-hisar", park, "Sanction is with the chief engineer Verma").await;
    act("power-hisar", Action::Forward(Some(desk("department:phe"))), "Not ours, ask the corporation").await;
    let report =
        said("Pumped at 16:40 by Mohan Lal").with_evidence(["https://evidence.example/77".to_owned()]).unwrap();
    let resolve = || by(id, "phe-se", Action::Resolve(Outcome::Fixed)).statement(report.clone());
    engine.act(resolve()).await.unwrap();
    act("phe-state", Action::SendBack, "No photograph of the drain").await;
    engine.act(resolve()).await.unwrap();
    act("phe-state", Action::Approve, "Sanction is with the chief engineer Verma").await;
    let feedback = |verdict, words: &str| Feedback::new(id, author(), verdict).reason(said(words));
    engine.feedback(feedback(Verdict::NotSatisfied, "It overflows again since Tuesday")).await.unwrap();
    engine.act(resolve()).await.unwrap();
    act("phe-state", Action::Approve, "No photograph of the drain").await;
    engine.feedback(feedback(Verdict::Satisfied, "Thank you all very much")).await.unwrap();

    let counter = Source::new(Channel::Counter, "CMW-2022-55512").unwrap();
    let contact = Complainant { contact: Some("savitri@example.org".to_owned()), ..complainant() };
    let bribe = Grievance::builder(counter, "A bribe of 500 rupees was asked")
        .complainant(contact)
        .category("bribe".parse().unwrap())
        .against(Against::Officer(officer("phe-hisar")))
        .confidentiality(Confidentiality::Confidential);
    world.file(bribe).await;
    let facebook = Source::new(Channel::Facebook, "FB-4477-9911").unwrap();
    let old = Grievance::builder(facebook, "Ward 9 and my shop are under water").complainant(complainant());
    let grievance = old.category("water".parse().unwrap()).place("rohtak/meham".parse().unwrap()).build().unwrap();
    let old_number = Reference::new("CMOFF/N/2022/014253").unwrap();
    engine.import(vec![PendingTicket { old_number, received_at: at(-900), grievance }]).await.remove(0).unwrap();
    let triage = world.submit("cattle", "hisar").await;
    engine.act(by(triage, "cms", Action::Reject(Grounds::Abuse)).statement(said("my-own-words"))).await.unwrap();

    engine.reload_roster(roster(&with_hansi(ROSTER)), Some(officer("cms"))).await.unwrap();
    for day in 1..=20 {
        world.it_gets(at(24 * day)).await;
    }
    // After the window: a ticket of its own.
    let receipt = engine.feedback(feedback(Verdict::NotSatisfied, "It overflows again since Tuesday")).await.unwrap();
    assert_ne!(receipt.ticket, id);
    (world, id)
}

#[tokio::test]
async fn no_entry_of_the_journal_holds_a_handle_a_name_a_contact_a_text_a_link_or_a_posts_number() {
    let (world, _) = busy().await;
    let journal = world.journal();
    assert!(journal.len() > 30, "{}", journal.len());
    for entry in &journal {
        let json = serde_json::to_string(entry).unwrap();
        let debug = format!("{entry:?}");
        let words = entry.ticket().map(|entry| entry.events.iter().map(ToString::to_string).collect::<String>());
        let written = [json, debug, words.unwrap_or_default()];
        for text in &written {
            let lower = text.to_lowercase();
            for personal in PERSONAL {
                assert!(!lower.contains(&personal.to_lowercase()), "{personal} in {text}");
            }
        }
    }
}

#[tokio::test]
async fn what_is_looked_for_was_really_there() {
    // Otherwise the search would prove nothing.
    let (world, _) = busy().await;
    let mut store = world.store.clone();
    let mut beside = String::new();
    for id in store.tickets(None, 1_000).unwrap() {
        for (_, row) in store.personal(id).unwrap() {
            beside.push_str(&serde_json::to_string(row.record()).unwrap());
        }
    }
    for personal in PERSONAL.iter().filter(|personal| !personal.starts_with("post ")) {
        assert!(beside.contains(personal), "{personal} is not among the personal records");
    }
}

#[tokio::test]
async fn every_string_of_an_entry_is_a_code_a_number_or_a_date_and_no_sentence_but_the_rules_themselves() {
    fn strings(value: &serde_json::Value, found: &mut Vec<String>) {
        match value {
            serde_json::Value::String(text) => found.push(text.clone()),
            serde_json::Value::Array(values) => values.iter().for_each(|value| strings(value, found)),
            serde_json::Value::Object(fields) => {
                // What officials wrote, and no citizen.
                let fields = fields.iter().filter(|(name, _)| *name != "content");
                fields.for_each(|(_, value)| strings(value, found));
            }
            _ => {}
        }
    }
    let (world, _) = busy().await;
    let mut found = Vec::new();
    world.journal().iter().for_each(|entry| strings(&serde_json::to_value(entry).unwrap(), &mut found));
    assert!(found.len() > 200);
    for text in found {
        let is_code = |c: char| c.is_ascii_alphanumeric() || "-_./:".contains(c);
        assert!(text.len() <= 64 && text.chars().all(is_code), "{text:?}");
    }
}

#[tokio::test]
async fn every_entry_reads_back_from_its_json_as_it_was() {
    let (world, id) = busy().await;
    let read_back: Vec<Entry> = world
        .journal()
        .iter()
        .map(|entry| serde_json::from_str(&serde_json::to_string(entry).unwrap()).unwrap())
        .collect();
    assert_eq!(read_back, world.journal());
    let own = read_back.iter().filter_map(|entry| entry.ticket()).filter(|entry| entry.ticket == id);
    assert_eq!(nivaran::journal::fold(own).unwrap(), Some(world.ticket(id).await));
}

#[tokio::test]
async fn each_personal_record_is_the_one_that_its_entry_was_made_with() {
    let (world, _) = busy().await;
    let mut store = world.store.clone();
    let mut checked = 0;
    for id in store.tickets(None, 1_000).unwrap() {
        let history = world.history(id).await;
        let records = store.personal(id).unwrap();
        let with_record = history.iter().filter(|entry| entry.personal.is_some()).count();
        assert_eq!(records.len(), with_record);
        for (version, row) in records {
            let entry = history.iter().find(|entry| entry.version == version).unwrap();
            assert_eq!(entry.personal, Some(row.commitment()));
            let another = Personal::Statement(said("something else"));
            assert_ne!(entry.personal, Some(another.commitment(row.salt())));
            checked += 1;
        }
    }
    assert!(checked > 15, "{checked}");
}

#[tokio::test]
async fn the_same_words_twice_leave_different_commitments() {
    let world = World::small();
    let ids = [world.submit("power", "hisar").await, world.submit("power", "hisar").await];
    let mut commitments = Vec::new();
    for id in ids {
        commitments.push(world.history(id).await[0].personal.unwrap());
        world.act(id, "power-hisar", Action::Resolve(Outcome::Fixed)).await;
        commitments.push(world.history(id).await[1].personal.unwrap());
    }
    let different: std::collections::BTreeSet<_> = commitments.iter().collect();
    assert_eq!(different.len(), 4, "who knows the text cannot find the ticket by it");
}

#[tokio::test]
async fn the_exact_place_and_the_own_words_for_the_category_stay_in_the_case_file() {
    let (world, id) = busy().await;
    let ticket = world.ticket(id).await;
    assert_eq!(ticket.filing().place.as_ref().map(ToString::to_string).as_deref(), Some("hisar/barwala"));
    assert_eq!(ticket.filing().category.as_ref().map(ToString::to_string).as_deref(), Some("power"));
    let file = world.engine.case_file(id, &officer("cms")).await.unwrap();
    let Some((_, Personal::Grievance(grievance))) = file.records.first() else { panic!() };
    assert_eq!(grievance.place.as_ref().map(ToString::to_string).as_deref(), Some("hisar/barwala/house-42-gali-7"));
    assert_eq!(grievance.category.as_ref().map(ToString::to_string).as_deref(), Some("power/my-own-words"));
    assert_eq!(ticket.filing().posted_at, start() - jiff::SignedDuration::from_hours(2));
}
