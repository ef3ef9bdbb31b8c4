//! The cargo workspace with the functions: its folder, its functions, and the local packages that they depend
//! on. It calls cargo without the network and compiles nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

use cargo_lock::Lockfile;
use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package};

use super::cargo_command::{self, is_for_compiler};
use super::error::BuildError;
use super::functions_package::{FunctionsPackage, ProvidedFunctions};
use super::lockfile::needed_by;
use super::manifest;

/// A cargo workspace and the package of the functions: its binaries, and those of the packages that it depends on.
#[derive(Clone, Debug)]
pub struct Workspace {
    pub(super) root: PathBuf,
    pub(super) target_directory: PathBuf,
    pub(super) package: String,
    pub(super) functions: BTreeMap<String, FunctionSource>,
    /// The package itself, then its path dependencies in a stable order.
    pub(super) members: Vec<Member>,
    /// The lines of `Cargo.lock` that the package needs. Cached, because reading the file takes longer than
    /// the rest of a fingerprint.
    pub(super) locked: BTreeSet<String>,
    /// The variables of this process that change rustc's output, for all profiles.
    pub(super) compiler_environment: BTreeMap<String, String>,
}

/// Where a function is defined.
#[derive(Clone, Debug)]
pub(super) struct FunctionSource {
    /// The package with the binary.
    pub(super) package: String,
    /// The file of its `main`; `None` if the package is not on this machine as a path dependency.
    pub(super) main: Option<PathBuf>,
}

/// A package with local sources.
#[derive(Clone, Debug)]
pub(super) struct Member {
    pub(super) name: String,
    pub(super) dir: PathBuf,
    /// The root of its workspace.
    pub(super) root: PathBuf,
    /// The files with the `main` of its binaries, by name.
    pub(super) binaries: BTreeMap<String, PathBuf>,
    /// The dependencies that only tests use; the lock file contains them too.
    pub(super) test_only: Vec<String>,
}

impl Workspace {
    /// Returns the workspace around `dir` with the package of the functions.
    pub async fn discover(dir: impl AsRef<Path>, functions: FunctionsPackage) -> Result<Self, BuildError> {
        let package = functions.name;
        let dir = dir.as_ref();
        let metadata = metadata(dir).await?;
        let functions_package = metadata
            .workspace_packages()
            .into_iter()
            .find(|candidate| *candidate.name == package)
            .ok_or_else(|| BuildError::NoPackage {
                root: metadata.workspace_root.clone().into(),
                package: package.to_owned(),
            })?;
        let root = PathBuf::from(metadata.workspace_root.clone());
        let members = members(functions_package, &metadata).await?;
        Ok(Self {
            locked: locked(&root.join("Cargo.lock"), package, &members)?,
            root,
            target_directory: metadata.target_directory.clone().into(),
            package: package.to_owned(),
            functions: self::functions(&members, functions.provided),
            members,
            compiler_environment: compiler_environment(env::vars_os()),
        })
    }

    /// Returns the folder of the workspace's `Cargo.toml`.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Returns cargo's target folder; packages are stored in `deployer/` below it.
    pub fn target_directory(&self) -> &Path {
        &self.target_directory
    }

    /// Returns the names of the functions, sorted.
    pub fn functions(&self) -> impl Iterator<Item = &str> {
        self.functions.keys().map(String::as_str)
    }

    /// Checks that a function has a binary.
    ///
    /// # Errors
    /// Fails with the names of all functions.
    pub fn require(&self, function: &str) -> Result<(), BuildError> {
        self.source_of(function).map(drop)
    }

    /// Returns the functions of the package itself that are none of these, each with the file of its `main`.
    pub fn other_functions<'a>(&'a self, known: &'a [&str]) -> impl Iterator<Item = (&'a str, &'a Path)> {
        let own = self.members.first().into_iter().flat_map(|package| &package.binaries);
        own.map(|(name, main)| (name.as_str(), main.as_path())).filter(|(name, _)| !known.contains(name))
    }

    /// Returns where a function is defined.
    pub(super) fn source_of(&self, function: &str) -> Result<&FunctionSource, BuildError> {
        self.functions.get(function).ok_or_else(|| BuildError::NoFunction {
            package: self.package.clone(),
            function: function.to_owned(),
            known: self.functions.keys().cloned().collect(),
        })
    }
}

/// Returns cargo's metadata of the workspace around `dir`. Without dependencies it takes 50 ms and needs
/// neither network nor registry.
async fn metadata(dir: &Path) -> Result<Metadata, BuildError> {
    let failed = |message: String| BuildError::Metadata { dir: dir.to_owned(), message };
    let mut command = cargo_command::command();
    command.args(["metadata", "--no-deps", "--format-version", "1"]).current_dir(dir);
    let output = match command.output().await {
        Ok(output) => output,
        Err(error) if error.kind() == io::ErrorKind::NotFound && dir.is_dir() => {
            return Err(cargo_command::missing());
        }
        Err(error) => return Err(failed(error.to_string())),
    };
    if !output.status.success() {
        return Err(failed(String::from_utf8_lossy(&output.stderr).trim().into()));
    }
    MetadataCommand::parse(String::from_utf8_lossy(&output.stdout)).map_err(|error| failed(error.to_string()))
}

/// Returns the binaries of these packages, and `provided` ones. The first package comes last, so that its binary is
/// chosen of two with the same name.
fn functions(members: &[Member], provided: Option<ProvidedFunctions>) -> BTreeMap<String, FunctionSource> {
    let provided = provided.iter().flat_map(|provided| {
        let source = FunctionSource { package: provided.package.to_owned(), main: None };
        provided.names.iter().map(move |name| ((*name).to_owned(), source.clone()))
    });
    let local = members.iter().rev().flat_map(|member| {
        let of_member =
            |main: &PathBuf| FunctionSource { package: member.name.clone(), main: Some(main.clone()) };
        member.binaries.iter().map(move |(name, main)| (name.clone(), of_member(main)))
    });
    provided.chain(local).collect()
}

/// Returns `package` and its path dependencies, except those of tests.
async fn members(package: &Package, metadata: &Metadata) -> Result<Vec<Member>, BuildError> {
    let mut known = index(metadata);
    let first = PathBuf::from(package.manifest_path.clone());
    let first = manifest::folder(&first).to_owned();
    let mut waiting = manifest::patched_paths(metadata.workspace_root.as_std_path())?;
    waiting.push(first.clone());
    let mut found = BTreeMap::new();
    while let Some(dir) = waiting.pop() {
        if found.contains_key(&dir) {
            continue;
        }
        if !known.contains_key(&dir) {
            // A path dependency outside this workspace belongs to another workspace.
            known.extend(index(&self::metadata(&dir).await?));
        }
        let (root, package) = known.get(&dir).ok_or_else(|| BuildError::Metadata {
            dir: dir.clone(),
            message: "there is no package in this folder, but another package depends on it".to_owned(),
        })?;
        let (test_only, built): (Vec<_>, Vec<_>) = package
            .dependencies
            .iter()
            .partition(|dependency| dependency.kind == DependencyKind::Development);
        let paths = built.iter().filter_map(|dependency| dependency.path.clone());
        waiting.extend(paths.map(PathBuf::from));
        let test_only = test_only
            .into_iter()
            .filter(|test| built.iter().all(|other| other.name != test.name))
            .map(|test| test.name.clone())
            .collect();
        let binaries = package.targets.iter().filter(|target| target.is_bin());
        let binaries = binaries.map(|bin| (bin.name.clone(), bin.src_path.clone().into())).collect();
        let (name, root) = (package.name.to_string(), root.clone());
        found.insert(dir.clone(), Member { name, dir, root, binaries, test_only });
    }
    let mut members: Vec<_> = found.remove(&first).into_iter().collect();
    members.extend(found.into_values());
    Ok(members)
}

/// Returns the packages of a workspace by their folder, each with the root of the workspace.
fn index(metadata: &Metadata) -> BTreeMap<PathBuf, (PathBuf, Package)> {
    let packages = metadata.workspace_packages().into_iter();
    packages
        .map(|package| {
            let manifest = PathBuf::from(package.manifest_path.clone());
            let root = metadata.workspace_root.clone().into();
            (manifest::folder(&manifest).to_owned(), (root, package.clone()))
        })
        .collect()
}

/// Returns the lines of the lock file for `package` with these local `members`.
fn locked(path: &Path, package: &str, members: &[Member]) -> Result<BTreeSet<String>, BuildError> {
    let unusable = |message: String| BuildError::Lock { path: path.to_owned(), message };
    let lock = Lockfile::load(path).map_err(|error| unusable(error.to_string()))?;
    let test_only =
        members.iter().map(|member| (member.name.as_str(), member.test_only.as_slice())).collect();
    Ok(needed_by(&lock, package, &test_only))
}

/// Returns the variables that change rustc's output for the same sources. An empty variable counts as unset,
/// and a build does not pass it to cargo.
pub(super) fn compiler_environment(
    variables: impl Iterator<Item = (OsString, OsString)>,
) -> BTreeMap<String, String> {
    variables
        .filter(|(_, value)| !value.is_empty())
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value)))
        .filter(|(name, _)| is_for_compiler(name))
        // A value that is not UTF-8 is converted with losses: cargo rejects or ignores it anyway.
        .map(|(name, value)| (name, value.to_string_lossy().into_owned()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compiler_environment_keeps_only_relevant_variables() {
        let variables = [
            ("RUSTFLAGS", "-C target-cpu=native"),
            ("CARGO_BUILD_RUSTFLAGS", "-g"),
            ("CARGO_PROFILE_LAMBDA_LTO", "fat"),
            ("CARGO_TERM_COLOR", "always"),
            ("RUSTDOCFLAGS", "-D warnings"),
            ("CARGO_ENCODED_RUSTFLAGS", ""),
        ];
        let variables = variables.map(|(name, value)| (name.into(), value.into()));
        let kept: Vec<_> = compiler_environment(variables.into_iter()).into_keys().collect();
        let expected = ["CARGO_BUILD_RUSTFLAGS", "CARGO_PROFILE_LAMBDA_LTO", "RUSTFLAGS"];
        assert_eq!(kept, expected);
    }
}
