//! The rules table of nivaran beside its peers: `cargo bench --bench decision` in this folder.
//!
//! Compared are two kinds of table, from 10 to 100,000 rows each: *two-column*, whose rows ask for a category and a
//! location, and *full*, whose rows ask for six things: category, location, channel, language, day of the week and time
//! of day. A row covers all below its category and its location, and the most specific row wins. Before anything is
//! measured, all peers have to name the same row for every grievance that is asked.
//!
//! # The peers
//! * [`ours`]: `Rules::decide`; the same with what a ticket records of it; `Rules::explain`.
//! * [`linear`]: the rows in the order in which they win, looked at one after the other. What one writes first.
//! * [`zen`]: GoRules ZEN 2, a general engine for business rules.
//!
//! # What the comparison does not say
//! ZEN can do much that we cannot: expressions in cells (arithmetic, dates, lists, functions), any input and any
//! output, tables that collect all hits, graphs of tables, switches, sub-decisions and functions in JavaScript, and
//! bindings for other languages. Whoever needs these cannot take our table at all.
//!
//! Our table does one thing, and more of it: the most specific row wins wherever it stands (for ZEN the rows are sorted
//! beforehand, by [`tables::Table::in_winning_order`]), trees of categories and places are part of it (for ZEN the
//! ancestors are made out beforehand), words are looked for in the text, holidays come from the roster, rows that tie
//! are refused with a grievance for which they do, and each decision comes with the version of the table and the
//! conditions that held. Both find gaps and rows that never win (ZEN in its `Workspace`); that is not compared.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "a bench: whatever fails ends it")]

pub mod clock;
pub mod compiling;
pub mod linear;
pub mod ours;
pub mod report;
pub mod tables;
pub mod zen;
