//! Tables and what lies beside them, read whole and never more of it than is taken.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use nivaran::rules::digit;
use nivaran::sheet::{self, SheetError};
use nivaran::tree::{Tree, TreePath};
use nivaran::{CategoryTree, PlaceTree, Roster};

use crate::Trouble;
use crate::options::TableAt;

/// A table's file, with the trees that it is read with.
pub struct Table {
    pub name: String,
    pub csv: Vec<u8>,
    pub categories: CategoryTree,
    pub places: PlaceTree,
    pub without: Vec<Without>,
}

/// What a table is read without.
#[derive(Clone, Copy)]
pub enum Without {
    Categories,
    Places,
    Roster,
}

impl Table {
    pub fn read(at: &TableAt) -> Result<Self, Trouble> {
        let TableAt { table, beside } = at;
        let csv = sheet_of(table)?;
        let mut without = Vec::new();
        let categories = beside_of(table, &beside.categories, Without::Categories, &mut without);
        let places = beside_of(table, &beside.places, Without::Places, &mut without);
        let (categories, places) = (tree(categories.as_deref())?, tree(places.as_deref())?);
        Ok(Self { name: name_of(table), csv, categories, places, without })
    }
}

/// The roster that goes with a table, if there is one.
pub fn roster(at: &TableAt, without: &mut Vec<Without>) -> Result<Option<Roster>, Trouble> {
    let path = beside_of(&at.table, &at.beside.roster, Without::Roster, without);
    path.map(|path| roster_of(&path)).transpose()
}

/// The file that is named, else the one that lies beside the table.
fn beside_of(table: &Path, named: &Option<PathBuf>, what: Without, without: &mut Vec<Without>) -> Option<PathBuf> {
    let beside = table.with_file_name(what.file());
    let found = named.clone().or_else(|| beside.exists().then_some(beside));
    if found.is_none() {
        without.push(what);
    }
    found
}

impl Without {
    /// What it is called, and the option that names it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Categories => "categories",
            Self::Places => "places",
            Self::Roster => "roster",
        }
    }

    fn file(self) -> &'static str {
        match self {
            Self::Categories => "categories.csv",
            Self::Places => "places.csv",
            Self::Roster => "roster.toml",
        }
    }
}

impl std::fmt::Display for Without {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let so = match self {
            Self::Categories => "no category is known",
            Self::Places => "no place is known",
            Self::Roster => "it is not looked who sits where",
        };
        write!(f, "there is no {} beside the table, so {so}: name one with --{} FILE", self.file(), self.name())
    }
}

/// One of DIGIT's files.
pub fn master(path: &Path) -> Result<Vec<u8>, Trouble> {
    read(path, digit::MAX_BYTES, |bytes| format!("{bytes} bytes, {} are the most", digit::MAX_BYTES))
}

/// A path as it is told.
pub fn name_of(path: &Path) -> String {
    crate::wording::plain(&path.display().to_string())
}

/// What is the matter with a file.
pub fn trouble(path: &Path, what: impl std::fmt::Display) -> Trouble {
    Trouble(format!("{}: {what}", name_of(path)))
}

fn tree<P: TreePath>(path: Option<&Path>) -> Result<Tree<P>, Trouble> {
    let Some(path) = path else { return Ok(Tree::from_paths([])) };
    Tree::read(&sheet_of(path)?).map_err(|error| trouble(path, error))
}

fn roster_of(path: &Path) -> Result<Roster, Trouble> {
    let text = String::from_utf8(sheet_of(path)?).map_err(|_| trouble(path, "it is not UTF-8; save it as UTF-8"))?;
    Roster::read(&text).map_err(|error| trouble(path, error))
}

fn sheet_of(path: &Path) -> Result<Vec<u8>, Trouble> {
    read(path, sheet::MAX_BYTES, |bytes| SheetError::TooLarge { bytes }.to_string())
}

/// A file's bytes, unless they are more than are taken.
fn read(path: &Path, most: usize, too_large: impl Fn(usize) -> String) -> Result<Vec<u8>, Trouble> {
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| {
        let size = file.metadata()?.len();
        file.take(most as u64 + 1).read_to_end(&mut bytes)?;
        Ok(usize::try_from(size).unwrap_or(usize::MAX))
    });
    match read {
        Err(error) => Err(trouble(path, error)),
        Ok(size) if bytes.len() > most => Err(trouble(path, too_large(size.max(bytes.len())))),
        Ok(_) => Ok(bytes),
    }
}
