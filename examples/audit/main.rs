//! Reads a journal's file (best a copy made by `Engine::backup`, else one that is stopped) and says whether it is as it was
//! written, proves it to others, and tells a ticket's story.
//!
//! ```text
//! audit verify FILE [CHECKPOINT...]              is every entry as it was written? also against earlier checkpoints
//! audit key NAME                                 a new signing key for the journal of that name, and its verifier key
//! audit checkpoint FILE --key KEYFILE [CHECKPOINT...]    verify, then sign what it comes to, for publishing
//! audit prove FILE TICKET CHECKPOINT --verifier KEY      the proof of a ticket's whole history
//! audit growth FILE OLDER NEWER --verifier KEY           the proof that the journal only grew between two checkpoints
//! audit check PROOF CHECKPOINT... --verifier KEY         check a proof, with nothing else
//! audit story FILE TICKET                        everything that happened to a ticket, in words, with what was written
//! ```
//! A checkpoint is a file with a signed note; KEYFILE holds what `audit key` printed first, KEY is what it printed second, or
//! a file that holds it.

mod options;
mod story;

use std::error::Error;
use std::fs;
use std::io::{ErrorKind, Write};
use std::process::ExitCode;

use indicatif::{ProgressBar, ProgressStyle};
use jiff::Timestamp;
use nivaran::TicketId;
use nivaran::journal::proof::{
    Checkpoint, GrowthProof, JournalName, Note, Proved, Prover, SigningKey, TicketProof, VerifierKey, WrittenEntry,
};
use nivaran::journal::{Link, Position};
use nivaran::store::sqlite::{Archive, ArchivedEntry};
use nivaran::ticket::Version;
use rand::RngExt;

use options::{Command, Options};

/// What to print.
type Done = Result<String, Box<dyn Error>>;

fn main() -> ExitCode {
    match Options::read(std::env::args().skip(1)).and_then(|options| run(&options)) {
        // Whoever does not read to the end has read enough.
        Ok(text) => match std::io::stdout().write_all(text.as_bytes()) {
            Err(error) if error.kind() != ErrorKind::BrokenPipe => fail(&error),
            _ => ExitCode::SUCCESS,
        },
        Err(error) => fail(&error),
    }
}

fn fail(error: &dyn std::fmt::Display) -> ExitCode {
    eprintln!("audit: {error}");
    ExitCode::from(1)
}

fn run(options: &Options) -> Done {
    match &options.command {
        Command::Verify { file, checkpoints } => verify(file, &options.checkpoints(checkpoints)?),
        Command::Key { name } => key(name),
        Command::Checkpoint { file, earlier } => checkpoint(file, &options.signing_key()?, earlier, &options.verifiers),
        Command::Prove { file, ticket, checkpoint } => prove(file, *ticket, options.checkpoint(checkpoint)?),
        Command::Growth { file, older, newer } => growth(file, options.checkpoint(older)?, options.checkpoint(newer)?),
        Command::Check { proof, checkpoints } => {
            check(&read(proof)?, &options.checkpoints(checkpoints)?).map_err(|error| {
                format!("{proof}: {error}; a ticket's proof is checked with one checkpoint, growth with two").into()
            })
        }
        Command::Story { file, ticket } => story::tell(&Archive::open(file)?, *ticket),
    }
}

fn read(path: &str) -> Done {
    Ok(fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))?)
}

fn verify(file: &str, checkpoints: &[Checkpoint]) -> Done {
    let archive = Archive::open(file)?;
    let bar = progress(archive.len()?)?;
    let mut tickets = 0;
    let audit = archive.verify(checkpoints.iter().cloned(), |entry| {
        tickets += u64::from(Link::of(&entry.text).is_ok_and(|link| link.version == Some(Version(1))));
        bar.inc(1);
    })?;
    bar.finish_and_clear();
    let compared = match checkpoints {
        [] => "not compared with any checkpoint: what was written last could have been rewritten as a whole".to_owned(),
        [_] => "and as the checkpoint says".to_owned(),
        some => format!("and as {} checkpoints say", some.len()),
    };
    let entries = audit.entries.size;
    Ok(format!("{entries} entries of {tickets} tickets, each as it was written\n{compared}\n"))
}

fn key(name: &str) -> Done {
    let seed: [u8; 32] = rand::rng().random();
    let key = SigningKey::from_seed(JournalName::new(name)?, &seed);
    eprintln!("the first line is secret: keep it where the journal is not; the second is for everyone");
    Ok(format!("{}\n{}\n", key.secret_text(), key.verifier()))
}

fn checkpoint(file: &str, key: &SigningKey, earlier: &[String], known: &[VerifierKey]) -> Done {
    let archive = Archive::open(file)?;
    let bar = progress(archive.len()?)?;
    let verifier = key.verifier();
    let keys = || std::iter::once(verifier).chain(known);
    let open = |path: &String| -> Result<Checkpoint, Box<dyn Error>> {
        Ok(Checkpoint::open(&read(path)?, keys()).map_err(|error| format!("{path}: {error}"))?)
    };
    let earlier: Vec<Checkpoint> = earlier.iter().map(open).collect::<Result<_, _>>()?;
    if let Some(other) = earlier.iter().find(|other| other.journal() != verifier.journal()) {
        return Err(format!("the key is for {}, a checkpoint is of {}", verifier.journal(), other.journal()).into());
    }
    let audit = archive.verify(earlier, |_| bar.inc(1))?;
    bar.finish_and_clear();
    if audit.entries.size == 0 {
        return Err(format!("{file} has no entry: there is nothing to sign; is it the right file?").into());
    }
    let note: Note = audit.checkpoint(verifier.journal().clone(), Timestamp::now()).sign([key])?;
    Ok(note.to_string())
}

/// Reads the journal as far as a checkpoint goes.
fn prover(archive: &Archive, checkpoints: Vec<Checkpoint>, end: u64) -> Result<Prover, Box<dyn Error>> {
    let bar = progress(end)?;
    let mut prover = Prover::new(checkpoints);
    archive.each(|entry| -> Result<(), Box<dyn Error>> {
        if entry.position.0 < end {
            prover.take(written(entry))?;
            bar.inc(1);
        }
        Ok(())
    })?;
    bar.finish_and_clear();
    Ok(prover)
}

fn prove(file: &str, ticket: TicketId, checkpoint: Checkpoint) -> Done {
    let archive = Archive::open(file)?;
    let end = checkpoint.entries().size;
    let mut prover = prover(&archive, vec![checkpoint], end)?;
    let entries = story::entries_of(&archive, ticket)?;
    let before = entries.iter().filter(|entry| entry.position < Position(end));
    Ok(prover.ticket(ticket, before.map(written))?.to_string())
}

fn growth(file: &str, older: Checkpoint, newer: Checkpoint) -> Done {
    let archive = Archive::open(file)?;
    let (from, to) = (older.entries().size, newer.entries().size);
    let mut prover = prover(&archive, vec![older, newer], to)?;
    Ok(prover.growth(from, to)?.to_string())
}

fn check(proof: &str, checkpoints: &[Checkpoint]) -> Done {
    if let [older, newer] = checkpoints {
        proof.parse::<GrowthProof>()?.check(older, newer)?;
        return Ok("every entry of the older is in the newer, unchanged and in its place\n".to_owned());
    }
    let [checkpoint] = checkpoints else {
        return Err(
            "give one checkpoint to check a ticket's proof, two (the older first) to check a proof of growth".into()
        );
    };
    let proof: TicketProof = proof.parse()?;
    let ticket = proof.ticket();
    Ok(match proof.check(checkpoint)? {
        Proved::NoTicket => format!("no ticket had the number {ticket} at the time of the checkpoint\n"),
        Proved::History(history) => {
            let entries: String = history.iter().map(story::entry_in_words).collect();
            format!("the history of {ticket} as recorded, whole, nothing left out (times in UTC):\n{entries}")
        }
    })
}

fn written(entry: &ArchivedEntry) -> WrittenEntry<'_> {
    WrittenEntry { position: entry.position, hash: entry.hash, text: &entry.text }
}

/// It draws nothing where the output is no terminal.
fn progress(entries: u64) -> Result<ProgressBar, Box<dyn Error>> {
    let style = ProgressStyle::with_template("{wide_bar} {pos} of {len} entries, {elapsed}")?;
    Ok(ProgressBar::new(entries).with_style(style))
}
