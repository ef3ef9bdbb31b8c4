//! The environment variables that functions of wishlists read, and the stack sets.

use eventsourcing::contract::Variable;

/// Holds the name of the table of wishes.
pub const WISHES_TABLE: Variable = Variable::named("WISHES_TABLE");
/// Holds the ARN of the table of prices, which is outside the stack: `Item` (string) and `Cents` (number).
pub const PRICES_TABLE: Variable = Variable::named("PRICES_TABLE");
/// Holds how many days a wish is kept.
pub const KEEP_WISHES_DAYS: Variable = Variable::named("KEEP_WISHES_DAYS");
