//! An account of the local cloud with its own environment files.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use aws::{Aws, Credentials, Target};
use cli::build::is_set_by_cargo_run;
use engine::scope::Scope;
use serde_json::Value;
use tempfile::TempDir;

use crate::cloud::{Cloud, RECORDED_ACCOUNT};

/// The region of every place.
const REGION: &str = "us-east-1";

/// An account in a cloud, with its own environment files, for the cart or another system.
pub struct Place<'a> {
    /// The cloud.
    pub cloud: &'a Cloud,
    /// The account's number, which is also the access key of its root.
    pub account: String,
    /// The system that is deployed: the first part of every name.
    system: &'static str,
    /// Its deployer.
    binary: PathBuf,
    /// The folder of its workspace, if that is not the cart's.
    workspace: Option<PathBuf>,
    folder: TempDir,
}

/// The outcome of a deployer run.
#[derive(Debug)]
pub struct Run {
    /// The exit code; `None` if a signal ended the run.
    pub code: Option<i32>,
    /// Standard output: the results.
    pub stdout: String,
    /// Standard error: everything else.
    pub stderr: String,
}

impl Run {
    /// Runs a command to completion.
    pub fn of(command: &mut Command) -> Self {
        Self::from(command.output().expect("the binary exists"))
    }

    /// Returns the JSON on standard output.
    ///
    /// # Panics
    /// Panics if standard output is not JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:#?}"))
    }
}

impl From<Output> for Run {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

impl Cloud {
    /// Returns an unused account: places do not share resources.
    pub fn place(&self) -> Place<'_> {
        Place::new(self, self.unused_account())
    }

    /// Returns the account of all recordings. Stamps are hashes of configurations that contain its number, so a
    /// recording has to be replayed in the account in which it was made.
    pub fn place_of_recordings(&self) -> Place<'_> {
        Place::new(self, RECORDED_ACCOUNT.to_string())
    }
}

impl<'a> Place<'a> {
    pub(crate) fn new(cloud: &'a Cloud, account: String) -> Self {
        let folder = TempDir::new().expect("a temporary folder can be created");
        fs::create_dir(folder.path().join("environments")).expect("a new folder is writable");
        let (system, binary) = ("cart", cloud.binary().to_owned());
        let place = Self { cloud, account, system, binary, workspace: None, folder };
        place.environment("local", "[local]\nport = 4566\n");
        place
    }

    /// Returns the same account with other environment files, like those of a colleague.
    pub fn of_a_colleague(&self) -> Self {
        Self::new(self.cloud, self.account.clone())
    }

    /// Returns the same place for another system, with its deployer.
    pub fn of_system(self, system: &'static str, binary: PathBuf) -> Self {
        Self { system, binary, ..self }
    }

    /// Returns the same place for another system, in a workspace of its own.
    pub fn of_workspace(self, system: &'static str, workspace: PathBuf) -> Self {
        let binary = workspace.join("target/debug/deployer");
        Self { workspace: Some(workspace), ..self.of_system(system, binary) }
    }

    /// Returns a call of cargo in the place's workspace. Compiled dependencies are shared with all other tests,
    /// binaries are not.
    pub fn cargo(&self, arguments: &[&str]) -> Command {
        let mut cargo = Command::new("cargo");
        cargo.args(arguments);
        for (name, _) in std::env::vars_os() {
            if name.to_str().is_some_and(is_set_by_cargo_run) {
                cargo.env_remove(name);
            }
        }
        self.enter_workspace(&mut cargo);
        cargo
    }

    fn enter_workspace(&self, command: &mut Command) {
        command.current_dir(self.workspace.as_deref().unwrap_or_else(|| self.cloud.root()));
        if let Some(workspace) = &self.workspace {
            command.env("CARGO_BUILD_BUILD_DIR", self.cloud.target());
            command.env("CARGO_TARGET_DIR", workspace.join("target")).env("CARGO_NET_OFFLINE", "true");
        }
    }

    /// Writes an environment file: region, account and a quick build, then this text.
    pub fn environment(&self, name: &str, text: &str) {
        let head = format!("region = \"{REGION}\"\naccount = \"{}\"\n", self.account);
        let (keys, tables) = text.split_at(text.find('[').unwrap_or(text.len()));
        let build = "[build]\nprofile = \"dev\"\nmethod = \"host\"\n";
        let path = self.environments().join(format!("{name}.toml"));
        fs::write(path, format!("{head}{keys}\n{build}{tables}")).expect("a new folder is writable");
    }

    /// Returns the folder of the environment files.
    pub fn environments(&self) -> PathBuf {
        self.folder.path().join("environments")
    }

    /// Returns a folder for files of the test.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Returns a command that runs the deployer in this place without a terminal.
    pub fn command(&self, arguments: &[&str]) -> Command {
        self.command_of(&self.binary, arguments)
    }

    /// Returns a command that runs another build of the deployer in this place without a terminal.
    pub fn command_of(&self, binary: &Path, arguments: &[&str]) -> Command {
        let mut command = Command::new(binary);
        command
            .args(arguments)
            .arg("--environments")
            .arg(self.environments())
            .stdin(Stdio::null())
            .env("AWS_ENDPOINT_URL", self.cloud.endpoint())
            .env("AWS_ACCESS_KEY_ID", &self.account)
            .env("AWS_SECRET_ACCESS_KEY", "test")
            .env_remove("AWS_SESSION_TOKEN")
            .env_remove("AWS_PROFILE");
        self.enter_workspace(&mut command);
        command
    }

    /// Runs the deployer in this place.
    pub fn deployer(&self, arguments: &[&str]) -> Run {
        Run::of(&mut self.command(arguments))
    }

    /// Runs the deployer and panics if it fails. If the local cloud made a function fail that it
    /// called, it is run again, a few times: see [`Deployed::call`].
    ///
    /// [`Deployed::call`]: crate::deployed::Deployed::call
    pub fn deploys(&self, arguments: &[&str]) -> Run {
        let mut run = self.deployer(arguments);
        for _ in 0..3 {
            if [&run.stdout, &run.stderr].iter().any(|said| was_failed_by_cloud(said)) {
                run = self.deployer(arguments);
            }
        }
        assert_eq!(run.code, Some(0), "{arguments:?}: {run:#?}");
        run
    }

    /// Calls a function of an environment through the deployer, and returns its answer.
    pub fn invoke(&self, environment: &str, function: &str, request: &Value) -> Value {
        let run = self.deploys(&["invoke", environment, function, "--payload", &request.to_string()]);
        serde_json::from_str(&run.stdout).expect("a function answers with JSON")
    }

    /// Returns the names of an environment.
    pub fn scope(&self, environment: &str) -> Scope {
        Scope {
            stack: self.system.into(),
            environment: environment.into(),
            account: self.account.clone(),
            region: REGION.into(),
            extra_tags: Default::default(),
        }
    }

    /// Returns clients with the credentials of the account's root, to read and to change resources.
    pub fn aws(&self, environment: &str) -> Aws {
        self.aws_at(self.cloud.endpoint(), environment)
    }

    /// Returns clients for the account with the same number in another cloud.
    pub fn aws_at(&self, endpoint: String, environment: &str) -> Aws {
        self.cloud.wait(self.connect(endpoint, environment))
    }

    /// Connects clients for the account to this endpoint.
    pub(crate) async fn connect(&self, endpoint: String, environment: &str) -> Aws {
        // Credentials are static text; leaking a few bytes in each test does no harm.
        let key: &'static str = Box::leak(self.account.clone().into_boxed_str());
        let target = Target {
            endpoint: Some(endpoint),
            credentials: Credentials::Fixed(key, "test"),
            call_log: None,
            read_only: None,
        };
        Aws::connect(self.scope(environment), &target).await
    }
}

/// The errors of functions that are those of the local cloud: it ended the process while it worked or started, or a loop
/// of its own failed because another call changed what it iterates over.
const OF_THE_LOCAL_CLOUD: [&str; 3] =
    ["Runtime.ExitError", "bootstrap exited during init", "dictionary changed size during iteration"];

/// Returns whether the text reports a function that the local cloud itself made fail.
pub(crate) fn was_failed_by_cloud(said: &str) -> bool {
    OF_THE_LOCAL_CLOUD.iter().any(|sign| said.contains(sign))
}
