//! The table of wishes: one row for each item of each wishlist, and the names that function and stack share.
//!
//! A row also has the version that it has reached, and changes only in a write on the condition that this
//! version is lower: an event that is delivered again changes nothing, and an older one never wins.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use runtime::Fault;
use uuid::Uuid;

/// The hash key (binary): the UUID of the wishlist.
pub const WISHLIST: &str = "Wishlist";
/// The range key (string), and the hash key of [`BY_ITEM`]: the name of the item.
pub const ITEM: &str = "Item";
/// The range key of [`BY_ITEM`] (number): the highest price, in cents.
pub const AT_MOST_CENTS: &str = "AtMostCents";
/// The time to live (number): when the row expires, in epoch seconds.
pub const EXPIRES_AT: &str = "ExpiresAt";
/// The version of the event that last changed the row.
pub const VERSION: &str = "Version";
/// The global index of all wishes for an item, by price.
pub const BY_ITEM: &str = "by-item";
/// The local index of a wishlist's wishes, by price.
pub const BY_PRICE: &str = "by-price";

/// The table of wishes.
#[derive(Debug)]
pub struct Wishes {
    client: Client,
    table: String,
}

/// A wish for an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wish {
    /// The wishlist.
    pub wishlist: Uuid,
    /// The name of the item.
    pub item: String,
    /// The highest price, in cents.
    pub at_most_cents: u32,
}

impl Wishes {
    /// Returns the table of this name.
    pub fn new(client: Client, table: String) -> Self {
        Self { client, table }
    }

    /// Stores a wish, unless its row has reached this version. It expires at a time in epoch seconds.
    ///
    /// # Errors
    /// Fails if DynamoDB cannot be reached, or refuses the write.
    pub async fn store(
        &self,
        wish: &Wish,
        version: u64,
        expires_at: i64,
    ) -> Result<(), SdkError<PutItemError>> {
        let number = |number: i64| AttributeValue::N(number.to_string());
        let version = i64::try_from(version).expect("an aggregate has a bounded number of events");
        let call = self.client.put_item().table_name(&self.table);
        let call = call.item(WISHLIST, AttributeValue::B(Blob::new(wish.wishlist.as_bytes())));
        let call = call.item(ITEM, AttributeValue::S(wish.item.clone()));
        let call = call.item(AT_MOST_CENTS, number(wish.at_most_cents.into()));
        let call = call.item(EXPIRES_AT, number(expires_at));
        let call = call.item(VERSION, number(version));
        let call = call.condition_expression("attribute_not_exists(Version) OR Version < :version");
        match call.expression_attribute_values(":version", number(version)).send().await {
            Err(SdkError::ServiceError(error))
                if matches!(error.err(), PutItemError::ConditionalCheckFailedException(_)) =>
            {
                Ok(())
            }
            other => other.map(drop),
        }
    }

    /// Returns the wishes for an item, from the lowest price upwards. One page, which is enough for a test.
    ///
    /// # Errors
    /// Fails if DynamoDB cannot be reached, or a row is damaged.
    pub async fn of_item(&self, item: &str) -> Result<Vec<Wish>, Fault> {
        let call = self.client.query().table_name(&self.table).index_name(BY_ITEM);
        let call = call.key_condition_expression("#item = :item").expression_attribute_names("#item", ITEM);
        let call = call.expression_attribute_values(":item", AttributeValue::S(item.to_owned()));
        let answer = call.send().await.map_err(Fault::new)?;
        let rows = answer.items().iter().map(|row| {
            let wishlist = row.get(WISHLIST).and_then(|value| value.as_b().ok());
            let cents = row.get(AT_MOST_CENTS).and_then(|value| value.as_n().ok());
            let wish = wishlist.zip(cents).and_then(|(wishlist, cents)| {
                let wishlist = Uuid::from_slice(wishlist.as_ref()).ok()?;
                Some(Wish { wishlist, item: item.to_owned(), at_most_cents: cents.parse().ok()? })
            });
            wish.ok_or_else(|| Fault::new("a row of the table of wishes is damaged"))
        });
        rows.collect()
    }
}
