//! What could not be understood or handled: kept as an object with the reason, so that it
//! holds up nobody and is lost to nobody. Its log line counts it in a metric, which rings.

use std::error::Error;

use eventsourcing::{
    Envelope,
    contract::{FAILED_PREFIX, Function, metric},
};
use serde::Serialize;
use serde_json::{Value, json};
use storage::{bucket::Bucket, fault::chain, patience::Patience};

/// How much of a reason is told outside of the object that has all of it. A line that is too
/// long is cut or left out by whoever collects it ("CloudWatch Logs quotas"), and would ring
/// nothing; an answer that is too long fails its invocation each time ("Lambda quotas").
const TOLD: usize = 1_000;

/// What an object holds, in the order of the names.
///
/// The event is no `serde_json::Value`: that rounds numbers and refuses some, such as `1e400`,
/// which may be why the event is here.
#[derive(Serialize)]
struct Object<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    event: Option<&'a Envelope>,
    function: &'a str,
    reason: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    record: Option<Value>,
}

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
    /// writes the same one again. When keeping fails for longer than there is patience, the
    /// batch has to fail: a record must not vanish because two things went wrong at once. To
    /// fail sooner would use up a mapping's attempts, however long the bucket is out of reach.
    pub async fn keep(
        &self,
        id: &str,
        reason: &(dyn Error + Send + Sync),
        record: &(impl Serialize + Sync),
        patience: &Patience,
    ) -> Result<(), B::Error> {
        self.put(id, reason, None, Some(json!(record)), patience.clone()).await
    }

    /// Keeps an event that cannot be handled, under `failed/<function>/<aggregate
    /// type>-<aggregate id>-<version>.json`, with the record that it came in, if it came in one.
    ///
    /// However often an event comes, and in whatever record, it is one object.
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
        let key = format!("{FAILED_PREFIX}{}/{}.json", self.function.name, tame(id));
        let reason = chain(reason);
        let object = Object { event, function: self.function.name, reason: &reason, record };
        let body = serde_json::to_vec_pretty(&object).expect("an envelope holds nothing that JSON cannot");
        while let Err(error) = self.bucket.put(&key, "application/json", body.clone()).await {
            tracing::warn!(key, reason = chain(&error), "what is kept aside could not be put there yet");
            if !patience.wait().await {
                return Err(error);
            }
        }
        let reason = in_short(reason);
        // `log` makes a metric of it.
        tracing::error!({ metric::KEPT_ASIDE } = 1, record = id, reason, key, "kept aside");
        Ok(())
    }

    /// Returns the function.
    pub fn function(&self) -> Function {
        self.function
    }

    /// Returns the bucket.
    pub fn bucket(&self) -> &B {
        &self.bucket
    }
}

/// Returns a reason as it is told in a log or an answer.
pub(crate) fn in_short(mut reason: String) -> String {
    if let Some((end, _)) = reason.char_indices().nth(TOLD) {
        reason.truncate(end);
        reason.push('…');
    }
    reason
}

/// Returns an id with nothing but what is safe in the key of an object.
fn tame(id: &str) -> String {
    let safe = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    id.chars().map(|c| if safe(c) { c } else { '-' }).collect()
}
