//! Says goodbye to a cart that was closed: a handler to copy. As `src/bin/say-goodbye.rs`, and
//! with a line in the stack, `handler("say-goodbye")`, it would be deployed.

use domain::cart::{CartEvent, ShoppingCart};
use eventsourcing::contract::Function;
use runtime::{
    handler::{Delivered, Trouble, acts},
    start::start,
};

#[tokio::main]
async fn main() -> Result<(), runtime::Fault> {
    let start = start(Function::handler(env!("CARGO_BIN_NAME"))).await?;
    acts(say_goodbye).serve(&start).await
}

async fn say_goodbye(delivered: Delivered<ShoppingCart>) -> Result<(), Trouble> {
    if let CartEvent::CartClosed { .. } = delivered.event {
        // Whoever sends mail hands over the id as well, as what tells a repetition.
        tracing::info!(event_id = %delivered.envelope.id, "goodbye");
    }
    Ok(())
}
