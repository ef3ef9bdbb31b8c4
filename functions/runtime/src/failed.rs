//! Quarantine: stores records and events that cannot be understood or handled, with the reason, so that later
//! ones continue and none is lost. The log line counts them in a metric, which has an alarm.

use std::error::Error;

use eventsourcing::{
    Envelope,
    contract::{FAILED_PREFIX, metric},
};
use serde::Serialize;
use serde_json::{Value, json};
use storage::{bucket::Bucket, fault::chain, patience::Patience};

/// The longest reason, in characters, in a log line or an answer; the object has all of it. CloudWatch Logs
/// truncates or drops a line that is too long ("CloudWatch Logs quotas"), so it would raise no alarm. An
/// answer that is too long makes each attempt of its invocation fail ("Lambda quotas").
const TOLD: usize = 1_000;

/// The content of a quarantine object, in alphabetical order of the names.
///
/// The event is not a `serde_json::Value`, because that rounds numbers and rejects some, such as `1e400`,
/// which may be the reason why the event is quarantined.
#[derive(Serialize)]
struct Object<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    event: Option<&'a Envelope>,
    function: &'a str,
    reason: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    record: Option<Value>,
}

/// Quarantines records and events that a function cannot understand or handle.
#[derive(Debug, Clone)]
pub struct Failed<B> {
    bucket: B,
    function: &'static str,
}

impl<B: Bucket> Failed<B> {
    /// Returns the quarantine of the function of this name.
    pub fn new(bucket: B, function: &'static str) -> Self {
        Self { bucket, function }
    }

    /// Quarantines a record unchanged, under `failed/<function>/<id>.json`.
    ///
    /// The object depends only on the record, so a batch that is delivered again writes the same object
    /// again. If storing fails for longer than `patience` allows, the batch must fail: a record must not be
    /// lost because two failures coincide. Failing earlier would use up the mapping's retries while the
    /// bucket is unreachable.
    pub async fn keep(
        &self,
        id: &str,
        reason: &(dyn Error + Send + Sync),
        record: &(impl Serialize + Sync),
        patience: &Patience,
    ) -> Result<(), B::Error> {
        self.put(id, reason, None, Some(json!(record)), patience.clone()).await
    }

    /// Quarantines an event that cannot be handled, under `failed/<function>/<aggregate type>-<aggregate
    /// id>-<version>.json`, with the record that contained it, if there was one.
    ///
    /// However often an event is delivered, and in whichever record, it is one object.
    pub async fn keep_event(
        &self,
        event: &Envelope,
        reason: &(dyn Error + Send + Sync),
        record: Option<&(impl Serialize + Sync)>,
        patience: &Patience,
    ) -> Result<(), B::Error> {
        let id = format!("{}-{}-{}", event.aggregate_type, event.aggregate_id, event.version);
        self.put(&id, reason, Some(event), record.map(|record| json!(record)), patience.clone()).await
    }

    async fn put(
        &self,
        id: &str,
        reason: &(dyn Error + Send + Sync),
        event: Option<&Envelope>,
        record: Option<Value>,
        mut patience: Patience,
    ) -> Result<(), B::Error> {
        let key = format!("{FAILED_PREFIX}{}/{}.json", self.function, tame(id));
        let reason = chain(reason);
        let object = Object { event, function: self.function, reason: &reason, record };
        let body = serde_json::to_vec_pretty(&object).expect("an envelope can always be serialized as JSON");
        while let Err(error) = self.bucket.put(&key, "application/json", body.clone()).await {
            tracing::warn!(key, reason = chain(&error), "cannot store a quarantine object; trying again");
            if !patience.wait().await {
                return Err(error);
            }
        }
        let reason = in_short(reason);
        // `log` makes a metric of this line.
        tracing::error!({ metric::QUARANTINED } = 1, record = id, reason, key, "quarantined");
        Ok(())
    }

    /// Returns the name of the function whose quarantine this is.
    pub fn function(&self) -> &'static str {
        self.function
    }

    /// Returns the bucket of the archive.
    pub fn bucket(&self) -> &B {
        &self.bucket
    }
}

/// Returns the reason, shortened for a log line or an answer.
pub(crate) fn in_short(mut reason: String) -> String {
    if let Some((end, _)) = reason.char_indices().nth(TOLD) {
        reason.truncate(end);
        reason.push('…');
    }
    reason
}

/// Returns the id with every character replaced that is not safe in an object key.
fn tame(id: &str) -> String {
    let safe = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    id.chars().map(|c| if safe(c) { c } else { '-' }).collect()
}
