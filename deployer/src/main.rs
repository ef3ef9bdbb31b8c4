//! The `deployer` program of the cart.

mod cart;

use std::process::ExitCode;

use cli::app::App;
use cli::pipeline::{AggregateApp, Pipeline};
use cli::run;
use domain::cart::ShoppingCart;

fn main() -> ExitCode {
    run(&App {
        stack_name: cart::NAME,
        package: Some("functions"),
        stack: cart::stack,
        try_next: "invoke {env} open-cart",
        pipeline: Some(Pipeline { aggregates: const { &[AggregateApp::of::<ShoppingCart>()] } }),
    })
}
