//! Answers with a wishlist.

use runtime::{
    query,
    start::{serve_requests, start},
};
use shop::wishlist::Wishlist;

#[tokio::main]
async fn main() -> Result<(), runtime::Fault> {
    let wishlists = start(env!("CARGO_BIN_NAME")).await.repo::<Wishlist>()?;
    serve_requests(|event| query::answer(&wishlists, event)).await
}
