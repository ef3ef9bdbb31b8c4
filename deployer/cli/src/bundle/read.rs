//! Reads the running bundle. Contents are checked against the manifest, and the manifest against the hash at
//! the end of the file.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use sha2::{Digest, Sha256};
use zip::ZipArchive;
use zip::read::{ArchiveOffset, Config};

use super::error::BundleError;
use super::executable::{self, Form};
use super::manifest::{self, Build, Entry, Manifest};
use crate::build::BuildSettings;
use aws::Package;

/// A program that contains its functions and environment files.
#[derive(Debug)]
pub struct Bundle {
    manifest: Manifest,
    archive: Mutex<ZipArchive<BufReader<File>>>,
}

impl Bundle {
    /// Returns the running program as a bundle, or `None` if it is not a bundle.
    ///
    /// # Errors
    /// Returns an error if the bundle is damaged.
    pub fn running() -> Result<Option<Self>, BundleError> {
        let unreadable = || BundleError::io("read", "the running program");
        let mut file = executable::running().map_err(unreadable())?;
        match executable::form(&mut file).map_err(unreadable())? {
            Form::Plain => Ok(None),
            Form::Truncated => Err(BundleError::damaged("its end is missing")),
            Form::Bundle(sha256) => Self::open(file, &sha256).map(Some),
        }
    }

    /// Opens the archive after a program. Its offsets are relative to the start of the file.
    pub(super) fn open(file: File, manifest_sha256: &str) -> Result<Self, BundleError> {
        let config = Config { archive_offset: ArchiveOffset::Known(0) };
        let archive = ZipArchive::with_config(config, BufReader::new(file));
        let mut archive = archive.map_err(BundleError::damaged)?;
        let text = content(&mut archive, manifest::NAME)?;
        if manifest::hexadecimal(Sha256::digest(&text)) != manifest_sha256 {
            return Err(altered(manifest::NAME));
        }
        let manifest = serde_json::from_slice(&text).map_err(BundleError::damaged)?;
        Ok(Self { manifest, archive: Mutex::new(archive) })
    }

    /// Returns the commit of the sources.
    pub fn release(&self) -> Option<&str> {
        self.manifest.release.as_deref()
    }

    /// Returns `Some(true)` if the sources are at a commit or a descendant of it. Returns `None` for any other
    /// commit, because the bundle's history has only its own commit and ancestors of it.
    pub fn descends_from(&self, commit: &str) -> Option<bool> {
        self.manifest.history.iter().any(|known| known == commit).then_some(true)
    }

    /// Returns the environments that the bundle is for.
    pub fn environments(&self) -> &[String] {
        &self.manifest.environments
    }

    /// Checks that the bundle is for this environment.
    ///
    /// # Errors
    /// Returns an error for any other environment. The bundle can have the file of such an environment, too,
    /// if one of its own environments extends it.
    pub fn check_environment(&self, name: &str) -> Result<(), BundleError> {
        if self.manifest.environments.iter().any(|known| known == name) {
            return Ok(());
        }
        let known = self.manifest.environments.clone();
        Err(BundleError::NoEnvironment { name: name.to_owned(), known })
    }

    /// Returns the text of an environment file, by file name.
    ///
    /// # Errors
    /// Returns an error if the bundle has no such file, or if the file is damaged.
    pub fn environment_file(&self, path: &Path) -> io::Result<String> {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let entry = self.manifest.files.get(&*name).ok_or(io::ErrorKind::NotFound)?;
        let text = self.content(entry).map_err(io::Error::other)?;
        String::from_utf8(text).map_err(io::Error::other)
    }

    /// Returns the fingerprints of the functions built with these settings.
    ///
    /// # Errors
    /// Returns an error if the bundle has none.
    pub fn fingerprints(&self, settings: &BuildSettings) -> Result<BTreeMap<String, String>, BundleError> {
        let functions = self.build(settings)?.functions.iter();
        Ok(functions.map(|(name, function)| (name.clone(), function.fingerprint.clone())).collect())
    }

    /// Returns the functions `names` built with these settings.
    ///
    /// # Errors
    /// Returns an error if a function is missing or damaged.
    pub fn packages(
        &self,
        names: &[String],
        settings: &BuildSettings,
    ) -> Result<BTreeMap<String, Package>, BundleError> {
        let build = self.build(settings)?;
        let packages = names.iter().map(|name| {
            let function = build.functions.get(name);
            let zip = &function.ok_or_else(|| BundleError::NoFunction { function: name.clone() })?.zip;
            let package = Package {
                function: name.clone(),
                zip: self.content(zip)?.into(),
                sha256: zip.sha256.clone(),
                path: PathBuf::from(&zip.name),
            };
            Ok((name.clone(), package))
        });
        packages.collect()
    }

    fn build(&self, settings: &BuildSettings) -> Result<&Build, BundleError> {
        let builds = &self.manifest.builds;
        builds.get(&settings.folder()).ok_or_else(|| BundleError::NoBuild {
            wanted: settings.to_string(),
            known: builds.values().map(|build| build.settings.to_string()).collect(),
        })
    }

    fn content(&self, entry: &Entry) -> Result<Vec<u8>, BundleError> {
        // A panic of a reader leaves the archive in a valid state.
        let mut archive = self.archive.lock().unwrap_or_else(PoisonError::into_inner);
        let content = content(&mut archive, &entry.name)?;
        if Entry::of(entry.name.clone(), &content) == *entry {
            Ok(content)
        } else {
            Err(altered(&entry.name))
        }
    }
}

fn content(archive: &mut ZipArchive<BufReader<File>>, name: &str) -> Result<Vec<u8>, BundleError> {
    let damaged = |error: &dyn std::fmt::Display| BundleError::damaged(format!("{name}: {error}"));
    let mut file = archive.by_name(name).map_err(|error| damaged(&error))?;
    let mut content = Vec::new();
    file.read_to_end(&mut content).map_err(|error| damaged(&error))?;
    Ok(content)
}

fn altered(name: &str) -> BundleError {
    BundleError::damaged(format!("{name} does not match its hash"))
}
