//! The engine against a fake cloud: every rule of planning, applying and tearing down,
//! without AWS and without an emulator.

mod applying;
mod failing;
mod fake;
mod masking;
mod owning;
mod planning;
mod properties;
mod rendering;
mod rules;
mod settling;
mod tearing_down;
