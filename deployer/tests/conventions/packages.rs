//! The reusable crates are complete without this repository. `.ci/package` packages them.

use std::fs;
use std::path::{Path, PathBuf};

use cargo_metadata::Package;

use crate::directions::metadata;
use crate::sources::files;

/// The crates that other systems use, as in `.ci/package`.
const REUSABLE: [&str; 6] = ["aws", "cli", "engine", "eventsourcing", "runtime", "storage"];

/// The macros that read a file when a crate is compiled.
const INCLUDING: [&str; 2] = ["include_str!(\"", "include_bytes!(\""];

fn reusable() -> Vec<Package> {
    let packages = metadata().packages;
    let packages: Vec<_> =
        packages.into_iter().filter(|package| REUSABLE.contains(&package.name.as_str())).collect();
    assert_eq!(packages.len(), REUSABLE.len());
    packages
}

fn folder(package: &Package) -> PathBuf {
    let folder = package.manifest_path.parent().expect("a manifest is in a folder");
    fs::canonicalize(folder).expect("the folder exists")
}

/// Returns the paths that a source includes.
fn included(text: &str) -> Vec<&str> {
    let after = INCLUDING.iter().flat_map(|including| text.split(including).skip(1));
    after.filter_map(|after| after.split('"').next()).collect()
}

#[test]
fn reusable_crate_is_packaged_with_readme_and_licences() {
    let script =
        fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../.ci/package")).expect("it exists");
    assert!(script.contains(&format!("names=({})", REUSABLE.join(" "))), ".ci/package has the same crates");
    for package in reusable() {
        let name = &package.name;
        assert!(package.description.is_some() && package.license.is_some(), "{name} is described");
        for file in ["README.md", "LICENSE-MIT", "LICENSE-APACHE"] {
            assert!(folder(&package).join(file).is_file(), "{name} has no {file}");
        }
        let root = fs::read_to_string(folder(&package).join("src/lib.rs")).expect("it is a library");
        assert!(
            root.starts_with("#![doc = include_str!(\"../README.md\")]\n"),
            "{name} begins with its README"
        );
    }
}

/// A package contains only files of its own folder, so it would not compile elsewhere.
#[test]
fn reusable_crate_includes_only_its_own_files() {
    let mut number = 0;
    for package in reusable() {
        let folder = folder(&package);
        let mut sources = Vec::new();
        files(&folder, &mut sources);
        sources.retain(|path| path.extension().is_some_and(|ending| ending == "rs"));
        for source in sources {
            let text = fs::read_to_string(&source).expect("sources are text");
            for path in included(&text) {
                number += 1;
                let file = source.parent().unwrap_or(Path::new("")).join(path);
                let inside = fs::canonicalize(&file).is_ok_and(|file| file.starts_with(&folder));
                assert!(inside, "{} includes `{path}`, which is not in its package", source.display());
            }
        }
    }
    assert!(number > 6, "too few included files were found: {number}");
}

#[test]
fn included_files_are_found_in_a_source() {
    let text = "const A: &str = include_str!(\"a.txt\"); const B: &[u8] = include_bytes!(\"../b\");";
    assert_eq!(included(text), ["a.txt", "../b"]);
}
