//! What happened to a ticket, in words.

use std::error::Error;
use std::fmt::Write;

use nivaran::TicketId;
use nivaran::journal::{TicketEntry, unseal};
use nivaran::personal::Personal;
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
            Some(Personal::Grievance(grievance)) => {
                let said = [&grievance.complainant.name, &grievance.complainant.handle, &grievance.complainant.contact];
                let who: Vec<&str> = said.into_iter().flatten().map(String::as_str).collect();
                let who = if who.is_empty() { "somebody".to_owned() } else { who.join(", ") };
                writeln!(story, "    {who}: {}", grievance.text)?;
            }
            Some(Personal::Statement(statement)) => writeln!(story, "    \"{}\"", statement.text())?,
            None if entry.personal.is_some() => story.push_str("    (what was written is erased)\n"),
            None => {}
        }
    }
    Ok(story)
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
