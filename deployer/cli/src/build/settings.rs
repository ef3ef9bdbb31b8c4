//! The build settings of an environment file: profile, method, architecture. It must not know how cargo is
//! called.

use std::fmt;

use schemars::JsonSchema;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

/// The glibc version of `provided.al2023` (Amazon Linux 2023).
pub(super) const GLIBC: GlibcVersion = GlibcVersion { major: 2, minor: 34 };

/// How the functions of one environment are built.
#[derive(Clone, Debug, Deserialize, Eq, Hash, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct BuildSettings {
    /// The cargo profile, such as `dev` or `lambda`.
    #[serde(deserialize_with = "profile")]
    pub profile: String,
    /// The build method.
    pub method: Method,
    /// The processor the functions run on.
    pub architecture: Architecture,
}

impl BuildSettings {
    /// Returns the `--target` for cargo, or `None` if the host is the target.
    pub(super) fn target(&self) -> Option<String> {
        let arch = self.architecture.in_triples();
        let host_is_target =
            cfg!(all(target_os = "linux", target_env = "gnu")) && std::env::consts::ARCH == arch;
        match self.method {
            Method::Host => None,
            Method::Cargo if host_is_target => None,
            Method::Cargo => Some(format!("{arch}-unknown-linux-gnu")),
            Method::Musl => Some(format!("{arch}-unknown-linux-musl")),
            Method::Zig => Some(format!("{arch}-unknown-linux-gnu.{GLIBC}")),
        }
    }

    /// Returns the target in rustup's form, without the glibc version that only zig understands.
    pub(super) fn rustup_target(&self) -> Option<String> {
        let target = self.target()?;
        let suffix = format!(".{GLIBC}");
        Some(target.strip_suffix(&suffix).unwrap_or(&target).to_owned())
    }

    /// Returns a folder name that differs whenever the packages can differ.
    pub(crate) fn folder(&self) -> String {
        match self.method {
            Method::Host => format!("{}-host", self.profile),
            method => format!("{}-{method}-{}", self.profile, self.architecture),
        }
    }
}

impl fmt::Display for BuildSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "profile {}, method {}", self.profile, self.method)?;
        match self.method {
            Method::Host => Ok(()),
            _ => write!(f, ", architecture {}", self.architecture),
        }
    }
}

impl Default for BuildSettings {
    fn default() -> Self {
        Self {
            profile: "lambda".to_owned(),
            method: Method::default(),
            architecture: Architecture::default(),
        }
    }
}

/// Reads a profile name and checks it by cargo's rules ("Profiles", The Cargo Book). Cargo would reject an
/// invalid name only later, after all resources were read.
fn profile<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let name = String::deserialize(deserializer)?;
    if name == "debug" {
        return Err(D::Error::custom(
            "cargo has no profile `debug`; the profile that builds into `target/debug` is `dev`",
        ));
    }
    let right = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
    if !name.is_empty() && !name.starts_with('-') && name.chars().all(right) {
        Ok(name)
    } else {
        Err(D::Error::custom(format!(
            "`{name}` is not a cargo profile name; use letters, digits, hyphens and underscores",
        )))
    }
}

/// How cargo builds a binary for its target.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, Hash, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// Builds for this machine, without checks: the local cloud runs the binaries natively.
    Host,
    /// Plain cargo for Linux with glibc: suitable if the build machine's glibc is not newer than Lambda's.
    #[default]
    Cargo,
    /// Plain cargo with static musl: runs everywhere, but with a slower allocator.
    Musl,
    /// `cargo zigbuild`: links against Lambda's glibc from any machine.
    Zig,
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Host => "host",
            Self::Cargo => "cargo",
            Self::Musl => "musl",
            Self::Zig => "zig",
        })
    }
}

/// The processor architecture of the functions, with AWS's names.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, Hash, JsonSchema, PartialEq, Serialize)]
pub enum Architecture {
    /// Intel and AMD.
    #[default]
    #[serde(rename = "x86_64")]
    X86_64,
    /// Graviton.
    #[serde(rename = "arm64")]
    Arm64,
}

impl Architecture {
    /// Returns the architecture's name in Rust target triples.
    fn in_triples(self) -> &'static str {
        match self {
            Self::X86_64 => "x86_64",
            Self::Arm64 => "aarch64",
        }
    }
}

impl fmt::Display for Architecture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::X86_64 => "x86_64",
            Self::Arm64 => "arm64",
        })
    }
}

/// A version of glibc, as in symbol versions.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct GlibcVersion {
    pub(super) major: u32,
    pub(super) minor: u32,
}

impl fmt::Display for GlibcVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(method: Method, architecture: Architecture) -> BuildSettings {
        BuildSettings { profile: "lambda".into(), method, architecture }
    }

    #[test]
    fn build_settings_are_spelled_as_in_environment_files() {
        let json = serde_json::to_value(settings(Method::Zig, Architecture::Arm64)).unwrap();
        assert_eq!(json, serde_json::json!({"profile": "lambda", "method": "zig", "architecture": "arm64"}));
        let unknown = serde_json::from_str::<BuildSettings>(r#"{"methd": "zig"}"#);
        assert!(unknown.is_err());
    }

    #[test]
    fn build_method_has_its_target() {
        let target = |method| settings(method, Architecture::Arm64).target();
        assert_eq!(target(Method::Host), None);
        let musl = target(Method::Musl);
        assert_eq!(musl.as_deref(), Some("aarch64-unknown-linux-musl"));
        let zig = settings(Method::Zig, Architecture::Arm64);
        let pinned = zig.target();
        assert_eq!(pinned.as_deref(), Some("aarch64-unknown-linux-gnu.2.34"));
        let known = zig.rustup_target();
        assert_eq!(known.as_deref(), Some("aarch64-unknown-linux-gnu"));
    }
}
