//! Builds the functions of a cargo package as zips that Lambda accepts, and computes from the sources alone
//! whether a package would change. It knows cargo, ELF and zip files; it must not call AWS, or know
//! environments or the purpose of the functions.

mod cargo;
mod cargo_command;
mod created;
mod elf;
mod error;
mod event;
mod failure;
mod fingerprint;
mod functions_package;
mod group;
mod line_endings;
mod lockfile;
mod manifest;
mod package;
mod release;
mod settings;
mod sources;
mod workspace;

pub use cargo_command::is_set_by_cargo_run;
pub use created::{format_code, prune_lock_file};
pub use error::BuildError;
pub use event::BuildEvent;
pub use fingerprint::relative;
pub use functions_package::{FunctionsPackage, ProvidedFunctions};
pub use group::end_all;
pub use release::{commit_of, descends_from, history, release};
pub use settings::{Architecture, BuildSettings, Method};
pub use workspace::Workspace;
