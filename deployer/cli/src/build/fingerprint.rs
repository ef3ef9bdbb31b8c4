//! The fingerprint of a function: a hash of the sources of its binary, equal on every machine and in every
//! checkout, and different whenever the binary could differ. It reads sources and compiles nothing; it must
//! not know when a fingerprint was last deployed.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Component, Path, PathBuf};

use sha2::{Digest, Sha256};
use toml::Table;

use super::error::BuildError;
use super::line_endings;
use super::manifest;
use super::settings::{BuildSettings, Method};
use super::sources;
use super::workspace::{FunctionSource, Workspace};

/// Increase this number when the same sources are packaged differently.
const SCHEMA: u32 = 1;

/// How many bytes of the hash are used: enough to make collisions practically impossible, and few enough to
/// fit in a tag with other data.
const LENGTH: usize = 16;

/// The files in the workspace that select the toolchain.
const TOOLCHAINS: [&str; 2] = ["rust-toolchain.toml", "rust-toolchain"];

/// The configuration files of cargo in the workspace.
const CONFIGURATIONS: [&str; 2] = [".cargo/config.toml", ".cargo/config"];

impl Workspace {
    /// Returns the fingerprint of `function` built with `settings`: 32 hexadecimal digits.
    ///
    /// It covers the function's own file, the rest of its package except the files of other functions, its
    /// path dependencies, its part of `Cargo.lock`, manifests, profile, target, toolchain file and compiler
    /// flags. Lock file and flags are those at discovery of the workspace, the rest is read now.
    ///
    /// It does not cover the machine's linker and cargo configuration, or variables that a build script may
    /// read. It ignores what cannot change the binary: other profiles, empty variables, and the line endings
    /// of text.
    pub fn fingerprint(&self, function: &str, settings: &BuildSettings) -> Result<String, BuildError> {
        let source = self.source_of(function)?;
        let mut hash = Hash::default();
        hash.text("schema", &SCHEMA.to_string());
        hash.text("function", function);
        hash.text("profile", &settings.profile);
        hash.text("method", &settings.method.to_string());
        // Method and architecture determine the target on every machine.
        if settings.method != Method::Host {
            hash.text("architecture", &settings.architecture.to_string());
        }
        let root = manifest::read(&self.root.join("Cargo.toml"))?;
        let configurations = self.configurations()?;
        let configured = configurations.iter().map(|(_, configuration)| configuration);
        let profiles =
            manifest::lineage(&settings.profile, configured.chain([&root]), &self.compiler_environment);
        for (name, value) in &self.compiler_environment {
            if manifest::is_for_profiles(name, &profiles) {
                hash.text(name, value);
            }
        }
        let dependencies = self.hash_packages(&mut hash, function, source)?;
        hash.table("Cargo.toml", &manifest::of_root(&root, &profiles, &dependencies));
        let others = self.members.iter().map(|member| &member.root).filter(|root| **root != self.root);
        for other in others.collect::<BTreeSet<_>>() {
            let name = format!("{}/Cargo.toml", relative(other, &self.root));
            let other = manifest::read(&other.join("Cargo.toml"))?;
            hash.table(&name, &manifest::of_other_root(&other, &dependencies));
        }
        for line in &self.locked {
            hash.text("locked", line);
        }
        self.hash_toolchain(&mut hash)?;
        for (name, configuration) in configurations {
            hash.table(name, &manifest::of_configuration(configuration, &profiles));
        }
        Ok(hash.finish())
    }

    /// Hashes the local packages and returns the names of their dependencies.
    fn hash_packages(
        &self,
        hash: &mut Hash,
        function: &str,
        source: &FunctionSource,
    ) -> Result<BTreeSet<String>, BuildError> {
        let mains = self.functions.values().filter_map(|source| source.main.as_deref());
        let others = sources::owned_by(mains.filter(|main| Some(*main) != source.main.as_deref()));
        let mut dependencies = BTreeSet::new();
        let mut files = BTreeMap::new();
        for member in &self.members {
            let folder = relative(&member.dir, &self.root);
            let manifest = manifest::read(&member.dir.join("Cargo.toml"))?;
            let manifest = manifest::of_package(manifest, function);
            dependencies.extend(manifest::dependencies(&manifest));
            hash.table(&format!("{folder}/Cargo.toml"), &manifest);
            for (name, path) in sources::of_package(&member.dir, &others)? {
                files.insert(format!("{folder}/{name}"), path);
            }
        }
        for (name, path) in files {
            hash.file(&name, &path)?;
        }
        Ok(dependencies)
    }

    /// Returns the files that a fingerprint may cover, of these files, which are relative to the root. A file
    /// that no longer exists counts if it was in a package.
    pub(super) fn hashed_files(&self, files: BTreeSet<String>) -> BTreeSet<String> {
        let of_packages = self.members.iter().filter_map(|member| sources::of_package(&member.dir, &[]).ok());
        let of_packages: BTreeSet<PathBuf> = of_packages.flat_map(BTreeMap::into_values).collect();
        let is_hashed = |file: &String| {
            let path = self.root.join(file);
            let deleted =
                || self.members.iter().any(|member| path.starts_with(&member.dir)) && !path.exists();
            let manifest = path.file_name().is_some_and(|name| name == "Cargo.toml" || name == "Cargo.lock");
            let of_root = TOOLCHAINS.iter().chain(&CONFIGURATIONS).any(|name| file == name);
            manifest || of_root || of_packages.contains(&path) || deleted()
        };
        files.into_iter().filter(is_hashed).collect()
    }

    fn hash_toolchain(&self, hash: &mut Hash) -> Result<(), BuildError> {
        for name in TOOLCHAINS {
            let path = self.root.join(name);
            if path.exists() {
                hash.file(name, &path)?;
            }
        }
        Ok(())
    }

    /// Returns cargo's configuration files in the workspace, with their names.
    fn configurations(&self) -> Result<Vec<(&'static str, Table)>, BuildError> {
        let names = CONFIGURATIONS.into_iter();
        names.map(|name| Ok((name, manifest::read(&self.root.join(name))?))).collect()
    }
}

/// A hash of names and values. Their lengths are hashed too, so that different sequences cannot give the same
/// input.
#[derive(Default)]
struct Hash(Sha256);

impl Hash {
    fn text(&mut self, name: &str, value: &str) {
        self.bytes(name, value.as_bytes());
    }

    fn table(&mut self, name: &str, table: &Table) {
        let json = serde_json::to_string(table).expect("every TOML value can be written as JSON");
        self.text(name, &json);
    }

    fn file(&mut self, name: &str, path: &Path) -> Result<(), BuildError> {
        let content = fs::read(path).map_err(BuildError::io("read", path))?;
        self.bytes(name, &line_endings::unified(&content));
        Ok(())
    }

    fn bytes(&mut self, name: &str, value: &[u8]) {
        for part in [name.as_bytes(), value] {
            self.0.update((part.len() as u64).to_le_bytes());
            self.0.update(part);
        }
    }

    fn finish(self) -> String {
        let digest = self.0.finalize();
        let kept = digest.iter().take(LENGTH);
        kept.map(|byte| format!("{byte:02x}")).collect()
    }
}

/// Returns the path of `path` relative to `base` with `/`, the same on every machine.
pub fn relative(path: &Path, base: &Path) -> String {
    let shared = path.components().zip(base.components());
    let shared = shared.take_while(|(one, other)| one == other).count();
    let up = base.components().skip(shared).map(|_| "..".into());
    let down = path.components().skip(shared).map(Component::as_os_str);
    let parts: Vec<_> = up.chain(down.map(|part| part.to_string_lossy().into_owned())).collect();
    if parts.is_empty() {
        return ".".to_owned();
    }
    parts.join("/")
}

#[cfg(test)]
mod tests;
