//! How the functions behave without AWS: one module per behaviour.

mod archive;
mod binaries;
mod capture;
mod commands;
mod documents;
mod fakes;
mod log_events;
mod order;
mod replay;
mod replay_fakes;
mod replay_lineup;
