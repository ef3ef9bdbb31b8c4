//! How many calls a run makes, and how many of them wait for another.
//!
//! Nothing is timed here. The latency to the cloud is long compared to everything else, so the order in which
//! calls start and end shows which of them waited for which.

use std::time::Duration;

use acceptance::{Call, Cloud, Proxy, Run};

use crate::Test;

pub(crate) const TESTS: &[Test] = &[("calls_are_few_and_run_together", calls_are_few_and_run_together)];

/// Long compared to the time that the cloud and the deployer need for all concurrent calls.
const DISTANCE: Duration = Duration::from_millis(400);

/// The first `up` has no chain of more than 14 calls one after another: 4 up to the first release record, 7
/// for the archive's bucket, and 2 for a mapping that waits for it, which may also follow another mapping. An
/// `up` with nothing to do makes at most 3 calls for each resource, none of which waits for more than two
/// others.
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

/// Leaves out the calls with which `up` verifies its changes after its last write.
fn without_reading_again(calls: &[Call]) -> Vec<Call> {
    let ends = calls.iter().filter(|call| call.mutates()).map(|call| call.end_ms);
    let last = ends.fold(0.0, f64::max);
    calls.iter().filter(|call| call.start_ms < last).cloned().collect()
}

/// Replaces repeated reads with the same request by one call: they are polling, which starts with its first
/// request and ends with its last answer. This applies only after the first write, and only while nothing is
/// written under the same path.
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

/// Returns the longest sequence of calls each of which started after the previous one had ended, and may have
/// waited for it.
fn longest_chain(mut calls: Vec<Call>) -> Vec<Call> {
    calls.sort_by(|one, other| one.start_ms.total_cmp(&other.start_ms));
    let writes = calls.iter().filter(|call| call.mutates()).map(|call| call.start_ms);
    let first_write = writes.fold(f64::INFINITY, f64::min);
    let waits = |call: &Call, before: &Call| {
        // Every write waits for the survey of all resources.
        let looked = before.end_ms <= first_write;
        before.end_ms <= call.start_ms && (looked || may_wait(call, before))
    };
    // For each call, the longest chain that ends with it: its length, and the previous call.
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

/// Returns whether a call may have waited for an earlier one: it concerns the same resource, as far as the
/// calls show, or a kind that is created after the earlier one's kind. Without this check, unrelated calls
/// would form a chain whenever one of them happens to be late.
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

/// Returns the kind of a call's resource: the service, if it has one kind, or the kind.
fn kind(call: &Call) -> &str {
    match (call.service.as_str(), call.operation.as_str()) {
        // A mapping of a table reads the table's stream.
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
