//! Opens a support ticket.

use domain::support_ticket::{SupportTicket, SupportTicketCommand};
use eventsourcing::{Refusal, Request};
use runtime::command;
use runtime::request::{Fields, missing};
use runtime::start::{serve_requests, start};
use runtime::surroundings::Machine;
use serde_json::Value;
use uuid::Uuid;

#[tokio::main]
async fn main() -> Result<(), runtime::Fault> {
    let repo = start(env!("CARGO_BIN_NAME")).await.repo::<SupportTicket>()?;
    serve_requests(|event| command::answer(&repo, request, event, &Machine)).await
}

/// Parses `{"title", "support_ticket_id"?}`. Without an id, the support ticket gets that of the command, so that a
/// repeated command finds it. For a number, use `Fields::integer`.
fn request(payload: Value, default_id: Uuid) -> Result<Request<SupportTicketCommand>, Refusal> {
    let fields = Fields::of_command(env!("CARGO_BIN_NAME"), payload, &["title", "support_ticket_id"])?;
    let command_id = fields.command_id(default_id)?;
    let id = fields.id("support_ticket_id")?.unwrap_or(command_id);
    let title = fields.text("title")?.ok_or_else(|| missing("title"))?.to_owned();
    fields.request(id, SupportTicketCommand::Open { title }, command_id)
}
