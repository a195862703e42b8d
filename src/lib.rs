//! nivaran (निवारण, "redressal") routes citizens' grievances.
#![forbid(unsafe_code)]
pub mod calendar;
pub mod code;
pub mod grievance;
pub mod personal;
pub mod placing;
pub mod roster;
pub mod rules;
pub mod sheet;
pub mod ticket;
pub mod tree;

pub use code::{CategoryPath, DepartmentId, DeskId, DistrictId, OfficerId, PlacePath, RowId};
pub use grievance::{Channel, Complainant, Grievance, Source};
pub use roster::{Roster, RosterError};
pub use rules::Rules;
pub use ticket::TicketId;
