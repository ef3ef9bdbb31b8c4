//! `deployer` for the cart.

mod cart;

use std::process::ExitCode;

use deployer::app::App;
use deployer::run;

fn main() -> ExitCode {
    run(&App {
        stack_name: cart::NAME,
        package: "functions",
        stack: cart::stack,
        try_next: "invoke {env} open-cart",
    })
}
