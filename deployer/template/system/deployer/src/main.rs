//! The `deployer` program of helpdesk.

mod stack;

use std::process::ExitCode;

use cli::app::App;
use cli::pipeline::AggregateApp;
use cli::run;
use domain::support_ticket::SupportTicket;

const APP: App = App::new(stack::NAME, stack::stack)
    .package("functions")
    .aggregates(&[AggregateApp::of::<SupportTicket>()])
    .try_next(r#"invoke {env} open-support-ticket --payload '{"title": "first"}'"#);

fn main() -> ExitCode {
    run(&APP)
}
