//! The errors of builds, with hints.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

use super::settings::{Architecture, GLIBC};
use crate::suggestion::likely;

/// Why a function cannot be built or packaged.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum BuildError {
    /// Cargo is not installed.
    #[error("cannot start `{program}`: it was not found")]
    CargoMissing {
        /// The program that was called.
        program: String,
    },
    /// Cargo cannot describe the workspace.
    #[error("cannot read the cargo workspace at {}: {message}", .dir.display())]
    Metadata {
        /// The folder in which cargo was called.
        dir: PathBuf,
        /// Cargo's message.
        message: String,
    },
    /// The package with the functions is not in the workspace.
    #[error("the workspace at {} has no package `{package}`", .root.display())]
    NoPackage {
        /// The root of the workspace.
        root: PathBuf,
        /// The missing package.
        package: String,
    },
    /// The package has no binary for the function.
    #[error("package `{package}` has no binary `{function}`, only {}", .known.join(", "))]
    NoFunction {
        /// The package of the functions.
        package: String,
        /// The missing function.
        function: String,
        /// The existing functions.
        known: Vec<String>,
    },
    /// The lock file is missing or cannot be parsed.
    #[error("cannot use {}: {message}", .path.display())]
    Lock {
        /// The lock file.
        path: PathBuf,
        /// The parser's message.
        message: String,
    },
    /// A manifest or cargo configuration is not TOML.
    #[error("cannot parse {}: {message}", .path.display())]
    Manifest {
        /// The file.
        path: PathBuf,
        /// The position and the reason.
        message: String,
    },
    /// Cargo failed. Its output was also reported as [`BuildEvent::Message`], and is not repeated in the
    /// error's text.
    ///
    /// [`BuildEvent::Message`]: super::BuildEvent::Message
    #[error("cargo could not build the functions ({status})")]
    Compile {
        /// Cargo's exit status.
        status: String,
        /// The output of cargo and rustc, without progress lines.
        output: String,
        /// A hint that fixes the failure, if the output shows it.
        hint: Option<String>,
    },
    /// Cargo succeeded without naming the binary.
    #[error("cargo built `{function}` but named no executable for it")]
    NoExecutable {
        /// The function.
        function: String,
    },
    /// The binary is not a Linux binary.
    #[error("{}: not a 64-bit Linux (ELF) binary: {message}", .binary.display())]
    NotElf {
        /// The binary.
        binary: PathBuf,
        /// The parser's message about the file.
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
    /// The binary would not start on Lambda, because it needs a newer glibc.
    #[error(
        "{}: needs glibc {found} (symbol version {symbol}), but Lambda's provided.al2023 has {GLIBC}",
        .binary.display()
    )]
    GlibcTooNew {
        /// The binary.
        binary: PathBuf,
        /// The newest glibc that the binary needs.
        found: String,
        /// The version symbol in the binary.
        symbol: String,
    },
    /// The code is larger than Lambda's limit.
    #[error("{function}: the code has {bytes} bytes, but Lambda takes at most {limit}")]
    TooLarge {
        /// The function.
        function: String,
        /// The size of its code.
        bytes: usize,
        /// Lambda's limit.
        limit: usize,
    },
    /// The zip could not be created.
    #[error("cannot package {}: {message}", .binary.display())]
    Zip {
        /// The binary.
        binary: PathBuf,
        /// The zip writer's message.
        message: String,
    },
    /// The code of a workspace cannot be formatted.
    #[error("cannot format the code in {}: {message}", .dir.display())]
    Format {
        /// The folder of the workspace.
        dir: PathBuf,
        /// The message of cargo or rustfmt.
        message: String,
    },
    /// A file could not be read or written.
    #[error("cannot {action} {}", .path.display())]
    Io {
        /// `read`, `write` or `list`.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// The reason.
        source: io::Error,
    },
}

impl BuildError {
    /// Returns a hint that fixes the error, if one is known.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::CargoMissing { .. } => "install Rust from https://rustup.rs, then try again",
            Self::Metadata { .. } => "run `cargo metadata --no-deps` in that folder",
            Self::NoPackage { .. } => "run the deployer inside the workspace of the functions",
            Self::NoFunction { function, known, .. } => {
                let likely = likely(function, known.iter().map(String::as_str));
                return Some(format!("{likely}a function is a file in `src/bin/` of that package"));
            }
            Self::Format { .. } => "run `cargo fmt` in that folder",
            Self::Lock { .. } => "run `cargo generate-lockfile` and commit Cargo.lock",
            Self::Compile { hint, .. } => return hint.clone(),
            Self::NotElf { .. } => {
                "set `build.method = \"zig\"` in the environment file to build for Linux on this machine"
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

    /// Returns a closure for `map_err` that adds the action and the file.
    pub(super) fn io(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { action, path, source }
    }
}
