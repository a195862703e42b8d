//! When a deadline falls.
//!
//! Deadlines are counted in plain hours here; working hours, holidays and weekly offs will be counted in this room.

use std::fmt;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// A number of whole hours on the clock, at most [`Hours::MOST`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct Hours(u32);

/// A deadline of no hours, or of more than ten years.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{given} hours is no deadline; give 1 to {} hours", Hours::MOST)]
pub struct NotADeadline {
    /// The hours as given.
    pub given: u32,
}

impl Hours {
    /// The longest deadline: ten years.
    pub const MOST: u32 = 87_600;

    /// Takes a number of hours.
    ///
    /// # Errors
    /// [`NotADeadline`] for 0 and for more than [`Hours::MOST`].
    pub const fn new(hours: u32) -> Result<Self, NotADeadline> {
        if hours == 0 || hours > Self::MOST { Err(NotADeadline { given: hours }) } else { Ok(Self(hours)) }
    }

    /// A number of days of 24 hours, at least one hour and at most [`Hours::MOST`].
    #[must_use]
    pub const fn from_days(days: u16) -> Self {
        let hours = days as u32 * 24;
        if hours == 0 {
            Self(1)
        } else if hours > Self::MOST {
            Self(Self::MOST)
        } else {
            Self(hours)
        }
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }

    /// The instant that many hours after `from`; the end of time when there is none.
    #[must_use]
    pub fn after(self, from: Timestamp) -> Timestamp {
        from.checked_add(SignedDuration::from_hours(i64::from(self.0))).unwrap_or(Timestamp::MAX)
    }
}

impl TryFrom<u32> for Hours {
    type Error = NotADeadline;
    fn try_from(hours: u32) -> Result<Self, NotADeadline> {
        Self::new(hours)
    }
}

impl From<Hours> for u32 {
    fn from(hours: Hours) -> u32 {
        hours.0
    }
}

impl fmt::Display for Hours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 >= 48 && self.0.is_multiple_of(24) {
            write!(f, "{} days", self.0 / 24)
        } else {
            write!(f, "{} hours", self.0)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deadline_lies_in_the_future_and_within_time() {
        let noon: Timestamp = "2022-07-14T06:30:00Z".parse().unwrap();
        assert_eq!(Hours::new(48).unwrap().after(noon), "2022-07-16T06:30:00Z".parse().unwrap());
        assert_eq!(Hours::from_days(3650).after(Timestamp::MAX), Timestamp::MAX);
        assert!(Hours::new(0).is_err());
        assert!(Hours::new(Hours::MOST + 1).is_err());
    }
}
