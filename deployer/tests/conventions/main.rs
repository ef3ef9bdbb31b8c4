//! Checks of the repository itself: the documents are accurate, the language is plain, and no crate or module
//! depends on a forbidden one.

mod code_blocks;
mod cycles;
mod directions;
mod language;
mod messages;
mod mutants;
mod packages;
mod rules;
mod sources;
mod test_names;
