//! The description of a program: [`App`], which is a stack with the settings of its command line.
//!
//! Each binary has its own [`App`].

use engine::stack::Stack;

use crate::environment::Environment;
use crate::exit::Problem;
#[cfg(feature = "pipeline")]
use crate::pipeline::Pipeline;
use aws::resources::bucket::Bucket;
use aws::{Aws, deployment_bucket};

/// A type without values: without the feature `pipeline`, no stack has a pipeline.
#[cfg(not(feature = "pipeline"))]
#[derive(Debug, Clone, Copy)]
pub enum Pipeline {}

/// A stack with the settings of its command line.
#[derive(Debug, Clone, Copy)]
pub struct App {
    /// The stack's name, the first part of every resource's name.
    pub stack_name: &'static str,
    /// The cargo package whose binaries are the functions; `None` for a stack without functions.
    pub package: Option<&'static str>,
    /// Returns the stack of an environment.
    pub stack: fn(&Environment) -> Stack<Aws>,
    /// The command that `up` suggests after a deployment, without the program's name. `{env}` is replaced by
    /// the environment's name.
    pub try_next: &'static str,
    /// The parts of the stack that events pass through, and the aggregate type; `None` for a stack without
    /// events.
    pub pipeline: Option<Pipeline>,
}

impl App {
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

    /// Returns the cargo package of the functions, for the commands on functions.
    ///
    /// # Errors
    /// Fails if the stack has no functions.
    pub(crate) fn package(&self) -> Result<&'static str, Problem> {
        self.package
            .ok_or_else(|| Problem::usage(format!("the stack `{}` has no functions", self.stack_name)))
    }

    /// Returns the event pipeline, for the commands on events.
    ///
    /// # Errors
    /// Fails if the stack has no pipeline.
    pub fn pipeline(&self) -> Result<Pipeline, Problem> {
        self.pipeline.ok_or_else(|| Problem::usage(format!("the stack `{}` has no events", self.stack_name)))
    }
}
