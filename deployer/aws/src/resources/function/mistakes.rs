//! What Lambda would refuse of a function, or accept and starve.

use engine::resource::States;
#[cfg(feature = "sources")]
use engine::resource::{Resource, ResourceId};

use super::Function;
use crate::resources::lint;
#[cfg(feature = "sources")]
use crate::resources::{mapping_name, stream::Stream};

/// All names and values together, in bytes ("Lambda quotas").
const LARGEST_ENVIRONMENT: usize = 4096;

impl Function {
    /// Returns what Lambda would refuse ("CreateFunction", Lambda API reference; "Lambda
    /// quotas").
    pub(super) fn refused(&self) -> Vec<String> {
        let mut mistakes: Vec<String> = lint::name(&self.name, 1..=64, "-_").collect();
        let numbers = [
            lint::range("the memory, in MB,", self.memory_mb.into(), 128..=10_240),
            lint::range("the time of an invocation, in seconds,", self.timeout_s.into(), 1..=900),
            lint::range("the temporary storage, in MB,", self.ephemeral_storage_mb.into(), 512..=10_240),
            lint::key_arn(self.kms_key.as_deref()),
        ];
        mistakes.extend(numbers.into_iter().flatten());
        let sizes = self.environment.iter().map(|(name, value)| name.len() + value.expose().len());
        let size: usize = sizes.sum();
        if size > LARGEST_ENVIRONMENT {
            mistakes.push(format!(
                "the environment variables have {size} bytes together, and a function's have {LARGEST_ENVIRONMENT} \
                 at most"
            ));
        }
        if self.description.chars().count() > 256 {
            mistakes.push("a description has 256 characters at most".into());
        }
        if self.layers.len() > 5 {
            mistakes.push("a function has five layers at most".into());
        }
        if self.reserved_concurrency.is_some_and(|executions| executions < 0) {
            mistakes.push("reserved concurrency is no less than 0, which pauses the function".into());
        }
        mistakes
    }

    /// Returns the streams that it reads more shards of at a time than it may run. One that
    /// is paused, with none at all, is so on purpose.
    #[cfg(feature = "sources")]
    pub(super) fn starved(&self, stack: &States) -> Vec<String> {
        let Some(executions) = self.reserved_concurrency.filter(|executions| *executions > 0) else {
            return Vec::new();
        };
        let reading = format!("{}/kinesis/", self.name);
        let mappings = stack.iter().filter(|(id, _)| id.kind() == mapping_name::KIND);
        let sources = mappings.filter_map(|(id, mapping)| Some((id.name().strip_prefix(&reading)?, mapping)));
        let starved = sources.filter_map(|(stream, mapping)| {
            let stream = ResourceId::new(Stream::KIND, stream);
            let shards = stack.get(&stream)?["capacity"]["shards"].as_i64()?;
            let at_a_time = shards * mapping["settings"]["parallelization_factor"].as_i64()?;
            (at_a_time > i64::from(executions)).then(|| {
                format!(
                    "{executions} executions are kept for it, and it reads {at_a_time} batches of {stream} at a time: \
                     it falls behind"
                )
            })
        });
        starved.collect()
    }

    /// Returns nothing: without the kinds of sources, it reads none.
    #[cfg(not(feature = "sources"))]
    pub(super) fn starved(&self, _stack: &States) -> Vec<String> {
        Vec::new()
    }
}
