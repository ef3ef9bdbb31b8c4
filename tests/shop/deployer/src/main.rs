//! The `deployer` program of the shop.

mod stack;

use std::process::ExitCode;

use cli::app::App;
use cli::pipeline::{AggregateApp, Pipeline};
use cli::run;
use domain::cart::ShoppingCart;
use shop::wishlist::Wishlist;

fn main() -> ExitCode {
    run(&App {
        stack_name: stack::NAME,
        package: Some("shop"),
        stack: stack::stack,
        try_next: "invoke {env} make-wish",
        pipeline: Some(Pipeline {
            aggregates: const { &[AggregateApp::of::<ShoppingCart>(), AggregateApp::of::<Wishlist>()] },
        }),
    })
}
