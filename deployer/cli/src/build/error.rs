//! Everything that can go wrong in a build, in words that say what to do next.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

use super::settings::{Architecture, GLIBC};

/// Why there is no package.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum BuildError {
    /// There is no cargo to call.
    #[error("cannot start `{program}`: it was not found")]
    CargoMissing {
        /// What was called.
        program: String,
    },
    /// Cargo cannot describe the workspace.
    #[error("cannot read the cargo workspace at {}: {message}", .dir.display())]
    Metadata {
        /// Where cargo was asked.
        dir: PathBuf,
        /// What cargo said.
        message: String,
    },
    /// The package with the functions is not in the workspace.
    #[error("the workspace at {} has no package `{package}`", .root.display())]
    NoPackage {
        /// The root of the workspace.
        root: PathBuf,
        /// The package looked for.
        package: String,
    },
    /// A function that no file in `src/bin/` makes.
    #[error("package `{package}` has no binary `{function}`, only {}", .known.join(", "))]
    NoFunction {
        /// The package looked into.
        package: String,
        /// The function looked for.
        function: String,
        /// The functions there are.
        known: Vec<String>,
    },
    /// The lock file is missing or cannot be understood.
    #[error("cannot use {}: {message}", .path.display())]
    Lock {
        /// The lock file.
        path: PathBuf,
        /// What is wrong with it.
        message: String,
    },
    /// A manifest or cargo configuration is not TOML.
    #[error("cannot understand {}: {message}", .path.display())]
    Manifest {
        /// The file.
        path: PathBuf,
        /// Where and why.
        message: String,
    },
    /// Cargo gave up. All it said was told by [`BuildEvent::Message`] as well, and is not
    /// repeated in the error's text.
    ///
    /// [`BuildEvent::Message`]: super::BuildEvent::Message
    #[error("cargo could not build the functions ({status})")]
    Compile {
        /// How cargo ended.
        status: String,
        /// What cargo and rustc wrote, without progress lines.
        output: String,
        /// What fixes it, where the output tells.
        hint: Option<String>,
    },
    /// Cargo succeeded without naming the binary.
    #[error("cargo built `{function}` but named no executable for it")]
    NoExecutable {
        /// The function without a binary.
        function: String,
    },
    /// The binary is not for Linux at all.
    #[error("{}: not a 64-bit Linux (ELF) binary: {message}", .binary.display())]
    NotElf {
        /// The binary.
        binary: PathBuf,
        /// What it is instead.
        message: String,
    },
    /// The binary is for another processor.
    #[error("{}: built for {found}, but the environment asks for {wanted}", .binary.display())]
    WrongArchitecture {
        /// The binary.
        binary: PathBuf,
        /// The processor it was built for.
        found: String,
        /// The processor the environment asks for.
        wanted: Architecture,
    },
    /// The binary would not start on Lambda: its glibc is older.
    #[error(
        "{}: needs glibc {found} (symbol version {symbol}), but Lambda's provided.al2023 has {GLIBC}",
        .binary.display()
    )]
    GlibcTooNew {
        /// The binary.
        binary: PathBuf,
        /// The newest version it needs.
        found: String,
        /// The version as the binary names it.
        symbol: String,
    },
    /// Lambda does not take code of this size.
    #[error("{function}: the code has {bytes} bytes, but Lambda takes at most {limit}")]
    TooLarge {
        /// The function.
        function: String,
        /// The size of its code.
        bytes: usize,
        /// Lambda's limit.
        limit: usize,
    },
    /// The zip could not be made.
    #[error("cannot package {}: {message}", .binary.display())]
    Zip {
        /// The binary.
        binary: PathBuf,
        /// What the zip writer said.
        message: String,
    },
    /// A file could not be read or written.
    #[error("cannot {action} {}", .path.display())]
    Io {
        /// Read, write, list.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
}

impl BuildError {
    /// Returns what fixes the error, where that is known.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::CargoMissing { .. } => "install Rust from https://rustup.rs, then try again",
            Self::Metadata { .. } => "run `cargo metadata --no-deps` in that folder",
            Self::NoPackage { .. } => "run the deployer inside the workspace of the functions",
            Self::NoFunction { .. } => "a function is a file in `src/bin/` of that package",
            Self::Lock { .. } => "run `cargo generate-lockfile` and commit Cargo.lock",
            Self::Compile { hint, .. } => return hint.clone(),
            Self::NotElf { .. } => {
                "set `build.method = \"zig\"` in the environment file to build for Linux from here"
            }
            Self::WrongArchitecture { .. } => {
                "change `architecture` in the environment file, or build for the other \
                 processor with `build.method = \"zig\"`"
            }
            Self::GlibcTooNew { .. } => {
                "set `build.method = \"zig\"` (links against an older glibc) or \
                 `build.method = \"musl\"` (static) in the environment file, or build on a \
                 machine with an older glibc"
            }
            Self::TooLarge { .. } => "use a profile that strips and optimises for size, such as `lambda`",
            Self::Manifest { .. } | Self::NoExecutable { .. } | Self::Zip { .. } | Self::Io { .. } => {
                return None;
            }
        };
        Some(hint.to_owned())
    }

    /// Returns a closure for `map_err` that says what was being done to which file.
    pub(super) fn io(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { action, path, source }
    }
}
