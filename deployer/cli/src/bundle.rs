//! A bundle: one executable that contains its functions and environment files, so that the tested file is the
//! promoted one. It is a copy of the running program followed by an archive. This module knows executables
//! and zip files; it must not know AWS, or how functions are built.

mod error;
mod executable;
mod manifest;
mod read;
mod sources;
mod write;

pub use error::BundleError;
pub use read::Bundle;
pub(crate) use sources::Sources;
pub use write::{Built, Contents, Written, check_output_path};

#[cfg(test)]
mod tests;
