//! Adds an item to an open cart.

use domain::cart::ShoppingCart;
use domain::functions::ADD_ITEM;
use functions::request;
use runtime::{
    command,
    start::{serve_requests, start},
    surroundings::Machine,
};

#[tokio::main]
async fn main() -> Result<(), runtime::Fault> {
    let carts = start(ADD_ITEM).await?.repo::<ShoppingCart>()?;
    serve_requests(|event| command::answer(&carts, request::add_item, event, &Machine)).await
}
