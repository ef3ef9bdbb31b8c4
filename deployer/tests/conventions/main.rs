//! What holds for the repository itself: the page of rules is true, and no crate knows what it
//! must not know.

mod directions;
mod rules;
