//! The cart's stack: all resources of an environment of the cart, on one screen.

use aws::Aws;
use aws::composites::{Composites, EventPipeline, Lambda};
use aws::resources::kinds;
use cli::environment::Environment;
use domain::functions::{ADD_ITEM, CLOSE_CART, GET_CART, OPEN_CART};
use engine::stack::Stack;
use eventsourcing::contract::Function;

/// The first part of every name.
pub(crate) const NAME: &str = "cart";

/// Returns the stack of an environment of the cart.
pub(crate) fn stack(environment: &Environment) -> Stack<Aws> {
    let scope = environment.scope(NAME);
    let defaults = environment.lambda_defaults();
    let lambda = |function| Lambda::of(&scope, function, &defaults);
    let handler = |name| lambda(Function::handler(name));

    let mut pipeline = EventPipeline::new(&scope, &defaults, environment.event_pipeline());
    pipeline
        .command(lambda(OPEN_CART))
        .command(lambda(ADD_ITEM))
        .command(lambda(CLOSE_CART))
        .query(lambda(GET_CART))
        .handler(handler("log-events").description("Writes one log line for each published event"));

    let mut stack = Stack::new(scope.clone(), kinds());
    stack.pipeline(pipeline).alarms(&environment.alarms.topics()).dashboard();
    stack
}

#[cfg(test)]
mod tests;
