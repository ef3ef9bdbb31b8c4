//! The files that the conventions are about.

use std::fs;
use std::path::{Path, PathBuf};

/// Returns whether this is the copy of `.ci/mutants`, whose code differs from that of the repository.
pub(crate) fn has_mutants() -> bool {
    env!("CARGO_PKG_VERSION").ends_with("-mutants")
}

/// Finds all sources and documents below a folder.
pub(crate) fn files(path: &Path, found: &mut Vec<PathBuf>) {
    if path.is_dir() {
        for entry in fs::read_dir(path).expect("the folder is committed").flatten() {
            files(&entry.path(), found);
        }
    } else if path.extension().is_some_and(|ending| ending == "rs" || ending == "md") {
        found.push(path.to_owned());
    }
}
