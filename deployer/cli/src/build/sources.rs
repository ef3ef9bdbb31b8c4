//! Lists the files of a package that are part of one of its binaries. It reads folders, and must not know the
//! content of the files.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::error::BuildError;

/// Folders next to a package's manifest that are not part of its binaries.
const NOT_BUILT: [&str; 5] = ["benches", "examples", "proptest-regressions", "target", "tests"];

/// Returns the files below `dir` that are part of a binary, by relative path with `/`: all but tests,
/// examples, hidden files, documentation next to the manifest, nested packages, and `excluded` ones.
///
/// That can be more than rustc reads, but never less: a build script or `include_str!` can read any file of
/// the package.
pub(super) fn of_package(dir: &Path, excluded: &[PathBuf]) -> Result<BTreeMap<String, PathBuf>, BuildError> {
    let mut files = BTreeMap::new();
    for (name, path) in entries(dir)? {
        let built = !NOT_BUILT.contains(&name.as_str()) && !is_prose(&name);
        // The manifest is compared by meaning, not by its text: see `manifest`.
        if built && name != "Cargo.toml" && name != "Cargo.lock" {
            collect(name, path, excluded, &mut files)?;
        }
    }
    Ok(files)
}

/// Returns the paths that only the binaries `others` use: their file, or their folder if they have one
/// (`src/bin/name/main.rs`).
pub(super) fn owned_by<'a>(others: impl Iterator<Item = &'a Path>) -> Vec<PathBuf> {
    others
        .map(|source| {
            let folder = source.parent().unwrap_or(source);
            let in_own_folder = source.file_name().is_some_and(|name| name == "main.rs")
                && folder.parent().is_some_and(|parent| parent.ends_with("src/bin"));
            let owned = if in_own_folder { folder } else { source };
            owned.to_owned()
        })
        .collect()
}

fn collect(
    name: String,
    path: PathBuf,
    excluded: &[PathBuf],
    files: &mut BTreeMap<String, PathBuf>,
) -> Result<(), BuildError> {
    if excluded.contains(&path) {
        return Ok(());
    }
    if !path.is_dir() {
        files.insert(name, path);
        return Ok(());
    }
    if path.join("Cargo.toml").exists() || links_to_own_parent(&path) {
        return Ok(());
    }
    for (child, path) in entries(&path)? {
        collect(format!("{name}/{child}"), path, excluded, files)?;
    }
    Ok(())
}

/// Returns the entries of a folder that are not hidden.
fn entries(dir: &Path) -> Result<Vec<(String, PathBuf)>, BuildError> {
    let mut entries = Vec::new();
    for entry in fs::read_dir(dir).map_err(BuildError::io("list", dir))? {
        let entry = entry.map_err(BuildError::io("list", dir))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if !name.starts_with('.') {
            entries.push((name, entry.path()));
        }
    }
    Ok(entries)
}

/// Returns whether a file is documentation, which is rarely compiled in.
fn is_prose(name: &str) -> bool {
    name.ends_with(".md") || name.starts_with("LICENSE")
}

/// Returns whether a folder is a symbolic link to one of its parents, which would make the walk endless.
fn links_to_own_parent(dir: &Path) -> bool {
    let target = fs::canonicalize(dir);
    let parent = dir.parent().map(fs::canonicalize);
    matches!((target, parent), (Ok(target), Some(Ok(parent))) if parent.starts_with(&target))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(root: &Path, file: &str) {
        let path = root.join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, file).unwrap();
    }

    #[test]
    fn tests_prose_hidden_files_and_nested_packages_do_not_count() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path();
        for file in [
            "Cargo.toml",
            "README.md",
            "build.rs",
            "examples/e.rs",
            "fuzz/Cargo.toml",
            "fuzz/f.rs",
            "schema.json",
            "src/.lib.rs.swp",
            "src/lib.rs",
            "src/prompt.md",
            "src/tests/mod.rs",
            "tests/t.rs",
        ] {
            write(root, file);
        }
        let files: Vec<_> = of_package(root, &[]).unwrap().into_keys().collect();
        let expected = ["build.rs", "schema.json", "src/lib.rs", "src/prompt.md", "src/tests/mod.rs"];
        assert_eq!(files, expected);
    }

    #[test]
    fn binary_owns_its_file_or_folder() {
        let others = ["/p/src/bin/a.rs", "/p/src/bin/b/main.rs", "/p/src/main.rs"];
        let owned = owned_by(others.iter().map(Path::new));
        let expected = ["/p/src/bin/a.rs", "/p/src/bin/b", "/p/src/main.rs"];
        assert_eq!(owned, expected.map(PathBuf::from));
    }

    #[cfg(unix)]
    #[test]
    fn symlink_to_a_parent_ends_the_walk() {
        let dir = tempfile::tempdir().unwrap();
        write(dir.path(), "src/lib.rs");
        std::os::unix::fs::symlink(dir.path(), dir.path().join("src/up")).unwrap();
        assert_eq!(of_package(dir.path(), &[]).unwrap().len(), 1);
    }
}
