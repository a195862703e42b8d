//! A day and a year of Haryana's grievances through the real engine, in compressed time: citizens write, officers act,
//! forward, forget and are sometimes wrong, and citizens are sometimes not satisfied.
//!
//! ```text
//! cargo run --release --example haryana
//! cargo run --release --example haryana -- --seed 7 --days 30   # another year, and only its first days
//! ```
//!
//! The same seed gives the same tables every time.

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
use std::process::ExitCode;
use std::time::Instant;

use indicatif::{ProgressBar, ProgressStyle};
use nivaran::{CategoryTree, PlaceTree, Roster, Rules};

use calendar::{DAYS, instant};
use posts::Posts;

/// A day in the monsoon, 15 July, counted from 0.
const THE_DAY: i64 = 195;

struct Options {
    seed: u64,
    days: i64,
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
    let mut options = Options { seed: 2022, days: DAYS };
    while let Some(name) = args.next() {
        let number = args.next().and_then(|value| value.parse::<u32>().ok());
        match (name.as_str(), number) {
            ("--seed", Some(seed)) => options.seed = seed.into(),
            ("--days", Some(days)) if (1..=DAYS).contains(&days.into()) => options.days = days.into(),
            _ => return Err(format!("cannot read '{name}'; give --seed NUMBER or --days 1 to {DAYS}").into()),
        }
    }
    Ok(options)
}

async fn simulate(&Options { seed, days }: &Options) -> Result<(), Box<dyn Error>> {
    let began = Instant::now();
    let (rules, roster) = read()?;
    let posts = Posts::new(seed, rules.places())?;
    let (day, year) = (THE_DAY..THE_DAY + 1, 0..days);
    let (of_day, of_year) = (posts.count(day.clone()), posts.count(year.clone()));
    // It draws nothing where the output is no terminal.
    let bar = ProgressBar::new((of_day + of_year) as u64)
        .with_style(ProgressStyle::with_template("{wide_bar} {pos} of {len} grievances, {elapsed}")?);
    let the_day = load::run((rules.clone(), roster.clone()), seed, day, &bar).await?;
    let the_year = load::run((rules, roster.clone()), seed, year, &bar).await?;
    bar.finish_and_clear();

    println!("A day: {} 2022, at midnight (seed {seed})", calendar::date(THE_DAY));
    table::print_day(&the_day, instant(THE_DAY + 1, 0));
    println!("\nThe year: 1 Jan to {} 2022, at midnight\n", calendar::date(days - 1));
    table::print_year(&the_year, &roster, instant(days, 0));
    println!("\n{of_day} grievances of the day and {of_year} of the year:");
    println!("haryana: {} grievances in {:.1} s", of_day + of_year, began.elapsed().as_secs_f64());
    Ok(())
}

fn read() -> Result<(Rules, Roster), Box<dyn Error>> {
    let categories = CategoryTree::read(include_bytes!("categories.csv"))?;
    let places = PlaceTree::read(include_bytes!("places.csv"))?;
    let rules = Rules::read(categories, places, include_bytes!("rules.csv"))?;
    Ok((rules, Roster::read(include_str!("roster.toml"))?))
}
