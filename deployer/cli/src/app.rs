//! The description of a program: [`App`], which is a stack with the settings of its command line.
//!
//! Each binary has its own [`App`].

use engine::stack::Stack;
use serde::de::DeserializeOwned;

use crate::build::FunctionsPackage;
use crate::environment::{AppSettings, Environment};
use crate::exit::Problem;
#[cfg(feature = "pipeline")]
use crate::pipeline::{AggregateApp, PROVIDED, Pipeline};
use crate::template::Template;
use aws::resources::bucket::Bucket;
use aws::{Aws, deployment_bucket};

/// A type without values: without the feature `pipeline`, no stack has a pipeline.
#[cfg(not(feature = "pipeline"))]
#[derive(Debug, Clone, Copy)]
pub enum Pipeline {}

#[cfg(not(feature = "pipeline"))]
impl Pipeline {
    /// Is never called, because there is no such pipeline.
    pub(crate) fn archives(self, _: &Stack<Aws>) -> Result<(), Problem> {
        match self {}
    }
}

/// A stack with the settings of its command line.
#[derive(Debug, Clone, Copy)]
pub struct App {
    pub(crate) stack_name: &'static str,
    pub(crate) stack: fn(&Environment) -> Stack<Aws>,
    /// The cargo package whose binaries are the functions; `None` for a stack without functions.
    pub(crate) package: Option<&'static str>,
    /// The event pipeline; `None` for a stack without events.
    pub(crate) pipeline: Option<Pipeline>,
    pub(crate) settings: AppSettings,
    /// The system that `new` writes; `None` for a program without that command.
    pub(crate) template: Option<Template>,
    pub(crate) try_next: &'static str,
}

impl App {
    /// Returns the program for a stack without functions and events. Its name is the first part of every
    /// resource's name.
    pub const fn new(stack_name: &'static str, stack: fn(&Environment) -> Stack<Aws>) -> Self {
        let settings = AppSettings::NONE;
        Self { stack_name, stack, package: None, pipeline: None, settings, template: None, try_next: "" }
    }

    /// Returns the program with the functions of a cargo package: its binaries, and those of the packages
    /// that it depends on by path. A pipeline adds its own functions.
    #[must_use]
    pub const fn package(self, package: &'static str) -> Self {
        Self { package: Some(package), ..self }
    }

    /// Returns the program with an event pipeline, whose table stores aggregates of these types.
    #[cfg(feature = "pipeline")]
    #[must_use]
    pub const fn aggregates(self, aggregates: &'static [AggregateApp]) -> Self {
        Self { pipeline: Some(Pipeline { aggregates }), ..self }
    }

    /// Returns the program with settings of its own: the table `[app]` of environment files, which is read
    /// with [`Environment::app`].
    #[must_use]
    pub const fn settings<S: DeserializeOwned>(self) -> Self {
        Self { settings: AppSettings::of::<S>(), ..self }
    }

    /// Returns the program with the command `new`, which writes this system.
    #[must_use]
    pub const fn template(self, template: Template) -> Self {
        Self { template: Some(template), ..self }
    }

    /// Returns the program whose `up` suggests this command after a deployment, without the program's name.
    /// `{env}` is replaced by the environment's name.
    #[must_use]
    pub const fn try_next(self, command: &'static str) -> Self {
        Self { try_next: command, ..self }
    }

    /// Returns the stack of an environment with the deployment bucket, and with the event types that the
    /// pipeline reads.
    pub fn desired(&self, environment: &Environment) -> Stack<Aws> {
        let mut stack = (self.stack)(environment);
        let bucket = deployment_bucket(&stack.scope).tls_only(environment.local.is_none());
        stack.know::<Bucket>().add(bucket);
        #[cfg(feature = "pipeline")]
        stack.reads.extend(self.pipeline.iter().flat_map(Pipeline::reads));
        stack
    }

    /// Returns the cargo package of the functions; `None` for a stack without functions.
    pub(crate) fn functions_package(&self) -> Option<FunctionsPackage> {
        let functions = FunctionsPackage::named(self.package?);
        #[cfg(feature = "pipeline")]
        let functions = FunctionsPackage { provided: self.pipeline.map(|_| PROVIDED), ..functions };
        Some(functions)
    }

    /// Returns the cargo package of the functions, for the commands on functions.
    ///
    /// # Errors
    /// Fails if the stack has no functions.
    pub(crate) fn functions(&self) -> Result<FunctionsPackage, Problem> {
        self.functions_package()
            .ok_or_else(|| Problem::usage(format!("the stack `{}` has no functions", self.stack_name)))
    }

    /// Returns the event pipeline, for the commands on events.
    ///
    /// # Errors
    /// Fails if the stack has no pipeline.
    pub(crate) fn events(&self) -> Result<Pipeline, Problem> {
        self.pipeline.ok_or_else(|| Problem::usage(format!("the stack `{}` has no events", self.stack_name)))
    }
}
