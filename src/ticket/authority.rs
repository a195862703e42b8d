//! Who may do what, in which state: one table, read top to bottom.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::ticket::StateKind;

/// The roles in which someone may act on a ticket. One person may have several: an officer of the control desk who
/// holds the ticket is both.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Roles(u8);

impl Roles {
    /// No role.
    pub const NONE: Self = Self(0);
    /// The complainant.
    pub const CITIZEN: Self = Self(1);
    /// The officer who holds the ticket.
    pub const HOLDER: Self = Self(1 << 1);
    /// The nodal officer of the desk that owns the ticket.
    pub const NODAL: Self = Self(1 << 2);
    /// An officer of the control desk.
    pub const CONTROL: Self = Self(1 << 3);
    /// An officer of a desk that was asked for a part.
    pub const ASSISTING: Self = Self(1 << 4);
    /// The engine itself, when a date comes.
    pub const SYSTEM: Self = Self(1 << 5);

    const NAMES: [(Self, &'static str); 6] = [
        (Self::CITIZEN, "the complainant"),
        (Self::HOLDER, "the officer who holds it"),
        (Self::NODAL, "the desk's nodal officer"),
        (Self::CONTROL, "the control desk"),
        (Self::ASSISTING, "an officer of a desk that was asked for a part"),
        (Self::SYSTEM, "the engine"),
    ];

    /// These roles and those.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// These roles but not those.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether any of `other` is among these.
    #[must_use]
    pub const fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }
}

impl fmt::Display for Roles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut names = Self::NAMES.iter().filter(|(role, _)| self.meets(*role)).map(|(_, name)| *name);
        f.write_str(names.next().unwrap_or("nobody"))?;
        names.try_for_each(|name| write!(f, " or {name}"))
    }
}

impl fmt::Debug for Roles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Roles({self})")
    }
}

macro_rules! action_kinds {
    ($($(#[$doc:meta])* $name:ident $words:literal),* $(,)?) => {
        /// What can be done to a ticket, without the details: the rows of the table.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum ActionKind { $($(#[$doc])* $name),* }

        impl ActionKind {
            /// All of them, in the table's order.
            pub const ALL: &[Self] = &[$(Self::$name),*];
        }

        impl fmt::Display for ActionKind {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self { $(Self::$name => $words),* })
            }
        }
    };
}

action_kinds! {
    /// The officer has seen it.
    Acknowledge "acknowledge",
    /// The officer files an action-taken report.
    Resolve "resolve",
    /// The nodal officer approves the report.
    Approve "approve the report",
    /// The nodal officer sends the report back.
    SendBack "send the report back",
    /// Turn it down, on grounds.
    Reject "reject",
    /// Give it to another desk.
    Forward "forward",
    /// Give it back to the control desk.
    Return "return",
    /// Correct the category.
    ChangeCategory "change the category",
    /// Correct the place.
    ChangePlace "change the place",
    /// Ask the citizen something.
    AskCitizen "ask the citizen",
    /// Let it rest until a date.
    Park "park",
    /// Tell the citizen how it stands and when more comes.
    InterimReply "send an interim reply",
    /// The citizen answers.
    CitizenAnswers "answer",
    /// Ask another desk for a part.
    Assist "ask another desk for a part",
    /// The part is done.
    PartDone "report a part done",
    /// A deadline passed, a date came.
    DatePasses "let a date pass",
    /// The complainant is satisfied.
    Satisfied "say that one is satisfied",
    /// The complainant is not satisfied, or appeals against a rejection.
    NotSatisfied "say that one is not satisfied",
    /// The complainant takes it back.
    Withdraw "withdraw",
}

/// Who may do `action` to a ticket in `state`: [`Roles::NONE`] is an empty cell.
#[must_use]
pub const fn may(action: ActionKind, state: StateKind) -> Roles {
    const NONE: Roles = Roles::NONE;
    const CITIZEN: Roles = Roles::CITIZEN;
    const SYSTEM: Roles = Roles::SYSTEM;
    const CONTROL: Roles = Roles::CONTROL;
    const HOLDER: Roles = Roles::HOLDER;
    const SUPERIOR: Roles = Roles::NODAL.and(Roles::CONTROL);
    const DESK: Roles = Roles::HOLDER.and(Roles::NODAL);
    const OFFICE: Roles = DESK.and(Roles::CONTROL);
    const PARTNER: Roles = Roles::ASSISTING.and(SUPERIOR);

    use ActionKind as A;
    #[rustfmt::skip]
    let row = match action {
        //                        triage   marked   in progr. asked    parked   review    resolved rejected closed
        A::Acknowledge        => [NONE,    HOLDER,  NONE,     NONE,    NONE,    NONE,     NONE,    NONE,    NONE   ],
        A::Resolve            => [NONE,    HOLDER,  HOLDER,   NONE,    NONE,    NONE,     NONE,    NONE,    NONE   ],
        A::Approve            => [NONE,    NONE,    NONE,     NONE,    NONE,    SUPERIOR, NONE,    NONE,    NONE   ],
        A::SendBack           => [NONE,    NONE,    NONE,     NONE,    NONE,    SUPERIOR, NONE,    NONE,    NONE   ],
        A::Reject             => [CONTROL, DESK,    DESK,     NONE,    NONE,    NONE,     NONE,    NONE,    NONE   ],
        A::Forward            => [CONTROL, OFFICE,  OFFICE,   OFFICE,  OFFICE,  NONE,     NONE,    NONE,    NONE   ],
        A::Return             => [NONE,    DESK,    DESK,     DESK,    DESK,    NONE,     NONE,    NONE,    NONE   ],
        A::ChangeCategory     => [CONTROL, OFFICE,  OFFICE,   OFFICE,  OFFICE,  NONE,     NONE,    NONE,    NONE   ],
        A::ChangePlace        => [CONTROL, OFFICE,  OFFICE,   OFFICE,  OFFICE,  NONE,     NONE,    NONE,    NONE   ],
        A::AskCitizen         => [NONE,    DESK,    DESK,     DESK,    DESK,    NONE,     NONE,    NONE,    NONE   ],
        A::Park               => [NONE,    DESK,    DESK,     DESK,    DESK,    NONE,     NONE,    NONE,    NONE   ],
        A::InterimReply       => [NONE,    DESK,    DESK,     DESK,    DESK,    NONE,     NONE,    NONE,    NONE   ],
        A::CitizenAnswers     => [NONE,    NONE,    NONE,     CITIZEN, NONE,    NONE,     NONE,    NONE,    NONE   ],
        A::Assist             => [NONE,    DESK,    DESK,     NONE,    NONE,    NONE,     NONE,    NONE,    NONE   ],
        A::PartDone           => [NONE,    PARTNER, PARTNER,  PARTNER, PARTNER, NONE,     NONE,    NONE,    NONE   ],
        A::DatePasses         => [SYSTEM,  SYSTEM,  SYSTEM,   SYSTEM,  SYSTEM,  SYSTEM,   SYSTEM,  SYSTEM,  NONE   ],
        A::Satisfied          => [NONE,    NONE,    NONE,     NONE,    NONE,    NONE,     CITIZEN, CITIZEN, NONE   ],
        A::NotSatisfied       => [NONE,    NONE,    NONE,     NONE,    NONE,    NONE,     CITIZEN, CITIZEN, CITIZEN],
        A::Withdraw           => [CITIZEN, CITIZEN, CITIZEN,  CITIZEN, CITIZEN, CITIZEN,  CITIZEN, CITIZEN, NONE   ],
    };
    match state {
        // Between desks nobody acts; such a ticket is never seen from outside.
        StateKind::Unplaced => NONE,
        StateKind::Triage => row[0],
        StateKind::Marked => row[1],
        StateKind::InProgress => row[2],
        StateKind::Asked => row[3],
        StateKind::Parked => row[4],
        StateKind::UnderReview => row[5],
        StateKind::Resolved => row[6],
        StateKind::Rejected => row[7],
        StateKind::Closed => row[8],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_are_named_in_words() {
        assert_eq!(Roles::NODAL.and(Roles::CONTROL).to_string(), "the desk's nodal officer or the control desk");
        assert_eq!(Roles::NONE.to_string(), "nobody");
    }

    #[test]
    fn every_state_but_closed_moves_on_by_itself() {
        for &state in StateKind::ALL {
            let moves = !matches!(state, StateKind::Unplaced | StateKind::Closed);
            assert_eq!(may(ActionKind::DatePasses, state) == Roles::SYSTEM, moves, "{state}");
        }
    }

    #[test]
    fn no_officer_speaks_for_the_citizen_and_no_citizen_for_an_officer() {
        use ActionKind as A;
        for &action in ActionKind::ALL {
            for &state in StateKind::ALL {
                let citizens = matches!(action, A::CitizenAnswers | A::Satisfied | A::NotSatisfied | A::Withdraw);
                let roles = may(action, state);
                assert!(roles.is_empty() || roles.meets(Roles::CITIZEN) == citizens, "{action} in {state}");
            }
        }
    }
}
