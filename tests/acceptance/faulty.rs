//! A fifth of all calls fails, as AWS's calls fail: `up`, `drift` and `down` get there, without
//! asking for more than their share.

use std::ops::Range;

use acceptance::{Cloud, Hollow, Inventory, Place, Run, Tool, differences};
use serde_json::{Value, json};

use crate::Test;

pub(crate) const TESTS: &[Test] =
    &[("deployment_survives_a_fifth_of_calls_failing", deployment_survives_a_fifth_of_calls_failing)];

/// What AWS says, service by service, to those who call too often: the list of the SDK
/// ("Retry behavior", AWS SDKs and Tools reference guide) and each service's own errors.
const THROTTLED: [(&str, &str); 8] = [
    ("cloudwatch", "Throttling"),
    ("dynamodb", "ThrottlingException"),
    ("iam", "Throttling"),
    ("kinesis", "LimitExceededException"),
    ("lambda", "TooManyRequestsException"),
    ("logs", "ThrottlingException"),
    ("s3", "SlowDown"),
    ("sts", "Throttling"),
];

/// Of all calls, how many meet each kind of failure. Together they are a fifth.
const EACH: f64 = 0.05;

/// What of all calls fails when a fifth is meant: of four hundred, one in a million runs is outside.
const A_FIFTH: Range<f64> = 0.1..0.3;

/// How often a command may give up honestly and be started again: the SDK tries four times, and of
/// a hundred calls one fails as often in every seventh run.
const RUNS: usize = 5;

/// The same in two accounts, one of which is behind a proxy that throttles calls, fails them,
/// and cuts connections before and after the cloud did what it was asked. The exit codes are
/// 0, five times the undisturbed number of calls is enough, and what is there is equal.
fn deployment_survives_a_fifth_of_calls_failing(cloud: &Cloud) {
    let hollow = Hollow::of(cloud).expect("a temporary folder can be made");
    let (calm, faulty) = (cloud.place(), cloud.place());
    let microburst = Tool::microburst(cloud, &rules(), faulty.folder()).expect("microburst can be installed");
    for verb in ["up", "drift", "down"] {
        let undisturbed = undisturbed(&calm, &hollow, verb);
        let before = requests(&microburst);
        through(&microburst, &faulty, &hollow, verb);
        let needed = requests(&microburst) - before;
        assert!(needed <= 5 * undisturbed, "{verb} made {needed} calls where {undisturbed} would do");
        assert_eq!(differences(&calm.likeness(), &faulty.likeness()), [""; 0], "after {verb}");
    }
    assert_eq!(faulty.likeness(), Inventory::new());
    failed(&microburst);
}

/// Returns the calls that fail: each way once for certain, and then by chance. A rule is asked only
/// when those before it let a call pass, so each takes more of what is left than the one before.
fn rules() -> Value {
    // Each of another service, so that no call meets all of them and its command gives up.
    let once = [
        json!({ "service": "cloudwatch", "times": 1, "error": { "code": "Throttling" } }),
        json!({ "service": "s3", "times": 1, "error": { "code": "SlowDown" } }),
        json!({ "service": "lambda", "times": 1, "error": { "code": "ServiceUnavailable", "status": 503 } }),
        json!({ "service": "dynamodb", "times": 1, "reset": true }),
        json!({ "service": "kinesis", "times": 1, "response": { "abort_bytes": 0 } }),
    ];
    let of_the_rest = |earlier: f64| EACH / (1.0 - earlier * EACH);
    let throttled = THROTTLED.map(|(service, code)| {
        json!({ "service": service, "probability": of_the_rest(0.0), "error": { "code": code } })
    });
    let others = [
        json!({ "service": "*", "probability": of_the_rest(1.0), "error": { "code": "ServiceUnavailable", "status": 503 } }),
        json!({ "service": "*", "probability": of_the_rest(2.0), "reset": true }),
        // Done, and nobody is told so.
        json!({ "service": "*", "probability": of_the_rest(3.0), "response": { "abort_bytes": 0 } }),
    ];
    once.into_iter().chain(throttled).chain(others).collect()
}

/// Returns how many calls a verb makes when nothing fails.
fn undisturbed(place: &Place<'_>, hollow: &Hollow, verb: &str) -> u64 {
    let (run, calls) = place.recorded_of(hollow.command(place, &[verb, "local"]));
    assert_eq!(run.code, Some(0), "{verb}: {run:#?}");
    calls.len().try_into().expect("there are not so many")
}

/// Runs a verb behind the proxy until it succeeds. What it must not do is to give up with
/// anything but an error, or what could not be read.
fn through(microburst: &Tool, place: &Place<'_>, hollow: &Hollow, verb: &str) {
    for _ in 0..RUNS {
        let mut command = hollow.command(place, &[verb, "local"]);
        command.env("AWS_ENDPOINT_URL", microburst.endpoint());
        let run = Run::of(&mut command);
        match run.code {
            Some(0) => return,
            Some(1) => assert!(run.stderr.contains("error"), "{verb} does not say why: {run:#?}"),
            // `drift` tells it beside the resource, and what the others are like.
            Some(4) if verb == "drift" => {
                assert!(run.stdout.contains("unknown\n"), "{verb} does not say why: {run:#?}");
            }
            Some(4) => assert!(run.stderr.contains("error"), "{verb} does not say why: {run:#?}"),
            _ => panic!("{verb}: {run:#?}"),
        }
    }
    panic!("{verb} did not succeed in {RUNS} runs");
}

/// Returns how many calls came to the proxy.
fn requests(microburst: &Tool) -> u64 {
    stats(microburst)["requests"]["total"].as_u64().expect("it counts requests")
}

/// Insists that calls failed as often as they should, and in every way.
fn failed(microburst: &Tool) {
    let stats = stats(microburst);
    let count = |which: &str| stats["requests"][which].as_f64().expect("it counts requests");
    let share = count("faulted") / count("total");
    assert!(A_FIFTH.contains(&share), "{share} of all calls failed: {stats:#}");
    let fired = stats["by_rule"].as_array().expect("each rule is counted").iter();
    let fired: Vec<&str> = fired.filter_map(|rule| rule["describe"].as_str()).collect();
    for way in ["error:Throttling", "error:SlowDown", "error:ServiceUnavailable", "reset", "abort"] {
        assert!(fired.iter().any(|fired| fired.contains(way)), "nothing was {way}: {fired:?}");
    }
}

fn stats(microburst: &Tool) -> Value {
    microburst.ask("/_microburst/stats").expect("it is there for as long as the test")
}
