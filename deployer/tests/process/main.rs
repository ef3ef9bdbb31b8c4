//! The deployer as a process: what it makes of its variables, its arguments, its terminal and
//! signals. No cloud is needed: cargo is a script, and AWS at most a socket.

mod endpoints;
mod environment;
mod output;
mod place;
mod signals;
mod terminal;
