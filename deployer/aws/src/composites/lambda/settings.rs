//! The settings of a Lambda that environments choose: for all Lambdas of a stack, and for single ones.

use std::collections::{BTreeMap, BTreeSet};

use crate::resources::function::Function;

/// How many days log lines are kept if no setting says so. CloudWatch Logs itself would keep them for ever.
const LOG_RETENTION_DAYS: i32 = 14;

/// What all Lambdas of a stack have in common.
#[derive(Debug, Clone, Default)]
pub struct LambdaDefaults {
    /// `arm64` or `x86_64`.
    pub architecture: String,
    /// ARN of the KMS key of the log groups; `None` means CloudWatch's own key.
    pub log_key: Option<String>,
    /// ARN of the KMS key of the environment variables; `None` means Lambda's own key.
    pub variables_key: Option<String>,
    /// ARN of the roles' permissions boundary.
    pub permissions_boundary: Option<String>,
    /// The settings of all Lambdas, unless a Lambda overrides them.
    pub settings: LambdaSettings,
    /// The settings of single Lambdas instead of those, by the name of the binary.
    pub overrides: BTreeMap<String, LambdaSettings>,
}

/// Settings of a Lambda. Those that are `None` are Lambda's defaults, or those of all Lambdas.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LambdaSettings {
    /// Memory in MB; CPU power grows with it.
    pub memory_mb: Option<i32>,
    /// The timeout of an invocation, in seconds.
    pub timeout_s: Option<i32>,
    /// The retention of log lines, in days.
    pub log_retention_days: Option<i32>,
    /// See [`Function::tracing`].
    pub tracing: Option<String>,
    /// See [`Function::log_format`].
    pub log_format: Option<String>,
    /// The lowest level of the function's own log lines; see [`Function::log_levels`].
    pub application_log_level: Option<String>,
    /// The lowest level of Lambda's log lines; see [`Function::log_levels`].
    pub system_log_level: Option<String>,
    /// See [`Function::ephemeral_storage_mb`].
    pub ephemeral_storage_mb: Option<i32>,
    /// See [`Function::layers`].
    pub layers: Option<Vec<String>>,
    /// See [`Function::subnets`].
    pub subnets: Option<BTreeSet<String>>,
    /// See [`Function::security_groups`].
    pub security_groups: Option<BTreeSet<String>>,
    /// See [`Function::reserved_concurrency`].
    pub reserved_concurrency: Option<i32>,
    /// See [`Function::dead_letter_target`].
    pub dead_letter_target: Option<String>,
    /// Whether it has a [URL](crate::resources::function_url::FunctionUrl).
    pub url: Option<bool>,
}

impl LambdaDefaults {
    /// Returns the settings of one Lambda alone.
    pub(super) fn own(&self, binary: &str) -> LambdaSettings {
        self.overrides.get(binary).cloned().unwrap_or_default()
    }
}

impl LambdaSettings {
    /// Returns these settings, and the others where these are unset.
    #[must_use]
    pub fn or(self, others: &Self) -> Self {
        // Levels belong to the format that they were chosen with: text has none.
        let levels = if self.log_format.is_none() { others.clone() } else { Self::default() };
        let others = others.clone();
        Self {
            memory_mb: self.memory_mb.or(others.memory_mb),
            timeout_s: self.timeout_s.or(others.timeout_s),
            log_retention_days: self.log_retention_days.or(others.log_retention_days),
            tracing: self.tracing.or(others.tracing),
            log_format: self.log_format.or(others.log_format),
            application_log_level: self.application_log_level.or(levels.application_log_level),
            system_log_level: self.system_log_level.or(levels.system_log_level),
            ephemeral_storage_mb: self.ephemeral_storage_mb.or(others.ephemeral_storage_mb),
            layers: self.layers.or(others.layers),
            subnets: self.subnets.or(others.subnets),
            security_groups: self.security_groups.or(others.security_groups),
            reserved_concurrency: self.reserved_concurrency.or(others.reserved_concurrency),
            dead_letter_target: self.dead_letter_target.or(others.dead_letter_target),
            url: self.url.or(others.url),
        }
    }

    /// Returns the retention of the log lines, in days.
    pub(super) fn retention_days(&self) -> i32 {
        self.log_retention_days.unwrap_or(LOG_RETENTION_DAYS)
    }

    /// Returns the function with those of its settings that are set here.
    pub(super) fn applied_to(self, function: Function) -> Function {
        /// Returns the function with a setting, if it is set.
        fn with<T>(function: Function, set: Option<T>, put: impl Fn(Function, T) -> Function) -> Function {
            match set {
                Some(value) => put(function, value),
                None => function,
            }
        }
        let function = with(function, self.memory_mb, Function::memory_mb);
        let function = with(function, self.timeout_s, Function::timeout_s);
        let function = with(function, self.tracing, Function::tracing);
        let function = with(function, self.log_format, Function::log_format);
        let function = function.log_levels(self.application_log_level, self.system_log_level);
        let function = with(function, self.ephemeral_storage_mb, Function::ephemeral_storage_mb);
        let function = with(function, self.layers, Function::layers);
        let function = with(function, self.subnets, Function::subnets);
        let function = with(function, self.security_groups, Function::security_groups);
        let function = with(function, self.dead_letter_target, Function::dead_letter_target);
        with(function, self.reserved_concurrency.map(Some), Function::reserved_concurrency)
    }
}

#[cfg(test)]
mod tests {
    use engine::resource::Resource;
    use engine::stack::Stack;

    use super::*;
    use crate::composites::{Composites, Lambda};
    use crate::resources::kinds;
    use crate::resources::role::Role;
    use crate::testing::scope;

    fn text(text: &str) -> Option<String> {
        Some(text.to_owned())
    }

    fn json(level: &str) -> LambdaSettings {
        let (log_format, application_log_level) = (text("JSON"), text(level));
        LambdaSettings { log_format, application_log_level, ..LambdaSettings::default() }
    }

    #[test]
    fn settings_of_one_lambda_are_filled_in_from_all() {
        let all = LambdaSettings { memory_mb: Some(256), timeout_s: Some(30), ..json("DEBUG") };
        let own = LambdaSettings { memory_mb: Some(512), ..LambdaSettings::default() };
        assert_eq!(own.or(&all), LambdaSettings { memory_mb: Some(512), ..all });
    }

    #[test]
    fn log_format_of_one_lambda_inherits_no_levels() {
        let own = LambdaSettings { log_format: text("Text"), ..LambdaSettings::default() };
        assert_eq!(own.clone().or(&json("DEBUG")), own);
        let own = LambdaSettings { application_log_level: text("WARN"), ..LambdaSettings::default() };
        assert_eq!(own.or(&json("DEBUG")), json("WARN"));
    }

    #[test]
    fn url_of_a_lambda_is_added_after_its_function() {
        let own = |url| LambdaSettings { url, ..LambdaSettings::default() };
        let kinds_of = |own: LambdaSettings, with_url: fn(Lambda) -> Lambda| -> Vec<&str> {
            let overrides = BTreeMap::from([("a".to_owned(), own)]);
            let defaults = LambdaDefaults { overrides, ..LambdaDefaults::default() };
            let mut stack = Stack::new(scope(), kinds());
            stack.lambda(with_url(Lambda::new(&scope(), "a", &defaults)));
            stack.described().into_iter().map(|one| one.id().kind()).collect()
        };
        let without = [Role::KIND, "logs.log-group", "lambda.function"];
        let with = [&without[..], &["lambda.url"]].concat();
        assert_eq!(kinds_of(own(None), |lambda| lambda), without);
        assert_eq!(kinds_of(own(Some(true)), |lambda| lambda), with);
        assert_eq!(kinds_of(own(None), Lambda::with_url), with);
        assert_eq!(kinds_of(own(Some(false)), Lambda::with_url), without);
    }

    #[test]
    fn environment_overrides_settings_of_the_code() {
        let set = |executions| LambdaSettings {
            reserved_concurrency: Some(executions),
            ..LambdaSettings::default()
        };
        let all = LambdaSettings { tracing: text("PassThrough"), ..LambdaSettings::default() };
        let defaults = |own| LambdaDefaults {
            settings: all.clone(),
            overrides: BTreeMap::from([("a".to_owned(), own)]),
            ..LambdaDefaults::default()
        };
        let code = LambdaSettings { tracing: text("Active"), log_retention_days: Some(3), ..set(5) };
        let built = |own| {
            let mut stack = Stack::new(scope(), kinds());
            stack.lambda(Lambda::new(&scope(), "a", &defaults(own)).settings(&code));
            let state = |kind: &str| {
                let mut of_kind = stack.described().into_iter().filter(|one| one.id().kind() == kind);
                of_kind.next().expect("a Lambda has one resource of each kind").state()
            };
            let function = state("lambda.function");
            let days = state("logs.log-group")["retention_days"].clone();
            let role = state(Role::KIND);
            let traces = role["inline_policies"]["grants"]["statements"]["SendTraces"].is_object();
            (function["reserved_concurrency"].clone(), function["tracing"].clone(), days, traces)
        };
        let values = |executions: i32, tracing: &str| {
            (executions.into(), tracing.into(), 3.into(), tracing == "Active")
        };
        assert_eq!(built(LambdaSettings::default()), values(5, "Active"));
        assert_eq!(built(set(7)), values(7, "Active"));
        assert_eq!(built(all.clone()), values(5, "PassThrough"));
    }
}
