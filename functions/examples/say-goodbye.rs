//! Says goodbye when a cart is closed: a handler to copy. To deploy it, put it in `src/bin/say-goodbye.rs`,
//! and add a line to the pipeline of the stack, `.handler(lambda("say-goodbye"))`.

use domain::cart::{CartEvent, ShoppingCart};
use runtime::{
    handler::{Delivered, HandlerError, reactor},
    start::start,
};

#[tokio::main]
async fn main() -> Result<(), runtime::Fault> {
    let start = start(env!("CARGO_BIN_NAME")).await;
    reactor(say_goodbye).serve(&start).await
}

async fn say_goodbye(delivered: Delivered<ShoppingCart>) -> Result<(), HandlerError> {
    if let CartEvent::CartClosed { .. } = delivered.event {
        // A real handler that sends mail passes the event's id to the mail service as the idempotency key.
        tracing::info!(event_id = %delivered.envelope.id, "goodbye");
    }
    Ok(())
}
