//! nivaran (निवारण, "redressal") routes citizens' grievances: one number, one holder, one deadline, and a reason for
//! every decision, none of which is lost.
//!
//! A government gets complaints by way of social media, e-mail, counters and telephones. Each has to reach the officer
//! whose matter it is, stay with somebody until it is dealt with, climb when nobody does, and come back when the
//! citizen is not satisfied. This crate is the engine for that, to be embedded in a service. It has no screen and no
//! network edge.
//!
//! # The words
//! * A **grievance** ([`Grievance`]) is what a citizen said, where and when. It never changes. Channel and post number
//!   ([`Source`]) tell it from every other: the same post submitted again gets the same ticket.
//! * A **ticket** ([`Ticket`]) is the record of it. Its number ([`TicketId`]) never changes, through transfers,
//!   re-marks and reopening. It is the fold of its **entries** ([`TicketEntry`]); an entry is one decision, with its
//!   events, who decided and when.
//! * A **category** (`water/logging`) says what it is about, a **place** (`hisar/hansi`) where: paths in two trees,
//!   [`CategoryTree`] and [`PlaceTree`].
//! * The **rules table** ([`Rules`]) turns category and place, and if wished channel, language, words, day and time, into a
//!   **route**: department, level (district or state), priority, deadline. Officials keep it in a spreadsheet; the most
//!   specific row wins, wherever it stands.
//! * A **desk** ([`DeskId`]) owns open tickets: one for each department, one for each district, and the **control
//!   desk**, which has what no rule routes. **Officers** sit on desks; who, and who is on leave, is the **roster**
//!   ([`Roster`]). The one in charge of a desk is its **nodal officer**.
//! * To **mark** a ticket is to give it to an officer, with a deadline. A deadline that passes takes the ticket one
//!   **rung** ([`Rung`]) up the ladder: officer, district's nodal officer, department's nodal officer, control desk.
//! * The officer files an **action-taken report** ([`Action::Resolve`]); then the citizen is asked. Satisfied, or
//!   silent for long enough: closed. Not satisfied: the same ticket is **re-marked**, to the same officer first and
//!   then a rung higher, as the [`Policy`] says.
//! * The **journal** ([`journal`]) holds all entries, in one order, and is the source of truth. What is personal stands
//!   beside it ([`personal`]); an entry holds only a commitment.
//!
//! # Quick start
//! `examples/quickstart.rs`, to be run with `cargo run --example quickstart`:
//!
//! ```
//! use nivaran::{Act, Action, CategoryTree, Channel, Engine, Grievance, Outcome, PlaceTree, Roster, Rules, Source};
//! use nivaran::{Statement, TicketFilter};
//!
//! #[tokio::main]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let categories = CategoryTree::read(include_bytes!("../examples/haryana/categories.csv"))?;
//!     let places = PlaceTree::read(include_bytes!("../examples/haryana/places.csv"))?;
//!     let rules = Rules::read(categories, places, include_bytes!("../examples/haryana/rules.csv"))?;
//!     let roster = Roster::read(include_str!("../examples/haryana/roster.toml"))?;
//!     let engine = Engine::builder().rules(rules).roster(roster).start()?;
//!
//!     let post = Source::new(Channel::X, "1547830221")?;
//!     let grievance = Grievance::builder(post, "Water stands knee-deep in our street since Monday")
//!         .category("water/logging".parse()?)
//!         .place("hisar/hisar".parse()?)
//!         .build()?;
//!     let ticket = engine.submit(grievance).await?.ticket;
//!
//!     let holder = engine.ticket(ticket).await?.and_then(|t| t.holder().cloned()).ok_or("no holder")?;
//!     let report = Statement::new("Pumped dry; the drain is desilted.")?;
//!     engine.act(Act::by_officer(ticket, holder.officer, Action::Resolve(Outcome::Fixed)).statement(report)).await?;
//!
//!     for entry in engine.history(ticket).await? {
//!         entry.events.iter().for_each(|event| println!("{} {}: {event}", entry.at, entry.by));
//!     }
//!     println!("{} open", engine.tickets(&TicketFilter::open(), nivaran::Page::first(10)).await?.len());
//!     engine.shutdown().await;
//!     Ok(())
//! }
//! ```
//!
//! It prints what happened to the ticket, line by line, and `1 open`: a resolved ticket is open until the citizen is
//! satisfied or silent.
//!
//! # Who is trusted
//! The engine knows officers by id and citizens by handle or contact. It does not know whether the caller is who they
//! say: the embedding service signs people in. [`Engine::case_file`] checks what an officer may read; the other
//! reading calls ([`Engine::ticket`], [`Engine::tickets`], [`Engine::history`], [`Engine::subscribe`]) check nothing
//! and hold nothing personal.
//!
//! # Rooms
//! | module | what is there |
//! |---|---|
//! | [`grievance`] | what comes in, checked once |
//! | [`personal`] | what can be erased, apart from what stays; keyed references and commitments |
//! | [`code`] | the codes of departments, districts, officers, desks, rows, categories and places |
//! | [`tree`] | the taxonomy and the gazetteer |
//! | [`rules`] | the table: format, which row wins, what is refused |
//! | [`roster`] | desks, officers, leave, deputies; the ladder |
//! | [`calendar`] | deadlines |
//! | [`ticket`] | the state machine: actions, who may do what, events, policy, notices |
//! | [`placing`] | where a ticket goes next: what the dispatcher decides, as a function |
//! | [`journal`] | entries, their text and hash, the fold that gives a ticket; proofs |
//! | [`store`] | where the journal is kept: the [`Store`] trait, [`MemoryStore`], and one in an SQLite file |
//! | [`engine`] | the [`Engine`]: handle, builder, limits, clocks, errors, health, fire drills |
//! | [`sheet`] | what a CSV file has to be |
//! | [`promises`] | **what the engine promises, and what it does not** |
//!
//! The modules up to [`journal`] are plain values and functions: no clock, no disk, no task. They can be used without
//! the engine, e.g. to try a rules table ([`Rules::decide`]) before it goes live.
//!
//! # Features
//! * `sqlite` (on): [`SqliteStore`], a journal in a file; compiles SQLite in.
//! * `proof` (on): [`journal::proof`], signed checkpoints and proofs that anyone can check.
//!
//! It speaks of time by [`jiff`] and logs by
//! [`tracing`](https://docs.rs/tracing). [`Engine`]'s futures work on any executor; the engine runs its own threads.
#![forbid(unsafe_code)]

pub mod calendar;
pub mod code;
pub mod engine;
pub mod grievance;
pub mod journal;
pub mod personal;
pub mod placing;
pub mod roster;
pub mod rules;
pub mod sheet;
pub mod store;
pub mod ticket;
pub mod tree;

pub mod promises {
    #![doc = include_str!("promises.md")]
}

pub use code::{CategoryPath, CodeError, DepartmentId, DeskId, DistrictId, OfficerId, PlacePath, RowId};
pub use engine::{
    Act, ActError, CaseFile, Engine, EngineBuilder, EraseError, Failure, Feedback, Health, Limits, ManualClock, Mode,
    Page, PendingTicket, Published, ReadError, Receipt, ReloadError, Standing, StartError, SubmitError,
    SubscriptionError, TicketFilter, Verdict,
};
pub use grievance::{
    Against, Author, Channel, Complainant, Confidentiality, Coordinates, Grievance, GrievanceError, Language, Source,
};
pub use journal::{Entry, Position, TicketEntry};
pub use personal::{InstallationKey, Statement};
pub use roster::{Roster, RosterError, Rung};
pub use rules::{Rules, RulesError};
#[cfg(feature = "sqlite")]
pub use store::SqliteStore;
pub use store::{MemoryStore, Store};
pub use ticket::{
    Action, Grounds, Holder, Notice, Outcome, ParkReason, Policy, Recipient, Reference, Refusal, RemarkPolicy,
    RequestId, Review, State, StateKind, Ticket, TicketEvent, TicketId, Version,
};
pub use tree::{CategoryTree, PlaceTree, TreeError};

// The lines of code in the README, compiled and run. It has no other documentation: only so do paths in it begin at
// the README.
#[doc = include_str!("../README.md")]
#[cfg(doctest)]
struct ReadmeDoctests;
