//! The rules and the roster in force, and each desk's share of the room under way.

use std::sync::Arc;

use tokio::sync::Semaphore;

use crate::code::DeskId;
use crate::engine::limits::Limits;
use crate::roster::Roster;
use crate::rules::{Facts, Level, Rules, RulesError};

/// What is in force: replaced as a whole, never changed.
#[derive(Debug, Clone)]
pub(crate) struct World {
    pub(crate) rules: Arc<Rules>,
    pub(crate) roster: Arc<Roster>,
    shares: Vec<(DeskId, Arc<Semaphore>)>,
}

impl World {
    /// Puts rules and roster together.
    pub(crate) fn new(rules: Arc<Rules>, roster: Arc<Roster>, limits: &Limits) -> Result<Self, RulesError> {
        rules.fit(&roster)?;
        let share = |desk: &DeskId| (desk.clone(), Arc::new(Semaphore::new(limits.share_of_a_desk)));
        let mut shares: Vec<_> = roster.desks().iter().map(|desk| share(desk.id())).collect();
        shares.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        Ok(Self { rules, roster, shares })
    }

    /// The same with other rules or another roster; desks that stay keep their share, with what is under way.
    pub(crate) fn changed(&self, rules: Arc<Rules>, roster: Arc<Roster>, limits: &Limits) -> Result<Self, RulesError> {
        let mut world = Self::new(rules, roster, limits)?;
        for (desk, share) in &mut world.shares {
            if let Some(kept) = self.share(desk) {
                *share = Arc::clone(kept);
            }
        }
        Ok(world)
    }

    pub(crate) fn share(&self, desk: &DeskId) -> Option<&Arc<Semaphore>> {
        let at = self.shares.binary_search_by(|(id, _)| id.cmp(desk)).ok()?;
        Some(&self.shares[at].1)
    }

    /// The desk that a grievance will probably go to: whose share it takes at the door.
    pub(crate) fn probable_desk(&self, facts: &Facts<'_>) -> DeskId {
        let place = facts.place;
        let Some(route) = self.rules.decide(facts).row.route() else { return DeskId::Control };
        // As it will be placed: by what the gazetteer knows, in a district that has a desk.
        let known = place.and_then(|place| self.rules.places().nearest(place.as_str()));
        let district = known.map(|place| place.district()).filter(|district| self.roster.has_district(district));
        match (route.level, district) {
            (Level::District, Some(district)) => DeskId::District(district),
            _ => DeskId::Department(route.department),
        }
    }
}
