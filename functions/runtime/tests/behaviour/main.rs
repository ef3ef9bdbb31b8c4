//! How what functions are made of behaves without AWS: one module per behaviour.

mod archive;
mod capture;
mod commands;
mod handler;
mod order;
mod probe;
mod replay;
mod replay_fakes;
mod replay_lineup;
mod throttled;
mod told;
