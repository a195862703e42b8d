//! The compiled table: from what is known of a grievance to the row that wins.
//!
//! Each row stands in the list of its own pair of nodes, one of the taxonomy and one of the gazetteer. From the pair of a
//! grievance the lists of all pairs above it are visited in the order of their rank, without a step at empty ones; in
//! each the rows stand by the rank of their other conditions, and the first that holds wins. So the cost depends on how
//! deep the trees are and on how many rows share a pair, not on the number of rows.

use std::collections::HashMap;

use foldhash::fast::FixedState;

use super::condition::{Conditions, Day, Names, Weekdays, Word};
use super::facts::Facts;
use super::table::{ConditionKind, HitPolicy, Row};
use super::words::{Dictionary, WordNumber, WordsFound};
use crate::grievance::{Channel, Language};
use crate::tree::{CategoryTree, Node, PlaceTree, ROOT, Tree, TreePath};

/// The most cells of the dense array: 16 MiB.
const MAX_CELLS: usize = 4 << 20;
/// No list, no further conditions.
const NONE: u32 = u32::MAX;
/// No other conditions at all.
const PLAIN: u32 = u32::MAX - 1;

/// The most languages that a table may name: each is a bit.
pub(super) const MAX_LANGUAGES: usize = 62;
/// A bit that every language has, a grievance without one too.
const ANY_LANGUAGE: u64 = 1 << 63;

#[derive(Debug, Clone)]
pub(super) struct Index {
    policy: HitPolicy,
    categories: Ladder,
    places: Ladder,
    first: First,
    lists: Vec<List>,
    entries: Vec<Entry>,
    extras: Vec<Extra>,
    languages: Vec<Language>,
    pub(super) dictionary: Dictionary,
}

/// From a pair of nodes to the first list that can have a row for it.
#[derive(Debug, Clone)]
enum First {
    /// For each pair, a category's row of places behind the other.
    Dense(Vec<u32>),
    /// The lists by their own pair, where there would be too many cells.
    Sparse(HashMap<(Node, Node), u32, FixedState>),
}

/// The rows of one pair of nodes.
#[derive(Debug, Clone, Copy)]
struct List {
    category: Node,
    place: Node,
    from: u32,
    to: u32,
    /// The next list of the same category, at a place above.
    next: u32,
    /// What one of its entries at least holds for: most lists are passed over by it, without a look at the entries.
    ways: u64,
}

/// Pairs of channel and language, a bit each: eight languages of each channel, of more than eight some share a bit.
/// All for which some entry may hold, or which a question may have.
fn ways(bits: u32, languages: u64) -> u64 {
    let some = (0..MAX_LANGUAGES as u32).step_by(8).fold(0, |all, from| all | languages >> from) & 0xff;
    let languages = if languages & ANY_LANGUAGE != 0 { 0xff } else { some };
    let channels = (0..8).filter(|channel| bits >> channel & 1 != 0);
    channels.fold(0, |ways, channel| ways | languages << (8 * channel))
}

/// The rows that stand at a pair of nodes.
pub(super) struct RowsAt {
    pub(super) category: Node,
    pub(super) place: Node,
    pub(super) rows: Vec<usize>,
}

/// A row at one of the pairs that its alternatives make, with its other conditions made out so that each takes a
/// comparison. They stand beside each other, since they are read one after the other.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry {
    pub(super) row: u32,
    /// The channels, days of the week and kinds of day for which it holds: a bit each.
    bits: u32,
    /// One of these bits, if the language has it.
    languages: u64,
    minutes: (u16, u16),
    dates: (i32, i32),
    /// Where its further conditions stand, [`PLAIN`] if it has no other conditions at all.
    extra: u32,
}

/// The way up from a node, as the rank goes: the deeper nodes, then rows that name what it is not, then rows that ask
/// for nothing. These two have a step of their own.
#[derive(Debug, Clone)]
struct Ladder {
    up: Vec<Node>,
}

impl Ladder {
    fn of<P: TreePath>(tree: &Tree<P>) -> Self {
        let size = tree.size() as Node;
        let up = |node: Node| match tree.parent(node) {
            _ if node == ROOT => ROOT,
            ROOT => size,
            parent => parent,
        };
        let up = (0..size).map(up).chain([ROOT]).collect();
        Self { up }
    }

    /// How many nodes there are, the step for rows that name what it is not among them.
    fn size(&self) -> usize {
        self.up.len()
    }

    /// The step for rows that name what it is not.
    fn other(&self) -> Node {
        (self.up.len() - 1) as Node
    }

    /// Where the way up begins: of something unknown at that step.
    fn begin(&self, node: Node) -> Node {
        if node == ROOT { self.other() } else { node }
    }

    fn up(&self, node: Node) -> Option<Node> {
        (node != ROOT).then(|| self.up[node as usize])
    }

    fn way(&self, node: Node) -> impl Iterator<Item = Node> + '_ {
        std::iter::successors(Some(self.begin(node)), |&node| self.up(node))
    }

    /// Whether a node is one of these or below one.
    fn is_within(&self, node: Node, some: &[Node]) -> bool {
        self.way(node).any(|above| some.contains(&above))
    }
}

/// Conditions that few rows have.
#[derive(Debug, Clone, Default)]
struct Extra {
    any_words: Box<[WordNumber]>,
    all_words: Box<[WordNumber]>,
    not_categories: Box<[Node]>,
    not_places: Box<[Node]>,
    /// None of these bits.
    not_languages: u64,
}

/// What is known of a grievance, made out for the tests.
struct Question<'a> {
    category: Node,
    place: Node,
    languages: u64,
    bits: u32,
    ways: u64,
    minute: u16,
    date: i32,
    words: Option<&'a WordsFound>,
}

/// A row at a pair of nodes, on its way into its list.
pub(super) struct Placed {
    pub(super) category: Node,
    pub(super) place: Node,
    pub(super) row: u32,
    /// How specific it is at its pair: the higher wins.
    pub(super) rank: u32,
}

impl Index {
    /// Compiles rows whose names are all known; `placed` has each row at each of its pairs.
    pub(super) fn build(
        categories: &CategoryTree,
        places: &PlaceTree,
        rows: &[Row],
        policy: HitPolicy,
        placed: &[Placed],
    ) -> Self {
        let mut index = Self {
            policy,
            first: First::Sparse(HashMap::default()),
            lists: Vec::new(),
            entries: Vec::with_capacity(placed.len()),
            extras: Vec::new(),
            languages: languages(rows),
            dictionary: Dictionary::default(),
            categories: Ladder::of(categories),
            places: Ladder::of(places),
        };
        let entry = |(n, row): (usize, &Row)| index.entry(n as u32, &row.when, categories, places);
        let by_row: Vec<Entry> = rows.iter().enumerate().map(entry).collect();
        let mut by_pair: HashMap<(Node, Node), u32, FixedState> = HashMap::default();
        for group in placed.chunk_by(|one, other| (one.category, one.place) == (other.category, other.place)) {
            let Some(&Placed { category, place, .. }) = group.first() else { continue };
            let from = index.entries.len() as u32;
            index.entries.extend(group.iter().map(|placed| by_row[placed.row as usize]));
            by_pair.insert((category, place), index.lists.len() as u32);
            let own = &index.entries[from as usize..];
            let ways = own.iter().fold(0, |all, entry| all | ways(entry.bits, entry.languages));
            let to = index.entries.len() as u32;
            index.lists.push(List { category, place, from, to, next: NONE, ways });
        }
        index.first = if index.categories.size().saturating_mul(index.places.size()) <= MAX_CELLS {
            index.dense(&by_pair)
        } else {
            First::Sparse(by_pair)
        };
        index
    }

    /// Parents come before children, so what is above is worked out already.
    fn dense(&mut self, by_pair: &HashMap<(Node, Node), u32, FixedState>) -> First {
        let (width, other) = (self.places.size(), self.places.other());
        let mut cells = vec![NONE; self.categories.size() * width];
        let mut chain = vec![NONE; width];
        let order = [ROOT, self.categories.other()].into_iter().chain(1..self.categories.other());
        for category in order {
            for place in [ROOT, other].into_iter().chain(1..other) {
                let above = self.places.up(place).map_or(NONE, |above| chain[above as usize]);
                chain[place as usize] = match by_pair.get(&(category, place)) {
                    Some(&list) => {
                        self.lists[list as usize].next = above;
                        list
                    }
                    None => above,
                };
            }
            let row = category as usize * width;
            let up = self.categories.up(category).map(|up| up as usize * width);
            for place in 0..width {
                cells[row + place] = match (chain[place], up) {
                    (NONE, Some(up)) => cells[up + place],
                    (list, _) => list,
                };
            }
        }
        First::Dense(cells)
    }

    /// Makes out the other conditions of a row.
    fn entry(&mut self, row: u32, when: &Conditions, categories: &CategoryTree, places: &PlaceTree) -> Entry {
        let excludes = matches!(when.category, Names::NoneOf(_)) || matches!(when.location, Names::NoneOf(_));
        let channels = match &when.channel {
            Names::Any => ALL_CHANNELS,
            Names::OneOf(names) => channel_bits(names),
            Names::NoneOf(names) => ALL_CHANNELS & !channel_bits(names),
        };
        Entry {
            row,
            bits: bits(channels, when.weekdays, when.day),
            languages: match &when.language {
                Names::OneOf(names) => self.language_bits(names),
                Names::Any | Names::NoneOf(_) => ANY_LANGUAGE,
            },
            minutes: when.time.map_or((0, 1_440), |time| (time.from.get(), time.to.get())),
            dates: (when.dates.from.map_or(i32::MIN, date_key), when.dates.until.map_or(i32::MAX, date_key)),
            extra: if when.is_plain() && !excludes { PLAIN } else { self.extra(when, categories, places) },
        }
    }

    fn language_bits(&self, names: &[Language]) -> u64 {
        let at = |name| self.languages.iter().position(|known| known == name);
        names.iter().filter_map(at).fold(0, |bits, at| bits | 1 << at)
    }

    fn extra(&mut self, when: &Conditions, categories: &CategoryTree, places: &PlaceTree) -> u32 {
        let mut numbers = |words: &[Word]| words.iter().map(|word| self.dictionary.number(word)).collect();
        let (any_words, all_words) = (numbers(&when.words.any), numbers(&when.words.all));
        let extra = Extra {
            any_words,
            all_words,
            not_categories: excluded(&when.category, categories),
            not_places: excluded(&when.location, places),
            not_languages: match &when.language {
                Names::NoneOf(names) => self.language_bits(names),
                Names::Any | Names::OneOf(_) => 0,
            },
        };
        let excludes = !extra.not_categories.is_empty() || !extra.not_places.is_empty() || extra.not_languages != 0;
        if when.words.is_any() && !excludes {
            return NONE;
        }
        self.extras.push(extra);
        (self.extras.len() - 1) as u32
    }

    /// The place in the list of entries of the row that wins.
    pub(super) fn winner(&self, facts: &Facts<'_>, category: Node, place: Node) -> usize {
        // Made out only when a row has other conditions.
        let mut question: Option<Question<'_>> = None;
        let mut winner: Option<(u32, usize)> = None;
        let _ = self.lists_for(category, place, |list| {
            let List { from, to, ways, .. } = self.lists[list as usize];
            if ways != u64::MAX {
                let question = question.get_or_insert_with(|| self.question(facts, category, place));
                if ways & question.ways == 0 {
                    return None;
                }
            }
            for at in from..to {
                let entry = &self.entries[at as usize];
                if winner.is_some_and(|(row, _)| row < entry.row) && self.policy == HitPolicy::First {
                    break;
                }
                let holds = entry.extra == PLAIN || {
                    let question = question.get_or_insert_with(|| self.question(facts, category, place));
                    self.holds(entry, question)
                };
                if holds {
                    winner = Some((entry.row, at as usize));
                    break;
                }
            }
            match self.policy {
                HitPolicy::Specific => winner,
                // Another list may have one that stands before it.
                HitPolicy::First => None,
            }
        });
        // The row for everything else is among them, or the table would not have compiled.
        winner.map_or(0, |(_, at)| at)
    }

    /// The rows that may go before each row at each of its own pairs: those that stand before it in its list, or, where
    /// the first row wins, in any list above that asks for no more.
    pub(super) fn rivals(&self) -> impl Iterator<Item = (usize, Vec<usize>)> + '_ {
        let rows = |entries: &[Entry]| entries.iter().map(|entry| entry.row as usize).collect::<Vec<_>>();
        self.lists.iter().flat_map(move |list| {
            let own = &self.entries[list.from as usize..list.to as usize];
            let above = match self.policy {
                HitPolicy::Specific => Vec::new(),
                HitPolicy::First => self.all_for(list.category, list.place),
            };
            own.iter().enumerate().map(move |(at, entry)| {
                let row = entry.row as usize;
                let before = match self.policy {
                    HitPolicy::Specific => rows(&own[..at]),
                    HitPolicy::First => above.iter().copied().filter(|other| *other < row).collect(),
                };
                (row, before)
            })
        })
    }

    /// The rows that stand at each pair of nodes itself, in the order in which they win.
    pub(super) fn rows_at(&self) -> impl Iterator<Item = RowsAt> + '_ {
        self.lists.iter().map(|List { category, place, from, to, .. }| {
            let entries = &self.entries[*from as usize..*to as usize];
            RowsAt {
                category: *category,
                place: *place,
                rows: entries.iter().map(|entry| entry.row as usize).collect(),
            }
        })
    }

    /// The rows that may win at a pair, in the order in which they do where they hold, up to one that always holds.
    pub(super) fn order_for(&self, rows: &[Row], category: Node, place: Node) -> Vec<usize> {
        let may_hold = |entry: &Entry| {
            let extra = self.extras.get(entry.extra as usize);
            extra.is_none_or(|extra| {
                !self.categories.is_within(category, &extra.not_categories)
                    && !self.places.is_within(place, &extra.not_places)
            })
        };
        let mut order = Vec::new();
        let _ = self.lists_for(category, place, |list| {
            let List { from, to, .. } = self.lists[list as usize];
            for entry in self.entries[from as usize..to as usize].iter().filter(|entry| may_hold(entry)) {
                order.push(entry.row as usize);
                if self.policy == HitPolicy::Specific && rows[entry.row as usize].when.is_plain() {
                    return Some(());
                }
            }
            None
        });
        if self.policy == HitPolicy::First {
            order.sort_unstable();
            let last = order.iter().position(|row| rows[*row].when.is_plain());
            order.truncate(last.map_or(order.len(), |last| last + 1));
        }
        // A row may stand at several pairs above.
        let mut seen = std::collections::HashSet::<usize, FixedState>::default();
        order.retain(|row| seen.insert(*row));
        order
    }

    /// All rows whose category and location hold at a pair.
    pub(super) fn all_for(&self, category: Node, place: Node) -> Vec<usize> {
        let mut rows = Vec::new();
        let _: Option<()> = self.lists_for(category, place, |list| {
            let List { from, to, .. } = self.lists[list as usize];
            rows.extend(self.entries[from as usize..to as usize].iter().map(|entry| entry.row as usize));
            None
        });
        rows.sort_unstable();
        rows.dedup();
        rows
    }

    /// Shows the lists of all pairs above a pair in the order of their rank, until something is answered.
    fn lists_for<T>(&self, category: Node, place: Node, mut show: impl FnMut(u32) -> Option<T>) -> Option<T> {
        match &self.first {
            First::Dense(cells) => {
                let (width, place) = (self.places.size(), self.places.begin(place) as usize);
                let mut category = self.categories.begin(category);
                loop {
                    let mut list = cells[category as usize * width + place];
                    if list == NONE {
                        return None;
                    }
                    category = self.lists[list as usize].category;
                    while list != NONE {
                        if let Some(answer) = show(list) {
                            return Some(answer);
                        }
                        list = self.lists[list as usize].next;
                    }
                    category = self.categories.up(category)?;
                }
            }
            First::Sparse(lists) => self.categories.way(category).find_map(|category| {
                self.places.way(place).find_map(|place| lists.get(&(category, place)).and_then(|list| show(*list)))
            }),
        }
    }

    fn question<'a>(&self, facts: &Facts<'a>, category: Node, place: Node) -> Question<'a> {
        let moment = facts.moment;
        let languages = facts.language.map_or(0, |language| {
            let covers = |(at, known): (usize, &Language)| known.covers(language).then_some(1 << at);
            self.languages.iter().enumerate().filter_map(covers).fold(0, |bits, bit| bits | bit)
        });
        let channel = channel_bits(&[facts.channel]);
        Question {
            category,
            place,
            languages: languages | ANY_LANGUAGE,
            bits: bits(channel, Weekdays::of([moment.weekday]), Some(moment.day)),
            // One of no language, or of one that no row names, is looked for everywhere.
            ways: ways(channel, if languages == 0 { ANY_LANGUAGE } else { languages }),
            minute: moment.minute,
            date: date_key(moment.date),
            words: facts.words,
        }
    }

    fn holds(&self, entry: &Entry, question: &Question<'_>) -> bool {
        let (from, to) = entry.minutes;
        // Of channel, day of the week and kind of day a question has one bit each.
        entry.bits & question.bits == question.bits
            && entry.languages & question.languages != 0
            && if from < to {
                from <= question.minute && question.minute < to
            } else {
                question.minute >= from || question.minute < to
            }
            && entry.dates.0 <= question.date
            && question.date <= entry.dates.1
            && (entry.extra >= PLAIN || self.extra_holds(&self.extras[entry.extra as usize], question))
    }

    fn extra_holds(&self, extra: &Extra, question: &Question<'_>) -> bool {
        let Extra { any_words, all_words, not_categories, not_places, not_languages } = extra;
        let words = (any_words.is_empty() && all_words.is_empty())
            || question.words.is_some_and(|found| {
                (any_words.is_empty() || any_words.iter().any(|word| found.has(*word)))
                    && all_words.iter().all(|word| found.has(*word))
            });
        words
            && not_languages & question.languages == 0
            && !self.categories.is_within(question.category, not_categories)
            && !self.places.is_within(question.place, not_places)
    }

    /// All entries: each row at each of its pairs.
    pub(super) fn entries(&self) -> &[Entry] {
        &self.entries
    }
}

/// The nodes that a row says it is not in.
fn excluded<P: TreePath>(names: &Names<P>, tree: &Tree<P>) -> Box<[Node]> {
    match names {
        Names::NoneOf(names) => names.iter().filter_map(|path| tree.node(path.as_ref())).collect(),
        _ => Box::default(),
    }
}

/// How specific a row is at its pair, as the higher wins: first by the channel, then language, words, holiday, day of the
/// week, time of day, dates; of each, naming something goes before naming what it is not, and that before nothing. Of
/// rows that are equal in all that, the precedence tells.
pub(super) fn rank(when: &Conditions, precedence: u16) -> u32 {
    let names = |is_any: bool, is_none_of: bool| {
        if is_any {
            0
        } else if is_none_of {
            1
        } else {
            2
        }
    };
    let channel = names(when.channel.is_any(), matches!(when.channel, Names::NoneOf(_)));
    let language = names(when.language.is_any(), matches!(when.language, Names::NoneOf(_)));
    let words = match (when.words.any.is_empty(), when.words.all.len().min(14) as u32) {
        (any, 0) => u32::from(!any),
        (_, all) => 1 + all,
    };
    let flags = [when.day.is_some(), when.weekdays != Weekdays::ALL, when.time.is_some(), !when.dates.is_any()];
    let flags = flags.into_iter().fold(0, |bits, is_set| bits << 1 | u32::from(is_set));
    ((channel << 2 | language) << 4 | words) << 4 << 16 | flags << 16 | u32::from(precedence)
}

/// The first condition by which two ranks differ; `None` where only the precedence does.
pub(super) fn first_difference(one: u32, other: u32) -> Option<ConditionKind> {
    const BITS: [(ConditionKind, u32); 7] = [
        (ConditionKind::Channel, 0b11 << 26),
        (ConditionKind::Language, 0b11 << 24),
        (ConditionKind::Words, 0b1111 << 20),
        (ConditionKind::Holiday, 1 << 19),
        (ConditionKind::Weekday, 1 << 18),
        (ConditionKind::Time, 1 << 17),
        (ConditionKind::Dates, 1 << 16),
    ];
    BITS.into_iter().find(|(_, bits)| (one ^ other) & bits != 0).map(|(kind, _)| kind)
}

/// The languages that rows name, each once.
pub(super) fn languages(rows: &[Row]) -> Vec<Language> {
    let mut languages: Vec<Language> = rows.iter().flat_map(|row| row.when.language.names()).cloned().collect();
    languages.sort_unstable_by(|one, other| one.as_str().cmp(other.as_str()));
    languages.dedup();
    languages
}

/// The bits of all channels.
const ALL_CHANNELS: u32 = 0xffff;

fn channel_bits(channels: &[Channel]) -> u32 {
    channels.iter().fold(0, |bits, channel| bits | 1 << *channel as u32)
}

/// Channels, days of the week and kinds of day, each in their own bits.
fn bits(channels: u32, weekdays: Weekdays, day: Option<Day>) -> u32 {
    let day = match day {
        None => 0b11,
        Some(Day::Working) => 0b01,
        Some(Day::Holiday) => 0b10,
    };
    channels | u32::from(weekdays.bits()) << 16 | day << 23
}

/// A day as a number that grows with it.
fn date_key(date: jiff::civil::Date) -> i32 {
    (i32::from(date.year()) * 16 + i32::from(date.month())) * 32 + i32::from(date.day())
}
