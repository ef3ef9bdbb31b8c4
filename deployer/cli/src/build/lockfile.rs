//! Selects the part of `Cargo.lock` that one package depends on, so that changes for other packages rebuild
//! nothing. It must not resolve dependencies itself.

use std::collections::{BTreeMap, BTreeSet};

use cargo_lock::{Lockfile, Package};

/// Returns one line for each locked package that a build of `package` needs, sorted. `test_only` has the
/// dependencies that workspace packages use only in tests.
pub(super) fn needed_by(
    lock: &Lockfile,
    package: &str,
    test_only: &BTreeMap<&str, &[String]>,
) -> BTreeSet<String> {
    let mut waiting: Vec<&Package> =
        lock.packages.iter().filter(|locked| locked.name.as_str() == package).collect();
    let mut seen = BTreeSet::new();
    while let Some(locked) = waiting.pop() {
        if !seen.insert(line(locked)) {
            continue;
        }
        // Only path packages have their test dependencies in the lock file.
        let tests = match locked.source {
            None => test_only.get(locked.name.as_str()).copied().unwrap_or_default(),
            Some(_) => &[],
        };
        for dependency in &locked.dependencies {
            if !tests.iter().any(|test| test == dependency.name.as_str()) {
                waiting.extend(lock.packages.iter().filter(|locked| dependency.matches(locked)));
            }
        }
    }
    seen
}

fn line(locked: &Package) -> String {
    let source = locked.source.as_ref().map_or_else(|| "path".to_owned(), ToString::to_string);
    let checksum = locked.checksum.as_ref().map_or_else(|| "-".to_owned(), ToString::to_string);
    format!("{} {} {source} {checksum}", locked.name, locked.version)
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
source = "registry+https://example.com/index"
[[package]]
name = "base64"
version = "0.22.1"
source = "registry+https://example.com/index"
checksum = "72b3254f16251a8381aa12e40e3c4d2f0199f8c6508fbecb9d91f575e0fbb8c6"
[[package]]
name = "insta"
version = "1.0.0"
source = "registry+https://example.com/index"
[[package]]
name = "serde"
version = "1.0.0"
source = "git+https://example.com/serde?branch=main#0123456789012345678901234567890123456789"
dependencies = ["serde_core"]
[[package]]
name = "serde_core"
version = "1.0.0"
source = "registry+https://example.com/index"
dependencies = ["serde"]
"#;

    #[test]
    fn lock_file_needs_are_transitive_and_exclude_tests() {
        let lock: Lockfile = LOCK.parse().unwrap();
        let tests = ["insta".to_owned()];
        let test_only = BTreeMap::from([("functions", &tests[..])]);
        let lines: Vec<_> = needed_by(&lock, "functions", &test_only).into_iter().collect();
        let index = "registry+https://example.com/index";
        let checksum = "72b3254f16251a8381aa12e40e3c4d2f0199f8c6508fbecb9d91f575e0fbb8c6";
        let commit = "0123456789012345678901234567890123456789";
        let expected = [
            format!("base64 0.22.1 {index} {checksum}"),
            "functions 0.1.0 path -".to_owned(),
            format!("serde 1.0.0 git+https://example.com/serde?branch=main#{commit} -"),
            format!("serde_core 1.0.0 {index} -"),
        ];
        assert_eq!(lines, expected);
    }
}
