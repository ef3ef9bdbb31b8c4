//! The `deployer` program of the shop.

mod stack;

use std::process::ExitCode;

use cli::app::App;
use cli::pipeline::AggregateApp;
use cli::run;
use domain::cart::ShoppingCart;
use shop::wishlist::Wishlist;

use stack::Settings;

const APP: App = App::new(stack::NAME, stack::stack)
    .package("shop")
    .aggregates(&[AggregateApp::of::<ShoppingCart>(), AggregateApp::of::<Wishlist>()])
    .settings::<Settings>()
    .try_next("invoke {env} make-wish");

fn main() -> ExitCode {
    run(&APP)
}
