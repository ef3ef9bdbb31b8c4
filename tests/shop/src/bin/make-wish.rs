//! Makes a wish.

use runtime::{
    command,
    start::{serve_requests, start},
    surroundings::Machine,
};
use shop::{request, wishlist::Wishlist};

#[tokio::main]
async fn main() -> Result<(), runtime::Fault> {
    let wishlists = start(env!("CARGO_BIN_NAME")).await.repo::<Wishlist>()?;
    serve_requests(|event| command::answer(&wishlists, request::make_wish, event, &Machine)).await
}
