//! What happened to a ticket, in words.

use std::error::Error;
use std::fmt::Write;

use nivaran::TicketId;
use nivaran::journal::{TicketEntry, unseal};
use nivaran::personal::{Personal, PersonalGrievance};
use nivaran::store::StoreError;
use nivaran::store::sqlite::{Archive, ArchivedEntry};

/// Everything that happened to a ticket, and what was written with it as far as it is not erased.
pub fn tell(archive: &Archive, ticket: TicketId) -> Result<String, Box<dyn Error>> {
    // Nobody is told what may not be so.
    archive.verify([], |_| {})?;
    let entries = entries_of(archive, ticket)?;
    if entries.is_empty() {
        return Err(format!("there is no ticket {ticket} in this file").into());
    }
    let mut story = format!("Ticket {ticket} (times in UTC)\n\n");
    for row in entries {
        let entry = unseal(&row.text)?;
        let record = archive.personal(row.position, &entry)?;
        let Some(entry) = entry.ticket() else { continue };
        story.push_str(&entry_in_words(entry));
        match record.map(|record| record.into_record()) {
            Some(Personal::Grievance(grievance)) => write_grievance(&mut story, &grievance)?,
            Some(Personal::Statement(statement)) => {
                write_quoted(&mut story, "in writing", statement.text())?;
                statement.evidence().iter().try_for_each(|link| write_quoted(&mut story, "evidence", link))?;
            }
            None if entry.personal.is_some() => story.push_str("    (what was written is erased)\n"),
            None => {}
        }
    }
    Ok(story)
}

fn write_grievance(story: &mut String, grievance: &PersonalGrievance) -> std::fmt::Result {
    let PersonalGrievance { complainant, text, category, place, media, .. } = grievance;
    let said = [&complainant.name, &complainant.handle, &complainant.contact];
    let who: Vec<&str> = said.into_iter().flatten().map(String::as_str).collect();
    write_quoted(story, "from", &if who.is_empty() { "somebody".to_owned() } else { who.join(", ") })?;
    write_quoted(story, "text", text)?;
    category.iter().try_for_each(|category| write_quoted(story, "category as given", category.as_str()))?;
    place.iter().try_for_each(|place| write_quoted(story, "place as given", place.as_str()))?;
    media.iter().try_for_each(|link| write_quoted(story, "picture or film", link))
}

/// What somebody wrote, each line of it marked, so that it cannot look like what happened. Signs that are not seen, or
/// turn the line around, are written out.
fn write_quoted(story: &mut String, what: &str, text: &str) -> std::fmt::Result {
    let is_unseen = |c: char| {
        c.is_control()
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2028}' | '\u{2029}' | '\u{2066}'..='\u{2069}')
    };
    let mut label = what;
    for line in text.split(['\n', '\r']) {
        write!(story, "    {label:>17} | ")?;
        label = "";
        for c in line.chars() {
            if is_unseen(c) { write!(story, "{}", c.escape_unicode())? } else { story.push(c) }
        }
        story.push('\n');
    }
    Ok(())
}

/// An entry's events, a line each.
pub fn entry_in_words(entry: &TicketEntry) -> String {
    let line = |event| format!("{}  {}: {event}\n", entry.at.strftime("%Y-%m-%d %H:%M"), entry.by);
    entry.events.iter().map(line).collect()
}

/// The entries of a ticket as they stand in the file.
pub fn entries_of(archive: &Archive, ticket: TicketId) -> Result<Vec<ArchivedEntry>, StoreError> {
    // The whole file is read: it may be one whose indexes lag behind.
    let needle = format!(r#""ticket":"{ticket}""#);
    let mut entries = Vec::new();
    archive.each(|entry| -> Result<(), StoreError> {
        let is_its = entry.text.contains(&needle)
            && unseal(&entry.text).is_ok_and(|read| read.ticket().is_some_and(|read| read.ticket == ticket));
        if is_its {
            entries.push(entry.clone());
        }
        Ok(())
    })?;
    Ok(entries)
}
