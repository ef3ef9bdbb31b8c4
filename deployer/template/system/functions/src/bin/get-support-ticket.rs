//! Answers with a support ticket.

use domain::functions::GET_SUPPORT_TICKET;
use domain::support_ticket::SupportTicket;
use runtime::query;
use runtime::start::{serve_requests, start};

#[tokio::main]
async fn main() -> Result<(), runtime::Fault> {
    let support_tickets = start(GET_SUPPORT_TICKET).await?.repo::<SupportTicket>()?;
    serve_requests(|event| query::answer(&support_tickets, event)).await
}
