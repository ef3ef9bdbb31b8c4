//! Makes a wish.

use runtime::{
    command,
    start::{serve_requests, start},
    surroundings::Machine,
};
use shop::{functions::MAKE_WISH, request, wishlist::Wishlist};

#[tokio::main]
async fn main() -> Result<(), runtime::Fault> {
    let wishlists = start(MAKE_WISH).await?.repo::<Wishlist>()?;
    serve_requests(|event| command::answer(&wishlists, request::make_wish, event, &Machine)).await
}
