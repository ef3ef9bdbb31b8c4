//! One executable that has its functions and environment files with it, so that what was
//! tested is what is promoted: a copy of the program that runs, with an archive behind it. It
//! knows executables and zip files; it must not know AWS, or how functions are built.

mod error;
mod executable;
mod manifest;
mod read;
mod sources;
mod write;

pub use error::BundleError;
pub use read::Bundle;
pub(crate) use sources::Sources;
pub use write::{Built, Contents, Written, check_place};

#[cfg(test)]
mod tests;
