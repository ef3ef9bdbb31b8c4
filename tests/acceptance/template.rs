//! `new`: the system that it writes is tested, deployed, called, changed, drifts, and is destroyed.

mod recipes;

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use acceptance::{Cloud, Deployed, Place, Run};
use serde_json::json;
use tempfile::TempDir;

use crate::Test;

pub(crate) const TESTS: &[Test] = &[
    ("new_system_goes_its_whole_way", new_system_goes_its_whole_way),
    ("recipes_of_a_new_system_lead_where_they_say", recipes::lead_where_they_say),
];

/// The name of the new system.
const NAME: &str = "bank";

/// The crates that may be compiled for a new system: its own, and the crates of the deployer.
const OWN: [&str; 9] =
    ["aws", "cli", "deployer", "domain", "engine", "eventsourcing", "functions", "runtime", "storage"];

/// What `cargo deployer` compiles.
const BUILD_DEPLOYER: [&str; 3] = ["build", "--package", "deployer"];

/// A system that `new` wrote.
struct System<'a> {
    cloud: &'a Cloud,
    folder: TempDir,
}

impl<'a> System<'a> {
    /// Writes a new system for another domain. Cargo treats two packages with equal names, versions and paths in their
    /// workspaces as one, and would reuse the binaries of one for the other: each test has a version of its own.
    fn new(cloud: &'a Cloud, version: &str) -> Self {
        let system = Self { cloud, folder: TempDir::new().expect("a temporary folder can be created") };
        let made = ["--aggregate", "Account"];
        let made = Run::of(Command::new(cloud.binary()).arg("new").arg(system.path()).args(made));
        assert_eq!(made.code, Some(0), "{made:#?}");
        assert!(made.stdout.contains("created the system `bank`"), "{made:#?}");
        system.edit("Cargo.toml", "version = \"0.1.0\"", &format!("version = \"{version}\""));
        system
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join(NAME)
    }

    /// Returns an unused account with the environment files of the system.
    fn place(&self) -> Place<'a> {
        let place = self.cloud.place().of_workspace(NAME, self.path());
        for file in fs::read_dir(self.path().join("environments")).expect("the folder was written") {
            let file = file.expect("a folder can be listed").path();
            let text = fs::read_to_string(&file).expect("the file was written");
            let to = place.environments().join(file.file_name().expect("a file has a name"));
            let text = text.replace("000000000000", &place.account);
            fs::write(to, text).expect("a new folder is writable");
        }
        place
    }

    /// Replaces a text in a file.
    fn edit(&self, file: &str, from: &str, to: &str) {
        let path = self.path().join(file);
        let text = fs::read_to_string(&path).expect("the file was written");
        assert!(text.contains(from), "{file}: {text}");
        fs::write(path, text.replace(from, to)).expect("the folder is writable");
    }
}

/// Runs cargo in the place's workspace, and panics if it fails. Returns what it printed.
fn cargo(place: &Place<'_>, arguments: &[&str]) -> String {
    let run = Run::of(&mut place.cargo(arguments));
    assert_eq!(run.code, Some(0), "{arguments:?}: {run:#?}");
    run.stderr
}

fn new_system_goes_its_whole_way(cloud: &Cloud) {
    let system = System::new(cloud, "0.1.0-whole-way");
    let place = &system.place();
    cargo(place, &["fmt", "--check"]);
    let compiled = cargo(place, &["test", "--workspace"]) + &cargo(place, &BUILD_DEPLOYER);
    assert!(!compiled.contains("warning"), "{compiled}");
    for line in compiled.lines() {
        let Some(compiled) = line.trim_start().strip_prefix("Compiling ") else { continue };
        let name = compiled.split(' ').next().unwrap_or_default();
        assert!(OWN.contains(&name), "{name} is compiled again: its features differ in a new system");
    }
    assert!(place.deploys(&["outputs", "dev"]).stdout.contains("bank-dev-open-account"));
    place.deploys(&["up", "local"]);
    let opened = place.deploys(&["invoke", "local", "open-account", "--payload", r#"{"title": "savings"}"#]);
    let opened = opened.json();
    assert_eq!((&opened["title"], &opened["version"]), (&json!("savings"), &json!(1)), "{opened:#}");
    let id = opened["account_id"].as_str().expect("an answer has the id");
    let question = json!({ "account_id": id });
    assert_eq!(place.invoke("local", "get-account", &question), opened);
    let events = place.deploys(&["events", "local", id, "--format", "json"]).json();
    assert_eq!(events["aggregate"], format!("account#{id}"), "{events:#}");
    let probe = place.deploys(&["probe", "local", "--format", "json"]).json();
    assert_eq!(probe["arrived"], true, "{probe:#}");
    place.deploys(&["drift", "local"]);

    // A changed rule is pending for the functions that decide and answer.
    system.edit("domain/src/account.rs", "the account does not exist", "there is no such account");
    let plan = place.deployer(&["plan", "local"]);
    assert!(plan.stdout.contains("get-account"), "{plan:#?}");
    place.deploys(&["up", "local"]);
    let unknown = json!({ "account_id": "01997d2e-8a3b-7c11-9f0e-6b1d5a2c4e70" });
    let refused = place.invoke("local", "get-account", &unknown);
    assert_eq!(refused["message"], "there is no such account: open it first", "{refused:#}");

    drifts(place);
    place.deploys(&["down", "local", "--yes"]);
}

/// A changed setting is drift, and `up` repairs it.
fn drifts(place: &Place<'_>) {
    let up = Deployed::of(place);
    let name = up.aws.scope.name("get-account");
    let change = up.aws.lambda.update_function_configuration().function_name(name).timeout(7);
    up.wait(change.send()).expect("the function exists");
    let drift = place.deployer(&["drift", "local"]);
    assert_eq!(drift.code, Some(3), "{drift:#?}");
    place.deploys(&["up", "local"]);
    place.deploys(&["drift", "local"]);
}
