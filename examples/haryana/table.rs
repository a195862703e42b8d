//! The tables that are printed.

use jiff::{SignedDuration, Timestamp};
use nivaran::{DeskId, Roster};

use crate::calendar::MONTHS;
use crate::tally::{Figures, Tally};

/// How much of a department's name there is room for.
const NAME: usize = 29;

/// What the day came to.
pub fn print_day(tally: &Tally, now: Timestamp) {
    let Figures { received, acknowledged, resolved, escalated, pending, .. } = tally.total(now);
    println!(
        "received {received}, acknowledged {acknowledged}, resolved {resolved}, escalated {escalated}, \
         pending {pending}"
    );
    print_moves(tally);
}

/// What the year came to, by department and by district.
pub fn print_year(tally: &Tally, roster: &Roster, now: Timestamp) {
    let name = |desk: DeskId| roster.desk(&desk).map_or_else(|| desk.to_string(), |desk| desk.name().to_owned());
    let departments = tally.by_department(now).into_iter().map(|(code, figures)| {
        (code.map_or_else(|| "Control desk".to_owned(), |code| name(DeskId::Department(code))), figures)
    });
    print_table("department", departments.collect());
    let districts = tally.by_district(now).into_iter().map(|(code, figures)| {
        (code.map_or_else(|| "Not known".to_owned(), |code| name(DeskId::District(code))), figures)
    });
    print_table("district", districts.collect());
    print_line("all", &tally.total(now));
    println!();
    print_backlog(tally);
    print_moves(tally);
}

/// The lines with the most tickets first.
fn print_table(what: &str, mut lines: Vec<(String, Figures)>) {
    lines.sort_by(|a, b| b.1.received.cmp(&a.1.received).then_with(|| a.0.cmp(&b.0)));
    println!(
        "{what:NAME$}{:>9}{:>9}{:>10}{:>10}{:>8}{:>7}{:>8}{:>10}",
        "received", "resolved", "re-marked", "escalated", "pending", ">120 d", "median", "satisfied"
    );
    lines.iter().for_each(|(name, figures)| print_line(name, figures));
    println!();
}

fn print_line(name: &str, figures: &Figures) {
    let name = cut(name);
    let Figures { received, resolved, remarked, escalated, pending, old, .. } = figures;
    let median = figures.median_time().map_or_else(|| "-".to_owned(), in_words);
    let satisfied = figures.satisfaction().map_or_else(|| "-".to_owned(), |percent| format!("{percent} %"));
    println!(
        "{name:NAME$}{received:>9}{resolved:>9}{remarked:>10}{escalated:>10}{pending:>8}{old:>7}{median:>8}\
         {satisfied:>10}"
    );
}

fn cut(name: &str) -> String {
    match name.char_indices().nth(NAME - 1) {
        Some((at, _)) if name.chars().count() > NAME => format!("{}…", &name[..at]),
        _ => name.to_owned(),
    }
}

fn in_words(time: SignedDuration) -> String {
    match time.as_hours() {
        hours @ 0..48 => format!("{hours} h"),
        hours => format!("{:.1} d", hours as f64 / 24.0),
    }
}

fn print_backlog(tally: &Tally) {
    if tally.backlog.is_empty() {
        return;
    }
    println!("pending at the end of");
    for half in tally.backlog.chunks(6) {
        let months: Vec<_> = half.iter().map(|(month, pending)| format!("{} {pending}", MONTHS[*month])).collect();
        println!("  {}", months.join(", "));
    }
}

fn print_moves(tally: &Tally) {
    let Tally { triaged, forwarded, returned, category_corrected, place_corrected, .. } = tally;
    println!(
        "to triage {triaged}, forwarded {forwarded}, returned {returned}, category corrected {category_corrected}, \
         place corrected {place_corrected}"
    );
    let Tally { rejected, withdrawn, silent, concluded, follow_ups, too_late, .. } = tally;
    println!("rejected {rejected}, withdrawn {withdrawn}, closed by silence {silent}, by the control desk {concluded}");
    println!("follow-ups of tickets closed too long ago {follow_ups}, acts that came too late {too_late}");
}
