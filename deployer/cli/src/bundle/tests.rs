//! Bundles of a small program: written, read back, truncated, and with each byte altered.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::os::unix::fs::{FileExt, PermissionsExt};
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::executable::{Form, form};
use super::*;
use crate::build::{BuildSettings, Method};
use aws::Package;

const PROGRAM: &[u8] = include_bytes!("../../tests/fixtures/hello-x86_64");

fn contents() -> Contents {
    let package = |function: &str| Package {
        function: function.into(),
        zip: format!("the zip of {function}").repeat(50).into_bytes().into(),
        sha256: String::new(),
        path: PathBuf::new(),
    };
    let functions = ["add", "get"].map(|name| (name.to_owned(), (format!("f-{name}"), package(name))));
    Contents {
        stack: "demo".into(),
        release: Some("0123abc".into()),
        history: vec!["0123abc".into(), "456def0".into()],
        environments: vec!["dev".into(), "prod".into()],
        files: ["base", "dev", "prod"].map(|name| (format!("{name}.toml"), format!("# {name}\n"))).into(),
        builds: vec![Built { settings: BuildSettings::default(), functions: functions.into() }],
    }
}

fn program(dir: &Path) -> File {
    let path = dir.join("program");
    fs::write(&path, PROGRAM).unwrap();
    File::open(path).unwrap()
}

/// Returns a folder with the bundle `made`, and its size and hash.
fn made() -> (TempDir, PathBuf, Written) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("made");
    let written = contents().write_behind(program(dir.path()), &path).unwrap();
    (dir, path, written)
}

fn open(path: &Path) -> Result<Bundle, BundleError> {
    let mut file = File::open(path).unwrap();
    match form(&mut file).unwrap() {
        Form::Bundle(sha256) => Bundle::open(file, &sha256),
        other => panic!("{} is {other:?}", path.display()),
    }
}

/// Reads all contents of a bundle.
fn read_all(path: &Path) -> Result<Vec<Vec<u8>>, BundleError> {
    let bundle = open(path)?;
    let texts = ["base.toml", "dev.toml", "prod.toml"].map(|name| {
        let text = bundle.environment_file(Path::new(name));
        text.map(String::into_bytes).map_err(BundleError::damaged)
    });
    let names = ["add".to_owned(), "get".to_owned()];
    let packages = bundle.packages(&names, &BuildSettings::default())?;
    let zips = packages.into_values().map(|package| Ok(package.zip.to_vec()));
    texts.into_iter().chain(zips).collect()
}

#[test]
fn bundle_contents_are_read_back_unchanged() {
    let (_dir, path, written) = made();
    let bundle = open(&path).unwrap();
    assert_eq!(bundle.release(), Some("0123abc"));
    assert_eq!(
        ["0123abc", "456def0", "789"].map(|commit| bundle.descends_from(commit)),
        [Some(true), Some(true), None]
    );
    assert_eq!(bundle.environments(), ["dev", "prod"]);
    assert_eq!(bundle.environment_file(Path::new("any/dev.toml")).unwrap(), "# dev\n");
    let settings = BuildSettings::default();
    let fingerprints: BTreeMap<_, _> =
        [("add", "f-add"), ("get", "f-get")].map(|(name, value)| (name.into(), value.into())).into();
    assert_eq!(bundle.fingerprints(&settings).unwrap(), fingerprints);
    let packages = bundle.packages(&["get".to_owned()], &settings).unwrap();
    let expected = &contents().builds[0].functions["get"].1;
    assert_eq!(packages["get"].zip, expected.zip);
    assert_eq!(packages["get"].sha256, manifest::Entry::of(String::new(), &expected.zip).sha256);
    assert_eq!(packages.len(), 1);
    let metadata = fs::metadata(&path).unwrap();
    assert_eq!((metadata.len(), metadata.permissions().mode() & 0o777), (written.bytes, 0o755));
}

#[test]
fn bundle_of_same_contents_has_same_bytes() {
    let (dir, path, written) = made();
    let again = dir.path().join("again");
    assert_eq!(contents().write_behind(program(dir.path()), &again).unwrap(), written);
    assert_eq!(fs::read(&path).unwrap(), fs::read(&again).unwrap());
    assert!(fs::read(&path).unwrap().starts_with(PROGRAM), "a bundle starts with the program");
}

#[test]
fn bundle_archive_is_readable_by_other_tools() {
    let (_dir, path, _) = made();
    let python = std::process::Command::new("python3").args(["-m", "zipfile", "-t"]).arg(&path).output();
    let Ok(tested) = python else {
        return; // Python is only needed for the local cloud.
    };
    assert!(tested.status.success(), "{tested:?}");
}

#[test]
fn plain_program_is_no_bundle() {
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(form(&mut program(dir.path())).unwrap(), Form::Plain);
    for content in [&b""[..], b"#!/bin/sh\n", &PROGRAM[..100]] {
        assert_eq!(form(&mut std::io::Cursor::new(content)).unwrap(), Form::Plain);
    }
}

#[test]
fn truncated_bundle_is_recognised() {
    let (_dir, path, _) = made();
    let whole = fs::read(&path).unwrap();
    for length in [whole.len() - 1, whole.len() - 300, PROGRAM.len() + 500, PROGRAM.len() + 5] {
        let mut cut = std::io::Cursor::new(&whole[..length]);
        assert_eq!(form(&mut cut).unwrap(), Form::Truncated, "{length} of {}", whole.len());
    }
}

#[test]
fn bundle_never_returns_altered_contents() {
    let (_dir, path, written) = made();
    let put_in = read_all(&path).unwrap();
    let file = File::options().read(true).write(true).open(&path).unwrap();
    let mut noticed = 0;
    for position in PROGRAM.len() as u64..written.bytes {
        let mut byte = [0];
        file.read_exact_at(&mut byte, position).unwrap();
        file.write_all_at(&[byte[0] ^ 0x20], position).unwrap();
        match form(&mut File::open(&path).unwrap()).unwrap() {
            Form::Plain => panic!("byte {position} makes it a plain program"),
            Form::Truncated => noticed += 1,
            Form::Bundle(_) => match read_all(&path) {
                // Some bytes are not read: a date in the archive, the mark after the program.
                Ok(taken_out) => assert_eq!(taken_out, put_in, "byte {position} alters the contents"),
                Err(error) => {
                    assert!(matches!(error, BundleError::Damaged { .. }), "byte {position}: {error}");
                    noticed += 1;
                }
            },
        }
        file.write_all_at(&byte, position).unwrap();
    }
    let contents: usize = put_in.iter().map(Vec::len).sum();
    assert!(noticed > contents, "{noticed}");
}

#[test]
fn bundle_error_names_the_missing_content() {
    let (_dir, path, _) = made();
    let bundle = open(&path).unwrap();
    assert!(bundle.check_environment("prod").is_ok());
    for name in ["base", "stagin", "../dev"] {
        let error = bundle.check_environment(name).unwrap_err().to_string();
        assert_eq!(error, format!("this bundle is not for `{name}`, only for dev, prod"));
    }
    let host = BuildSettings { profile: "dev".into(), method: Method::Host, ..BuildSettings::default() };
    assert_eq!(
        bundle.fingerprints(&host).unwrap_err().to_string(),
        "this bundle has no functions built with profile dev, method host, only with profile \
         lambda, method cargo, architecture x86_64"
    );
    let error = bundle.packages(&["no".to_owned()], &BuildSettings::default()).unwrap_err();
    assert_eq!(error.to_string(), "this bundle has no function `no`");
}

#[test]
fn bundle_is_written_whole_or_not_at_all() {
    let dir = tempfile::tempdir().unwrap();
    let over_itself = contents().write_behind(program(dir.path()), &dir.path().join("program"));
    assert!(matches!(over_itself, Err(BundleError::OverItself { .. })));
    assert_eq!(fs::read(dir.path().join("program")).unwrap(), PROGRAM);
    let folder = contents().write_behind(program(dir.path()), dir.path()).unwrap_err();
    assert!(folder.to_string().starts_with("cannot write "), "{folder}");
    let nowhere = dir.path().join("missing/bundle");
    assert!(contents().write_behind(program(dir.path()), &nowhere).is_err());
    fs::write(dir.path().join("old"), "old").unwrap();
    contents().write_behind(program(dir.path()), &dir.path().join("old")).unwrap();
    assert!(read_all(&dir.path().join("old")).is_ok(), "it replaces an old file");
    let left: Vec<_> = fs::read_dir(dir.path()).unwrap().flatten().map(|entry| entry.file_name()).collect();
    assert_eq!(left.len(), 2, "{left:?}");
}

#[test]
fn bundle_replaces_only_regular_files() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    let _socket = std::os::unix::net::UnixListener::bind(at("socket")).unwrap();
    rustix::fs::mkfifoat(rustix::fs::CWD, at("pipe"), rustix::fs::Mode::RWXU).unwrap();
    std::os::unix::fs::symlink("/dev/null", at("link")).unwrap();
    for name in ["socket", "pipe", "link"] {
        let before = fs::symlink_metadata(at(name)).unwrap().file_type();
        let refused = contents().write_behind(program(dir.path()), &at(name));
        assert!(matches!(refused, Err(BundleError::NoFile { .. })), "{name}: {refused:?}");
        assert_eq!(fs::symlink_metadata(at(name)).unwrap().file_type(), before, "{name}");
    }
    std::os::unix::fs::symlink("nothing", at("dangling")).unwrap();
    assert!(contents().write_behind(program(dir.path()), &at("dangling")).is_err());
    assert!(contents().write_behind(program(dir.path()), &at("no/such/folder")).is_err());
}

#[test]
fn bundle_goes_where_a_link_leads() {
    let dir = tempfile::tempdir().unwrap();
    let (file, link) = (dir.path().join("file"), dir.path().join("link"));
    fs::write(&file, "old").unwrap();
    std::os::unix::fs::symlink("file", &link).unwrap();
    let written = contents().write_behind(program(dir.path()), &link).unwrap();
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(fs::metadata(&file).unwrap().len(), written.bytes);
}
