//! What is asked on the command line.

use std::error::Error;
use std::fs;

use nivaran::TicketId;
use nivaran::journal::proof::{Checkpoint, SigningKey, VerifierKey};

/// What to do.
pub enum Command {
    Verify { file: String, checkpoints: Vec<String> },
    Key { name: String },
    Checkpoint { file: String, earlier: Vec<String> },
    Prove { file: String, ticket: TicketId, checkpoint: String },
    Growth { file: String, older: String, newer: String },
    Check { proof: String, checkpoints: Vec<String> },
    Story { file: String, ticket: TicketId },
}

/// A command and the keys to it.
pub struct Options {
    pub command: Command,
    key_file: Option<String>,
    pub verifiers: Vec<VerifierKey>,
}

const USAGE: &str = "say one of these:
  audit verify FILE [CHECKPOINT...] [--verifier KEY]
  audit key NAME
  audit checkpoint FILE --key KEYFILE [CHECKPOINT...]
  audit prove FILE TICKET CHECKPOINT --verifier KEY
  audit growth FILE OLDER NEWER --verifier KEY
  audit check PROOF CHECKPOINT... --verifier KEY
  audit story FILE TICKET";

impl Options {
    pub fn read(mut args: impl Iterator<Item = String>) -> Result<Self, Box<dyn Error>> {
        let (mut words, mut key_file, mut verifiers) = (Vec::new(), None, Vec::new());
        while let Some(word) = args.next() {
            match word.as_str() {
                "--key" => key_file = Some(args.next().ok_or("name the file after --key")?),
                "--verifier" => verifiers.push(verifier(&args.next().ok_or("give the key after --verifier")?)?),
                "--help" => return Err(USAGE.into()),
                option if option.starts_with("--") => {
                    return Err(format!("there is no option {option}; {USAGE}").into());
                }
                _ => words.push(word),
            }
        }
        Ok(Self { command: command(words)?, key_file, verifiers })
    }

    pub fn signing_key(&self) -> Result<SigningKey, Box<dyn Error>> {
        let path = self.key_file.as_ref().ok_or("name the file with the signing key: --key KEYFILE")?;
        let text = fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))?;
        let key = text.lines().next().unwrap_or_default().parse();
        Ok(key.map_err(|error| format!("{path}: {error}"))?)
    }

    pub fn checkpoint(&self, path: &str) -> Result<Checkpoint, Box<dyn Error>> {
        if self.verifiers.is_empty() {
            return Err("give the key that the checkpoint is to be signed by: --verifier KEY".into());
        }
        let note = fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))?;
        Ok(Checkpoint::open(&note, &self.verifiers).map_err(|error| format!("{path}: {error}"))?)
    }

    /// Checkpoints of one journal.
    pub fn checkpoints(&self, paths: &[String]) -> Result<Vec<Checkpoint>, Box<dyn Error>> {
        let checkpoints: Vec<Checkpoint> = paths.iter().map(|path| self.checkpoint(path)).collect::<Result<_, _>>()?;
        if let [first, others @ ..] = checkpoints.as_slice()
            && let Some((at, other)) = others.iter().enumerate().find(|(_, other)| other.journal() != first.journal())
        {
            let (one, two) = (first.journal(), other.journal());
            return Err(
                format!("{} is of the journal {one}, {} of {two}; give those of one", paths[0], paths[at + 1]).into()
            );
        }
        Ok(checkpoints)
    }
}

/// A verifier key: itself, or the file that it stands in.
fn verifier(given: &str) -> Result<VerifierKey, Box<dyn Error>> {
    let text = fs::read_to_string(given).unwrap_or_else(|_| given.to_owned());
    Ok(text.trim().parse().map_err(|error| format!("--verifier {given}: {error}"))?)
}

fn command(words: Vec<String>) -> Result<Command, Box<dyn Error>> {
    let mut words = words.into_iter();
    let command = words.next().ok_or(USAGE)?;
    let rest: Vec<String> = words.collect();
    Ok(match (command.as_str(), rest.as_slice()) {
        ("verify", [file, checkpoints @ ..]) => {
            Command::Verify { file: file.clone(), checkpoints: checkpoints.to_vec() }
        }
        ("key", [name]) => Command::Key { name: name.clone() },
        ("checkpoint", [file, earlier @ ..]) => Command::Checkpoint { file: file.clone(), earlier: earlier.to_vec() },
        ("prove", [file, ticket, checkpoint]) => {
            Command::Prove { file: file.clone(), ticket: ticket.parse()?, checkpoint: checkpoint.clone() }
        }
        ("growth", [file, older, newer]) => {
            Command::Growth { file: file.clone(), older: older.clone(), newer: newer.clone() }
        }
        ("check", [proof, checkpoints @ ..]) => {
            Command::Check { proof: proof.clone(), checkpoints: checkpoints.to_vec() }
        }
        ("story", [file, ticket]) => Command::Story { file: file.clone(), ticket: ticket.parse()? },
        _ => return Err(USAGE.into()),
    })
}
