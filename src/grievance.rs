//! What comes in: a grievance, as a citizen said it, where and when.
//!
//! A [`Grievance`] is immutable input. Before anything else happens to it, it is taken apart: what is personal
//! (text, handle, contact, media, the exact place) goes to a [`Personal`](crate::personal::Personal) record that
//! can be erased, and what the engine routes by goes to a [`Filing`], which stands in the journal for good and
//! has no field that could hold a sentence or a name.

use std::fmt;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use crate::code::{CategoryPath, DeskId, OfficerId, PlacePath};
use crate::personal::{AuthorKey, SourceKey};

/// The longest text of a grievance or a statement, in characters. An X post has 280, a letter some thousands.
pub const MAX_TEXT: usize = 20_000;
/// The longest handle, name, contact, source id or conversation id, in characters.
pub const MAX_FIELD: usize = 256;
/// The most media links one grievance carries.
pub const MAX_MEDIA: usize = 16;
/// The longest media link, in characters.
pub const MAX_LINK: usize = 2_048;
/// How far ahead of the engine's clock a post's own time may lie: clocks differ, but not by more than this.
pub const MAX_AHEAD: SignedDuration = SignedDuration::from_mins(10);

/// The way by which a grievance reached the government.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Channel {
    /// A post on X that tags the government's handle.
    X,
    /// A post or comment on the government's Facebook page.
    Facebook,
    /// An e-mail.
    Email,
    /// A paper form handed in at a counter (CM Window).
    Counter,
    /// A telephone call taken down by a helpline.
    Phone,
    /// The government's own web form or app.
    Web,
    /// A request of an Open311 client.
    Open311,
    /// Any other way.
    Other,
    /// A pending ticket brought over from the system used before. [`Engine::import`](crate::Engine::import) keys such a
    /// ticket by its old number under this channel; its filing keeps the channel of the grievance itself.
    Import,
    /// The engine itself: a follow-up of a ticket whose window for reopening is over is keyed under this channel; its
    /// filing keeps the channel of the first ticket. Not for posts.
    FollowUp,
}

impl Channel {
    /// The channel's name as it is written in the journal.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::X => "x",
            Self::Facebook => "facebook",
            Self::Email => "email",
            Self::Counter => "counter",
            Self::Phone => "phone",
            Self::Web => "web",
            Self::Open311 => "open311",
            Self::Other => "other",
            Self::Import => "import",
            Self::FollowUp => "follow_up",
        }
    }

    /// The channel of a post by its name; `None` for what is none, and for the two that no post has.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let all =
            [Self::X, Self::Facebook, Self::Email, Self::Counter, Self::Phone, Self::Web, Self::Open311, Self::Other];
        all.into_iter().find(|channel| channel.as_str() == name)
    }
}

impl fmt::Display for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A channel and that channel's own id of the post: the idempotency key of a submit.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Source {
    channel: Channel,
    id: String,
}

impl Source {
    /// Names a post by its channel's own id.
    ///
    /// # Errors
    /// [`GrievanceError`] when the id is empty, longer than [`MAX_FIELD`] or has a control character, or the channel is
    /// one of the engine's own ([`Channel::Import`], [`Channel::FollowUp`]).
    pub fn new(channel: Channel, id: impl Into<String>) -> Result<Self, GrievanceError> {
        let id = id.into();
        check_text(Field::Source, &id, MAX_FIELD)?;
        if matches!(channel, Channel::Import | Channel::FollowUp) {
            return Err(GrievanceError::ReservedChannel { channel });
        }
        Ok(Self { channel, id })
    }

    /// A source of the engine's own.
    pub(crate) fn reserved(channel: Channel, id: impl fmt::Display) -> Self {
        Self { channel, id: id.to_string() }
    }

    /// The channel.
    #[must_use]
    pub fn channel(&self) -> Channel {
        self.channel
    }

    /// The channel's own id of the post.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    pub(crate) fn into_id(self) -> String {
        self.id
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Source({}, id withheld)", self.channel)
    }
}

/// The person who complains, as far as known. All of it is personal data.
///
/// Where neither handle nor contact is known nobody can answer, withdraw or say that they are (not) satisfied: such a
/// ticket is closed by silence.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Complainant {
    /// The account on the channel, e.g. `@asha_hisar`.
    pub handle: Option<String>,
    /// The name, as given.
    pub name: Option<String>,
    /// A telephone number or an e-mail address, as given.
    pub contact: Option<String>,
}

impl fmt::Debug for Complainant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Complainant(withheld)")
    }
}

impl Complainant {
    /// Who this is on `channel`, to tell whether a later message comes from the same person: the handle, or
    /// else the contact. `None` for someone of whom neither is known.
    #[must_use]
    pub fn author(&self, channel: Channel) -> Option<Author> {
        let identity = self.handle.as_deref().or(self.contact.as_deref())?;
        Some(Author::new(channel, identity))
    }
}

/// A person on a channel: who speaks, when feedback or an answer comes in.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Author {
    channel: Channel,
    identity: String,
}

impl Author {
    /// The person behind a handle or a contact; case, a leading `@` and outer blanks make no difference.
    #[must_use]
    pub fn new(channel: Channel, identity: &str) -> Self {
        Self { channel, identity: identity.trim().trim_start_matches('@').to_lowercase() }
    }

    /// The channel.
    #[must_use]
    pub fn channel(&self) -> Channel {
        self.channel
    }

    pub(crate) fn identity(&self) -> &str {
        &self.identity
    }
}

impl fmt::Debug for Author {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Author({}, withheld)", self.channel)
    }
}

/// A point on the earth in degrees (WGS 84).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Coordinates {
    latitude: f64,
    longitude: f64,
}

impl Coordinates {
    /// Takes a point.
    ///
    /// # Errors
    /// [`GrievanceError::Coordinates`] when the latitude is outside −90..=90 or the longitude outside −180..=180.
    pub fn new(latitude: f64, longitude: f64) -> Result<Self, GrievanceError> {
        if (-90.0..=90.0).contains(&latitude) && (-180.0..=180.0).contains(&longitude) {
            Ok(Self { latitude, longitude })
        } else {
            Err(GrievanceError::Coordinates { latitude, longitude })
        }
    }

    /// Degrees north.
    #[must_use]
    pub fn latitude(&self) -> f64 {
        self.latitude
    }

    /// Degrees east.
    #[must_use]
    pub fn longitude(&self) -> f64 {
        self.longitude
    }
}

/// Where it is, as far as known: a prefix of district / tehsil / place, and/or a point.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Location {
    /// The path, e.g. `hisar/hansi`.
    pub place: Option<PlacePath>,
    /// The point.
    pub coordinates: Option<Coordinates>,
}

/// The language of the text: a short tag such as `hi`, `en`, `hi-Latn` (BCP 47).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "SmolStr", into = "SmolStr")]
pub struct Language(SmolStr);

impl Language {
    /// Takes a language tag.
    ///
    /// # Errors
    /// [`GrievanceError::Language`] when it is not two or three lower-case letters, optionally followed by `-` and subtags
    /// of two to eight letters or digits, at most 20 characters in all.
    pub fn new(tag: &str) -> Result<Self, GrievanceError> {
        let mut subtags = tag.split('-');
        let primary = subtags.next().unwrap_or_default();
        let well_formed = matches!(primary.len(), 2..=3)
            && primary.bytes().all(|b| b.is_ascii_lowercase())
            && subtags.all(|s| matches!(s.len(), 2..=8) && s.bytes().all(|b| b.is_ascii_alphanumeric()))
            && tag.len() <= 20;
        if well_formed { Ok(Self(SmolStr::new(tag))) } else { Err(GrievanceError::Language) }
    }

    /// The tag.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether `other` is this language or a kind of it: `hi` covers `hi-Latn`.
    ///
    /// Source: RFC 4647, section 3.3.1 (basic filtering), in exact case.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        other.0.strip_prefix(self.0.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<SmolStr> for Language {
    type Error = GrievanceError;
    fn try_from(tag: SmolStr) -> Result<Self, GrievanceError> {
        Self::new(&tag)
    }
}

impl From<Language> for SmolStr {
    fn from(language: Language) -> SmolStr {
        language.0
    }
}

/// Whom a grievance complains about, if it names an officer or a desk of the roster. Such a ticket never reaches them.
///
/// A grievance that names an id which is not on the roster in force is refused when it is submitted.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Against {
    /// An officer: neither they, their deputy nor, where they head a desk, anyone on it ever holds the ticket.
    Officer(OfficerId),
    /// A whole desk: the ticket passes it over, up the ladder. A department's desk includes its officers in the
    /// districts.
    Desk(DeskId),
}

/// Who may see the author of a grievance.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Confidentiality {
    /// Every officer who may read the ticket's case file.
    #[default]
    Open,
    /// Nobody but the officer who holds the ticket. This holds for handle, name, contact, post and conversation;
    /// whoever writes their name into the text is not protected from it.
    Confidential,
}

/// What a citizen said, where and when: the immutable input of the engine.
///
/// ```
/// use nivaran::{Channel, Complainant, Grievance, Source};
///
/// let grievance = Grievance::builder(Source::new(Channel::X, "1601234567890")?, "Water stands knee-deep in our street")
///     .complainant(Complainant { handle: Some("@asha_hisar".into()), ..Complainant::default() })
///     .category("water/logging".parse()?)
///     .place("hisar/hansi".parse()?)
///     .posted_at("2022-07-14T08:30:00+05:30".parse()?)
///     .build()?;
/// assert_eq!(grievance.source().channel(), Channel::X);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq)]
pub struct Grievance {
    pub(crate) source: Source,
    pub(crate) text: String,
    pub(crate) complainant: Complainant,
    pub(crate) category: Option<CategoryPath>,
    pub(crate) location: Location,
    pub(crate) posted_at: Option<Timestamp>,
    pub(crate) language: Option<Language>,
    pub(crate) media: Vec<String>,
    pub(crate) conversation: Option<String>,
    pub(crate) against: Option<Against>,
    pub(crate) confidentiality: Confidentiality,
}

impl Grievance {
    /// Starts a grievance from what each one has: a source and a text.
    pub fn builder(source: Source, text: impl Into<String>) -> GrievanceBuilder {
        GrievanceBuilder {
            grievance: Grievance {
                source,
                text: text.into(),
                complainant: Complainant::default(),
                category: None,
                location: Location::default(),
                posted_at: None,
                language: None,
                media: Vec::new(),
                conversation: None,
                against: None,
                confidentiality: Confidentiality::Open,
            },
        }
    }

    /// The post it came as.
    #[must_use]
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// What the citizen wrote.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The person who complains.
    #[must_use]
    pub fn complainant(&self) -> &Complainant {
        &self.complainant
    }

    /// What it is about, if known.
    #[must_use]
    pub fn category(&self) -> Option<&CategoryPath> {
        self.category.as_ref()
    }

    /// Where it is, as far as known.
    #[must_use]
    pub fn location(&self) -> &Location {
        &self.location
    }

    /// When it was posted; a grievance without it counts from the moment it is submitted.
    #[must_use]
    pub fn posted_at(&self) -> Option<Timestamp> {
        self.posted_at
    }

    /// Whom it complains about, if anyone.
    #[must_use]
    pub fn against(&self) -> Option<&Against> {
        self.against.as_ref()
    }

    /// The language of the text, if known.
    #[must_use]
    pub fn language(&self) -> Option<&Language> {
        self.language.as_ref()
    }

    /// The links to pictures and films.
    #[must_use]
    pub fn media(&self) -> &[String] {
        &self.media
    }

    /// The conversation on the channel that it belongs to, if any.
    #[must_use]
    pub fn conversation(&self) -> Option<&str> {
        self.conversation.as_deref()
    }

    /// Who may see the author.
    #[must_use]
    pub fn confidentiality(&self) -> Confidentiality {
        self.confidentiality
    }

    pub(crate) fn author(&self) -> Option<Author> {
        self.complainant.author(self.source.channel)
    }
}

impl fmt::Debug for Grievance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Grievance")
            .field("channel", &self.source.channel)
            .field("category", &self.category)
            .field("place", &self.location.place)
            .field("posted_at", &self.posted_at)
            .finish_non_exhaustive()
    }
}

/// Puts a [`Grievance`] together and checks it once, in [`build`](GrievanceBuilder::build).
#[derive(Debug, Clone)]
#[must_use]
pub struct GrievanceBuilder {
    grievance: Grievance,
}

impl GrievanceBuilder {
    /// Who complains.
    pub fn complainant(mut self, complainant: Complainant) -> Self {
        self.grievance.complainant = complainant;
        self
    }

    /// What it is about.
    pub fn category(mut self, category: CategoryPath) -> Self {
        self.grievance.category = Some(category);
        self
    }

    /// Where it is, as a path.
    pub fn place(mut self, place: PlacePath) -> Self {
        self.grievance.location.place = Some(place);
        self
    }

    /// Where it is, as a point.
    pub fn coordinates(mut self, coordinates: Coordinates) -> Self {
        self.grievance.location.coordinates = Some(coordinates);
        self
    }

    /// When it was posted.
    pub fn posted_at(mut self, at: Timestamp) -> Self {
        self.grievance.posted_at = Some(at);
        self
    }

    /// The language of the text.
    pub fn language(mut self, language: Language) -> Self {
        self.grievance.language = Some(language);
        self
    }

    /// A link to a picture or a film (`http://` or `https://`).
    pub fn media(mut self, link: impl Into<String>) -> Self {
        self.grievance.media.push(link.into());
        self
    }

    /// The conversation on the channel that the post belongs to.
    pub fn conversation(mut self, id: impl Into<String>) -> Self {
        self.grievance.conversation = Some(id.into());
        self
    }

    /// Whom it complains about.
    pub fn against(mut self, against: Against) -> Self {
        self.grievance.against = Some(against);
        self
    }

    /// Who may see the author.
    pub fn confidentiality(mut self, confidentiality: Confidentiality) -> Self {
        self.grievance.confidentiality = confidentiality;
        self
    }

    /// Checks everything and hands the grievance over.
    ///
    /// # Errors
    /// [`GrievanceError`] names the first field that is empty, too long, has a control character or a link that
    /// is none. Nothing personal is repeated in it.
    pub fn build(self) -> Result<Grievance, GrievanceError> {
        let g = &self.grievance;
        check_text(Field::Text, &g.text, MAX_TEXT)?;
        let fields = [
            (Field::Handle, &g.complainant.handle),
            (Field::Name, &g.complainant.name),
            (Field::Contact, &g.complainant.contact),
            (Field::Conversation, &g.conversation),
        ];
        for (field, value) in fields {
            if let Some(value) = value {
                check_text(field, value, MAX_FIELD)?;
            }
        }
        check_links(&g.media)?;
        Ok(self.grievance)
    }
}

/// A field of a grievance or statement, as an error names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Field {
    /// The grievance's or statement's text.
    Text,
    /// The channel's own id of the post.
    Source,
    /// The complainant's handle.
    Handle,
    /// The complainant's name.
    Name,
    /// The complainant's telephone number or e-mail address.
    Contact,
    /// The conversation's id.
    Conversation,
    /// A media or evidence link.
    Media,
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Text => "text",
            Self::Source => "source id",
            Self::Handle => "handle",
            Self::Name => "name",
            Self::Contact => "contact",
            Self::Conversation => "conversation id",
            Self::Media => "media link",
        })
    }
}

/// Why a grievance (or the statement that comes with an act) is not taken. It never repeats what was written.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum GrievanceError {
    /// A field that has to say something is empty or blank.
    #[error("{field} is empty; say something or leave the field out")]
    Empty {
        /// Which field.
        field: Field,
    },
    /// A field is too long.
    #[error("{field} has {length} characters, {limit} are the most; shorten it or send the rest as a link")]
    TooLong {
        /// Which field.
        field: Field,
        /// Its length in characters.
        length: usize,
        /// The most it may have.
        limit: usize,
    },
    /// A field has a control character other than a line break or tab.
    #[error("{field} has the control character U+{code:04X} at character {at}; remove it")]
    ControlCharacter {
        /// Which field.
        field: Field,
        /// The character's code point.
        code: u32,
        /// Where it stands, counted from 1.
        at: usize,
    },
    /// A media link is not a web address.
    #[error("media link {number} does not begin with http:// or https://; give the full web address")]
    NotALink {
        /// Which of the links, counted from 1.
        number: usize,
    },
    /// There are too many media links.
    #[error("{count} media links, {MAX_MEDIA} are the most; leave some out")]
    TooManyLinks {
        /// How many there are.
        count: usize,
    },
    /// A point that is not on the earth.
    #[error(
        "coordinates {latitude}, {longitude} are out of range; latitude is -90 to 90, longitude -180 to 180 (swapped?)"
    )]
    Coordinates {
        /// Degrees north, as given.
        latitude: f64,
        /// Degrees east, as given.
        longitude: f64,
    },
    /// A language tag that is none.
    #[error("the language is not a tag like 'hi', 'en' or 'hi-Latn'; correct it or leave it out")]
    Language,
    /// A channel that only the engine itself uses.
    #[error("channel '{channel}' is the engine's own; name the channel by which the grievance came")]
    ReservedChannel {
        /// The channel.
        channel: Channel,
    },
    /// It complains about somebody who is not on the roster.
    #[error("it complains about {against}, which is not on the roster; correct that or leave it out")]
    AgainstUnknown {
        /// Whom, as given.
        against: String,
    },
    /// The post's own time lies in the future.
    #[error("posted at {posted_at}, but it is {now}; correct the sender's clock or time zone")]
    FromTheFuture {
        /// The post's own time.
        posted_at: Timestamp,
        /// The engine's time.
        now: Timestamp,
    },
}

pub(crate) fn check_text(field: Field, text: &str, limit: usize) -> Result<(), GrievanceError> {
    // Most texts are far below the limit in bytes already, and then need no count of characters.
    if text.len() > limit {
        let length = text.chars().count();
        if length > limit {
            return Err(GrievanceError::TooLong { field, length, limit });
        }
    }
    if text.trim().is_empty() {
        return Err(GrievanceError::Empty { field });
    }
    let forbidden = |c: char| c.is_control() && !(field == Field::Text && matches!(c, '\n' | '\r' | '\t'));
    match text.chars().position(forbidden) {
        Some(i) => {
            let code = text.chars().nth(i).map_or(0, u32::from);
            Err(GrievanceError::ControlCharacter { field, code, at: i + 1 })
        }
        None => Ok(()),
    }
}

pub(crate) fn check_links(links: &[String]) -> Result<(), GrievanceError> {
    if links.len() > MAX_MEDIA {
        return Err(GrievanceError::TooManyLinks { count: links.len() });
    }
    for (i, link) in links.iter().enumerate() {
        check_text(Field::Media, link, MAX_LINK)?;
        let address = link.strip_prefix("https://").or_else(|| link.strip_prefix("http://"));
        if address.is_none_or(|rest| rest.is_empty() || rest.contains(char::is_whitespace)) {
            return Err(GrievanceError::NotALink { number: i + 1 });
        }
    }
    Ok(())
}

/// What of a grievance stands in the journal for good: what it is routed by, and references to the rest.
///
/// No field can hold free text, a name or a handle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Filing {
    /// The way it came.
    pub channel: Channel,
    /// The post, as an HMAC under the installation's key.
    pub source: SourceKey,
    /// The post behind an imported ticket, which `source` knows by its old number; so the post is no second ticket.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub post: Option<SourceKey>,
    /// The author, as an HMAC under the installation's key; `None` when nobody is on record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author: Option<AuthorKey>,
    /// The nearest category that the taxonomy knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<CategoryPath>,
    /// The nearest place that the gazetteer knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<PlacePath>,
    /// When it was posted: the start of the ticket's whole age, which never restarts.
    pub posted_at: Timestamp,
    /// The language of the text, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<Language>,
    /// Whom it complains about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub against: Option<Against>,
    /// Who may see the author.
    #[serde(default)]
    pub confidentiality: Confidentiality,
}

impl Filing {
    /// All by which it is known when it comes again.
    pub fn sources(&self) -> impl Iterator<Item = SourceKey> + use<> {
        std::iter::once(self.source).chain(self.post)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source() -> Source {
        Source::new(Channel::X, "1").unwrap()
    }

    #[test]
    fn bad_fields_are_named_and_never_repeated() {
        let empty = Grievance::builder(source(), " \n ").build().unwrap_err();
        assert_eq!(empty, GrievanceError::Empty { field: Field::Text });

        let long = Grievance::builder(source(), "पा".repeat(MAX_TEXT)).build().unwrap_err();
        assert_eq!(long, GrievanceError::TooLong { field: Field::Text, length: 2 * MAX_TEXT, limit: MAX_TEXT });

        let control = Grievance::builder(source(), "secret\u{7}text").build().unwrap_err();
        assert_eq!(control, GrievanceError::ControlCharacter { field: Field::Text, code: 7, at: 7 });
        assert!(!control.to_string().contains("secret"));

        let link = Grievance::builder(source(), "ok").media("javascript:alert(1)").build().unwrap_err();
        assert_eq!(link, GrievanceError::NotALink { number: 1 });
    }

    #[test]
    fn as_many_characters_as_the_limit_are_taken_whatever_their_bytes() {
        assert!(Grievance::builder(source(), "न".repeat(MAX_TEXT)).build().is_ok());
    }

    #[test]
    fn a_text_may_have_several_lines_but_a_handle_may_not() {
        assert!(Grievance::builder(source(), "one\r\n\ttwo").build().is_ok());
        let two_lines = Complainant { handle: Some("a\nb".into()), ..Complainant::default() };
        assert!(Grievance::builder(source(), "text").complainant(two_lines).build().is_err());
    }

    #[test]
    fn coordinates_are_on_the_earth() {
        assert!(Coordinates::new(29.1, 75.7).is_ok());
        for (lat, lon) in [(90.1, 0.0), (0.0, 180.1), (f64::NAN, 0.0), (0.0, f64::INFINITY)] {
            assert!(Coordinates::new(lat, lon).is_err(), "{lat} {lon}");
        }
    }

    #[test]
    fn a_language_is_a_tag() {
        for good in ["hi", "en", "bgc", "hi-Latn"] {
            assert!(Language::new(good).is_ok(), "{good}");
        }
        for bad in ["", "h", "HI", "hindi", "hi-", "hi this is text"] {
            assert!(Language::new(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_author_is_the_same_with_or_without_the_at_sign() {
        assert_eq!(Author::new(Channel::X, "@Asha"), Author::new(Channel::X, " asha "));
        assert_ne!(Author::new(Channel::X, "asha"), Author::new(Channel::Facebook, "asha"));
    }

    #[test]
    fn nothing_personal_is_printed_by_debug() {
        let who = Complainant { handle: Some("asha".into()), name: None, contact: Some("98120".into()) };
        let grievance = Grievance::builder(source(), "my text").complainant(who).build().unwrap();
        let printed = format!("{grievance:?} {:?} {:?}", grievance.complainant(), grievance.source());
        assert!(!printed.contains("asha") && !printed.contains("98120") && !printed.contains("my text"), "{printed}");
    }
}
