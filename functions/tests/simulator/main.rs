//! The simulator: the real code of the functions in a world in memory, driven by a seeded schedule.
//!
//! It is a test and a tool: `cargo test -p functions --test simulator` runs its tests; with `-- --schedules
//! 20000` or `-- --seed 17` it runs these schedules. See the README in this folder.

mod callers;
mod chance;
mod consumers;
mod foreign_data;
mod invariants;
mod observed;
mod planted;
mod replaying;
mod schedule;
mod tests;
mod tool;
mod trace;
mod world;

use std::{panic, process::ExitCode};

fn main() -> ExitCode {
    // Handlers panic here all the time, on purpose.
    let usual = panic::take_hook();
    panic::set_hook(Box::new(move |panicked| {
        if !schedule::is_running() {
            usual(panicked);
        }
    }));
    let arguments = std::env::args_os().skip(1).map(|text| text.to_string_lossy().into_owned());
    let arguments: Vec<String> = arguments.collect();
    match tool::Order::of(&arguments) {
        Some(Ok(order)) => order.run(),
        Some(Err(usage)) => {
            tool::say(&usage);
            ExitCode::from(64)
        }
        None => tests::run(),
    }
}
