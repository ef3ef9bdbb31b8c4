//! Each test changes one part of a small workspace and checks which fingerprints change.

use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

use tempfile::TempDir;

use super::super::functions_package::{FunctionsPackage, ProvidedFunctions};
use super::super::workspace::compiler_environment;
use super::*;

const FILES: [(&str, &str); 11] = [
    (
        "Cargo.toml",
        "[workspace]\nresolver = \"3\"\nmembers = [\"functions\", \"domain\", \"other\"]\n\
         [profile.lambda]\ninherits = \"release\"\n",
    ),
    (
        "Cargo.lock",
        "version = 4\n\
         [[package]]\nname = \"domain\"\nversion = \"0.1.0\"\n\
         [[package]]\nname = \"functions\"\nversion = \"0.1.0\"\ndependencies = [\"domain\"]\n\
         [[package]]\nname = \"other\"\nversion = \"0.1.0\"\n",
    ),
    (
        "functions/Cargo.toml",
        "[package]\nname = \"functions\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\
         [dependencies]\ndomain.path = \"../domain\"\n",
    ),
    ("functions/src/lib.rs", ""),
    ("functions/src/bin/add.rs", "fn main() {}"),
    ("functions/src/bin/get/main.rs", "mod query;\nfn main() {}"),
    ("functions/src/bin/get/query.rs", ""),
    ("domain/Cargo.toml", "[package]\nname = \"domain\"\nversion = \"0.1.0\"\nedition = \"2024\"\n"),
    ("domain/src/lib.rs", ""),
    ("other/Cargo.toml", "[package]\nname = \"other\"\nversion = \"0.1.0\"\nedition = \"2024\"\n"),
    ("other/src/lib.rs", ""),
];

const FUNCTIONS: FunctionsPackage = FunctionsPackage::named("functions");

fn checkout() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (name, content) in FILES {
        write(dir.path(), name, content);
    }
    dir
}

fn write(root: &Path, name: &str, content: &str) {
    let path = root.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
}

fn append(root: &Path, name: &str, content: &str) {
    let before = fs::read_to_string(root.join(name)).unwrap();
    write(root, name, &format!("{before}{content}"));
}

async fn fingerprints(root: &Path, settings: &BuildSettings) -> [String; 2] {
    let mut workspace = Workspace::discover(root, FUNCTIONS).await.unwrap();
    // The tests must not depend on the variables of their caller.
    workspace.compiler_environment.clear();
    ["add", "get"].map(|function| workspace.fingerprint(function, settings).unwrap())
}

/// Returns whether a change alters the fingerprints of the functions `add` and `get`.
async fn noticed(change: impl FnOnce(&Path)) -> [bool; 2] {
    let checkout = checkout();
    let settings = BuildSettings::default();
    let before = fingerprints(checkout.path(), &settings).await;
    change(checkout.path());
    let after = fingerprints(checkout.path(), &settings).await;
    [before[0] != after[0], before[1] != after[1]]
}

#[tokio::test]
async fn function_file_changes_only_its_fingerprint() {
    let file = "functions/src/bin/add.rs";
    assert_eq!(noticed(|root| append(root, file, "\n")).await, [true, false]);
    let module = "functions/src/bin/get/query.rs";
    assert_eq!(noticed(|root| append(root, module, "\n")).await, [false, true]);
}

#[tokio::test]
async fn new_function_changes_no_other_fingerprint() {
    let file = "functions/src/bin/close.rs";
    let new = |root: &Path| write(root, file, "fn main() {}");
    assert_eq!(noticed(new).await, [false, false]);
}

#[tokio::test]
async fn shared_file_changes_all_fingerprints() {
    for file in [
        "functions/src/lib.rs",
        "domain/src/lib.rs",
        "domain/src/new/deep.rs",
        "domain/build.rs",
        "rust-toolchain.toml",
    ] {
        let change = |root: &Path| write(root, file, "# // changed");
        assert_eq!(noticed(change).await, [true, true], "{file}");
    }
    for (file, addition) in [
        ("Cargo.toml", "opt-level = \"s\"\n"),
        ("functions/Cargo.toml", "[features]\nfast = []\n"),
        ("domain/Cargo.toml", "[features]\nfast = []\n"),
    ] {
        let change = |root: &Path| append(root, file, addition);
        assert_eq!(noticed(change).await, [true, true], "{file}");
    }
    let flags = "[build]\nrustflags = [\"-g\"]\n";
    let change = |root: &Path| write(root, ".cargo/config.toml", flags);
    assert_eq!(noticed(change).await, [true, true]);
}

#[tokio::test]
async fn unbuilt_file_changes_no_fingerprint() {
    for (file, addition) in [
        ("other/src/lib.rs", "// changed"),
        ("Cargo.toml", "# a comment\n[profile.dev]\ndebug = 0\n"),
        ("functions/Cargo.toml", "[dev-dependencies]\nother.path = \"../other\"\n"),
    ] {
        let change = |root: &Path| append(root, file, addition);
        assert_eq!(noticed(change).await, [false, false], "{file}");
    }
    for file in ["functions/tests/a.rs", "domain/README.md", "domain/.x"] {
        let change = |root: &Path| write(root, file, "new");
        assert_eq!(noticed(change).await, [false, false], "{file}");
    }
    let alias = "[alias]\nx = \"run\"\n";
    let change = |root: &Path| write(root, ".cargo/config.toml", alias);
    assert_eq!(noticed(change).await, [false, false]);
}

#[tokio::test]
async fn fingerprint_counts_only_needed_lock_file_entries() {
    let change_version_of = |package: &'static str| {
        move |root: &Path| {
            let path = root.join("Cargo.lock");
            let lock = fs::read_to_string(&path).unwrap();
            let from = format!("name = \"{package}\"\nversion = \"0.1.0\"");
            let to = format!("name = \"{package}\"\nversion = \"0.2.0\"");
            fs::write(path, lock.replace(&from, &to)).unwrap();
        }
    };
    assert_eq!(noticed(change_version_of("other")).await, [false, false]);
    assert_eq!(noticed(change_version_of("domain")).await, [true, true]);
}

#[tokio::test]
async fn fingerprint_ignores_times_and_places() {
    let touch = |root: &Path| {
        let file = fs::File::options().write(true).open(root.join("domain/src/lib.rs")).unwrap();
        let past = SystemTime::now() - Duration::from_secs(3600);
        file.set_modified(past).unwrap();
    };
    assert_eq!(noticed(touch).await, [false, false]);
    let (here, there) = (checkout(), checkout());
    let settings = BuildSettings::default();
    assert_eq!(fingerprints(here.path(), &settings).await, fingerprints(there.path(), &settings).await);
}

#[tokio::test]
async fn fingerprint_counts_settings_and_compiler_flags() {
    let checkout = checkout();
    let mut workspace = Workspace::discover(checkout.path(), FUNCTIONS).await.unwrap();
    let mut seen = BTreeSet::new();
    for method in [Method::Host, Method::Cargo, Method::Musl, Method::Zig] {
        for profile in ["dev", "lambda"] {
            let settings = BuildSettings { method, profile: profile.to_owned(), ..BuildSettings::default() };
            assert!(seen.insert(workspace.fingerprint("add", &settings).unwrap()));
        }
    }
    let flags = ("RUSTFLAGS".to_owned(), "-g".to_owned());
    workspace.compiler_environment.extend([flags]);
    let settings = BuildSettings::default();
    assert!(seen.insert(workspace.fingerprint("add", &settings).unwrap()));
}

/// Returns the fingerprint of `add` for `profile` with these environment variables.
async fn with_variables(root: &Path, profile: &str, variables: &[(&str, &str)]) -> String {
    let mut workspace = Workspace::discover(root, FUNCTIONS).await.unwrap();
    let variables = variables.iter().map(|(name, value)| (name.into(), value.into()));
    workspace.compiler_environment = compiler_environment(variables);
    let settings = BuildSettings { profile: profile.to_owned(), ..BuildSettings::default() };
    workspace.fingerprint("add", &settings).unwrap()
}

#[tokio::test]
async fn fingerprint_ignores_empty_variables() {
    let checkout = checkout();
    let plain = with_variables(checkout.path(), "lambda", &[]).await;
    for name in ["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "CARGO_PROFILE_LAMBDA_LTO", "RUSTC_BOOTSTRAP"] {
        assert_eq!(with_variables(checkout.path(), "lambda", &[(name, "")]).await, plain, "{name}");
    }
}

#[tokio::test]
async fn fingerprint_ignores_variables_of_other_profiles() {
    let checkout = checkout();
    for (profile, name) in [("dev", "CARGO_PROFILE_RELEASE_DEBUG"), ("lambda", "CARGO_PROFILE_DEV_DEBUG")] {
        let plain = with_variables(checkout.path(), profile, &[]).await;
        assert_eq!(with_variables(checkout.path(), profile, &[(name, "1")]).await, plain, "{name}");
    }
}

#[tokio::test]
async fn fingerprint_counts_variables_of_inherited_profiles() {
    let checkout = checkout();
    append(checkout.path(), "Cargo.toml", "[profile.tiny-lambda]\ninherits = \"lambda\"\n");
    let plain = with_variables(checkout.path(), "tiny-lambda", &[]).await;
    for name in
        ["CARGO_PROFILE_TINY_LAMBDA_LTO", "CARGO_PROFILE_LAMBDA_LTO", "CARGO_PROFILE_RELEASE_PACKAGE_X_LTO"]
    {
        assert_ne!(with_variables(checkout.path(), "tiny-lambda", &[(name, "1")]).await, plain, "{name}");
    }
    let inherits = [("CARGO_PROFILE_TINY_LAMBDA_INHERITS", "dev"), ("CARGO_PROFILE_DEV_DEBUG", "1")];
    let without_last = with_variables(checkout.path(), "tiny-lambda", &inherits[..1]).await;
    assert_ne!(with_variables(checkout.path(), "tiny-lambda", &inherits).await, without_last);
}

#[tokio::test]
async fn fingerprint_ignores_configuration_of_other_profiles() {
    let set = |text: &'static str| move |root: &Path| write(root, ".cargo/config.toml", text);
    assert_eq!(noticed(set("[profile.dev]\ndebug = 1\n")).await, [false, false]);
    assert_eq!(noticed(set("[profile.release]\ndebug = 1\n")).await, [true, true]);
    let inherits = "[profile.lambda]\ninherits = \"dev\"\n";
    let checkout = checkout();
    write(checkout.path(), ".cargo/config.toml", inherits);
    let before = fingerprints(checkout.path(), &BuildSettings::default()).await;
    append(checkout.path(), ".cargo/config.toml", "[profile.dev]\ndebug = 1\n");
    assert_ne!(fingerprints(checkout.path(), &BuildSettings::default()).await, before);
}

#[tokio::test]
async fn fingerprint_ignores_line_endings_of_text() {
    let setup = |root: &Path| {
        append(root, "domain/src/lib.rs", "//! Text.\n\npub const LINES: &str = \"a\nb\";\n");
        append(root, "functions/src/bin/add.rs", "\n");
        append(root, "domain/Cargo.toml", "description = \"\"\"a\nb\"\"\"\n");
        write(root, "rust-toolchain.toml", "[toolchain]\nchannel = \"stable\"\n");
        write(root, ".cargo/config.toml", "[env]\nMOTTO = \"\"\"a\nb\"\"\"\n");
    };
    let (unix, windows) = (checkout(), checkout());
    for checkout in [&unix, &windows] {
        setup(checkout.path());
    }
    let added = ["rust-toolchain.toml", ".cargo/config.toml"];
    for name in FILES.iter().map(|(name, _)| *name).chain(added) {
        let text = fs::read_to_string(windows.path().join(name)).unwrap();
        write(windows.path(), name, &text.replace('\n', "\r\n"));
    }
    let settings = BuildSettings::default();
    assert_eq!(fingerprints(windows.path(), &settings).await, fingerprints(unix.path(), &settings).await);
}

#[tokio::test]
async fn fingerprint_counts_every_byte_of_binary_files() {
    for content in [&b"\x89PNG\r\n\x1a\n\0\0"[..], b"a lone \r and a pair\r\n"] {
        let checkout = checkout();
        let (settings, path) = (BuildSettings::default(), checkout.path().join("domain/picture"));
        fs::write(&path, content).unwrap();
        let before = fingerprints(checkout.path(), &settings).await;
        let unix: Vec<u8> = content
            .iter()
            .enumerate()
            .filter(|(at, byte)| **byte != b'\r' || content.get(at + 1) != Some(&b'\n'))
            .map(|(_, byte)| *byte)
            .collect();
        fs::write(&path, unix).unwrap();
        assert_ne!(fingerprints(checkout.path(), &settings).await, before, "{content:?}");
    }
}

/// A different fingerprint here makes every deployed function pending once. If that is intended, increase
/// `SCHEMA` and say so in the commit.
#[tokio::test]
async fn fingerprint_of_unchanged_sources_stays_the_same() {
    let checkout = checkout();
    let fingerprints = fingerprints(checkout.path(), &BuildSettings::default()).await;
    let expected = ["fecc68165a56d58b95a602a77159a580", "cd8a8b6ace244d54ea7ca3576dd529e4"];
    assert_eq!(fingerprints, expected);
}

#[tokio::test]
async fn unknown_function_is_named_with_known_ones() {
    let checkout = checkout();
    let workspace = Workspace::discover(checkout.path(), FUNCTIONS).await.unwrap();
    let error = workspace.fingerprint("ad", &BuildSettings::default()).unwrap_err();
    assert_eq!(error.to_string(), "package `functions` has no binary `ad`, only add, get");
    let hint = "did you mean `add`? a function is a file in `src/bin/` of that package";
    assert_eq!(error.hint().as_deref(), Some(hint));
}

#[tokio::test]
async fn function_outside_the_stack_is_found_with_its_file() {
    let checkout = checkout();
    let workspace = Workspace::discover(checkout.path(), FUNCTIONS).await.unwrap();
    let files = |known: &[&str]| -> Vec<String> {
        let others = workspace.other_functions(known);
        others.map(|(name, main)| format!("{name} in {}", relative(main, workspace.root()))).collect()
    };
    assert_eq!(files(&["add", "capture"]), ["get in functions/src/bin/get/main.rs"]);
    assert!(files(&["get", "add"]).is_empty());
}

#[test]
fn paths_are_relative_with_slashes() {
    let root = Path::new("/home/me/demo");
    assert_eq!(relative(Path::new("/home/me/demo"), root), ".");
    assert_eq!(relative(Path::new("/home/me/demo/a/b"), root), "a/b");
    assert_eq!(relative(Path::new("/home/me/shared"), root), "../shared");
}

/// A binary of a package that the functions' package depends on is also a function, of that package.
#[tokio::test]
async fn binary_of_a_dependency_is_a_function() {
    let checkout = checkout();
    let root = checkout.path();
    write(root, "domain/src/bin/add.rs", "fn main() {}");
    write(root, "domain/src/bin/replay.rs", "fn main() {}");
    write(root, "other/src/bin/tool.rs", "fn main() {}");
    let workspace = Workspace::discover(root, FUNCTIONS).await.unwrap();
    let packages: Vec<(&str, &str)> =
        workspace.functions.iter().map(|(name, source)| (name.as_str(), source.package.as_str())).collect();
    assert_eq!(packages, [("add", "functions"), ("get", "functions"), ("replay", "domain")]);
    let settings = BuildSettings::default();
    let before = fingerprints(root, &settings).await;
    append(root, "domain/src/bin/replay.rs", "// changed");
    assert_eq!(fingerprints(root, &settings).await, before, "another function does not change");
}

/// A system that depends on the pipeline's functions by path has their sources in another workspace; one that
/// depends on them by git has none, and `Cargo.lock` determines them.
#[tokio::test]
async fn provided_function_needs_no_local_source() {
    let (checkout, outside) = (checkout(), tempfile::tempdir().unwrap());
    let root = checkout.path();
    let provided = ProvidedFunctions { package: "pipeline", names: &["capture"] };
    let functions = FunctionsPackage { provided: Some(provided), ..FUNCTIONS };
    let discover = async || Workspace::discover(root, functions).await.unwrap();
    let settings = BuildSettings::default();

    let workspace = discover().await;
    let source = &workspace.functions["capture"];
    assert_eq!((source.package.as_str(), &source.main), ("pipeline", &None));
    let before = workspace.fingerprint("capture", &settings).unwrap();

    write(outside.path(), "Cargo.toml", "[package]\nname = \"pipeline\"\n[workspace]\n");
    write(outside.path(), "src/bin/capture.rs", "fn main() {}");
    let dependency = format!("pipeline.path = {:?}\n", outside.path());
    append(root, "functions/Cargo.toml", &dependency);
    let workspace = discover().await;
    let main = workspace.functions["capture"].main.clone();
    assert_eq!(main, Some(outside.path().join("src/bin/capture.rs")));
    let with_source = workspace.fingerprint("capture", &settings).unwrap();
    assert_ne!(with_source, before);
    append(outside.path(), "src/bin/capture.rs", "// changed");
    let changed = workspace.fingerprint("capture", &settings).unwrap();
    assert_ne!(changed, with_source);

    let inherits =
        "[dependencies]\nserde.workspace = true\n[workspace.dependencies]\nserde = \"1\"\nclap = \"4\"\n";
    append(outside.path(), "Cargo.toml", inherits);
    let inherited = workspace.fingerprint("capture", &settings).unwrap();
    assert_ne!(inherited, changed);
    let edit = |from: &str, to: &str| {
        let path = outside.path().join("Cargo.toml");
        fs::write(&path, fs::read_to_string(&path).unwrap().replace(from, to)).unwrap();
    };
    edit("clap = \"4\"", "clap = \"3\"");
    assert_eq!(workspace.fingerprint("capture", &settings).unwrap(), inherited, "it does not use clap");
    edit("serde = \"1\"", "serde = { version = \"1\", features = [\"rc\"] }");
    assert_ne!(workspace.fingerprint("capture", &settings).unwrap(), inherited);
}
