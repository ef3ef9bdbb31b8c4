//! The part of `Cargo.lock` that one package depends on, so that a change for another package
//! rebuilds nothing. It reads the file as cargo wrote it and must not resolve anything itself.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

/// A lock file.
#[derive(Deserialize)]
pub(super) struct Lockfile {
    #[serde(default, rename = "package")]
    packages: Vec<Locked>,
}

#[derive(Deserialize)]
struct Locked {
    name: String,
    version: String,
    source: Option<String>,
    checksum: Option<String>,
    #[serde(default)]
    dependencies: Vec<String>,
}

impl Lockfile {
    /// Reads a lock file's text.
    pub(super) fn parse(text: &str) -> Result<Self, toml::de::Error> {
        toml::from_str(text)
    }

    /// Returns one line for each locked package that `package` needs when it is built,
    /// sorted. `test_only` names what a package of ours needs for its tests alone.
    pub(super) fn needed_by(&self, package: &str, test_only: &BTreeMap<&str, &[String]>) -> BTreeSet<String> {
        let mut waiting: Vec<&Locked> = self.named(package).collect();
        let mut seen = BTreeSet::new();
        while let Some(locked) = waiting.pop() {
            if !seen.insert(locked.line()) {
                continue;
            }
            // Only packages of ours have their tests' dependencies in the lock file.
            let tests = match locked.source {
                None => test_only.get(locked.name.as_str()).copied(),
                Some(_) => None,
            };
            for dependency in &locked.dependencies {
                let name = dependency.split(' ').next().unwrap_or(dependency);
                let only_tests = tests.is_some_and(|tests| tests.iter().any(|test| test == name));
                if !only_tests {
                    waiting.extend(self.named(dependency));
                }
            }
        }
        seen
    }

    /// Returns the packages that `reference` means: `name`, `name version` or
    /// `name version (source)`, as short as is unambiguous.
    fn named<'a>(&'a self, reference: &str) -> impl Iterator<Item = &'a Locked> {
        let mut parts = reference.splitn(3, ' ').map(str::to_owned);
        let (name, version) = (parts.next(), parts.next());
        let source = parts.next();
        self.packages.iter().filter(move |locked| {
            name.as_ref() == Some(&locked.name)
                && version.as_ref().is_none_or(|version| *version == locked.version)
                && source.as_ref().is_none_or(|source| {
                    // References leave out the commit that ends the source of a git package.
                    let found = locked.source.as_deref().unwrap_or_default();
                    found.starts_with(source.trim_matches(['(', ')']))
                })
        })
    }
}

impl Locked {
    fn line(&self) -> String {
        let source = self.source.as_deref().unwrap_or("path");
        let checksum = self.checksum.as_deref().unwrap_or("-");
        format!("{} {} {source} {checksum}", self.name, self.version)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCK: &str = r#"
version = 4
[[package]]
name = "functions"
version = "0.1.0"
dependencies = ["base64 0.22.1", "insta", "serde"]
[[package]]
name = "deployer"
version = "0.1.0"
dependencies = ["base64 0.13.0"]
[[package]]
name = "base64"
version = "0.13.0"
source = "registry"
[[package]]
name = "base64"
version = "0.22.1"
source = "registry"
checksum = "abc"
[[package]]
name = "insta"
version = "1.0.0"
source = "registry"
[[package]]
name = "serde"
version = "1.0.0"
source = "registry"
dependencies = ["serde_core"]
[[package]]
name = "serde_core"
version = "1.0.0"
source = "registry"
dependencies = ["serde"]
"#;

    #[test]
    fn needs_are_transitive_exact_and_without_those_of_tests() {
        let lock = Lockfile::parse(LOCK).unwrap();
        let tests = ["insta".to_owned()];
        let test_only = BTreeMap::from([("functions", &tests[..])]);
        let lines: Vec<_> = lock.needed_by("functions", &test_only).into_iter().collect();
        let expected = [
            "base64 0.22.1 registry abc",
            "functions 0.1.0 path -",
            "serde 1.0.0 registry -",
            "serde_core 1.0.0 registry -",
        ];
        assert_eq!(lines, expected);
    }
}
