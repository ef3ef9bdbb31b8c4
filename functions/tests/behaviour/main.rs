//! Behaviour of the cart's functions without AWS: one module per topic.

mod binaries;
mod commands;
mod documents;
mod lambda;
