//! One MiniStack for all tests, with IAM enforced, on a free port of loopback.

use std::io;
use std::net::TcpListener;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use cli::build::{BuildSettings, FunctionsPackage, Method, Workspace};
use cli::local::{LocalCloud, VERSION};
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;

/// The account of all recordings: one less than that of the first place.
pub(crate) const RECORDED_ACCOUNT: u64 = 100_000_000_000;

/// A running local cloud, and the deployer's binary.
#[derive(Debug)]
pub struct Cloud {
    local: LocalCloud,
    runtime: Runtime,
    built: Built,
    root: PathBuf,
    accounts: AtomicU64,
    pid: i32,
}

/// The cart's system, compiled.
#[derive(Debug, Clone)]
struct Built {
    deployer: PathBuf,
    /// The names of the functions.
    functions: Vec<String>,
}

impl Cloud {
    /// Builds the binaries that the tests run, and starts a cloud.
    ///
    /// # Errors
    /// Fails if the build fails, or MiniStack cannot be installed or started.
    pub fn start() -> Result<Self, Box<dyn std::error::Error>> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize()?;
        let runtime = Runtime::new()?;
        let built = runtime.block_on(build(&root))?;
        Self::run(runtime, root, built, None)
    }

    /// Starts another cloud, for a test that would disturb others: a cloud is one process, and when a
    /// function is changed, it ends the processes of all functions with the same name in any account.
    ///
    /// # Errors
    /// Fails if it cannot be started.
    pub fn aside(&self) -> Result<Aside, Box<dyn std::error::Error>> {
        self.another(None)
    }

    /// Starts another cloud, whose functions call AWS's APIs at this endpoint, or by default in the cloud
    /// itself.
    pub(crate) fn another(
        &self,
        functions_call: Option<String>,
    ) -> Result<Aside, Box<dyn std::error::Error>> {
        Self::run(Runtime::new()?, self.root.clone(), self.built.clone(), functions_call).map(Aside)
    }

    fn run(
        runtime: Runtime,
        root: PathBuf,
        built: Built,
        functions_call: Option<String>,
    ) -> Result<Self, Box<dyn std::error::Error>> {
        // The folder of `deployer local`, so that MiniStack is installed only once.
        let mut local = LocalCloud::new(root.join(".deployer"), free_port()?);
        if let Some(endpoint) = functions_call {
            local = local.functions_call(endpoint);
        }
        let running = runtime.block_on(local.start(&|_| {}))?;
        let accounts = AtomicU64::new(RECORDED_ACCOUNT + 1);
        Ok(Self { local, runtime, built, root, accounts, pid: running.pid })
    }

    /// Stops the cloud with everything in it, and deletes its stored data.
    ///
    /// # Errors
    /// Fails if the process cannot be ended.
    pub fn stop(&self) -> Result<(), Box<dyn std::error::Error>> {
        self.runtime.block_on(self.local.stop())?;
        let kept = self.local.log();
        let folder = kept.parent().ok_or("the log file is in a folder")?;
        Ok(std::fs::remove_dir_all(folder)?)
    }

    /// Returns the number of an unused account.
    pub(crate) fn unused_account(&self) -> String {
        self.accounts.fetch_add(1, Ordering::Relaxed).to_string()
    }

    /// Returns the endpoint of AWS's APIs.
    pub fn endpoint(&self) -> String {
        self.local.endpoint()
    }

    /// Returns the folder into which the local cloud is installed, and its Python.
    pub(crate) fn installation(&self) -> (PathBuf, PathBuf) {
        let home = self.root.join(".deployer");
        let python = home.join(format!("ministack-{VERSION}")).join("bin/python");
        (home, python)
    }

    /// Returns the cloud's process, which is the parent of the functions' processes.
    pub(crate) fn pid(&self) -> i32 {
        self.pid
    }

    /// Returns the root of the workspace.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Returns the deployer's binary.
    pub fn binary(&self) -> &Path {
        &self.built.deployer
    }

    /// Returns the names of the cart's functions.
    pub fn functions(&self) -> &[String] {
        &self.built.functions
    }

    /// Builds the deployer of another system in this workspace, and returns its binary.
    ///
    /// # Errors
    /// Fails if the build fails.
    pub fn build_deployer(&self, package: &'static str) -> Result<PathBuf, Box<dyn std::error::Error>> {
        self.runtime.block_on(compile(&self.root, package))
    }

    /// Returns cargo's target folder, which contains the binary: `<target>/debug/deployer`.
    pub(crate) fn target(&self) -> &Path {
        self.binary().ancestors().nth(2).expect("cargo builds into a folder for each profile")
    }

    /// Runs a future to completion.
    pub fn wait<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime.block_on(future)
    }

    /// Starts a task that runs in the background of a test.
    pub(crate) fn spawn(&self, future: impl Future<Output = ()> + Send + 'static) -> JoinHandle<()> {
        self.runtime.spawn(future)
    }
}

/// A cloud for one test, until the value is dropped.
#[derive(Debug)]
pub struct Aside(Cloud);

impl Deref for Aside {
    type Target = Cloud;

    fn deref(&self) -> &Cloud {
        &self.0
    }
}

impl Drop for Aside {
    fn drop(&mut self) {
        // Nothing can be done about a process that cannot be ended.
        let _ = self.0.stop();
    }
}

/// Builds the deployer, and the functions, so that no test waits for a compiler.
async fn build(root: &Path) -> Result<Built, Box<dyn std::error::Error>> {
    let deployer = compile(root, "deployer").await?;
    let workspace = Workspace::discover(root, FunctionsPackage::named("functions")).await?;
    let functions: Vec<String> = workspace.functions().map(str::to_owned).collect();
    workspace.build(&functions, &settings(), &|_| {}).await?;
    Ok(Built { deployer, functions })
}

/// Builds the binary of this package that has the package's name.
async fn compile(root: &Path, package: &'static str) -> Result<PathBuf, Box<dyn std::error::Error>> {
    let workspace = Workspace::discover(root, FunctionsPackage::named(package)).await?;
    let mut built = workspace.compile(&[package.to_owned()], &settings(), &|_| {}).await?;
    Ok(built.remove(package).ok_or("cargo named no binary")?)
}

/// Returns the settings of all builds: those of `cargo deployer`, so that dependencies are compiled once.
fn settings() -> BuildSettings {
    BuildSettings { profile: "dev".into(), method: Method::Host, ..BuildSettings::default() }
}

/// Returns a port that is free at the moment.
pub(crate) fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}
