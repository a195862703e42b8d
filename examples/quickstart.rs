//! The lines that an embedding service starts from.

use nivaran::{Act, Action, CategoryTree, Channel, Engine, Grievance, Outcome, PlaceTree, Roster, Rules, Source};
use nivaran::{Statement, TicketFilter};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let categories = CategoryTree::read(include_bytes!("haryana/categories.csv"))?;
    let places = PlaceTree::read(include_bytes!("haryana/places.csv"))?;
    let rules = Rules::read(categories, places, include_bytes!("haryana/rules.csv"))?;
    let roster = Roster::read(include_str!("haryana/roster.toml"))?;
    let engine = Engine::builder().rules(rules).roster(roster).start()?;

    let post = Source::new(Channel::X, "1547830221")?;
    let grievance = Grievance::builder(post, "Water stands knee-deep in our street since Monday")
        .category("water/logging".parse()?)
        .place("hisar/hisar".parse()?)
        .build()?;
    let ticket = engine.submit(grievance).await?.ticket;

    let holder = engine.ticket(ticket).await?.and_then(|t| t.holder().cloned()).ok_or("no holder")?;
    let report = Statement::new("Pumped dry; the drain is desilted.")?;
    engine.act(Act::by_officer(ticket, holder.officer, Action::Resolve(Outcome::Fixed)).statement(report)).await?;

    for entry in engine.history(ticket).await? {
        entry.events.iter().for_each(|event| println!("{} {}: {event}", entry.at, entry.by));
    }
    println!("{} open", engine.tickets(&TicketFilter::open(), nivaran::Page::first(10)).await?.len());
    engine.shutdown().await;
    Ok(())
}
