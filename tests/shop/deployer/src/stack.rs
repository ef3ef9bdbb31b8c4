//! The shop's stack: carts and wishlists in one pipeline, and a table of wishes.

use std::num::NonZeroU16;

use aws::Aws;
use aws::composites::{Composites, EventPipeline, Lambda};
use aws::resources::existing::Existing;
use aws::resources::kinds;
use aws::resources::table::{KeyType, PrimaryKey, Projection, Table};
use cli::environment::{Arn, Environment};
use engine::stack::Stack;
use serde::Deserialize;
use shop::variables::{KEEP_WISHES_DAYS, PRICES_TABLE, WISHES_TABLE};
use shop::wishes;

/// The first part of every name.
pub(crate) const NAME: &str = "shop";

/// The settings of the shop: the table `[app]` of its environment files.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// The table of prices, which is outside the stack.
    prices_table: Arn,
    /// How many days a wish is kept.
    #[serde(default = "a_year")]
    keep_wishes_days: NonZeroU16,
}

fn a_year() -> NonZeroU16 {
    NonZeroU16::MIN.saturating_add(364)
}

/// Returns the stack of an environment of the shop.
pub(crate) fn stack(environment: &Environment) -> Stack<Aws> {
    let scope = environment.scope(NAME);
    let defaults = environment.lambda_defaults();
    let lambda = |name| Lambda::new(&scope, name, &defaults);
    let Settings { prices_table, keep_wishes_days } = environment.app();

    let key = PrimaryKey::hash(wishes::WISHLIST, KeyType::Binary).range(wishes::ITEM, KeyType::String);
    let by_item =
        PrimaryKey::hash(wishes::ITEM, KeyType::String).range(wishes::AT_MOST_CENTS, KeyType::Number);
    let wishes = Table::new(&scope, "wishes", key)
        .global_index(wishes::BY_ITEM, by_item, Projection::KeysOnly)
        .local_index(wishes::BY_PRICE, wishes::AT_MOST_CENTS, KeyType::Number, Projection::All)
        .time_to_live(wishes::EXPIRES_AT)
        .known_as(WISHES_TABLE);

    let mut pipeline = EventPipeline::new(&scope, &defaults, environment.event_pipeline());
    pipeline
        .command(lambda("open-cart").description("Opens a cart"))
        .command(lambda("make-wish").description("Makes a wish"))
        .query(lambda("get-wishlist").description("Returns a wishlist"))
        .handler(
            lambda("list-wishes")
                .description("Keeps the table of wishes")
                .may(wishes.put_item())
                .setting(KEEP_WISHES_DAYS, keep_wishes_days),
        );
    let prices = Existing::new(prices_table).known_as(PRICES_TABLE);
    let find_wishes = lambda("find-wishes")
        .description("Returns the wishes for an item, and its price")
        .may(wishes.query_index(wishes::BY_ITEM))
        .may(prices.allow(&["dynamodb:GetItem"]));

    let mut stack = Stack::new(scope.clone(), kinds());
    stack.add(wishes);
    stack.pipeline(pipeline).lambda(find_wishes).alarms(&environment.alarms.topics()).dashboard();
    stack
}
