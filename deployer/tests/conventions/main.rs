//! What holds for the repository itself: the page of rules is true, and no crate and no module knows
//! what it must not know.

mod circles;
mod directions;
mod rules;
mod test_names;
