//! Answers with the content of a cart.

use domain::cart::ShoppingCart;
use runtime::{
    query,
    start::{serve_requests, start},
};

#[tokio::main]
async fn main() -> Result<(), runtime::Fault> {
    let carts = start(env!("CARGO_BIN_NAME")).await.repo::<ShoppingCart>()?;
    serve_requests(|event| query::answer(&carts, event)).await
}
