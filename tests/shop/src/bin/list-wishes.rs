//! Keeps the table of wishes: a projection of the events of all wishlists.

use aws_sdk_dynamodb::Client;
use runtime::{
    handler::{Delivered, HandlerError, projection},
    start::start,
};
use shop::{
    variables::{KEEP_WISHES_DAYS, WISHES_TABLE},
    wishes::{Wish, Wishes},
    wishlist::{Wishlist, WishlistEvent},
};

const SECONDS_OF_A_DAY: i64 = 24 * 60 * 60;

#[tokio::main]
async fn main() -> Result<(), runtime::Fault> {
    let start = start(env!("CARGO_BIN_NAME")).await;
    let wishes = Wishes::new(Client::new(start.aws()), start.setting(WISHES_TABLE)?);
    let keep_days: i64 = start.setting(KEEP_WISHES_DAYS)?.parse()?;
    projection(async |Delivered { event, envelope, .. }: Delivered<Wishlist>| {
        let WishlistEvent::WishMade { item, at_most_cents } = event;
        let wish = Wish { wishlist: envelope.aggregate_id, item, at_most_cents };
        // From the event's time, so that a replay builds the same rows.
        let expires_at = envelope.occurred_at.timestamp().as_second() + keep_days * SECONDS_OF_A_DAY;
        wishes.store(&wish, envelope.version, expires_at).await?;
        Ok::<(), HandlerError>(())
    })
    .serve(&start)
    .await
}
