//! What happened to a ticket, in words.

use std::error::Error;

use nivaran::TicketId;
use nivaran::journal::{TicketEntry, unseal};
use nivaran::personal::Personal;
use nivaran::store::StoreError;
use nivaran::store::sqlite::{Archive, ArchivedEntry};

/// Prints everything that happened to a ticket, and what was written with it as far as it is not erased.
pub fn tell(archive: &Archive, ticket: TicketId) -> Result<(), Box<dyn Error>> {
    let entries = entries_of(archive, ticket)?;
    if entries.is_empty() {
        return Err(format!("there is no ticket {ticket} in this file").into());
    }
    println!("Ticket {ticket}\n");
    for row in entries {
        let entry = unseal(&row.text)?;
        let record = archive.personal(row.position, &entry)?;
        let Some(entry) = entry.ticket() else { continue };
        print_entry(entry);
        match record.map(|record| record.into_record()) {
            Some(Personal::Grievance(grievance)) => {
                let said = [&grievance.complainant.name, &grievance.complainant.handle, &grievance.complainant.contact];
                let who: Vec<&str> = said.into_iter().flatten().map(String::as_str).collect();
                println!(
                    "    {}: {}",
                    if who.is_empty() { "somebody".to_owned() } else { who.join(", ") },
                    grievance.text
                );
            }
            Some(Personal::Statement(statement)) => println!("    \"{}\"", statement.text()),
            None if entry.personal.is_some() => println!("    (what was written is erased)"),
            None => {}
        }
    }
    Ok(())
}

/// An entry's events in words.
pub fn print_entry(entry: &TicketEntry) {
    for event in &entry.events {
        println!("{}  {}: {event}", entry.at.strftime("%Y-%m-%d %H:%M"), entry.by);
    }
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
