//! Writes a bundle: the same bytes for the same program and contents, complete or not at all.

use std::collections::BTreeMap;
use std::fs::{self, File, FileType, Permissions};
use std::io::{self, BufReader, BufWriter, Seek, SeekFrom, Write};
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use zip::result::ZipResult;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

use super::error::BundleError;
use super::executable::{self, MARK};
use super::manifest::{self, Build, Entry, Function, Manifest};
use crate::build::BuildSettings;
use aws::Package;

/// The contents of a bundle, in addition to the program.
#[derive(Debug, Clone, Default)]
pub struct Contents {
    /// The stack's name.
    pub stack: String,
    /// The commit of the sources.
    pub release: Option<String>,
    /// The commit and its ancestors.
    pub history: Vec<String>,
    /// The environments that the bundle is for.
    pub environments: Vec<String>,
    /// The texts of their files and of the files that they extend, by name, such as `dev.toml`.
    pub files: BTreeMap<String, String>,
    /// The functions, with one entry for each set of build settings.
    pub builds: Vec<Built>,
}

/// The functions built with the same settings.
#[derive(Debug, Clone)]
pub struct Built {
    /// The settings.
    pub settings: BuildSettings,
    /// Each function's fingerprint and package.
    pub functions: BTreeMap<String, (String, Package)>,
}

/// Size and hash of a written bundle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// Its size in bytes.
    pub bytes: u64,
    /// Its SHA-256 as `sha256sum` writes it.
    pub sha256: String,
}

impl Contents {
    /// Writes a bundle of the running program to `path`. Replaces an existing file.
    ///
    /// # Errors
    /// Returns an error if `path` is not a place for a bundle (see [`check_output_path`]) or cannot be written.
    pub fn write(&self, path: &Path) -> Result<Written, BundleError> {
        self.write_behind(running()?, path)
    }

    /// Writes a bundle of `program` to `path`.
    pub(super) fn write_behind(&self, program: File, path: &Path) -> Result<Written, BundleError> {
        let path = &place(&program, path)?;
        // Renamed at the end: there is never a half-written bundle, and one that is in use stays intact.
        let folder = folder_of(path);
        let unwritten = || BundleError::io("write", path);
        let mut file = tempfile::Builder::new().prefix(".bundle-").tempfile_in(folder).map_err(unwritten())?;
        self.write_to(program, file.as_file_mut()).map_err(unwritten())?;
        let written = measure(file.as_file_mut()).map_err(unwritten())?;
        file.as_file().set_permissions(Permissions::from_mode(0o755)).map_err(unwritten())?;
        file.as_file().sync_all().map_err(unwritten())?;
        file.persist(path).map_err(|error| BundleError::io("replace", path)(error.error))?;
        Ok(written)
    }

    fn write_to(&self, mut program: File, file: &mut File) -> io::Result<()> {
        let mut file = BufWriter::new(file);
        program.seek(SeekFrom::Start(0))?;
        io::copy(&mut program, &mut file)?;
        file.write_all(MARK.as_bytes())?;
        let mut archive = ZipWriter::new(file);
        let mut manifest = Manifest {
            schema: manifest::SCHEMA,
            stack: self.stack.clone(),
            release: self.release.clone(),
            history: self.history.clone(),
            environments: self.environments.clone(),
            files: BTreeMap::new(),
            builds: BTreeMap::new(),
        };
        for (name, text) in &self.files {
            let entry = add(&mut archive, format!("environments/{name}"), text.as_bytes())?;
            manifest.files.insert(name.clone(), entry);
        }
        for built in &self.builds {
            let folder = built.settings.folder();
            let mut functions = BTreeMap::new();
            for (name, (fingerprint, package)) in &built.functions {
                let zip = add(&mut archive, format!("functions/{folder}/{name}.zip"), &package.zip)?;
                functions.insert(name.clone(), Function { fingerprint: fingerprint.clone(), zip });
            }
            manifest.builds.insert(folder, Build { settings: built.settings.clone(), functions });
        }
        let text = serde_json::to_vec_pretty(&manifest)?;
        add(&mut archive, manifest::NAME.to_owned(), &text)?;
        archive.set_comment(format!("{MARK}{}", manifest::hexadecimal(Sha256::digest(&text))))?;
        archive.finish()?.flush()
    }
}

/// Checks that a bundle can be written to `path`, before anything is built.
///
/// # Errors
/// Returns an error if `path` is the running program, a folder, a device or another special file, or if its
/// folder does not exist.
pub fn check_output_path(path: &Path) -> Result<(), BundleError> {
    place(&running()?, path).map(drop)
}

fn running() -> Result<File, BundleError> {
    executable::running().map_err(BundleError::io("read", "the running program"))
}

/// Returns the path of the file to write. For a link, that is the path of its target.
fn place(program: &File, path: &Path) -> Result<PathBuf, BundleError> {
    let unwritable = || BundleError::io("write", path);
    let there = match fs::symlink_metadata(path) {
        Ok(there) if there.is_symlink() => fs::metadata(path)
            .map_err(|_| BundleError::NoFile { path: path.to_owned(), what: "a dangling link" })?,
        Ok(there) => there,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            fs::metadata(folder_of(path)).map_err(unwritable())?;
            return Ok(path.to_owned());
        }
        Err(error) => return Err(unwritable()(error)),
    };
    if there.is_dir() {
        return Err(unwritable()(io::ErrorKind::IsADirectory.into()));
    }
    if !there.is_file() {
        return Err(BundleError::NoFile { path: path.to_owned(), what: kind(there.file_type()) });
    }
    let program = program.metadata().map_err(BundleError::io("read", "the running program"))?;
    if (there.dev(), there.ino()) == (program.dev(), program.ino()) {
        return Err(BundleError::OverItself { path: path.to_owned() });
    }
    fs::canonicalize(path).map_err(unwritable())
}

fn folder_of(path: &Path) -> &Path {
    let folder = path.parent().filter(|folder| *folder != Path::new(""));
    folder.unwrap_or(Path::new("."))
}

fn kind(found: FileType) -> &'static str {
    match found {
        found if found.is_char_device() || found.is_block_device() => "a device",
        found if found.is_fifo() => "a pipe",
        found if found.is_socket() => "a socket",
        _ => "a special file",
    }
}

/// Adds a file without compression: zips do not get smaller, and other files are small.
fn add<W: Write + Seek>(archive: &mut ZipWriter<W>, name: String, content: &[u8]) -> ZipResult<Entry> {
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Stored)
        .last_modified_time(DateTime::default())
        .unix_permissions(0o644);
    archive.start_file(name.as_str(), options)?;
    archive.write_all(content)?;
    Ok(Entry::of(name, content))
}

fn measure(file: &mut File) -> io::Result<Written> {
    file.seek(SeekFrom::Start(0))?;
    let mut hash = Sha256::new();
    let mut reader = BufReader::new(file);
    let bytes = io::copy(&mut reader, &mut HashWriter(&mut hash))?;
    Ok(Written { bytes, sha256: manifest::hexadecimal(hash.finalize()) })
}

/// A writer that hashes what is written.
struct HashWriter<'a>(&'a mut Sha256);

impl Write for HashWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
