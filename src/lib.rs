//! nivaran (निवारण, "redressal") routes citizens' grievances.
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

pub use code::{CategoryPath, DepartmentId, DeskId, DistrictId, OfficerId, PlacePath, RowId};
pub use engine::{
    Act, ActError, Engine, EngineBuilder, Feedback, Limits, ManualClock, Page, PendingTicket, Receipt, Standing,
    SubmitError, TicketFilter, Verdict,
};
pub use grievance::{Author, Channel, Complainant, Grievance, Source};
pub use journal::Position;
pub use personal::{InstallationKey, Statement};
pub use roster::{Roster, RosterError};
pub use rules::{Rules, RulesError};
pub use store::{MemoryStore, Store};
pub use ticket::{Action, Outcome, Policy, RemarkPolicy, RequestId, Ticket, TicketId};
pub use tree::{CategoryTree, PlaceTree};
