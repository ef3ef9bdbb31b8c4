//! The engine with a fake cloud: every rule of planning, applying and tearing down, without AWS or an
//! emulator.

mod applying;
mod identifying;
mod owning;
mod planning;
mod properties;
mod reading;
mod recording;
mod settling;
mod tearing_down;
