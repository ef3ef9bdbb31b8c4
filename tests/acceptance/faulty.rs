//! A fifth of all calls fails as AWS's calls do: `up`, `drift` and `down` succeed, without too many attempts.

use std::ops::Range;

use acceptance::{Cloud, Hollow, Inventory, Place, Run, Tool, differences};
use serde_json::{Value, json};

use crate::Test;

pub(crate) const TESTS: &[Test] =
    &[("deployment_survives_a_fifth_of_calls_failing", deployment_survives_a_fifth_of_calls_failing)];

/// The errors of AWS, by service, for callers that call too often: the list of the SDK ("Retry behavior", AWS
/// SDKs and Tools reference guide) and each service's own errors.
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

/// The share of each kind of failure among all calls. Together they are a fifth.
const EACH: f64 = 0.05;

/// The accepted share of failures: with 400 calls and a fifth expected, one run in a million is outside.
const A_FIFTH: Range<f64> = 0.1..0.3;

/// The maximum number of runs of a command until it succeeds. The SDK tries each call four times; with a fifth
/// of all tries failing, one of a hundred calls fails four times in every seventh run.
const RUNS: usize = 5;

/// Deploys into two accounts, one of them behind a proxy that throttles calls, fails them, and cuts
/// connections before and after the cloud executed them. The exit codes are 0, the calls are at most five
/// times as many as without failures, and the resources are equal.
fn deployment_survives_a_fifth_of_calls_failing(cloud: &Cloud) {
    let hollow = Hollow::of(cloud).expect("a temporary folder can be created");
    let (calm, faulty) = (cloud.place(), cloud.place());
    let microburst = Tool::microburst(cloud, &rules(), faulty.folder()).expect("microburst can be installed");
    for verb in ["up", "drift", "down"] {
        let undisturbed = undisturbed(&calm, &hollow, verb);
        let before = requests(&microburst);
        through(&microburst, &faulty, &hollow, verb);
        let needed = requests(&microburst) - before;
        assert!(needed <= 5 * undisturbed, "{verb} made {needed} calls, {undisturbed} without failures");
        assert_eq!(differences(&calm.likeness(), &faulty.likeness()), [""; 0], "after {verb}");
    }
    assert_eq!(faulty.likeness(), Inventory::new());
    failed(&microburst);
}

/// Returns the rules for failing calls: each kind of failure once for certain, and then by chance. A rule
/// applies only if the previous ones let a call pass, so each takes a larger share of the remaining calls.
fn rules() -> Value {
    // Each is for another service, so that no call meets all of them and makes its command give up.
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
        // Executed, but not answered.
        json!({ "service": "*", "probability": of_the_rest(3.0), "response": { "abort_bytes": 0 } }),
    ];
    once.into_iter().chain(throttled).chain(others).collect()
}

/// Returns how many calls a verb makes when nothing fails.
fn undisturbed(place: &Place<'_>, hollow: &Hollow, verb: &str) -> u64 {
    let (run, calls) = place.recorded_of(hollow.command(place, &[verb, "local"]));
    assert_eq!(run.code, Some(0), "{verb}: {run:#?}");
    calls.len().try_into().expect("the number fits into 64 bits")
}

/// Runs a verb behind the proxy until it succeeds. It may only fail with an error, or report resources that
/// could not be read.
fn through(microburst: &Tool, place: &Place<'_>, hollow: &Hollow, verb: &str) {
    for _ in 0..RUNS {
        let mut command = hollow.command(place, &[verb, "local"]);
        command.env("AWS_ENDPOINT_URL", microburst.endpoint());
        let run = Run::of(&mut command);
        match run.code {
            Some(0) => return,
            Some(1) => assert!(run.stderr.contains("error"), "{verb} does not report a reason: {run:#?}"),
            // `drift` reports the error next to the resource, and compares the others.
            Some(4) if verb == "drift" => {
                assert!(run.stdout.contains("unknown\n"), "{verb} does not report a reason: {run:#?}");
            }
            Some(4) => assert!(run.stderr.contains("error"), "{verb} does not report a reason: {run:#?}"),
            _ => panic!("{verb}: {run:#?}"),
        }
    }
    panic!("{verb} did not succeed in {RUNS} runs");
}

/// Returns how many calls reached the proxy.
fn requests(microburst: &Tool) -> u64 {
    stats(microburst)["requests"]["total"].as_u64().expect("microburst counts requests")
}

/// Checks that calls failed as often as they should, and in every way.
fn failed(microburst: &Tool) {
    let stats = stats(microburst);
    let count = |which: &str| stats["requests"][which].as_f64().expect("microburst counts requests");
    let share = count("faulted") / count("total");
    assert!(A_FIFTH.contains(&share), "{share} of all calls failed: {stats:#}");
    let fired = stats["by_rule"].as_array().expect("each rule is counted").iter();
    let fired: Vec<&str> = fired.filter_map(|rule| rule["describe"].as_str()).collect();
    for way in ["error:Throttling", "error:SlowDown", "error:ServiceUnavailable", "reset", "abort"] {
        assert!(fired.iter().any(|fired| fired.contains(way)), "no call was {way}: {fired:?}");
    }
}

fn stats(microburst: &Tool) -> Value {
    microburst.ask("/_microburst/stats").expect("microburst runs as long as the test")
}
