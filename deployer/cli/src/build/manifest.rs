//! The settings in manifests and cargo's configuration that affect a binary. They are compared by meaning, so
//! that a comment, a test dependency or another profile rebuilds nothing. It must not know which files exist.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use toml::{Table, Value};

use super::error::BuildError;

/// Keys of a package's manifest that change no binary, or that are hashed with the root manifest.
const NOT_BUILT: [&str; 9] =
    ["badges", "bench", "dev-dependencies", "example", "lints", "patch", "profile", "test", "workspace"];

/// Tables of cargo's configuration that change a binary.
const CONFIGURES_BINARIES: [&str; 7] = ["build", "env", "host", "patch", "profile", "target", "unstable"];

/// Keys of `[build]` that change cargo's folders, speed or documentation, but no binary.
const CONFIGURES_WORK: [&str; 5] = ["build-dir", "jobs", "rustdoc", "rustdocflags", "target-dir"];

/// The prefix of variables that configure a profile.
const PROFILE_VARIABLES: &str = "CARGO_PROFILE_";

/// Returns the folder of a manifest.
pub(super) fn folder(manifest: &Path) -> &Path {
    manifest.parent().unwrap_or(manifest)
}

/// Reads a TOML file; a missing file is empty.
pub(super) fn read(path: &Path) -> Result<Table, BuildError> {
    if !path.exists() {
        return Ok(Table::new());
    }
    let text = fs::read_to_string(path).map_err(BuildError::io("read", path))?;
    // In a multi-line string, TOML keeps the line endings of the file.
    toml::from_str(&text.replace("\r\n", "\n"))
        .map_err(|error| BuildError::Manifest { path: path.to_owned(), message: error.to_string() })
}

/// Returns the part of a package's manifest that affects `function`.
pub(super) fn of_package(mut manifest: Table, function: &str) -> Table {
    for key in NOT_BUILT {
        manifest.remove(key);
    }
    if let Some(Value::Table(targets)) = manifest.get_mut("target") {
        for (_, target) in targets.iter_mut() {
            if let Value::Table(target) = target {
                target.remove("dev-dependencies");
            }
        }
    }
    if let Some(Value::Array(bins)) = manifest.get_mut("bin") {
        bins.retain(|bin| bin.get("name").and_then(Value::as_str) == Some(function));
    }
    manifest
}

/// Returns the dependencies in a package's manifest, whose test dependencies were already removed.
pub(super) fn dependencies(manifest: &Table) -> BTreeSet<String> {
    let targets = manifest.get("target").and_then(Value::as_table);
    let targets = targets.into_iter().flat_map(Table::values);
    let tables = targets.filter_map(Value::as_table).chain([manifest]);
    tables
        .flat_map(|table| [table.get("dependencies"), table.get("build-dependencies")])
        .flatten()
        .filter_map(Value::as_table)
        .flat_map(Table::keys)
        .cloned()
        .collect()
}

/// Returns the part of the root manifest that affects binaries with these `profiles` and `dependencies`.
pub(super) fn of_root(root: &Table, profiles: &BTreeSet<String>, dependencies: &BTreeSet<String>) -> Table {
    let mut kept = Table::new();
    for key in ["patch", "replace"] {
        if let Some(value) = root.get(key) {
            kept.insert(key.to_owned(), value.clone());
        }
    }
    let described = |name: &String| {
        let described = root.get("profile").and_then(|all| all.get(name)).cloned();
        (name.clone(), described.unwrap_or_else(|| Table::new().into()))
    };
    let profiles: Table = profiles.iter().map(described).collect();
    kept.insert("profile".to_owned(), profiles.into());
    kept.extend(of_other_root(root, dependencies));
    kept
}

/// Returns the part of the root manifest of another workspace that affects binaries with these `dependencies`: its
/// packages inherit it. Its profiles do not apply.
pub(super) fn of_other_root(root: &Table, dependencies: &BTreeSet<String>) -> Table {
    let mut kept = Table::new();
    if let Some(Value::Table(workspace)) = root.get("workspace") {
        let mut workspace = workspace.clone();
        workspace.retain(|key, _| ["dependencies", "package", "resolver"].contains(&key));
        if let Some(Value::Table(shared)) = workspace.get_mut("dependencies") {
            shared.retain(|name, _| dependencies.contains(name));
        }
        kept.insert("workspace".to_owned(), workspace.into());
    }
    kept
}

/// Returns the part of `.cargo/config.toml` that affects binaries with these `profiles`.
pub(super) fn of_configuration(mut configuration: Table, profiles: &BTreeSet<String>) -> Table {
    configuration.retain(|key, _| CONFIGURES_BINARIES.contains(&key));
    if let Some(Value::Table(described)) = configuration.get_mut("profile") {
        described.retain(|name, _| profiles.contains(name));
        if described.is_empty() {
            configuration.remove("profile");
        }
    }
    if let Some(Value::Table(build)) = configuration.get_mut("build") {
        build.retain(|key, _| !CONFIGURES_WORK.contains(&key));
    }
    configuration
}

/// Returns the folders of the packages that `[patch]` in the root manifest replaces by a path.
pub(super) fn patched_paths(root: &Path) -> Result<Vec<PathBuf>, BuildError> {
    let manifest = read(&root.join("Cargo.toml"))?;
    let patch = manifest.get("patch").and_then(Value::as_table);
    let registries = patch.into_iter().flat_map(Table::values);
    let patches = registries.filter_map(Value::as_table).flat_map(Table::values);
    Ok(patches.filter_map(|patch| patch.get("path")?.as_str()).map(|path| root.join(path)).collect())
}

/// Returns the names of a profile and of all profiles that it inherits from. The root manifest, cargo's
/// configuration (`tables`) and variables can set the parent; if they differ, all of them count.
pub(super) fn lineage<'a>(
    profile: &str,
    tables: impl Iterator<Item = &'a Table>,
    variables: &BTreeMap<String, String>,
) -> BTreeSet<String> {
    let described: Vec<&Value> = tables.filter_map(|table| table.get("profile")).collect();
    let mut found = BTreeSet::new();
    let mut waiting = vec![profile.to_owned()];
    while let Some(name) = waiting.pop() {
        if found.contains(&name) {
            continue;
        }
        let parents = described.iter().filter_map(|all| all.get(&name)?.get("inherits")?.as_str());
        waiting.extend(parents.map(str::to_owned));
        waiting.extend(variables.get(&format!("{}INHERITS", variable_prefix(&name))).cloned());
        // Cargo's built-in profiles inherit implicitly ("Profiles", The Cargo Book).
        waiting.extend(match name.as_str() {
            "test" => Some("dev".to_owned()),
            "bench" => Some("release".to_owned()),
            _ => None,
        });
        found.insert(name);
    }
    found
}

/// Returns whether a variable affects one of these profiles, or all profiles.
pub(super) fn is_for_profiles(variable: &str, profiles: &BTreeSet<String>) -> bool {
    !variable.starts_with(PROFILE_VARIABLES)
        || profiles.iter().any(|profile| variable.starts_with(&variable_prefix(profile)))
}

/// Returns the prefix of the variables of a profile ("Environment variables", The Cargo Book).
fn variable_prefix(profile: &str) -> String {
    format!("{PROFILE_VARIABLES}{}_", profile.to_uppercase().replace('-', "_"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(text: &str) -> Table {
        toml::from_str(text).unwrap()
    }

    #[test]
    fn package_manifest_leaves_out_tests_and_other_binaries() {
        let manifest = table(
            r#"
            bin = [{name = "a"}, {name = "b"}]
            test = [{name = "t"}]
            [package]
            name = "functions"
            [dependencies]
            serde = "1"
            [dev-dependencies]
            insta = "1"
            [target.'cfg(unix)'.dependencies]
            rustix = "1"
            [target.'cfg(unix)'.dev-dependencies]
            nix = "1"
            "#,
        );
        let kept = of_package(manifest, "a");
        let expected = table(
            r#"
            bin = [{name = "a"}]
            package.name = "functions"
            dependencies.serde = "1"
            target.'cfg(unix)'.dependencies.rustix = "1"
            "#,
        );
        assert_eq!(kept, expected);
        let names: Vec<_> = dependencies(&kept).into_iter().collect();
        assert_eq!(names, ["rustix", "serde"]);
    }

    #[test]
    fn root_manifest_keeps_used_dependencies_and_profiles() {
        let root = table(
            r#"
            [workspace]
            members = ["a"]
            resolver = "3"
            [workspace.dependencies]
            clap = "4"
            serde = "1"
            [workspace.lints.rust]
            missing_docs = "warn"
            [profile.dev]
            debug = 0
            [profile.release]
            lto = "thin"
            [profile.lambda]
            inherits = "release"
            "#,
        );
        let profiles = lineage("lambda", [&root].into_iter(), &BTreeMap::new());
        let kept = of_root(&root, &profiles, &BTreeSet::from(["serde".to_owned()]));
        let expected = table(
            r#"
            [workspace]
            resolver = "3"
            dependencies.serde = "1"
            [profile]
            release.lto = "thin"
            lambda.inherits = "release"
            "#,
        );
        assert_eq!(kept, expected);
    }

    #[test]
    fn configuration_keeps_only_keys_that_change_binaries() {
        let configuration = table(
            r#"
            [alias]
            x = "run"
            [build]
            jobs = 2
            rustflags = ["-g"]
            rustdocflags = ["-D", "warnings"]
            [profile.release]
            debug = 1
            "#,
        );
        let kept = of_configuration(configuration, &BTreeSet::from(["dev".to_owned()]));
        assert_eq!(kept, table(r#"build.rustflags = ["-g"]"#));
    }
}
