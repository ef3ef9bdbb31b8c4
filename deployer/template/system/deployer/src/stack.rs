//! The stack of helpdesk: all resources of an environment, on one screen.

use aws::Aws;
use aws::composites::{Composites, EventPipeline, Lambda};
use aws::resources::kinds;
use cli::environment::Environment;
use domain::functions::{GET_SUPPORT_TICKET, OPEN_SUPPORT_TICKET};
use engine::stack::Stack;
use eventsourcing::contract::Function;

/// The first part of every name in AWS.
pub const NAME: &str = "helpdesk";

/// Returns the stack of an environment.
pub fn stack(environment: &Environment) -> Stack<Aws> {
    let scope = environment.scope(NAME);
    let defaults = environment.lambda_defaults();
    let lambda = |function| Lambda::of(&scope, function, &defaults);
    let handler = |name| lambda(Function::handler(name));

    let mut pipeline = EventPipeline::new(&scope, &defaults, environment.event_pipeline());
    pipeline
        .command(lambda(OPEN_SUPPORT_TICKET))
        .query(lambda(GET_SUPPORT_TICKET))
        .handler(handler("announce-support-ticket").description("Announces each new support ticket"));

    let mut stack = Stack::new(scope.clone(), kinds());
    stack.pipeline(pipeline).alarms(&environment.alarms.topics()).dashboard();
    stack
}
