//! The shop's stack: carts and wishlists in one pipeline, and a table of wishes.

use std::num::NonZeroU16;

use aws::Aws;
use aws::composites::{Composites, EventPipeline, Lambda};
use aws::resources::kinds;
use aws::resources::table::{KeyType, PrimaryKey, Projection, Table};
use cli::environment::Environment;
use domain::functions::OPEN_CART;
use engine::stack::Stack;
use serde::Deserialize;
use shop::functions::{FIND_WISHES, GET_WISHLIST, KEEP_WISHES_DAYS, LIST_WISHES, MAKE_WISH, WISHES_TABLE};
use shop::wishes;

/// The first part of every name.
pub(crate) const NAME: &str = "shop";

/// The settings of the shop: the table `[app]` of its environment files.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Settings {
    /// How many days a wish is kept.
    keep_wishes_days: NonZeroU16,
}

impl Default for Settings {
    fn default() -> Self {
        Self { keep_wishes_days: NonZeroU16::MIN.saturating_add(364) }
    }
}

/// Returns the stack of an environment of the shop.
pub(crate) fn stack(environment: &Environment) -> Stack<Aws> {
    let scope = environment.scope(NAME);
    let defaults = environment.lambda_defaults();
    let lambda = |function| Lambda::of(&scope, function, &defaults);
    let Settings { keep_wishes_days } = environment.app();

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
        .command(lambda(OPEN_CART))
        .command(lambda(MAKE_WISH))
        .query(lambda(GET_WISHLIST))
        .handler(lambda(LIST_WISHES).may(wishes.put_item()).setting(KEEP_WISHES_DAYS, keep_wishes_days));
    let find_wishes = lambda(FIND_WISHES).may(wishes.query_index(wishes::BY_ITEM));

    let mut stack = Stack::new(scope.clone(), kinds());
    stack.add(wishes);
    stack.pipeline(pipeline).lambda(find_wishes).alarms(&environment.alarms.topics()).dashboard();
    stack
}
