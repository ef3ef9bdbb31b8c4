//! How the functions behave without AWS: one module per behaviour.

mod archive;
mod binaries;
mod capture;
mod commands;
mod documents;
mod fakes;
mod handler;
mod lambda;
mod order;
mod probe;
mod replay;
mod replay_fakes;
mod replay_lineup;
mod throttled;
mod told;
