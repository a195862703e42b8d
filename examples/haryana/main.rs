//! A day and a year of Haryana's grievances through the real engine, in compressed time: citizens write, officers act,
//! forward, forget and are sometimes wrong, and citizens are sometimes not satisfied.
//!
//! ```text
//! cargo run --release --example haryana
//! cargo run --release --example haryana -- --seed 7 --days 30            # another year, and only its first days
//! cargo run --release --example haryana -- --journal haryana.journal     # the year's tickets stay in that file
//! ```
//!
//! The same seed gives the same tables every time. With `--journal` the run can be stopped (Ctrl-C, or killed) and
//! started again by the same command: it goes on where the journal ends, and the tables are the same in the end.

mod calendar;
mod case;
mod citizens;
mod dice;
mod load;
mod officers;
mod posts;
mod table;
mod tally;

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use indicatif::{ProgressBar, ProgressStyle};
use nivaran::{CategoryTree, PlaceTree, Roster, Rules};

use calendar::{DAYS, instant};
use load::Ended;
use posts::Posts;

/// A day in the monsoon, 15 July, counted from 0.
const THE_DAY: i64 = 195;

struct Options {
    seed: u64,
    days: i64,
    /// Where the year's journal is kept; else it is in a folder of its own that goes with the run.
    journal: Option<PathBuf>,
}

// One task and one order: the engine has threads of its own.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let outcome = match options(std::env::args().skip(1)) {
        Ok(options) => simulate(&options).await,
        Err(error) => Err(error),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("haryana: {error}");
            ExitCode::from(2)
        }
    }
}

fn options(mut args: impl Iterator<Item = String>) -> Result<Options, Box<dyn Error>> {
    let mut options = Options { seed: 2022, days: DAYS, journal: None };
    while let Some(name) = args.next() {
        let value = args.next();
        let number = value.as_ref().and_then(|value| value.parse::<u32>().ok());
        match (name.as_str(), number, value) {
            ("--seed", Some(seed), _) => options.seed = seed.into(),
            ("--days", Some(days), _) if (1..=DAYS).contains(&days.into()) => options.days = days.into(),
            ("--journal", _, Some(path)) => options.journal = Some(path.into()),
            _ => {
                let usage = format!("give --seed NUMBER, --days 1 to {DAYS}, or --journal FILE");
                return Err(format!("cannot read '{name}'; {usage}").into());
            }
        }
    }
    Ok(options)
}

async fn simulate(Options { seed, days, journal }: &Options) -> Result<(), Box<dyn Error>> {
    let (seed, days, began) = (*seed, *days, Instant::now());
    let (rules, roster) = read()?;
    let posts = Posts::new(seed, rules.places())?;
    let (day, year) = (THE_DAY..THE_DAY + 1, 0..days);
    let (of_day, of_year) = (posts.count(day.clone()), posts.count(year.clone()));
    // It draws nothing where the output is no terminal.
    let bar = ProgressBar::new((of_day + of_year) as u64)
        .with_style(ProgressStyle::with_template("{wide_bar} {pos} of {len} grievances, {elapsed}")?);
    let (folder, stop) = (Folder::new()?, stop_on_ctrl_c());
    let journal = journal.clone().unwrap_or_else(|| folder.0.join("year.journal"));
    let world = (rules.clone(), roster.clone());
    let the_day = load::run(world, seed, day, &folder.0.join("day.journal"), &stop, &bar).await?;
    let the_year = load::run((rules, roster.clone()), seed, year, &journal, &stop, &bar).await?;
    bar.finish_and_clear();
    let (Ended::Whole(the_day), Ended::Whole(the_year)) = (&the_day, &the_year) else {
        return stopped(&the_year, &journal, &folder);
    };

    println!("A day: {} 2022, at midnight (seed {seed})", calendar::date(THE_DAY));
    table::print_day(the_day, instant(THE_DAY + 1, 0));
    println!("\nThe year: 1 Jan to {} 2022, at midnight\n", calendar::date(days - 1));
    table::print_year(the_year, &roster, instant(days, 0));
    println!("\n{of_day} grievances of the day and {of_year} of the year:");
    println!("haryana: {} grievances in {:.1} s", of_day + of_year, began.elapsed().as_secs_f64());
    Ok(())
}

fn stopped(the_year: &Ended, journal: &Path, folder: &Folder) -> Result<(), Box<dyn Error>> {
    let Ended::Stopped(at) = the_year else { return Err("stopped".into()) };
    let at = at.strftime("%d %b %Y, %H:%M UTC");
    if journal.starts_with(&folder.0) {
        println!("haryana: stopped at {at}; give --journal FILE to be able to go on");
    } else {
        println!("haryana: stopped at {at}; the same command goes on from there");
    }
    Ok(())
}

/// Set when the user wants to stop: the step under way is finished first.
fn stop_on_ctrl_c() -> Arc<AtomicBool> {
    let stop = Arc::new(AtomicBool::new(false));
    let wanted = Arc::clone(&stop);
    tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            wanted.store(true, Ordering::Relaxed);
        }
    });
    stop
}

/// A folder that goes with the run.
struct Folder(PathBuf);

impl Folder {
    fn new() -> std::io::Result<Self> {
        let folder = std::env::temp_dir().join(format!("nivaran-haryana-{}", std::process::id()));
        fs::create_dir_all(&folder)?;
        Ok(Self(folder))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.0) {
            eprintln!("haryana: {} is left: {error}", self.0.display());
        }
    }
}

fn read() -> Result<(Rules, Roster), Box<dyn Error>> {
    let categories = CategoryTree::read(include_bytes!("categories.csv"))?;
    let places = PlaceTree::read(include_bytes!("places.csv"))?;
    let rules = Rules::read(categories, places, include_bytes!("rules.csv"))?;
    Ok((rules, Roster::read(include_str!("roster.toml"))?))
}
