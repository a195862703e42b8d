//! The figures, counted from the journal alone: what a dashboard would do.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use nivaran::journal::TicketEntry;
use nivaran::ticket::{ClosedBy, Origin, Outcome, TicketEvent};
use nivaran::{DepartmentId, DistrictId, TicketId};

/// What is pending longer is called out by name in the review meetings.
const OLD: SignedDuration = SignedDuration::from_hours(120 * 24);

/// What is counted.
#[derive(Default)]
pub struct Tally {
    lives: BTreeMap<TicketId, Life>,
    pub follow_ups: usize,
    pub triaged: usize,
    pub forwarded: usize,
    pub returned: usize,
    pub category_corrected: usize,
    pub place_corrected: usize,
    pub rejected: usize,
    pub withdrawn: usize,
    pub silent: usize,
    pub concluded: usize,
    /// Acts that came when the ticket had moved on.
    pub too_late: usize,
    /// What was pending at the end of each month.
    pub backlog: Vec<(usize, usize)>,
}

/// A ticket's life as far as the tables tell it.
struct Life {
    posted: Timestamp,
    department: Option<DepartmentId>,
    district: Option<DistrictId>,
    acknowledged: bool,
    /// When it was answered, unless it was marked again since.
    answered: Option<Timestamp>,
    closed: bool,
    remarked: bool,
    escalated: bool,
    satisfied: u32,
    dissatisfied: u32,
}

/// A line of a table.
#[derive(Default)]
pub struct Figures {
    pub received: usize,
    pub acknowledged: usize,
    pub resolved: usize,
    pub remarked: usize,
    pub escalated: usize,
    pub pending: usize,
    pub old: usize,
    pub satisfied: u32,
    pub dissatisfied: u32,
    times: Vec<SignedDuration>,
}

impl Tally {
    /// Counts an entry.
    pub fn take(&mut self, entry: &TicketEntry) {
        for event in &entry.events {
            self.count(event);
            if let TicketEvent::Received { ticket, filing, .. } = event {
                let district = filing.place.as_ref().map(|place| place.district());
                self.lives.insert(*ticket, Life::new(filing.posted_at, district));
            } else if let Some(life) = self.lives.get_mut(&entry.ticket) {
                life.take(event);
            }
        }
    }

    fn count(&mut self, event: &TicketEvent) {
        let counter = match event {
            TicketEvent::Received { origin: Origin::FollowUp(_), .. } => &mut self.follow_ups,
            TicketEvent::SentToTriage { .. } => &mut self.triaged,
            TicketEvent::Forwarded { .. } => &mut self.forwarded,
            TicketEvent::Returned => &mut self.returned,
            TicketEvent::CategoryChanged { .. } => &mut self.category_corrected,
            TicketEvent::PlaceChanged { .. } => &mut self.place_corrected,
            TicketEvent::Resolved { outcome: Outcome::Rejected(_), .. } => &mut self.rejected,
            TicketEvent::Closed { by: ClosedBy::Withdrawn, .. } => &mut self.withdrawn,
            TicketEvent::Closed { by: ClosedBy::Silence, .. } => &mut self.silent,
            TicketEvent::Closed { by: ClosedBy::ControlDesk, .. } => &mut self.concluded,
            _ => return,
        };
        *counter += 1;
    }

    /// Notes what is pending at the end of a month.
    pub fn note_month(&mut self, month: usize) {
        self.backlog.push((month, self.lives.values().filter(|life| life.is_pending()).count()));
    }

    /// All tickets as at `now`.
    pub fn total(&self, now: Timestamp) -> Figures {
        let mut total = Figures::default();
        self.lives.values().for_each(|life| total.add(life, now));
        total
    }

    /// The tickets by the department whose matter they are; `None` is the control desk's own.
    pub fn by_department(&self, now: Timestamp) -> BTreeMap<Option<DepartmentId>, Figures> {
        self.by(now, |life| life.department.clone())
    }

    /// The tickets by district; `None` where it is not known.
    pub fn by_district(&self, now: Timestamp) -> BTreeMap<Option<DistrictId>, Figures> {
        self.by(now, |life| life.district.clone())
    }

    fn by<K: Ord>(&self, now: Timestamp, key: impl Fn(&Life) -> K) -> BTreeMap<K, Figures> {
        let mut lines: BTreeMap<K, Figures> = BTreeMap::new();
        for life in self.lives.values() {
            lines.entry(key(life)).or_default().add(life, now);
        }
        lines
    }
}

impl Life {
    fn new(posted: Timestamp, district: Option<DistrictId>) -> Self {
        Self {
            posted,
            department: None,
            district,
            acknowledged: false,
            answered: None,
            closed: false,
            remarked: false,
            escalated: false,
            satisfied: 0,
            dissatisfied: 0,
        }
    }

    fn take(&mut self, event: &TicketEvent) {
        match event {
            TicketEvent::Routed(routing) => self.department = Some(routing.route.department.clone()),
            TicketEvent::SentToTriage { .. } => self.department = None,
            TicketEvent::PlaceChanged { to, .. } => self.district = Some(to.district()),
            TicketEvent::Acknowledged => self.acknowledged = true,
            TicketEvent::Resolved { at, .. } => self.answered = Some(*at),
            TicketEvent::Escalated { .. } => self.escalated = true,
            TicketEvent::Satisfied => self.satisfied += 1,
            TicketEvent::NotSatisfied { .. } => {
                self.dissatisfied += 1;
                self.remarked = true;
                self.answered = None;
                self.closed = false;
            }
            TicketEvent::Closed { by, at, .. } => {
                self.closed = true;
                if *by == ClosedBy::ControlDesk {
                    self.answered = Some(*at);
                }
            }
            _ => {}
        }
    }

    fn is_pending(&self) -> bool {
        self.answered.is_none() && !self.closed
    }
}

impl Figures {
    fn add(&mut self, life: &Life, now: Timestamp) {
        let pending = life.is_pending();
        self.received += 1;
        self.acknowledged += usize::from(life.acknowledged);
        self.resolved += usize::from(life.answered.is_some());
        self.remarked += usize::from(life.remarked);
        self.escalated += usize::from(life.escalated);
        self.pending += usize::from(pending);
        self.old += usize::from(pending && now.duration_since(life.posted) > OLD);
        self.satisfied += life.satisfied;
        self.dissatisfied += life.dissatisfied;
        self.times.extend(life.answered.map(|at| at.duration_since(life.posted)));
    }

    /// The time from the post to the answer that half of the answered tickets did not need.
    pub fn median_time(&self) -> Option<SignedDuration> {
        let mut times = self.times.clone();
        times.sort_unstable();
        times.get(times.len() / 2).copied()
    }

    /// Of a hundred citizens who said something, so many were satisfied.
    pub fn satisfaction(&self) -> Option<u32> {
        let said = self.satisfied + self.dissatisfied;
        (100 * self.satisfied + said / 2).checked_div(said)
    }
}
