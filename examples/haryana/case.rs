//! What the simulation knows of a ticket and the engine does not.

use nivaran::{Author, CategoryPath, PlacePath};

use crate::dice::Dice;

/// What is behind a ticket: who wrote, what it is really about, what has been tried.
#[derive(Debug, Clone)]
pub struct Case {
    pub author: Author,
    pub category: CategoryPath,
    pub place: PlacePath,
    pub dice: Dice,
    /// The citizen will take it back.
    pub withdraws: bool,
    /// An officer sent it away although it is theirs.
    pub sent_away: bool,
    /// It was sent to the right desk by name, with the wrong category still on it.
    pub sent_home: bool,
    /// The citizen was asked, and whether an answer came.
    pub asked: Option<bool>,
    /// It rested, had an interim reply, or another desk's help: once is enough.
    pub delayed: bool,
    /// The report says fixed, and nothing is.
    pub is_sham: bool,
}

impl Case {
    pub fn new(author: Author, category: CategoryPath, place: PlacePath, mut dice: Dice) -> Self {
        let withdraws = dice.chance(8);
        Self {
            author,
            category,
            place,
            dice,
            withdraws,
            sent_away: false,
            sent_home: false,
            asked: None,
            delayed: false,
            is_sham: false,
        }
    }

    /// The case of the ticket that a complaint about this one became.
    pub fn follow_up(&self) -> Self {
        let mut dice = self.dice.clone();
        // Other dice than those of the ticket that it follows.
        dice.roll();
        Self::new(self.author.clone(), self.category.clone(), self.place.clone(), Dice::new(dice.roll(), 1))
    }
}
