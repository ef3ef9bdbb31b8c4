//! Plans and failures in all output formats.

mod failing;
mod masking;
mod plans;
