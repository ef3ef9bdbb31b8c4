//! What could not be understood: kept as an object with the reason, so that it holds up
//! nobody and is lost to nobody.

use std::error::Error;

use domain::contract::{FAILED_PREFIX, Function};
use serde::Serialize;
use serde_json::json;
use storage::{bucket::Bucket, fault::chain};

/// Keeps what a function could not understand.
#[derive(Debug, Clone)]
pub struct Failed<B> {
    bucket: B,
    function: Function,
}

impl<B: Bucket> Failed<B> {
    /// Returns the place for what this function could not understand.
    pub fn new(bucket: B, function: Function) -> Self {
        Self { bucket, function }
    }

    /// Keeps a record as it came, under `failed/<function>/<id>.json`.
    ///
    /// The object depends on nothing but the record, so a batch that is delivered again
    /// writes the same one again. When keeping fails, the batch has to fail: a record must
    /// not vanish because two things went wrong at once.
    pub async fn keep(
        &self,
        id: &str,
        reason: &(dyn Error + Send + Sync),
        record: &(impl Serialize + Sync),
    ) -> Result<(), B::Error> {
        let key = format!("{FAILED_PREFIX}{}/{}.json", self.function.name, tame(id));
        let reason = chain(reason);
        tracing::error!(record = id, reason, key, "a record cannot be understood and is kept aside");
        let kept = json!({ "reason": reason, "function": self.function.name, "record": record });
        let body = serde_json::to_vec_pretty(&kept).expect("a JSON value can be written");
        self.bucket.put(&key, "application/json", body).await
    }

    /// Returns the bucket.
    pub fn bucket(&self) -> &B {
        &self.bucket
    }
}

/// Returns an id with nothing but what is safe in the key of an object.
fn tame(id: &str) -> String {
    let safe = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    id.chars().map(|c| if safe(c) { c } else { '-' }).collect()
}
