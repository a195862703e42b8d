//! `rules import`: a taxonomy and a rules table from what a DIGIT PGR has.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use nivaran::rules::digit::{self, Department, Imported};

use crate::files::{master, name_of, trouble};
use crate::lines::Lines;
use crate::options::Import;
use crate::wording::{count, folded, plain};
use crate::{Done, Look, Trouble, json};

pub fn import(asked: &Import, look: Look) -> Result<Done, Trouble> {
    let services = master(&asked.services)?;
    let departments = asked.departments.as_deref().map(master).transpose()?;
    let imported = digit::import(&services, departments.as_deref())?;
    let files = [("categories.csv", &imported.categories), ("rules.csv", &imported.rules)];
    let [categories, rules] = write(&asked.to, files)?.map(|path| name_of(&path));
    let status = u8::from(!imported.notes.is_empty() && !asked.allow_warnings);
    let rows = Lines::of(imported.rules.as_bytes()).rows();
    if look.json {
        return Ok(json::done(&json::Import::of(categories, rules, rows, &imported), status));
    }
    Ok(Done { text: told(&categories, &rules, rows, &imported), status })
}

fn told(categories: &str, rules: &str, rows: usize, imported: &Imported) -> String {
    let Imported { departments, notes, .. } = imported;
    let mut lines: Vec<String> = notes.iter().map(|note| plain(&note.to_string())).collect();
    if !notes.is_empty() {
        lines.push(String::new());
    }
    if !departments.is_empty() {
        lines.push("the roster needs these departments:".to_owned());
        lines.extend(departments.iter().map(department));
        lines.push(String::new());
    }
    lines.push(format!("written: {categories}\n         {rules}"));
    lines.push(
        "No places.csv is made, since DIGIT has no gazetteer here, and no roster.toml: write them, and put them beside the \
         table."
            .to_owned(),
    );
    lines.push(match notes.len() {
        0 => format!("{}, nothing to note", count(rows, "row")),
        notes => format!("{} on {}", count(notes, "note"), count(rows, "row")),
    });
    folded(&lines.join("\n"))
}

/// `  dept-1: Street Lights (DEPT_1 in DIGIT)`.
fn department(department: &Department) -> String {
    let Department { code, in_digit, name, .. } = department;
    let name = name.as_deref().map(|name| format!(": {name}")).unwrap_or_default();
    plain(&format!("  {code}{name} ({in_digit} in DIGIT)"))
}

/// Writes new files into a folder, which is made if it is not there; all of them, or none.
fn write(folder: &Path, files: [(&str, &String); 2]) -> Result<[PathBuf; 2], Trouble> {
    let paths = files.map(|(name, _)| folder.join(name));
    if let Some(path) = paths.iter().find(|path| path.symlink_metadata().is_ok()) {
        return Err(trouble(path, "it is there already, and nothing was written; give another folder"));
    }
    fs::create_dir_all(folder).map_err(|error| trouble(folder, error))?;
    let mut made = Vec::new();
    for (path, (_, text)) in paths.iter().zip(files) {
        // What somebody else made since then is not written over.
        let file = OpenOptions::new().write(true).create_new(true).open(path);
        made.push(path);
        if let Err(error) = file.and_then(|mut file: File| file.write_all(text.as_bytes())) {
            if error.kind() == std::io::ErrorKind::AlreadyExists {
                made.pop();
            }
            // Of two that go together one alone is in the way of another try.
            made.iter().for_each(|path| drop(fs::remove_file(path)));
            return Err(trouble(path, error));
        }
    }
    Ok(paths)
}
