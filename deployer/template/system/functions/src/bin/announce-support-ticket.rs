//! Announces each new support ticket: a handler of published events with side effects.

use domain::support_ticket::{SupportTicket, SupportTicketEvent};
use runtime::handler::{Delivered, HandlerError, reactor};
use runtime::start::start;

#[tokio::main]
async fn main() -> Result<(), runtime::Fault> {
    let start = start(env!("CARGO_BIN_NAME")).await;
    reactor(announce).serve(&start).await
}

async fn announce(delivered: Delivered<SupportTicket>) -> Result<(), HandlerError> {
    if matches!(delivered.event, SupportTicketEvent::SupportTicketOpened { .. }) {
        // An event can be delivered twice. A handler that sends mail passes the event's id to the mail service as the
        // idempotency key. The data of an event is not logged: more people read logs than tables.
        tracing::info!(event_id = %delivered.envelope.id, "support ticket opened");
    }
    Ok(())
}
