//! Checks of the repository itself: the page of rules is accurate, and no crate or module depends on a
//! forbidden one.

mod circles;
mod directions;
mod language;
mod messages;
mod rules;
mod sources;
mod test_names;
