//! A row of the table of drifts, and the checks of a round of rows.
//!
//! A row is executed by raw calls of the SDK, never by the deployer's code. A round consists of rows that do
//! not affect each other. `drift` must report exactly what the rows declare, field by field, so a row also
//! proves that it changes nothing else.

use std::collections::BTreeSet;
use std::error::Error;

use acceptance::Place;
use aws::Aws;
use futures::future::{BoxFuture, FutureExt};
use serde_json::{Value, json};

use crate::operator::Operator;

/// The future of a raw call.
pub(super) type Raw<'a> = BoxFuture<'a, Result<(), Box<dyn Error + Send + Sync>>>;

/// Returns the future of a call whose answer does not matter.
pub(super) fn sent<'a, T, E: Error + Send + Sync + 'static>(
    call: impl Future<Output = Result<T, E>> + Send + 'a,
) -> Raw<'a> {
    async {
        call.await?;
        Ok(())
    }
    .boxed()
}

/// A manual change.
pub(super) type ByHand = for<'a> fn(&'a Aws) -> Raw<'a>;

/// One drift.
pub(super) struct Row {
    /// The manual change, in words.
    name: &'static str,
    /// The resources that must be reported, and the paths at which they must differ; the empty path means
    /// for the whole resource.
    shows: Vec<(String, &'static [&'static str])>,
    /// The calls.
    by_hand: ByHand,
}

impl Row {
    /// Returns a row with this name that is reported for this resource at these paths.
    pub(super) fn new(
        name: &'static str,
        id: impl Into<String>,
        paths: &'static [&'static str],
        by_hand: ByHand,
    ) -> Self {
        Self { name, shows: vec![(id.into(), paths)], by_hand }
    }

    /// Returns the row, reported for this resource as well.
    pub(super) fn also(mut self, id: String, paths: &'static [&'static str]) -> Self {
        self.shows.push((id, paths));
        self
    }
}

/// The path of a deleted resource.
pub(super) const GONE: &[&str] = &[""];

/// Executes all rows at once, checks that `drift` reports each of them and nothing else, repairs them with
/// one `up`, and checks that nothing is left to report.
pub(super) fn round(place: &Place<'_>, operator: &Operator<'_>, rows: &[Row]) {
    make(place, rows);
    let run = operator.run(&["drift", "local", "--format", "json"]);
    assert_eq!(run.code, Some(3), "{run:#?}");
    let report = run.json();
    assert_eq!(report["verdict"], "drift");
    let drifted = drifted(&report);
    for resource in &drifted {
        assert_eq!(resource["verdicts"], json!(["drift"]), "{resource:#}");
    }
    let reported: BTreeSet<(String, String)> = drifted.iter().flat_map(|resource| places(resource)).collect();
    let expected: BTreeSet<(String, String)> = rows.iter().flat_map(Row::places).collect();
    let missed = rows.iter().flat_map(|row| row.places().map(|place| (row.name, place)));
    let missed: Vec<_> = missed.filter(|(_, place)| !reported.contains(place)).collect();
    let more: Vec<_> = reported.difference(&expected).collect();
    assert!(missed.is_empty() && more.is_empty(), "missed {missed:#?}; unexpected {more:#?}");

    let losses = drifted.iter().filter(|one| one["risk"] == "loses_data");
    let losses: Vec<&str> = losses.filter_map(|one| one["id"].as_str()).collect();
    let mut up = vec!["up", "local", "--yes"];
    up.extend(losses.iter().flat_map(|id| ["--allow", *id]));
    let up = operator.run(&up);
    assert_eq!(up.code, Some(0), "{up:#?}");
    clean(operator);
}

/// Executes all rows in their order, and checks that each succeeds.
fn make(place: &Place<'_>, rows: &[Row]) {
    let aws = place.aws("local");
    let failed = rows.iter().filter_map(|row| Some((row.name, place.cloud.wait((row.by_hand)(&aws)).err()?)));
    let failed: Vec<_> = failed.collect();
    assert!(failed.is_empty(), "these rows fail: {failed:#?}");
}

/// Checks that nothing drifted and nothing is pending.
pub(super) fn clean(operator: &Operator<'_>) {
    let run = operator.run(&["drift", "local", "--format", "json"]);
    assert!(run.code.is_some_and(|code| code != 1), "{}", run.stderr);
    let report = run.json();
    assert_eq!(drifted(&report), [&Value::Null; 0]);
    assert_eq!((run.code, &report["verdict"]), (Some(0), &json!("in_sync")));
}

impl Row {
    /// Returns each resource and path at which the row must be reported.
    pub(super) fn places(&self) -> impl Iterator<Item = (String, String)> {
        let places = |(id, paths): &(String, &'static [&'static str])| {
            let id = id.clone();
            paths.iter().map(move |path| (id.clone(), (*path).to_owned()))
        };
        self.shows.iter().flat_map(places)
    }
}

/// Returns the resources that differ from the stack.
fn drifted(report: &Value) -> Vec<&Value> {
    let resources = report["resources"].as_array().expect("resources are a list").iter();
    resources.filter(|resource| resource["verdicts"] != json!(["in_sync"])).collect()
}

/// Returns the paths at which a resource is reported to differ.
fn places(resource: &Value) -> Vec<(String, String)> {
    let id = resource["id"].as_str().expect("an id is text");
    if resource["action"] == "create" {
        return vec![(id.to_owned(), String::new())];
    }
    let changes = resource["changes"].as_array().expect("changes are a list").iter();
    let paths = changes.map(|change| change["path"].as_str().expect("a path is text"));
    paths.map(|path| (id.to_owned(), path.to_owned())).collect()
}
