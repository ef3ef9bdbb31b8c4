//! The `deployer` program of the cart.

mod cart;

use std::process::ExitCode;

use cli::app::App;
use cli::pipeline::AggregateApp;
use cli::run;
use domain::cart::ShoppingCart;

const APP: App = App::new(cart::NAME, cart::stack)
    .package("functions")
    .aggregates(&[AggregateApp::of::<ShoppingCart>()])
    .template(template::HELPDESK)
    .try_next("invoke {env} open-cart");

fn main() -> ExitCode {
    run(&APP)
}
