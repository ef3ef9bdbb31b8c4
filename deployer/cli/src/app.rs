//! What a binary hands over: a stack, and what the command line needs to know of it.
//!
//! Another stack is another [`App`].

use engine::stack::Stack;

use crate::environment::Environment;
use crate::exit::Problem;
#[cfg(feature = "pipeline")]
use crate::pipeline::Pipeline;
use aws::resources::bucket::Bucket;
use aws::{Aws, deployment_bucket};

/// Without the feature `pipeline`, no stack has one.
#[cfg(not(feature = "pipeline"))]
#[derive(Debug, Clone, Copy)]
pub enum Pipeline {}

/// A stack and what the command line needs to know of it.
#[derive(Debug, Clone, Copy)]
pub struct App {
    /// The stack's name, the first part of every resource's name.
    pub stack_name: &'static str,
    /// The cargo package whose binaries are the functions.
    pub package: &'static str,
    /// Builds the desired world of an environment.
    pub stack: fn(&Environment) -> Stack<Aws>,
    /// The first thing to try when everything is up: the words after the program's name, in
    /// which `{env}` is replaced by the environment.
    pub try_next: &'static str,
    /// Which parts of the stack events go through, and what they are about; nothing for a
    /// stack without events.
    pub pipeline: Option<Pipeline>,
}

impl App {
    /// Returns the desired world of an environment: the stack, and the bucket that deploying leaves its marks in.
    pub fn desired(&self, environment: &Environment) -> Stack<Aws> {
        let mut stack = (self.stack)(environment);
        let bucket = deployment_bucket(&stack.scope).tls_only(environment.local.is_none());
        stack.know::<Bucket>().add(bucket);
        #[cfg(feature = "pipeline")]
        stack.reads.extend(self.pipeline.iter().flat_map(Pipeline::reads));
        stack
    }

    /// Returns the event pipeline, for the verbs that look after it.
    ///
    /// # Errors
    /// The stack has none.
    pub fn pipeline(&self) -> Result<Pipeline, Problem> {
        self.pipeline.ok_or_else(|| Problem::usage(format!("the stack `{}` has no events", self.stack_name)))
    }
}
