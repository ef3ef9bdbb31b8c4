//! Answers with the content of a cart.

use domain::cart::ShoppingCart;
use domain::functions::GET_CART;
use runtime::{
    query,
    start::{serve_requests, start},
};

#[tokio::main]
async fn main() -> Result<(), runtime::Fault> {
    let carts = start(GET_CART).await?.repo::<ShoppingCart>()?;
    serve_requests(|event| query::answer(&carts, event)).await
}
