//! Bundles: one executable that contains the functions. It deploys without sources and toolchain, with the
//! same result as deploying from the sources.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use acceptance::{Cloud, Place, Run, until};
use serde_json::json;

use crate::Test;

pub(crate) const TESTS: &[Test] = &[
    ("bundle_deploys_what_the_sources_would", bundle_deploys_what_the_sources_would),
    ("bundle_is_reproducible_from_the_same_sources", bundle_is_reproducible_from_the_same_sources),
    ("bundle_errors_are_reported", bundle_errors_are_reported),
    ("bundle_includes_extended_environment_files", bundle_includes_extended_environment_files),
    ("signal_ends_build_bundle_and_compilers", signal_ends_build_bundle_and_compilers),
];

/// A bundle that was copied to an otherwise empty folder.
struct Copied<'a> {
    place: &'a Place<'a>,
    file: PathBuf,
    folder: PathBuf,
}

impl<'a> Copied<'a> {
    /// Bundles an environment and moves the file to a new folder.
    fn of(environment: &str, place: &'a Place<'a>) -> Self {
        let made = place.folder().join("made");
        place.deploys(&["bundle", environment, "-o", text(&made)]);
        let folder = place.folder().join("elsewhere");
        fs::create_dir(&folder).expect("a temporary folder is writable");
        let file = folder.join("cart");
        fs::rename(made, &file).expect("a temporary folder is writable");
        Self { place, file, folder }
    }

    /// Runs the bundle with nothing but credentials and AWS's endpoint.
    fn run(&self, arguments: &[&str]) -> Run {
        let mut command = Command::new(&self.file);
        command.args(arguments).current_dir(&self.folder).stdin(Stdio::null()).env_clear();
        command
            .env("PATH", "")
            .env("AWS_ENDPOINT_URL", self.place.cloud.endpoint())
            .env("AWS_ACCESS_KEY_ID", &self.place.account)
            .env("AWS_SECRET_ACCESS_KEY", "test");
        Run::of(&mut command)
    }

    /// Runs the bundle and panics if it fails.
    fn does(&self, arguments: &[&str]) -> Run {
        let run = self.run(arguments);
        assert_eq!(run.code, Some(0), "{arguments:?}: {run:#?}");
        run
    }

    /// Runs the bundle and checks the exit code and the messages.
    fn refuses(&self, arguments: &[&str], code: i32, said: &[&str]) {
        refused(&self.run(arguments), arguments, code, said);
    }
}

/// Environments that are deployed from a bundle and from the sources are equal, and each can update the
/// other.
fn bundle_deploys_what_the_sources_would(cloud: &Cloud) {
    let place = cloud.place();
    let bundle = Copied::of("local", &place);
    bundle.does(&["up", "local"]);
    let answer = bundle.does(&["invoke", "local", "open-cart"]).json();
    assert_eq!(answer["status"], json!("open"), "{answer}");
    for command in ["drift", "plan"] {
        bundle.does(&[command, "local"]);
        place.deploys(&[command, "local"]);
    }
    assert_eq!(
        bundle.does(&["outputs", "local"]).stdout,
        place.deploys(&["outputs", "local"]).stdout,
        "the bundle contains its environment"
    );
    bundle.does(&["down", "local"]);
    place.deploys(&["up", "local"]);
    bundle.does(&["drift", "local"]);
    let left: Vec<_> = fs::read_dir(&bundle.folder).expect("the folder exists").flatten().collect();
    assert_eq!(left.len(), 1, "the bundle leaves no files where it runs: {left:?}");
}

/// The bundle does not depend on user, time and folder; it prints its own hash.
fn bundle_is_reproducible_from_the_same_sources(cloud: &Cloud) {
    let place = cloud.place();
    place.environment("other", "protect = true\n");
    // Its settings are those of `local`, so no other build is needed.
    place.environment("based", "extends = \"other\"\n");
    let bundle = |name: &str| {
        let path = place.folder().join(name);
        let run = place.deploys(&["bundle", "-o", text(&path)]);
        let (bytes, said) = (fs::read(&path).expect("the bundle was written"), run.stdout);
        let said = said.strip_prefix(text(&path)).expect("the output starts with the path").to_owned();
        (bytes, said)
    };
    let release = |said: &str| said.lines().nth(1).map(str::to_owned);
    let (one, said, other) = until("two bundles between two commits", || {
        let (one, said) = bundle("one");
        let (other, again) = bundle("other");
        // A commit during the tests changes the sources.
        (release(&said) == release(&again)).then_some((one, said, other))
    });
    assert!(one == other, "the second bundle differs: {said}");
    assert!(said.contains("based, other\n"), "local environments are left out: {said}");
    assert!(said.contains("open-cart") && said.contains("method host"), "{said}");
    let hash = said.split("sha256 ").nth(1).and_then(|rest| rest.lines().next());
    let sum = Command::new("sha256sum").arg(place.folder().join("one")).output();
    let sum = String::from_utf8(sum.expect("coreutils are installed").stdout).expect("a hash is text");
    assert_eq!(hash, sum.split(' ').next());
    let mode = fs::metadata(place.folder().join("one")).expect("the bundle was written").permissions().mode();
    assert_eq!(mode & 0o777, 0o755);
}

/// The file that an environment extends is included, but the bundle is not for that environment.
fn bundle_includes_extended_environment_files(cloud: &Cloud) {
    let place = cloud.place();
    place.environment("base", "protect = true\n");
    let based = place.environments().join("based.toml");
    fs::write(based, "extends = \"base\"\n").expect("the folder is writable");
    let bundle = Copied::of("based", &place);
    assert_eq!(
        bundle.does(&["outputs", "based"]).stdout,
        place.deploys(&["outputs", "based"]).stdout,
        "its account and region are those of the base"
    );
    bundle.refuses(&["outputs", "base"], 64, &["not for `base`, only for based", "hint:"]);
}

/// Environments that cannot be bundled, commands that a bundle does not support, and damaged bundles.
fn bundle_errors_are_reported(cloud: &Cloud) {
    let place = cloud.place();
    let output = place.folder().join("unwritten");
    let nowhere = place.folder().join("missing/bundle");
    let cases: [(&[&str], i32, &[&str]); 5] = [
        (&["bundle"], 64, &["--output", "usage:"]),
        (&["bundle", "stagin", "-o", text(&output)], 64, &["stagin.toml", "hint:"]),
        (&["bundle", "-o", text(&output)], 64, &["no environment to bundle", "hint:"]),
        (&["bundle", "local", "-o", text(&nowhere)], 1, &["cannot write", "missing/bundle"]),
        (&["bundle", "local", "-o", text(place.folder())], 1, &["cannot write"]),
    ];
    for (arguments, code, said) in cases {
        refused(&place.deployer(arguments), arguments, code, said);
    }
    assert!(!output.exists());

    let bundle = Copied::of("local", &place);
    bundle.refuses(&["plan", "dev"], 64, &["not for `dev`, only for local", "hint:"]);
    bundle.refuses(&["bundle", "local", "-o", "again"], 64, &["is a bundle", "hint:"]);
    bundle.refuses(&["build", "local"], 64, &["is a bundle", "hint:"]);
    let help = bundle.does(&["--help"]).stdout;
    assert!(
        help.contains("\n  plan ") && !help.contains("\n  bundle ") && !help.contains("\n  build "),
        "{help}"
    );
    let version = bundle.does(&["--version"]).stdout;
    assert!(version.contains("(bundle of "), "{version}");
    // An explicit folder takes precedence; its environment needs functions of another build.
    let environments = place.environments();
    let file = fs::read_to_string(environments.join("local.toml")).expect("every place has the file");
    let other = file.replace("profile = \"dev\"", "profile = \"release\"");
    fs::write(environments.join("slow.toml"), other).expect("the folder is writable");
    let folder = text(&environments);
    let said = ["profile release", "only with profile dev, method host", "hint:"];
    bundle.refuses(&["plan", "slow", "--environments", folder], 64, &said);

    let whole = fs::read(&bundle.file).expect("the bundle was copied");
    // In the middle of the last function's zip, which is compressed.
    let mut altered = whole.clone();
    altered[whole.len() - 1_000_000] ^= 1;
    write_program(&bundle.file, altered);
    bundle.refuses(&["up", "local"], 1, &["this bundle is damaged", "replay.zip", "hint:"]);
    write_program(&bundle.file, &whole[..whole.len() - 1_000]);
    for command in ["plan", "up", "outputs"] {
        bundle.refuses(&[command, "local"], 1, &["damaged", "its end is missing", "hint:"]);
    }
}

/// A signal to the deployer does not reach cargo, which has its own process group. Cargo ends all the same,
/// with the processes that it started.
fn signal_ends_build_bundle_and_compilers(cloud: &Cloud) {
    let place = cloud.place();
    let slow = place.folder().join("cargo");
    let script = "#!/bin/sh\nif [ \"$1\" = metadata ]; then exec \"$REAL_CARGO\" \"$@\"; fi\n\
                  sleep 600 & echo $! > \"$STARTED.new\"; mv \"$STARTED.new\" \"$STARTED\"; wait\n";
    write_program(&slow, script);
    let started = place.folder().join("started");
    for (arguments, signal) in [
        (&["build", "local"][..], "INT"),
        (&["bundle", "local", "-o", text(&place.folder().join("unwritten"))][..], "TERM"),
    ] {
        let mut command = place.command(arguments);
        command.env("CARGO", &slow).env("REAL_CARGO", env!("CARGO")).env("STARTED", &started);
        let run = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let run = run.expect("the binary exists");
        let compiler = until("the build to start", || fs::read_to_string(&started).ok());
        let compiler = compiler.trim();
        let kill = Command::new("kill").args(["-s", signal, &run.id().to_string()]).status();
        assert!(kill.expect("`kill` is installed").success());
        let run = Run::from(run.wait_with_output().expect("the signal ends the bundle"));
        refused(&run, arguments, 130, &["interrupted"]);
        until("the compiler to end", || (!runs(compiler)).then_some(()));
        fs::remove_file(&started).expect("the file was written");
    }
}

/// Returns whether a process runs. A process that has ended may still be a zombie.
fn runs(id: &str) -> bool {
    let stat = fs::read_to_string(format!("/proc/{id}/stat"));
    stat.is_ok_and(|stat| !stat.contains(") Z "))
}

fn refused(run: &Run, arguments: &[&str], code: i32, said: &[&str]) {
    assert_eq!(run.code, Some(code), "{arguments:?}: {run:#?}");
    assert_eq!(run.stdout, "", "{arguments:?}: {run:#?}");
    for text in said {
        assert!(run.stderr.contains(text), "{arguments:?} does not contain `{text}`: {}", run.stderr);
    }
}

/// Writes a program through `cp`: a program cannot be started while a process has it open for writing, and
/// processes that other tests start at the same time briefly inherit this process's open files.
fn write_program(program: &Path, content: impl AsRef<[u8]>) {
    let written = program.with_extension("written");
    fs::write(&written, content).expect("a temporary folder is writable");
    fs::set_permissions(&written, fs::Permissions::from_mode(0o755)).expect("the file is owned by this user");
    let copied = Command::new("cp").arg("--remove-destination").args([&written, program]).status();
    assert!(copied.expect("coreutils are installed").success());
    fs::remove_file(written).expect("the file is owned by this user");
}

fn text(path: &Path) -> &str {
    path.to_str().expect("temporary folders have simple names")
}
