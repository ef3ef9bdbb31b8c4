//! Answers with a support ticket.

use domain::support_ticket::SupportTicket;
use runtime::query;
use runtime::start::{serve_requests, start};

#[tokio::main]
async fn main() -> Result<(), runtime::Fault> {
    let repo = start(env!("CARGO_BIN_NAME")).await.repo::<SupportTicket>()?;
    serve_requests(|event| query::answer(&repo, event)).await
}
