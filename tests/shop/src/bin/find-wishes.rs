//! Answers with the wishes for an item.

use aws_sdk_dynamodb::Client;
use lambda_runtime::LambdaEvent;
use runtime::start::{serve, start};
use serde_json::{Value, json};
use shop::{
    functions::{FIND_WISHES, WISHES_TABLE},
    wishes::Wishes,
};

#[tokio::main]
async fn main() -> Result<(), runtime::Fault> {
    let start = start(FIND_WISHES).await?;
    let wishes = &Wishes::new(Client::new(start.aws()), start.setting(WISHES_TABLE)?);
    serve(async |event: LambdaEvent<Value>| {
        let item = event.payload["item"].as_str().unwrap_or_default();
        let found = wishes.of_item(item).await?;
        let list = found
            .iter()
            .map(|wish| json!({"wishlist_id": wish.wishlist, "at_most_cents": wish.at_most_cents}));
        Ok(json!({"wishes": list.collect::<Vec<Value>>()}))
    })
    .await
}
