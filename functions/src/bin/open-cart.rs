//! Opens a cart.

use domain::cart::ShoppingCart;
use domain::functions::OPEN_CART;
use functions::request;
use runtime::{
    command,
    start::{serve_requests, start},
    surroundings::Machine,
};

#[tokio::main]
async fn main() -> Result<(), runtime::Fault> {
    let carts = start(OPEN_CART).await?.repo::<ShoppingCart>()?;
    serve_requests(|event| command::answer(&carts, request::open_cart, event, &Machine)).await
}
