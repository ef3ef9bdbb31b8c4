//! The cart's stack: all resources of an environment of the cart, on one screen.

use aws::Aws;
use aws::composites::{Composites, EventPipeline, Lambda};
use aws::resources::kinds;
use cli::environment::Environment;
use engine::stack::Stack;

/// The first part of every name.
pub(crate) const NAME: &str = "cart";

/// Returns the stack of an environment of the cart.
pub(crate) fn stack(environment: &Environment) -> Stack<Aws> {
    let scope = environment.scope(NAME);
    let defaults = environment.lambda_defaults();
    let lambda = |name| Lambda::new(&scope, name, &defaults);

    let mut pipeline = EventPipeline::new(&scope, &defaults, environment.event_pipeline());
    pipeline
        .command(lambda("open-cart").description("Opens a cart"))
        .command(lambda("add-item").description("Adds an item to an open cart"))
        .command(lambda("close-cart").description("Closes a cart"))
        .query(lambda("get-cart").description("Returns the contents of a cart"))
        .handler(lambda("log-events").description("Writes one log line for each published event"));

    let mut stack = Stack::new(scope.clone(), kinds());
    stack.pipeline(pipeline).alarms(&environment.alarms.topics()).dashboard();
    stack
}

#[cfg(test)]
mod tests;
