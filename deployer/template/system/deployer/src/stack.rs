//! The stack of helpdesk: all resources of an environment, on one screen.

use aws::Aws;
use aws::composites::{Composites, EventPipeline, Lambda};
use aws::resources::kinds;
use cli::environment::Environment;
use engine::stack::Stack;

/// The first part of every name in AWS.
pub const NAME: &str = "helpdesk";

/// Returns the stack of an environment.
pub fn stack(environment: &Environment) -> Stack<Aws> {
    let scope = environment.scope(NAME);
    let defaults = environment.lambda_defaults();
    let lambda = |name| Lambda::new(&scope, name, &defaults);

    let mut pipeline = EventPipeline::new(&scope, &defaults, environment.event_pipeline());
    pipeline
        .command(lambda("open-support-ticket").description("Opens a support ticket"))
        .query(lambda("get-support-ticket").description("Returns a support ticket"))
        .handler(lambda("announce-support-ticket").description("Announces each new support ticket"));

    let mut stack = Stack::new(scope.clone(), kinds());
    stack.pipeline(pipeline).alarms(&environment.alarms.topics()).dashboard();
    stack
}
