//! A Lambda function together with its role, its log group and its event source mappings.

mod settings;

pub use settings::{LambdaDefaults, LambdaSettings};

use std::collections::BTreeMap;
#[cfg(feature = "sources")]
use std::collections::BTreeSet;
use std::fmt::Display;
use std::time::Duration;

use engine::resource::{Resource, ResourceId};
use engine::scope::Scope;
use engine::stack::Stack;

use crate::policy::{Policy, Statement};
#[cfg(feature = "pipeline")]
use crate::resources::bucket::Bucket;
use crate::resources::function::Function;
use crate::resources::function_url::FunctionUrl;
use crate::resources::log_group::LogGroup;
use crate::resources::role::Role;
use crate::resources::{Grant, GrantedOn};
#[cfg(feature = "sources")]
use crate::resources::{
    mapping::{Mapping, MappingSettings},
    stream::Stream,
    table::Table,
};
use crate::{Aws, AwsNames};

/// A function with its role, log group and event source mappings.
#[derive(Debug, Clone)]
pub struct Lambda {
    thing: String,
    function: Function,
    log_group: LogGroup,
    scope: Scope,
    /// The settings that the environment chooses for this Lambda alone.
    own: LambdaSettings,
    has_url: bool,
    /// ARN of the role's permissions boundary.
    boundary: Option<String>,
    grants: Vec<Grant>,
    /// Statements for the calls that Lambda itself makes with the function's role.
    errands: Vec<Statement>,
    #[cfg(feature = "sources")]
    mappings: Vec<Mapping>,
}

/// A table or stream that Lambda polls for a function.
#[cfg(feature = "sources")]
pub trait EventSource {
    /// Returns the statements that the function's role needs for Lambda's polling.
    fn polling(&self) -> Vec<Statement>;
    /// Returns the mapping to a function.
    fn mapping(&self, function: &str, settings: MappingSettings) -> Mapping;
}

impl Lambda {
    /// Returns the Lambda with the binary of this name.
    pub fn new(scope: &Scope, binary: &str, defaults: &LambdaDefaults) -> Self {
        let name = scope.name(binary);
        let own = defaults.own(binary);
        let settings = own.clone().or(&defaults.settings);
        let log_group = LogGroup::of_function(scope, &name, settings.retention_days())
            .encrypted_with(defaults.log_key.clone());
        let role = scope.role_name(binary);
        let needs =
            vec![ResourceId::new(Role::KIND, role), ResourceId::new(LogGroup::KIND, log_group.name())];
        let function = Function::new(scope, binary, scope.role_arn(binary), needs)
            .architecture(&defaults.architecture)
            .encrypted_with(defaults.variables_key.clone());
        Self {
            thing: binary.to_owned(),
            has_url: settings.url == Some(true),
            function: settings.applied_to(function),
            scope: scope.clone(),
            own,
            boundary: defaults.permissions_boundary.clone(),
            grants: Vec::new(),
            errands: vec![log_group.writing()],
            log_group,
            #[cfg(feature = "sources")]
            mappings: Vec::new(),
        }
    }

    /// Returns the Lambda with this description, which AWS consoles show.
    pub fn description(mut self, description: &str) -> Self {
        self.function = self.function.description(description);
        self
    }

    /// Returns the Lambda that reads this value of a variable.
    pub fn setting(mut self, variable: impl Display, value: impl Display) -> Self {
        self.function = self.function.environment([(variable.to_string(), value.to_string())]);
        self
    }

    /// Returns the Lambda with this grant.
    pub fn may(mut self, grant: Grant) -> Self {
        if let Some(mistake) = &grant.mistake {
            self.function = self.function.with_mistake(mistake.clone());
        }
        match &grant.on {
            GrantedOn::Existing(existing) => self.function = self.function.using(existing.clone()),
            GrantedOn::Own(id) if grant.is_deployed_first => {
                self.function = self.function.needing(id.clone());
            }
            GrantedOn::Own(_) => {}
        }
        self.grants.push(grant);
        self
    }

    /// Returns the Lambda with this timeout instead of the default. The timeout is part of the code then, so
    /// that another one in [`LambdaDefaults::overrides`] is a mistake of the stack.
    pub fn timeout(mut self, time: Duration) -> Self {
        if self.own.timeout_s.is_some() {
            self.function = self.function.with_mistake(format!(
                "the code fixes its timeout: remove `timeout_s` of `{}` from the environment file",
                self.thing
            ));
        }
        self.function = self.function.timeout_s(i32::try_from(time.as_secs()).unwrap_or(i32::MAX));
        self
    }

    /// Returns the Lambda with at least this memory, even if the default is lower. Less in
    /// [`LambdaDefaults::overrides`] is a mistake of the stack.
    pub fn memory_at_least_mb(mut self, least: i32) -> Self {
        if self.own.memory_mb.is_some_and(|memory| memory < least) {
            self.function = self.function.with_mistake(format!(
                "the code needs at least {least} MB: raise or remove `memory_mb` of `{}` in the environment file",
                self.thing
            ));
        }
        self.function = self.function.at_least_memory_mb(least);
        self
    }

    /// Returns the Lambda with these settings instead of those of all Lambdas. Settings of the environment for
    /// this Lambda alone take precedence over them.
    pub fn settings(mut self, settings: &LambdaSettings) -> Self {
        let settings = self.own.clone().or(settings);
        if settings.log_retention_days.is_some() {
            self.log_group = self.log_group.retention_days(settings.retention_days());
        }
        self.has_url = settings.url.unwrap_or(self.has_url);
        self.function = settings.applied_to(self.function);
        self
    }

    /// Returns the Lambda with a [URL](FunctionUrl), unless the environment decides otherwise for this Lambda
    /// alone.
    pub fn with_url(self) -> Self {
        self.settings(&LambdaSettings { url: Some(true), ..LambdaSettings::default() })
    }

    /// Grants calling the Lambda by its URL, which is its only use then.
    pub fn call_by_url(&self) -> Grant {
        FunctionUrl::call(&self.function)
    }

    /// Returns the Lambda that calls these others and itself; this variable holds their names.
    pub fn calls<'a>(mut self, variable: impl Display, others: impl IntoIterator<Item = &'a Self>) -> Self {
        let others: Vec<&Function> = others.into_iter().map(|other| &other.function).collect();
        let names: Vec<&str> = others.iter().map(|function| function.binary()).collect();
        self.function = self.function.environment([(variable.to_string(), names.join(","))]).recursive();
        self.grants.extend(others.iter().map(|function| function.invoke()));
        // Not a grant: a function must not depend on itself.
        self.errands.push(self.function.invoke().statement);
        self
    }

    /// Returns the Lambda that is changed only after these others: readers of a new format are deployed
    /// before its writer.
    pub fn after<'a>(mut self, others: impl IntoIterator<Item = &'a Self>) -> Self {
        self.function = self.function.after(others.into_iter().map(|other| &other.function));
        self
    }

    /// Returns the Lambda that consumes this source.
    #[cfg(feature = "sources")]
    pub fn consumes(mut self, source: &impl EventSource, settings: MappingSettings) -> Self {
        self.errands.extend(source.polling());
        let mapping = source.mapping(self.function.name(), settings);
        self.mappings.push(mapping);
        self
    }

    /// Returns the Lambda that consumes this source, with its discarded batches stored in a bucket.
    #[cfg(feature = "pipeline")]
    pub fn consumes_discarding_to(
        self,
        bucket: &Bucket,
        source: &impl EventSource,
        settings: MappingSettings,
    ) -> Self {
        let mut lambda = self;
        lambda.errands.extend(bucket.storing_discarded_batches());
        let on_failure = Some(bucket.arn().to_owned());
        lambda.consumes(source, MappingSettings { on_failure, ..settings })
    }

    /// Adds the Lambda and its resources to a stack.
    pub(super) fn add_to(self, stack: &mut Stack<Aws>) {
        let variables: BTreeMap<String, String> =
            self.grants.iter().filter_map(|grant| grant.variable.clone()).collect();
        #[cfg(feature = "sources")]
        let used: BTreeSet<ResourceId> = self
            .grants
            .iter()
            .filter_map(|grant| match &grant.on {
                GrantedOn::Own(id) => Some(id.clone()),
                GrantedOn::Existing(_) => None,
            })
            .collect();
        let function = self.function.environment(variables);
        #[cfg(feature = "sources")]
        let function = if self.has_url && !self.mappings.is_empty() {
            let mistake = "it gets events from a table or a stream, so it cannot have a URL";
            function.with_mistake(mistake.to_owned())
        } else {
            function
        };
        let granted = self.grants.into_iter().flat_map(|grant| [Some(grant.statement), grant.also]);
        let granted = granted.flatten().chain(self.errands).chain(function.starting());

        let policy = Policy::allowing(&each_once(granted));
        let function = function.granted(&policy);
        #[cfg(feature = "sources")]
        let mappings: Vec<Mapping> =
            self.mappings.into_iter().map(|mapping| mapping.granted(&policy)).collect();
        let role = Role::for_service(&self.scope, &self.thing, "lambda.amazonaws.com", policy);
        stack.add(role.bounded_by(self.boundary));
        stack.add(self.log_group);
        let url = self.has_url.then(|| FunctionUrl::of(function.name()));
        stack.add(function);
        if let Some(url) = url {
            stack.add(url);
        }
        #[cfg(feature = "sources")]
        for mapping in mappings {
            // The mapping delivers records as soon as it exists, so the resources that the function uses come
            // first.
            stack.add(mapping.needing(used.clone()));
        }
    }
}

/// Removes repeated statements: two grants on one table both need the table's key, and IAM requires unique
/// `Sid`s.
fn each_once(statements: impl Iterator<Item = Statement>) -> Vec<Statement> {
    let mut each = Vec::new();
    for statement in statements {
        if !each.contains(&statement) {
            each.push(statement);
        }
    }
    each
}

#[cfg(feature = "sources")]
impl EventSource for Table {
    fn polling(&self) -> Vec<Statement> {
        self.polling()
    }

    fn mapping(&self, function: &str, settings: MappingSettings) -> Mapping {
        Mapping::table(function, self.name(), settings)
    }
}

#[cfg(feature = "sources")]
impl EventSource for Stream {
    fn polling(&self) -> Vec<Statement> {
        self.polling()
    }

    fn mapping(&self, function: &str, settings: MappingSettings) -> Mapping {
        Mapping::stream(function, self.arn(), settings)
    }
}

#[cfg(all(test, feature = "sources"))]
mod tests {
    use engine::resource::Described;

    use super::*;
    use crate::composites::Composites;
    use crate::resources::kinds;
    use crate::resources::table::{KeyType, PrimaryKey, Projection};
    use crate::testing::{events_key, scope};

    fn stack(table: &Table) -> Stack<Aws> {
        let mut stack = Stack::new(scope(), kinds());
        let lambda =
            Lambda::new(&scope(), "list", &LambdaDefaults::default()).may(table.query_index("by-owner"));
        stack.add(table.clone()).lambda(lambda);
        stack
    }

    #[test]
    fn index_without_definition_is_a_mistake_of_its_function() {
        let table = Table::new(&scope(), "events", events_key());
        let mistakes = stack(&table).mistakes();
        let [(id, mistake)] = mistakes.as_slice() else { panic!("one mistake: {mistakes:?}") };
        assert_eq!(id.to_string(), "lambda.function/demo-dev-list");
        assert!(mistake.contains("index `by-owner`"), "{mistake}");
    }

    #[test]
    fn function_that_a_stack_has_twice_is_a_mistake() {
        let mut stack = Stack::new(scope(), kinds());
        for description in ["Lists", "Also lists"] {
            stack.lambda(Lambda::new(&scope(), "list", &LambdaDefaults::default()).description(description));
        }
        let mistakes = stack.mistakes();
        let of_the_function = mistakes.iter().find(|(id, _)| id.kind() == Function::KIND);
        let (id, mistake) = of_the_function.expect("the function is there twice");
        assert_eq!(id.name(), "demo-dev-list");
        assert_eq!(mistake, "the stack has it twice: give one of them another name");
    }

    #[test]
    fn memory_below_the_minimum_of_the_code_is_a_mistake() {
        let mistakes = |memory_mb| {
            let own = LambdaSettings { memory_mb, ..LambdaSettings::default() };
            let settings = LambdaSettings { memory_mb: Some(256), ..LambdaSettings::default() };
            let overrides = BTreeMap::from([("list".to_owned(), own)]);
            let defaults = LambdaDefaults { settings, overrides, ..LambdaDefaults::default() };
            let mut stack = Stack::new(scope(), kinds());
            stack.lambda(Lambda::new(&scope(), "list", &defaults).memory_at_least_mb(1024));
            stack.mistakes().into_iter().map(|(_, mistake)| mistake).collect::<Vec<_>>()
        };
        assert_eq!([None, Some(1024), Some(2048)].map(mistakes), [[""; 0]; 3]);
        let text =
            "the code needs at least 1024 MB: raise or remove `memory_mb` of `list` in the environment file";
        assert_eq!(mistakes(Some(1023)), [text]);
    }

    #[test]
    fn function_that_queries_an_index_is_deployed_after_the_table() {
        let key = PrimaryKey::hash("Owner", KeyType::String);
        let table =
            Table::new(&scope(), "events", events_key()).global_index("by-owner", key, Projection::All);
        let stack = stack(&table);
        assert_eq!(stack.mistakes(), []);
        let function = ResourceId::new(Function::KIND, scope().name("list"));
        let needs = stack.get(&function).map(|node| node.needs()).unwrap_or_default();
        assert!(needs.contains(&Described::id(&table)), "{needs:?}");
    }
}
