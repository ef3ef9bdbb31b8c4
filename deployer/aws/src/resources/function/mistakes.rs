//! Function settings that Lambda rejects.

use std::collections::BTreeSet;

use super::role_permissions::is_of;
use super::{Function, Vpc};
use crate::arn_part;
use crate::resources::lint;

/// The most bytes of all names and values together ("Lambda quotas").
const LARGEST_ENVIRONMENT: usize = 4096;

impl Function {
    /// Returns the settings that Lambda rejects ("CreateFunction", Lambda API reference; "Lambda quotas").
    pub(super) fn refused(&self) -> Vec<String> {
        let mut mistakes: Vec<String> = lint::name(&self.name, 1..=64, "-_").collect();
        let values = [
            lint::range("the memory in MB", self.memory_mb.into(), 128..=10_240),
            lint::range("the timeout in seconds", self.timeout_s.into(), 1..=900),
            lint::range("the temporary storage in MB", self.ephemeral_storage_mb.into(), 512..=10_240),
            lint::one_of("tracing", &self.tracing, &["Active", "PassThrough"]),
            lint::key_arn(self.kms_key.as_deref()),
        ];
        mistakes.extend(values.into_iter().flatten());
        mistakes.extend(self.logging.mistakes());
        mistakes.extend(self.vpc.iter().flat_map(Vpc::mistakes));
        mistakes.extend(self.layers.iter().filter_map(|layer| layer_mistake(layer)));
        mistakes.extend(repeated_layer(&self.layers));
        mistakes.extend(self.dead_letter_target.as_deref().and_then(dead_letter_mistake));
        mistakes.extend(self.dead_letter_elsewhere());
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
            mistakes.push("a function can have at most five `layers`".into());
        }
        if self.reserved_concurrency.is_some_and(|executions| executions < 0) {
            mistakes.push("`reserved_concurrency` cannot be below 0, which pauses the function".into());
        }
        mistakes
    }

    /// Lambda sends dead letters within its own Region ("Adding a dead-letter queue", Lambda developer guide).
    fn dead_letter_elsewhere(&self) -> Option<String> {
        let own = arn_part(&self.arn, 3)?;
        let region = self.dead_letter_target.as_deref().and_then(|target| arn_part(target, 3))?;
        (!region.is_empty() && region != own).then(|| {
            format!("the `dead_letter_target` is in {region}, but dead letters stay in the function's Region, {own}")
        })
    }
}

/// Lambda rejects two versions of one layer ("UpdateFunctionConfiguration", Lambda API reference).
fn repeated_layer(layers: &[String]) -> Option<String> {
    let without_version = |layer: &str| layer.rsplit_once(':').map_or(layer, |(layer, _)| layer).to_owned();
    let mut seen = BTreeSet::new();
    let repeated =
        layers.iter().map(|layer| without_version(layer)).find(|layer| !seen.insert(layer.clone()))?;
    Some(format!("`layers` has {repeated} more than once: a function can have one version of a layer"))
}

/// Lambda returns the ARN of a layer's version, so any other form would be a difference on every read.
fn layer_mistake(layer: &str) -> Option<String> {
    let version = layer.split(':').nth(7).is_some_and(|version| version.parse::<u64>().is_ok());
    (!is_of(layer, "lambda") || !version)
        .then(|| format!("`{layer}` is not the ARN of a layer's version, which ends in a number"))
}

/// "Adding a dead-letter queue" (Lambda developer guide): a standard queue or a standard topic.
fn dead_letter_mistake(target: &str) -> Option<String> {
    let known = is_of(target, "sqs") || is_of(target, "sns");
    (!known || target.ends_with(".fifo")).then(|| {
        format!("dead letters go to a standard queue or topic, but `{target}` is not the ARN of one")
    })
}
