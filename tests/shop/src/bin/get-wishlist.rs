//! Answers with a wishlist.

use runtime::{
    query,
    start::{serve_requests, start},
};
use shop::{functions::GET_WISHLIST, wishlist::Wishlist};

#[tokio::main]
async fn main() -> Result<(), runtime::Fault> {
    let wishlists = start(GET_WISHLIST).await?.repo::<Wishlist>()?;
    serve_requests(|event| query::answer(&wishlists, event)).await
}
