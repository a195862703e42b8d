//! What a government decides once for all its tickets: how often, how long, who reviews.

use serde::{Deserialize, Serialize};

use crate::calendar::Hours;

/// Whether a report is read by the nodal officer before the citizen is asked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Review {
    /// The officer's report resolves the ticket.
    #[default]
    None,
    /// The nodal officer of the desk approves it or sends it back; their own reports need no review.
    NodalOfficer,
}

/// To whom a ticket goes when the complainant is not satisfied, and how often.
///
/// The first `to_same_officer` re-marks go to the officer concerned, the next `steps_up` each one step up the ladder.
/// When they are used up the control desk concludes, for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RemarkPolicy {
    /// Re-marks to the officer concerned.
    pub to_same_officer: u8,
    /// Re-marks of one step up each.
    pub steps_up: u8,
}

impl RemarkPolicy {
    /// How often a ticket is re-marked at most.
    #[must_use]
    pub const fn most(self) -> u16 {
        self.to_same_officer as u16 + self.steps_up as u16
    }
}

impl Default for RemarkPolicy {
    /// Once to the same officer, then up to two steps up.
    fn default() -> Self {
        Self { to_same_officer: 1, steps_up: 2 }
    }
}

/// The rules of the house for every ticket.
///
/// Where a default is that of a system it is modelled on, the source is named; the others are choices of this crate. It
/// can be read from a file (`serde`); what is left out there has its default.
///
/// ```
/// let mut policy = nivaran::Policy::default();
/// policy.review = nivaran::Review::NodalOfficer;
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Policy {
    /// Whether the nodal officer reviews reports. Default: no.
    pub review: Review,
    /// What happens when the complainant is not satisfied. Source: SMGT, the same ticket is marked again to the
    /// officer concerned.
    pub remarks: RemarkPolicy,
    /// How often a ticket may move to another desk by forwarding or a corrected category or place; the next such move
    /// goes to the control desk. (A return goes there anyway.) Default: 3.
    pub most_transfers: u8,
    /// How long after a mark an officer may return the ticket. Default: 5 days. Source: CPGRAMS guidelines, 5 working
    /// days to return what is not one's own.
    pub return_within: Hours,
    /// How long after closing a complaint that is not satisfied reopens the same ticket. Default: 5 days. Source:
    /// DIGIT PGR of Punjab.
    pub reopen_within: Hours,
    /// How long the citizen is waited for before silence closes the ticket. Default: 7 days.
    pub silence_closes_after: Hours,
    /// How often the control desk is reminded of what it has not dealt with, and the deadline of a ticket that no rule
    /// routed, wherever the control desk forwards it. Default: 24 hours.
    pub remind_every: Hours,
    /// How long the nodal officer has to review a report. Default: 48 hours.
    pub review_within: Hours,
    /// The longest time for which a ticket may be parked, wait for the citizen or rest on an interim reply, counted
    /// from the first time where it is asked or parked again before it went on. Default: 180 days.
    pub longest_rest: Hours,
    /// How many interim replies may move the deadline of one ticket. Default: 3.
    pub most_interim_replies: u8,
    /// How often a ticket may be parked or wait for the citizen anew. Default: 12.
    pub most_rests: u8,
    /// How often a ticket's category or place may be corrected by others than the control desk. Default: 12.
    pub most_corrections: u8,
    /// How many parts of one ticket may be open with other desks at once. Default: 8.
    pub most_open_parts: u8,
    /// How long after a ticket was closed its personal records are kept: handle, name, contact and every text. They are
    /// erased once a day; what was decided stays. Default: they are kept. Source: DPDP Act, 2023, section 8(7), to erase
    /// what is no longer needed.
    pub keep_personal_after_closing: Option<Hours>,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            review: Review::None,
            remarks: RemarkPolicy::default(),
            most_transfers: 3,
            return_within: Hours::from_days(5),
            reopen_within: Hours::from_days(5),
            silence_closes_after: Hours::from_days(7),
            remind_every: Hours::from_days(1),
            review_within: Hours::from_days(2),
            longest_rest: Hours::from_days(180),
            most_interim_replies: 3,
            most_rests: 12,
            most_corrections: 12,
            most_open_parts: 8,
            keep_personal_after_closing: None,
        }
    }
}
