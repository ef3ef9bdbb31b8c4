//! Behaviour of the functions' building blocks without AWS: one module per topic.

mod archive;
mod binaries;
mod capture;
mod commands;
mod function_url;
mod handler;
mod logged;
mod order;
mod probe;
mod replay;
mod replay_fakes;
mod replay_lineup;
mod throttled;
