//! A separate local cloud in which everything that AWS may do happens often: the functions reach it through
//! `microburst`, and their processes can be killed. The deployer is not affected.

use std::error::Error;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::cloud::{Aside, Cloud, free_port};
use crate::place::Place;
use crate::tool::Tool;

/// The errors of AWS for functions that call too often, by operation: "Actions" of each service's API
/// reference, "Error responses" of Amazon S3.
const THROTTLED: [(&str, &str, &str, f64); 4] = [
    ("kinesis", "PutRecords", "ProvisionedThroughputExceededException", 0.3),
    ("s3", "PutObject", "SlowDown", 0.4),
    ("dynamodb", "PutItem", "ProvisionedThroughputExceededException", 0.1),
    ("dynamodb", "Query", "ThrottlingException", 0.1),
];

/// The only account with functions.
const ACCOUNT: &str = "100000000000";

/// The share of each other kind of failure, among the calls that were not throttled.
const EACH: f64 = 0.05;

/// The failures of the functions' calls to AWS.
#[derive(Debug, Clone)]
pub struct Weather {
    /// Rules of `microburst`.
    pub rules: Value,
    /// The share of PutRecords calls of which only a part succeeds, from 0 to 1.
    pub partly: f64,
}

/// The cloud and the proxy in front of it, until the value is dropped.
#[derive(Debug)]
pub struct Faulty {
    cloud: Aside,
    microburst: Tool,
    _folder: TempDir,
}

impl Weather {
    /// Returns a storm: a third of all publishing calls is throttled, in another third a part fails, and each
    /// call may fail, lose its connection, or take effect without an answer.
    pub fn storm() -> Self {
        let throttled = THROTTLED.map(|(service, operation, code, probability)| {
            let error = json!({ "code": code });
            json!({ "service": service, "operation": operation, "probability": probability, "error": error })
        });
        let others = [
            json!({ "service": "*", "probability": EACH, "error": { "code": "ServiceUnavailable", "status": 503 } }),
            json!({ "service": "*", "probability": EACH, "reset": true }),
            json!({ "service": "*", "probability": EACH, "response": { "abort_bytes": 0 } }),
        ];
        Self { rules: throttled.into_iter().chain(others).collect(), partly: 0.3 }
    }
}

impl Faulty {
    /// Starts such a cloud next to another one.
    ///
    /// # Errors
    /// Fails if the cloud or its proxy cannot be started.
    pub fn beside(cloud: &Cloud, weather: &Weather) -> Result<Self, Box<dyn Error>> {
        let folder = TempDir::new()?;
        let port = free_port()?;
        let cloud = cloud.another(Some(format!("http://127.0.0.1:{port}")))?;
        let faults = (&weather.rules, weather.partly);
        let microburst = Tool::beside_functions(port, ACCOUNT, &cloud, faults, folder.path())?;
        Ok(Self { cloud, microburst, _folder: folder })
    }

    /// Returns the account whose functions meet the failures.
    pub fn place(&self) -> Place<'_> {
        Place::new(&self.cloud, ACCOUNT.to_owned())
    }

    /// Returns the cloud, which causes failures only for its functions.
    pub fn cloud(&self) -> &Cloud {
        &self.cloud
    }

    /// Returns the endpoint that the functions use.
    pub fn endpoint(&self) -> String {
        self.microburst.endpoint()
    }

    /// Returns how many calls failed in each way: `kinesis PutRecords error:…`.
    ///
    /// # Panics
    /// Panics if `microburst` does not answer.
    pub fn faults(&self) -> Vec<(String, u64)> {
        let metrics = self
            .microburst
            .text("/_microburst/metrics")
            .expect("microburst runs as long as this value exists");
        let faults = metrics.lines().filter_map(|line| line.strip_prefix("microburst_faults_total{"));
        let faults = faults.filter_map(|line| {
            let (labels, count) = line.rsplit_once("} ")?;
            let values = labels.split('"').skip(1).step_by(2).collect::<Vec<_>>().join(" ");
            Some((values, count.parse().ok()?))
        });
        faults.collect()
    }
}
