//! How many calls it takes, and how many of them have to wait for another.
//!
//! Nothing here is timed. The cloud is put at a distance that is long against everything else,
//! so that the order in which calls begin and end shows which of them waited for which.

use std::time::Duration;

use acceptance::{Call, Cloud, Proxy, Run};

use crate::Test;

pub(crate) const TESTS: &[Test] = &[("calls_are_few_and_run_together", calls_are_few_and_run_together)];

/// Far against what the cloud and the deployer need for all calls of one moment.
const DISTANCE: Duration = Duration::from_millis(400);

/// The first `up` has no chain of more than 14 calls one after another: 4 to the first entry of the record, 7 of
/// the archive's bucket, and 2 of a mapping that waits for it, which can happen to follow another mapping; one with nothing to do
/// makes at most 3 calls a resource, none of which waits for more than two others.
fn calls_are_few_and_run_together(cloud: &Cloud) {
    let place = cloud.place();
    let proxy = Proxy::start(cloud, DISTANCE).expect("loopback has a free port");
    let record = place.folder().join("calls.jsonl");
    let up = || {
        let mut command = place.command(&["up", "local"]);
        let up =
            Run::of(command.arg("--record-calls").arg(&record).env("AWS_ENDPOINT_URL", proxy.endpoint()));
        assert_eq!(up.code, Some(0), "{up:#?}");
        Call::recorded(&record)
    };

    let first = up();
    let chain = longest_chain(polling_once(without_reading_again(&first)));
    assert!(chain.len() <= 14, "{} calls one after another: {chain:#?}", chain.len());

    let second = up();
    let outputs = place.deploys(&["outputs", "local", "--format", "json"]).json();
    let resources = outputs["outputs"].as_array().map_or(0, Vec::len);
    assert!(second.len() <= 3 * resources, "{} calls for {resources} resources", second.len());
    let chain = longest_chain(second);
    assert!(chain.len() <= 3, "{} reads one after another: {chain:#?}", chain.len());
}

/// Leaves out what `up` reads after its last write, to see whether AWS shows what it accepted.
fn without_reading_again(calls: &[Call]) -> Vec<Call> {
    let ends = calls.iter().filter(|call| call.mutates()).map(|call| call.end_ms);
    let last = ends.fold(0.0, f64::max);
    calls.iter().filter(|call| call.start_ms < last).cloned().collect()
}

/// Makes one call of reads that ask the same question again and again: that is polling, which
/// begins with its first question and ends with its last answer. Only after the first write,
/// and only while nothing is written under the same path.
fn polling_once(mut calls: Vec<Call>) -> Vec<Call> {
    calls.sort_by(|one, other| one.start_ms.total_cmp(&other.start_ms));
    let writes: Vec<Call> = calls.iter().filter(|call| call.mutates()).cloned().collect();
    let first_write = writes.first().map_or(f64::INFINITY, |call| call.start_ms);
    let key = |call: &Call| (call.service.clone(), call.path.clone());
    let mut merged: Vec<Call> = Vec::new();
    for call in calls {
        let asked = |before: &Call, again: &Call| {
            let written = |write: &Call| {
                key(write) == key(again) && (before.end_ms..again.start_ms).contains(&write.start_ms)
            };
            let same = key(before) == key(again) && before.operation == again.operation;
            same && before.start_ms > first_write && !again.mutates() && !writes.iter().any(written)
        };
        match merged.iter_mut().find(|before| asked(before, &call)) {
            Some(before) => before.end_ms = before.end_ms.max(call.end_ms),
            None => merged.push(call),
        }
    }
    merged
}

/// Returns the longest sequence of calls of which each began after the one before had ended
/// and may have waited for it.
fn longest_chain(mut calls: Vec<Call>) -> Vec<Call> {
    calls.sort_by(|one, other| one.start_ms.total_cmp(&other.start_ms));
    let writes = calls.iter().filter(|call| call.mutates()).map(|call| call.start_ms);
    let first_write = writes.fold(f64::INFINITY, f64::min);
    let waits = |call: &Call, before: &Call| {
        // Everything waits for the look at everything.
        let looked = before.end_ms <= first_write;
        before.end_ms <= call.start_ms && (looked || may_wait(call, before))
    };
    // For each call the longest chain that ends with it: how long, and which it follows.
    let mut chains: Vec<(usize, Option<usize>)> = Vec::new();
    for (index, call) in calls.iter().enumerate() {
        let earlier = (0..index).filter(|earlier| waits(call, &calls[*earlier]));
        let longest = earlier.max_by_key(|earlier| chains[*earlier].0);
        chains.push((longest.map_or(1, |earlier| chains[earlier].0 + 1), longest));
    }
    let mut at = (0..calls.len()).max_by_key(|index| chains[*index].0);
    let mut chain = Vec::new();
    while let Some(index) = at {
        chain.insert(0, calls[index].clone());
        at = chains[index].1;
    }
    chain
}

/// Tells whether a call can have waited for one before it: it is about the same thing, as far
/// as can be told, or about a kind that is made after the other. Without this, calls that have
/// nothing to do with each other make a chain whenever one of them happens to be late.
fn may_wait(call: &Call, before: &Call) -> bool {
    let (kind, other) = (kind(call), kind(before));
    match (kind, other) {
        ("mapping", _) => true,
        ("function", "IAM" | "CloudWatch Logs") => true,
        ("function", "function") => match (function(call), function(before)) {
            (Some(one), Some(other)) => one == other,
            _ => true,
        },
        _ => kind == other,
    }
}

/// Returns what a call is about: the service, which has one kind, or the kind.
fn kind(call: &Call) -> &str {
    match (call.service.as_str(), call.operation.as_str()) {
        // A mapping of a table asks for the table's stream.
        ("DynamoDB", "DescribeTable") => "mapping",
        ("Lambda", operation) if operation.contains("EventSourceMapping") => "mapping",
        ("Lambda", _) => "function",
        (service, _) => service,
    }
}

/// Returns the function that a path names.
fn function(call: &Call) -> Option<&str> {
    let (_, rest) = call.path.split_once("/functions/").or_else(|| call.path.split_once("%3Afunction%3A"))?;
    rest.split('/').next()
}
