//! Python tools that tests run next to the cloud: pinned, hashed and installed once, running on a free port
//! of loopback, and ended with the test in any case.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::cloud::{Cloud, free_port};
use crate::place::Place;
use crate::wait::until;

/// The requirements, with a hash for each file.
const REQUIREMENTS: &str = include_str!("../requirements.txt");

/// Runs a module or a script until its standard input is closed, so that it also ends with a killed test.
const RUN: &str = "\
import os, runpy, sys, threading
threading.Thread(target=lambda: (sys.stdin.buffer.read(), os._exit(0)), daemon=True).start()
name = sys.argv.pop(1)
run = runpy.run_path if name.endswith('.py') else runpy.run_module
run(name, run_name='__main__')
";

/// A running tool, until the value is dropped.
#[derive(Debug)]
pub struct Tool {
    child: Child,
    port: u16,
}

impl Tool {
    /// Starts `microburst` in front of the cloud, with these rules.
    ///
    /// # Errors
    /// Fails if it cannot be installed or started.
    pub fn microburst(cloud: &Cloud, rules: &Value, folder: &Path) -> io::Result<Self> {
        let port = free_port()?;
        Self::start(cloud, port, "microburst", &microburst(port, cloud, rules, folder)?, &[])
    }

    /// Starts `microburst` between a cloud and its functions in this account, with the script of this crate.
    /// The functions already know the port.
    pub(crate) fn beside_functions(
        port: u16,
        account: &str,
        cloud: &Cloud,
        (rules, partly): (&Value, f64),
        folder: &Path,
    ) -> io::Result<Self> {
        let mut arguments = microburst(port, cloud, rules, folder)?;
        arguments.push("--resign".to_owned());
        let partly = partly.to_string();
        let root = [("AWS_ACCESS_KEY_ID", account), ("AWS_SECRET_ACCESS_KEY", "test"), ("PARTLY", &partly)];
        Self::start(cloud, port, &script("beside_functions.py")?, &arguments, &root)
    }

    /// Starts `moto`, another emulator of AWS, with the script of this crate. It has the account of this
    /// place, but no resources of the place's cloud.
    ///
    /// # Errors
    /// Fails if it cannot be installed or started.
    pub fn moto(place: &Place<'_>) -> io::Result<Self> {
        let port = free_port()?;
        let arguments = [port.to_string(), place.account.clone()];
        Self::start(place.cloud, port, &script("second_emulator.py")?, &arguments, &[])
    }

    fn start(
        cloud: &Cloud,
        port: u16,
        module: &str,
        arguments: &[String],
        variables: &[(&str, &str)],
    ) -> io::Result<Self> {
        let mut command = Command::new(interpreter(cloud)?);
        command.args(["-I", "-c", RUN, module]).args(arguments).envs(variables.iter().copied());
        let child = command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
        let mut tool = Self { child, port };
        until(module, || {
            let ended = tool.child.try_wait().expect("the process is a child");
            assert_eq!(ended, None, "{module} ended before it answered");
            TcpStream::connect(("127.0.0.1", port)).ok()
        });
        Ok(tool)
    }

    /// Returns the endpoint of AWS's APIs as the tool serves them.
    pub fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Sends a request to the tool itself. Returns the JSON of its answer.
    ///
    /// # Errors
    /// Fails if it does not answer, or not with JSON.
    pub fn ask(&self, path: &str) -> io::Result<Value> {
        Ok(serde_json::from_str(&self.text(path)?)?)
    }

    /// Sends a request to the tool itself. Returns its answer.
    pub(crate) fn text(&self, path: &str) -> io::Result<String> {
        let mut connection = TcpStream::connect(("127.0.0.1", self.port))?;
        write!(connection, "GET {path} HTTP/1.0\r\nhost: 127.0.0.1\r\n\r\n")?;
        let mut answer = String::new();
        connection.read_to_string(&mut answer)?;
        let (_, body) = answer.split_once("\r\n\r\n").unwrap_or_default();
        Ok(body.to_owned())
    }
}

impl Drop for Tool {
    fn drop(&mut self) {
        // Nothing can be done about a process that cannot be ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Writes the rules of `microburst` to a file. Returns its arguments.
fn microburst(port: u16, cloud: &Cloud, rules: &Value, folder: &Path) -> io::Result<Vec<String>> {
    let config = folder.join("microburst.yaml");
    // JSON is YAML.
    fs::write(&config, serde_json::json!({ "rules": rules }).to_string())?;
    let config = config.to_str().ok_or(io::ErrorKind::InvalidFilename)?.to_owned();
    let port = port.to_string();
    let named = [("--port", port), ("--upstream", cloud.endpoint()), ("--config", config)];
    Ok(named.into_iter().flat_map(|(name, value)| [name.to_owned(), value]).collect())
}

/// Returns the path of a script of this crate.
fn script(name: &str) -> io::Result<String> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    Ok(script.to_str().ok_or(io::ErrorKind::InvalidFilename)?.to_owned())
}

/// Returns a Python interpreter that has the tools, which are installed if needed.
fn interpreter(cloud: &Cloud) -> io::Result<PathBuf> {
    let (home, base) = cloud.installation();
    let (whole, unfinished) = (home.join("tests"), home.join("tests-unfinished"));
    let lock = File::create(home.join("tests.lock"))?;
    lock.lock()?;
    let installed = fs::read_to_string(whole.join("requirements.txt")).unwrap_or_default();
    if installed != REQUIREMENTS {
        for left in [&whole, &unfinished].into_iter().filter(|left| left.exists()) {
            fs::remove_dir_all(left)?;
        }
        succeed(Command::new(base).args(["-I", "-m", "venv"]).arg(&unfinished))?;
        let requirements = unfinished.join("requirements.txt");
        fs::write(&requirements, REQUIREMENTS)?;
        let mut pip = Command::new(unfinished.join("bin/python"));
        pip.args(["-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check"]);
        succeed(pip.args(["--require-hashes", "--requirement"]).arg(requirements))?;
        // The folder gets its final name once it is complete.
        fs::rename(unfinished, &whole)?;
    }
    Ok(whole.join("bin/python"))
}

fn succeed(command: &mut Command) -> io::Result<()> {
    let output = command.stdin(Stdio::null()).output()?;
    if output.status.success() {
        return Ok(());
    }
    let said = [output.stdout, output.stderr].concat();
    Err(io::Error::other(format!("{command:?}: {}", String::from_utf8_lossy(&said))))
}
