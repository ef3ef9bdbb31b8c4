//! One MiniStack for all tests, with IAM enforced, on a free port of loopback.

use std::io;
use std::net::TcpListener;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use cli::build::{BuildSettings, Method, Workspace};
use cli::local::{LocalCloud, VERSION};
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;

/// A running local cloud and the deployer that deploys into it.
#[derive(Debug)]
pub struct Cloud {
    local: LocalCloud,
    runtime: Runtime,
    binary: PathBuf,
    root: PathBuf,
    accounts: AtomicU64,
    pid: i32,
}

impl Cloud {
    /// Builds what the tests run and starts a cloud.
    ///
    /// # Errors
    /// The build failed, or MiniStack cannot be installed or started here.
    pub fn start() -> Result<Self, Box<dyn std::error::Error>> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize()?;
        let runtime = Runtime::new()?;
        let binary = runtime.block_on(build(&root))?;
        Self::run(runtime, root, binary, None)
    }

    /// Starts another cloud, for a test that would be in the way of others: one cloud is one process,
    /// and ends those of a function when one of the same name is changed in any account.
    ///
    /// # Errors
    /// It cannot be started here.
    pub fn aside(&self) -> Result<Aside, Box<dyn std::error::Error>> {
        self.another(None)
    }

    /// Starts another cloud, whose functions find AWS's APIs at this endpoint, or in itself.
    pub(crate) fn another(
        &self,
        functions_call: Option<String>,
    ) -> Result<Aside, Box<dyn std::error::Error>> {
        Self::run(Runtime::new()?, self.root.clone(), self.binary.clone(), functions_call).map(Aside)
    }

    fn run(
        runtime: Runtime,
        root: PathBuf,
        binary: PathBuf,
        functions_call: Option<String>,
    ) -> Result<Self, Box<dyn std::error::Error>> {
        // The folder of `deployer local`, so that MiniStack is installed once.
        let mut local = LocalCloud::new(root.join(".deployer"), free_port()?);
        if let Some(endpoint) = functions_call {
            local = local.functions_call(endpoint);
        }
        let running = runtime.block_on(local.start(&|_| {}))?;
        let accounts = AtomicU64::new(100_000_000_000);
        Ok(Self { local, runtime, binary, root, accounts, pid: running.pid })
    }

    /// Stops the cloud with everything in it and removes what it kept.
    ///
    /// # Errors
    /// The process could not be ended.
    pub fn stop(&self) -> Result<(), Box<dyn std::error::Error>> {
        self.runtime.block_on(self.local.stop())?;
        let kept = self.local.log();
        let folder = kept.parent().ok_or("the log file is in a folder")?;
        Ok(std::fs::remove_dir_all(folder)?)
    }

    /// Returns the number of an account that nobody has used.
    pub(crate) fn unused_account(&self) -> String {
        self.accounts.fetch_add(1, Ordering::Relaxed).to_string()
    }

    /// Returns where AWS's APIs are.
    pub fn endpoint(&self) -> String {
        self.local.endpoint()
    }

    /// Returns the folder of what the local cloud installs, and its Python.
    pub(crate) fn installation(&self) -> (PathBuf, PathBuf) {
        let home = self.root.join(".deployer");
        let python = home.join(format!("ministack-{VERSION}")).join("bin/python");
        (home, python)
    }

    /// Returns the cloud's process, whose children are the functions that run.
    pub(crate) fn pid(&self) -> i32 {
        self.pid
    }

    /// Returns the root of the workspace.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Returns the deployer's binary.
    pub fn binary(&self) -> &Path {
        &self.binary
    }

    /// Returns cargo's target folder, in which that binary was built: `<target>/debug/deployer`.
    pub(crate) fn target(&self) -> &Path {
        self.binary.ancestors().nth(2).expect("cargo builds into a folder of the profile")
    }

    /// Runs a future to its end.
    pub fn wait<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime.block_on(future)
    }

    /// Starts what goes on beside a test.
    pub(crate) fn spawn(&self, future: impl Future<Output = ()> + Send + 'static) -> JoinHandle<()> {
        self.runtime.spawn(future)
    }
}

/// A cloud that one test has for itself, until the value is dropped.
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
        // There is nothing to be done about a process that cannot be ended.
        let _ = self.0.stop();
    }
}

/// Builds the deployer, and the functions so that no test waits for a compiler.
async fn build(root: &Path) -> Result<PathBuf, Box<dyn std::error::Error>> {
    let settings = BuildSettings { profile: "dev".into(), method: Method::Host, ..BuildSettings::default() };
    let deployer = Workspace::discover(root, "deployer").await?;
    let mut built = deployer.compile(&["deployer".to_owned()], &settings, &|_| {}).await?;
    let functions = Workspace::discover(root, "functions").await?;
    let names: Vec<String> = functions.functions().map(str::to_owned).collect();
    functions.build(&names, &settings, &|_| {}).await?;
    Ok(built.remove("deployer").ok_or("cargo named no deployer")?)
}

/// Returns a port that nobody holds now.
pub(crate) fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}
