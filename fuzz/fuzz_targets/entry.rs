//! Whatever stands in the place of an entry, a checkpoint, a proof or a key: reading it never panics.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nivaran::journal::proof::{Auditor, Checkpoint, GrowthProof, Note, SigningKey, TicketProof, VerifierKey, WrittenEntry};
use nivaran::journal::{EntryHash, Link, Position, unseal};

fuzz_target!(|text: &str| {
    let _ = (unseal(text), Link::of(text));
    let _ = text.parse::<Checkpoint>();
    let _ = text.parse::<Note>();
    let _ = text.parse::<VerifierKey>();
    let _ = text.parse::<SigningKey>();
    let _ = text.parse::<GrowthProof>();
    if let (Ok(proof), Ok(checkpoint)) = (text.parse::<TicketProof>(), text.parse::<Checkpoint>()) {
        let _ = proof.check(&checkpoint);
    }
    let mut auditor = Auditor::new([]);
    for (position, line) in (0..).zip(text.lines()) {
        let row = WrittenEntry { position: Position(position), hash: EntryHash::of(line), text: line };
        if auditor.take(row).is_err() {
            break;
        }
    }
    let _ = auditor.audit();
});
