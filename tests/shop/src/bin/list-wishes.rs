//! Keeps the table of wishes: a projection of the events of all wishlists.

use aws_sdk_dynamodb::Client;
use runtime::{
    handler::{Delivered, HandlerError, projection},
    start::start,
};
use shop::{
    functions::{LIST_WISHES, WISHES_TABLE},
    wishes::{Wish, Wishes},
    wishlist::{Wishlist, WishlistEvent},
};

#[tokio::main]
async fn main() -> Result<(), runtime::Fault> {
    let start = start(LIST_WISHES).await?;
    let wishes = Wishes::new(Client::new(start.aws()), start.setting(WISHES_TABLE)?);
    projection(async |Delivered { event, envelope, .. }: Delivered<Wishlist>| {
        let WishlistEvent::WishMade { item, at_most_cents } = event;
        let wish = Wish { wishlist: envelope.aggregate_id, at_most_cents };
        wishes.store(&wish, &item, envelope.version).await?;
        Ok::<(), HandlerError>(())
    })
    .serve(&start)
    .await
}
