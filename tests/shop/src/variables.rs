//! The functions of wishlists, and the variables that each reads.

use eventsourcing::contract::{ARCHIVE_BUCKET, EVENTS_TABLE, Function, Variable};

/// Holds the name of the table of wishes.
pub const WISHES_TABLE: Variable = Variable::named("WISHES_TABLE");
/// Holds the ARN of the table of prices, which is outside the stack: `Item` (string) and `Cents` (number).
pub const PRICES_TABLE: Variable = Variable::named("PRICES_TABLE");
/// Holds how many days a wish is kept.
pub const KEEP_WISHES_DAYS: Variable = Variable::named("KEEP_WISHES_DAYS");

/// Makes a wish.
pub const MAKE_WISH: Function =
    Function { name: "make-wish", description: "Makes a wish", reads: &[EVENTS_TABLE] };
/// Returns a wishlist.
pub const GET_WISHLIST: Function =
    Function { name: "get-wishlist", description: "Returns a wishlist", reads: &[EVENTS_TABLE] };
/// Keeps the table of wishes.
pub const LIST_WISHES: Function = Function {
    name: "list-wishes",
    description: "Keeps the table of wishes",
    reads: &[ARCHIVE_BUCKET, WISHES_TABLE, KEEP_WISHES_DAYS],
};
/// Returns the wishes for an item, and its price.
pub const FIND_WISHES: Function = Function {
    name: "find-wishes",
    description: "Returns the wishes for an item, and its price",
    reads: &[WISHES_TABLE, PRICES_TABLE],
};
