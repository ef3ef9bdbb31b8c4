//! How the functions of the cart behave without AWS: one module per behaviour.

mod binaries;
mod commands;
mod documents;
mod lambda;
