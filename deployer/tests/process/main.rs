//! The deployer as a process: its variables, arguments, terminal and signals. No cloud is needed: cargo is a
//! script, and AWS is at most a socket.

mod endpoints;
mod environment;
mod output;
mod place;
mod signals;
mod terminal;
