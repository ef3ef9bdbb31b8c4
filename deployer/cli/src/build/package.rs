//! Packages compiled binaries as zips that Lambda accepts: the same bytes for the same binary. It must not
//! know how the binaries are built, or how the zips are used.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures::stream::{self, StreamExt, TryStreamExt};
use sha2::{Digest, Sha256};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

use super::elf;
use super::error::BuildError;
use super::event::BuildEvent;
use super::settings::{BuildSettings, Method};
use super::workspace::Workspace;
use aws::Package;

/// The name of the executable that `provided.al2023` starts.
const BOOTSTRAP: &str = "bootstrap";

/// The maximum size of a function's unzipped code, in bytes ("Lambda quotas").
const LIMIT: usize = 250 * 1024 * 1024;

/// How many functions are packaged concurrently: each needs memory for its binary and zip.
const AT_ONCE: usize = 4;

impl Workspace {
    /// Compiles and packages the functions `names`, all in one call of cargo.
    ///
    /// Dropping the future ends cargo and the compilers. Except for [`Method::Host`], each binary is checked:
    /// Lambda must be able to start it.
    pub async fn build(
        &self,
        names: &[String],
        settings: &BuildSettings,
        on_event: &(dyn Fn(BuildEvent) + Sync),
    ) -> Result<BTreeMap<String, Package>, BuildError> {
        for name in names {
            self.source_of(name)?;
        }
        if names.is_empty() {
            return Ok(BTreeMap::new());
        }
        let mut binaries = self.compile(names, settings, on_event).await?;
        let folder = self.target_directory.join("deployer").join(settings.folder());
        let jobs = names.iter().map(|name| {
            let binary = binaries.remove(name);
            let binary = binary.ok_or_else(|| BuildError::NoExecutable { function: name.clone() });
            let path = folder.join(format!("{name}.zip"));
            async move {
                let (binary, settings, name) = (binary?, settings.clone(), name.clone());
                let work = move || package(name, &binary, path, &settings);
                let packaged = tokio::task::spawn_blocking(work).await;
                let (package, reused) = packaged.expect("packaging does not panic")?;
                on_event(BuildEvent::Packaged {
                    function: package.function.clone(),
                    bytes: package.zip.len(),
                    reused,
                });
                Ok((package.function.clone(), package))
            }
        });
        let jobs: Vec<_> = jobs.collect();
        stream::iter(jobs).buffered(AT_ONCE).try_collect().await
    }
}

/// Checks a binary and returns it as a package, and whether an earlier zip is reused.
fn package(
    function: String,
    binary: &Path,
    path: PathBuf,
    settings: &BuildSettings,
) -> Result<(Package, bool), BuildError> {
    let content = fs::read(binary).map_err(BuildError::io("read", binary))?;
    if settings.method != Method::Host {
        elf::check(binary, &content, settings.architecture)?;
        check_size(&function, content.len())?;
    }
    let made_from = path.with_extension("sha256");
    let kept = kept(&content, &path, &made_from);
    let reused = kept.is_some();
    let zip = match kept {
        Some(zip) => zip,
        None => {
            let zip = zip(&content)
                .map_err(|error| BuildError::Zip { binary: binary.to_owned(), message: error.to_string() })?;
            keep(&content, &zip, &path, &made_from)?;
            zip
        }
    };
    let package = Package { function, sha256: sha256(&zip), zip: zip.into(), path };
    Ok((package, reused))
}

fn check_size(function: &str, bytes: usize) -> Result<(), BuildError> {
    if bytes <= LIMIT {
        return Ok(());
    }
    Err(BuildError::TooLarge { function: function.to_owned(), bytes, limit: LIMIT })
}

/// Returns the zip of `content`: always the same bytes.
fn zip(content: &[u8]) -> zip::result::ZipResult<Vec<u8>> {
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .compression_level(Some(6))
        .last_modified_time(DateTime::default())
        .unix_permissions(0o755);
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    writer.start_file(BOOTSTRAP, options)?;
    writer.write_all(content)?;
    Ok(writer.finish()?.into_inner())
}

/// Returns the zip of an earlier build if it is of this content and complete. That saves compressing, the
/// slowest part of packaging.
fn kept(content: &[u8], path: &Path, made_from: &Path) -> Option<Vec<u8>> {
    let note = fs::read_to_string(made_from).ok()?;
    let zip = fs::read(path).ok()?;
    (note == provenance(content, &zip)).then_some(zip)
}

fn keep(content: &[u8], zip: &[u8], path: &Path, made_from: &Path) -> Result<(), BuildError> {
    let folder = path.parent().unwrap_or(path);
    fs::create_dir_all(folder).map_err(BuildError::io("create", folder))?;
    fs::write(path, zip).map_err(BuildError::io("write", path))?;
    fs::write(made_from, provenance(content, zip)).map_err(BuildError::io("write", made_from))
}

fn provenance(content: &[u8], zip: &[u8]) -> String {
    format!("bootstrap {}\nzip {}\n", sha256(content), sha256(zip))
}

fn sha256(data: &[u8]) -> String {
    STANDARD.encode(Sha256::digest(data))
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::process::Command;

    use super::*;

    const HELLO: &[u8] = include_bytes!("../../tests/fixtures/hello-x86_64");

    fn packaged(dir: &Path, content: &[u8], method: Method) -> Result<(Package, bool), BuildError> {
        let binary = dir.join("hello");
        fs::write(&binary, content).unwrap();
        let settings = BuildSettings { method, ..BuildSettings::default() };
        let path = dir.join("zips/hello.zip");
        package("hello".into(), &binary, path, &settings)
    }

    #[test]
    fn zip_of_same_binary_has_same_bytes() {
        assert_eq!(zip(HELLO).unwrap(), zip(HELLO).unwrap());
        let digest = sha256(&zip(b"fixed").unwrap());
        assert_eq!(
            digest, "CewQRH5V11Znmi3DHZph8MgE8IBYDjql7jRjEK1vX1Y=",
            "the compressor or its settings changed"
        );
    }

    #[test]
    fn zip_has_one_executable_named_bootstrap() {
        let zip = zip(HELLO).unwrap();
        let mut archive = zip::ZipArchive::new(Cursor::new(zip)).unwrap();
        assert_eq!(archive.len(), 1);
        let mut file = archive.by_name("bootstrap").unwrap();
        assert_eq!(file.unix_mode(), Some(0o100_755));
        let time = file.last_modified().unwrap();
        assert_eq!((time.year(), time.month(), time.day()), (1980, 1, 1));
        let mut content = Vec::new();
        file.read_to_end(&mut content).unwrap();
        assert_eq!(content, HELLO);
    }

    #[test]
    fn zip_is_readable_by_other_tools() {
        let dir = tempfile::tempdir().unwrap();
        let (package, _) = packaged(dir.path(), HELLO, Method::Host).unwrap();
        let Ok(listed) = Command::new("python3").args(["-m", "zipfile", "-t"]).arg(&package.path).output()
        else {
            return; // Python is only needed for the local cloud.
        };
        assert!(listed.status.success(), "{listed:?}");
    }

    #[test]
    fn zip_is_reused_for_the_same_binary() {
        let dir = tempfile::tempdir().unwrap();
        let (first, reused) = packaged(dir.path(), HELLO, Method::Cargo).unwrap();
        assert!(!reused);
        let (second, reused) = packaged(dir.path(), HELLO, Method::Cargo).unwrap();
        assert!(reused);
        assert_eq!(first.sha256, second.sha256);
        let (_, reused) = packaged(dir.path(), b"another", Method::Host).unwrap();
        assert!(!reused);
        fs::write(&first.path, "cut off").unwrap();
        let (_, reused) = packaged(dir.path(), b"another", Method::Host).unwrap();
        assert!(!reused);
    }

    #[test]
    fn non_elf_binary_is_packaged_only_for_local_cloud() {
        let dir = tempfile::tempdir().unwrap();
        assert!(packaged(dir.path(), b"#!/bin/sh", Method::Host).is_ok());
        let refused = packaged(dir.path(), b"#!/bin/sh", Method::Musl);
        assert!(matches!(refused, Err(BuildError::NotElf { .. })));
    }

    #[test]
    fn code_above_the_limit_is_refused() {
        assert!(check_size("get", LIMIT).is_ok());
        let error = check_size("get", LIMIT + 1).unwrap_err();
        assert_eq!(
            error.to_string(),
            "get: the code has 262144001 bytes, but Lambda takes at most 262144000"
        );
    }
}
