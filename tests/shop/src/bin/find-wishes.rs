//! Answers with the wishes for an item, and its price, which is in a table outside the stack.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use eventsourcing::Answer;
use lambda_runtime::LambdaEvent;
use runtime::Fault;
use runtime::start::{serve, start};
use serde_json::{Value, json};
use shop::{
    request,
    variables::{PRICES_TABLE, WISHES_TABLE},
    wishes::Wishes,
};

#[tokio::main]
async fn main() -> Result<(), Fault> {
    let start = start(env!("CARGO_BIN_NAME")).await;
    let client = &Client::new(start.aws());
    let wishes = &Wishes::new(client.clone(), start.setting(WISHES_TABLE)?);
    let prices = &start.setting(PRICES_TABLE)?;
    serve(async |event: LambdaEvent<Value>| {
        let item = match request::find_wishes(event.payload) {
            Ok(item) => item,
            Err(refusal) => return Ok(json!(Answer::<Value>::from(refusal))),
        };
        let call = client.get_item().table_name(prices).key("Item", AttributeValue::S(item.clone()));
        let (found, price) = (wishes.of_item(&item).await?, call.send().await?);
        let cents: Option<u32> = price.item().and_then(|row| row.get("Cents")?.as_n().ok()?.parse().ok());
        let list = found
            .iter()
            .map(|wish| json!({"wishlist_id": wish.wishlist, "at_most_cents": wish.at_most_cents}));
        Ok(json!({"price_cents": cents, "wishes": list.collect::<Vec<Value>>()}))
    })
    .await
}
