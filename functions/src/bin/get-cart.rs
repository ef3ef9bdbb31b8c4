//! Answers what is in a cart.

use domain::functions::GET_CART;
use functions::{
    query,
    start::{serve, start},
};

#[tokio::main]
async fn main() -> Result<(), functions::Fault> {
    let carts = start(GET_CART).await?.carts()?;
    serve(|event| query::answer(&carts, event)).await
}
