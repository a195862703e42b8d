//! GoRules ZEN 2: a graph of input, one decision table with hit policy `first`, and output.
//!
//! # How it is asked for a subtree
//! ZEN knows no trees. Of what means the same, that is taken which is the quickest over all sizes: each level of a path
//! is an input and a column of its own. `water/logging/street` is asked as `category1: "water"`, `category2:
//! "water/logging"`, `category3: "water/logging/street"`, and a row for `water/logging` has `"water/logging"` in column
//! `category2` and nothing in the others. Such cells are texts to be equal to, for which ZEN keeps an index (sets of
//! rows by value), also for channel, language and day of the week. Only spans of time are left to be evaluated, for the
//! rows that the index leaves over. Languages are asked by their first subtag, since the rows name no more.
//!
//! `startsWith`, or `contains` on a list of ancestors, is evaluated row by row. Tried out, it makes 10,000 rows 8 to
//! 240 times as slow and a trace no faster. Only the full table of 10 and 100 rows is faster by it (`startsWith`, the
//! location first: 1.4 and 1.2 times), since it has fewer columns.
//!
//! # What else is in its favour
//! * Inputs are made before the clock starts, ancestors too; what they cost is not counted.
//! * The graph is compiled once, and the only output is the row's place; what the row says is left to be looked up.
//! * No expression asks for the results of other nodes, so they are not collected (`nodes_in_context`).
//! * A decision awaits nothing, so it is polled once, without an executor.
//!
//! With a trace ZEN (2.1) does not use its index, but evaluates row after row; the trace tells for each node what went
//! in and came out, and of the row that won its cells and the values that they were compared with. It is not
//! serialised.

use std::collections::BTreeSet;
use std::pin::pin;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, Waker};

use nivaran::rules::{Names, Row, TimeSpan, Weekdays};
use serde_json::{Map, Value, json};
use zen_engine::model::GraphContent;
use zen_engine::{Decision, DecisionGraphResponse, EvaluationOptions, Variable, ZEN_CONFIG};

use crate::tables::{Asked, levels, only};

const WEEK: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// A compiled graph.
pub struct Zen {
    decision: Decision,
}

impl Zen {
    /// Takes rows in the order in which they win.
    #[must_use]
    pub fn new(rows: &[Row]) -> Self {
        ZEN_CONFIG.nodes_in_context.store(false, Ordering::Relaxed);
        let mut graph: GraphContent = serde_json::from_value(graph(rows)).unwrap();
        graph.compile();
        Self { decision: graph.into() }
    }

    /// Decides, with or without a trace.
    #[must_use]
    pub fn decide(&self, input: &Variable, trace: bool) -> DecisionGraphResponse {
        let options = EvaluationOptions { trace, ..EvaluationOptions::default() };
        let decision = pin!(self.decision.evaluate_with_opts(input.clone(), options));
        match decision.poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(response) => response.unwrap(),
            Poll::Pending => panic!("a decision that awaits something"),
        }
    }
}

/// The row that won, by its place.
#[must_use]
pub fn row_of(response: &DecisionGraphResponse) -> Option<usize> {
    response.result.dot("row")?.as_number()?.try_into().ok()
}

/// A grievance as ZEN takes it.
#[must_use]
pub fn input(asked: &Asked) -> Variable {
    let mut input = Map::new();
    let mut put_levels = |name: &str, path: &str| {
        let ends = path.match_indices('/').map(|(at, _)| at).chain([path.len()]);
        input.extend(ends.zip(1..).map(|(end, level)| (format!("{name}{level}"), path[..end].into())));
    };
    put_levels("category", asked.category.as_str());
    put_levels("location", asked.place.as_str());
    let language = asked.language.as_str();
    input.insert("channel".into(), asked.channel.as_str().into());
    input.insert("language".into(), language.split('-').next().unwrap_or(language).into());
    input.insert("weekday".into(), WEEK[asked.moment.weekday.to_monday_zero_offset() as usize].into());
    input.insert("minute".into(), asked.moment.minute.into());
    Value::Object(input).into()
}

fn graph(rows: &[Row]) -> Value {
    let rules: Vec<Map<String, Value>> = rows.iter().enumerate().map(rule).collect();
    // A column that no row uses would only cost time.
    let used: BTreeSet<&String> = rules.iter().flat_map(Map::keys).filter(|name| *name != "row").collect();
    let inputs: Vec<Value> = used.into_iter().map(|name| json!({ "id": name, "field": name })).collect();
    json!({
        "nodes": [
            { "id": "in", "name": "in", "type": "inputNode", "content": {} },
            { "id": "table", "name": "table", "type": "decisionTableNode", "content": {
                "hitPolicy": "first",
                "inputs": inputs,
                "outputs": [{ "id": "row", "field": "row" }],
                "rules": rules,
            } },
            { "id": "out", "name": "out", "type": "outputNode", "content": {} },
        ],
        "edges": [
            { "id": "asked", "sourceId": "in", "targetId": "table" },
            { "id": "answered", "sourceId": "table", "targetId": "out" },
        ],
    })
}

/// A row's cells by their columns; a cell that asks for nothing is not there.
fn rule((place, row): (usize, &Row)) -> Map<String, Value> {
    let when = &row.when;
    let cells = [
        path("category", &when.category),
        path("location", &when.location),
        only(&when.channel).map(|channel| ("channel".into(), quoted(channel.as_str()))),
        only(&when.language).map(|language| ("language".into(), quoted(language.as_str()))),
        (when.weekdays != Weekdays::ALL).then(|| ("weekday".into(), days(when.weekdays))),
        when.time.map(|time| ("minute".into(), span(time))),
        Some(("row".into(), place.to_string())),
    ];
    cells.into_iter().flatten().map(|(column, cell)| (column, cell.into())).collect()
}

fn path<P: AsRef<str>>(name: &str, names: &Names<P>) -> Option<(String, String)> {
    let path = only(names)?.as_ref();
    Some((format!("{name}{}", levels(path)), quoted(path)))
}

fn days(weekdays: Weekdays) -> String {
    weekdays.to_string().split('|').map(quoted).collect::<Vec<_>>().join(", ")
}

/// One that goes over midnight is what is left of the day.
fn span(TimeSpan { from, to }: TimeSpan) -> String {
    let (from, to) = (from.get(), to.get());
    if from < to { format!("[{from}..{to})") } else { format!(">= {from} or < {to}") }
}

fn quoted(text: &str) -> String {
    format!("\"{text}\"")
}
