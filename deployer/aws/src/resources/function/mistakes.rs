//! Function settings that Lambda rejects.

use super::Function;
use crate::resources::lint;

/// The most bytes of all names and values together ("Lambda quotas").
const LARGEST_ENVIRONMENT: usize = 4096;

impl Function {
    /// Returns the settings that Lambda rejects ("CreateFunction", Lambda API reference; "Lambda quotas").
    pub(super) fn refused(&self) -> Vec<String> {
        let mut mistakes: Vec<String> = lint::name(&self.name, 1..=64, "-_").collect();
        let numbers = [
            lint::range("the memory in MB", self.memory_mb.into(), 128..=10_240),
            lint::range("the timeout in seconds", self.timeout_s.into(), 1..=900),
            lint::range("the temporary storage in MB", self.ephemeral_storage_mb.into(), 512..=10_240),
            lint::key_arn(self.kms_key.as_deref()),
        ];
        mistakes.extend(numbers.into_iter().flatten());
        let sizes = self.environment.iter().map(|(name, value)| name.len() + value.expose().len());
        let size: usize = sizes.sum();
        if size > LARGEST_ENVIRONMENT {
            mistakes.push(format!(
                "the environment variables have {size} bytes in total; the maximum is {LARGEST_ENVIRONMENT}"
            ));
        }
        if self.description.chars().count() > 256 {
            mistakes.push("the description can have at most 256 characters".into());
        }
        if self.layers.len() > 5 {
            mistakes.push("a function can have at most five layers".into());
        }
        if self.reserved_concurrency.is_some_and(|executions| executions < 0) {
            mistakes.push("reserved concurrency cannot be below 0, which pauses the function".into());
        }
        mistakes
    }
}
