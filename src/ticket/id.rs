//! The number of a ticket: short enough to read out on the phone, with a check digit, the same for good.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The highest running number.
const HIGHEST: u64 = 99_999_999_999_999;
/// By how much the running number of a new ticket may be above the highest that a ticket has: numbers are set aside in
/// blocks, of which the rest is not used after a restart. Twice the largest block.
pub const MOST_UNUSED: u64 = 1 << 25;
/// Digits of the running number that are always written; with the check digit that makes two groups of four.
const SHORTEST: usize = 7;

/// A ticket's number, e.g. `0012-3459`: a running number and a check digit that tells one mistyped digit and two
/// swapped neighbours for certain.
///
/// It is unique and never changes, through transfers, re-marks and reopening. Blanks and hyphens may stand anywhere
/// when it is read, and the digits may be Devanagari.
///
/// ```
/// use nivaran::TicketId;
///
/// let id: TicketId = "0000 4727".parse()?;
/// assert_eq!(id.to_string(), "0000-4727");
/// assert_eq!("००००-४७२७".parse::<TicketId>()?, id);
/// assert!("0000-4772".parse::<TicketId>().is_err()); // two digits swapped
/// # Ok::<(), nivaran::ticket::TicketIdError>(())
/// ```
///
/// Source: H. M. Damm, "Total anti-symmetrische Quasigruppen", Marburg 2004 (the check digit).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TicketId(u64);

impl TicketId {
    /// The ticket with a running number; the first is 1. `None` for 0 and for what has more than 14 digits.
    #[must_use]
    pub const fn from_number(number: u64) -> Option<Self> {
        if number == 0 || number > HIGHEST { None } else { Some(Self(number)) }
    }

    /// The running number, without the check digit.
    #[must_use]
    pub const fn number(self) -> u64 {
        self.0
    }
}

/// Damm's quasigroup: the check digit of `digits` followed by it is 0.
const DAMM: [[u8; 10]; 10] = [
    [0, 3, 1, 7, 5, 9, 8, 6, 4, 2],
    [7, 0, 9, 2, 1, 5, 4, 8, 6, 3],
    [4, 2, 0, 6, 8, 7, 1, 3, 5, 9],
    [1, 7, 5, 0, 9, 8, 3, 4, 2, 6],
    [6, 1, 2, 3, 0, 4, 5, 9, 7, 8],
    [3, 6, 7, 4, 2, 0, 9, 5, 8, 1],
    [5, 8, 6, 9, 7, 2, 0, 1, 3, 4],
    [8, 9, 4, 5, 3, 6, 2, 0, 1, 7],
    [9, 4, 3, 8, 6, 1, 7, 2, 0, 5],
    [2, 5, 8, 1, 4, 3, 6, 7, 9, 0],
];

fn damm(digits: impl IntoIterator<Item = u8>) -> u8 {
    digits.into_iter().fold(0, |check, digit| DAMM[check as usize][digit as usize])
}

impl fmt::Display for TicketId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // In one piece, since every entry has it.
        let digits: [u8; 14] = std::array::from_fn(|at| (self.0 / 10_u64.pow(13 - at as u32) % 10) as u8);
        let mut rest = self.0 * 10 + u64::from(damm(digits));
        let mut text = [0; 18];
        let (mut at, mut written) = (text.len(), 0);
        while rest > 0 || written <= SHORTEST {
            if written > 0 && written % 4 == 0 {
                at -= 1;
                text[at] = b'-';
            }
            at -= 1;
            text[at] = b'0' + (rest % 10) as u8;
            (rest, written) = (rest / 10, written + 1);
        }
        f.write_str(std::str::from_utf8(&text[at..]).unwrap_or_default())
    }
}

impl fmt::Debug for TicketId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TicketId({self})")
    }
}

/// Why a text is not a ticket's number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TicketIdError {
    /// A character that is no digit, blank or hyphen.
    #[error("{found:?} at character {at} is no digit; a ticket number has digits only, like 0012-3456")]
    NotADigit {
        /// The character.
        found: char,
        /// Where it stands, counted from 1.
        at: usize,
    },
    /// Too few or too many digits.
    #[error("{digits} digits are no ticket number; it has 8 to 15, like 0012-3456")]
    Length {
        /// How many there are.
        digits: usize,
    },
    /// The check digit does not fit: a digit is mistyped or two are swapped.
    #[error("the check digit does not fit; a digit is mistyped or two are swapped, so read the number out again")]
    CheckDigit,
    /// The running number is 0, which no ticket has.
    #[error("no ticket has the number 0")]
    Zero,
}

impl FromStr for TicketId {
    type Err = TicketIdError;

    fn from_str(text: &str) -> Result<Self, TicketIdError> {
        let mut digits = Vec::with_capacity(16);
        for (i, found) in text.chars().enumerate() {
            match found {
                '0'..='9' => digits.push(found as u8 - b'0'),
                '०'..='९' => digits.push((u32::from(found) - u32::from('०')) as u8),
                ' ' | '-' => {}
                _ => return Err(TicketIdError::NotADigit { found, at: i + 1 }),
            }
            if digits.len() > 15 {
                return Err(TicketIdError::Length { digits: digits.len() });
            }
        }
        if digits.len() <= SHORTEST {
            return Err(TicketIdError::Length { digits: digits.len() });
        }
        if damm(digits.iter().copied()) != 0 {
            return Err(TicketIdError::CheckDigit);
        }
        digits.pop();
        let number = digits.iter().fold(0, |number, &digit| number * 10 + u64::from(digit));
        Self::from_number(number).ok_or(TicketIdError::Zero)
    }
}

impl TryFrom<String> for TicketId {
    type Error = TicketIdError;
    fn try_from(text: String) -> Result<Self, TicketIdError> {
        text.parse()
    }
}

impl From<TicketId> for String {
    fn from(id: TicketId) -> String {
        id.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn reads_back_what_it_wrote(number in 1..=HIGHEST) {
            let id = TicketId::from_number(number).unwrap();
            prop_assert_eq!(id.to_string().parse(), Ok(id));
        }

        #[test]
        fn one_wrong_digit_or_two_swapped_never_pass(number in 1..=HIGHEST, at in 0usize..16, digit in 0u8..10) {
            let written: Vec<u8> = TicketId::from_number(number).unwrap().to_string().bytes().filter(|b| *b != b'-').collect();
            let at = at % written.len();
            let mut wrong = written.clone();
            wrong[at] = b'0' + digit;
            if wrong != written {
                prop_assert!(String::from_utf8(wrong).unwrap().parse::<TicketId>().is_err());
            }
            let mut swapped = written.clone();
            swapped.swap(at, (at + 1) % written.len());
            if at + 1 < written.len() && swapped != written {
                prop_assert!(String::from_utf8(swapped).unwrap().parse::<TicketId>().is_err());
            }
        }

        #[test]
        fn no_text_panics(text in ".*") {
            let _ = text.parse::<TicketId>();
        }
    }

    #[test]
    fn errors_say_what_to_look_at() {
        assert_eq!("12-x".parse::<TicketId>(), Err(TicketIdError::NotADigit { found: 'x', at: 4 }));
        assert_eq!("1234".parse::<TicketId>(), Err(TicketIdError::Length { digits: 4 }));
        assert_eq!("0".repeat(16).parse::<TicketId>(), Err(TicketIdError::Length { digits: 16 }));
        assert_eq!("00000000".parse::<TicketId>(), Err(TicketIdError::Zero));
    }
}
