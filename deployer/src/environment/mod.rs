//! Environment files: numbers, switches and where things live, never names of resources.
//!
//! A file is refused as a whole, with file, line and hint, before anything is looked at.

mod error;
mod value;

use std::path::{Path, PathBuf};

use serde::Deserialize;

pub use error::EnvironmentError;
pub use value::{AccountId, Between, Region, RetentionDays};

use crate::build::BuildSettings;
use crate::scope::Scope;

/// One environment: what its file says.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Environment {
    /// The file's name without its ending.
    #[serde(skip)]
    pub name: String,
    /// The region of everything.
    pub region: Region,
    /// The account, which the credentials have to be of.
    pub account: AccountId,
    /// Whether `down` wants the name typed back.
    #[serde(default)]
    pub protect: bool,
    /// How the functions are built.
    #[serde(default)]
    pub build: BuildSettings,
    /// What all functions have in common.
    #[serde(default)]
    pub functions: Functions,
    /// Capacity and safety of the tables.
    #[serde(default)]
    pub table: Table,
    /// Capacity of the Kinesis streams.
    #[serde(default)]
    pub stream: Stream,
    /// For an environment in a local cloud, which the deployer starts by itself.
    pub local: Option<Local>,
}

/// What all functions have in common.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Functions {
    /// Memory in MB; the share of a processor grows with it.
    pub memory_mb: Between<128, 10_240>,
    /// The longest invocation, in seconds.
    pub timeout_s: Between<1, 900>,
    /// Days that log lines are kept.
    pub log_retention_days: RetentionDays,
}

impl Default for Functions {
    fn default() -> Self {
        Self {
            memory_mb: Between::of(256),
            timeout_s: Between::of(30),
            log_retention_days: RetentionDays::of(14),
        }
    }
}

/// Capacity and safety of the tables. Capacity is on demand.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Table {
    /// Days that the table can be restored to any second of; absent means not at all.
    pub point_in_time_recovery_days: Option<Between<1, 35>>,
    /// Whether AWS itself refuses to delete the table.
    pub deletion_protection: bool,
}

/// Capacity of the Kinesis streams.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Stream {
    /// Provisioned shards: 1 MB/s or 1,000 records a second each.
    pub shards: Between<1, 200>,
    /// Hours that records are kept for consumers that lag behind.
    pub retention_hours: Between<24, 8_760>,
}

impl Default for Stream {
    fn default() -> Self {
        Self { shards: Between::of(1), retention_hours: Between::of(24) }
    }
}

/// The local cloud of an environment that needs no account.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Local {
    /// The port on loopback.
    pub port: Between<1, 65_535>,
}

impl Environment {
    /// Reads `<folder>/<name>.toml`.
    ///
    /// # Errors
    /// There is no such file, or it says something that is not understood or not allowed.
    pub fn load(folder: &Path, name: &str) -> Result<Self, EnvironmentError> {
        value::check_name(name)?;
        let path = folder.join(format!("{name}.toml"));
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(source) if source.kind() == std::io::ErrorKind::NotFound => {
                return Err(EnvironmentError::Missing { known: known(folder), path });
            }
            Err(source) => return Err(EnvironmentError::Unreadable { path, source }),
        };
        let environment = Self::parse(name, &text)
            .map_err(|source| EnvironmentError::invalid(path.clone(), &text, &source))?;
        match EnvironmentError::list_for_table(path, &text) {
            Some(error) => Err(error),
            None => Ok(environment),
        }
    }

    fn parse(name: &str, text: &str) -> Result<Self, toml::de::Error> {
        Ok(Self { name: name.to_owned(), ..toml::from_str(text)? })
    }

    /// Returns the scope of this stack in the environment.
    pub fn scope(&self, stack: &str) -> Scope {
        Scope {
            stack: stack.to_owned(),
            environment: self.name.clone(),
            account: self.account.to_string(),
            region: self.region.to_string(),
            extra_tags: Default::default(),
        }
    }
}

/// Returns the names of the environments in a folder.
fn known(folder: &Path) -> Vec<String> {
    let files: Vec<PathBuf> =
        std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    let toml = files.iter().filter(|path| path.extension().is_some_and(|ending| ending == "toml"));
    let mut names: Vec<String> =
        toml.filter_map(|path| path.file_stem()).map(|stem| stem.to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEAST: &str = "region = \"eu-central-1\"\naccount = \"111111111111\"\n";

    fn error_of(text: &str) -> String {
        let source = Environment::parse("dev", text).expect_err("the text is not right");
        EnvironmentError::invalid("environments/dev.toml".into(), text, &source).to_string()
    }

    #[test]
    fn region_and_account_are_enough() {
        let environment = Environment::parse("dev", LEAST).expect("the least that is needed");
        assert_eq!(environment.functions.memory_mb.get(), 256);
        assert!(environment.local.is_none());
    }

    #[test]
    fn the_committed_files_are_right() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../environments");
        let names = known(&folder);
        assert_eq!(names, ["dev", "local", "prod"]);
        for name in names {
            Environment::load(&folder, &name).expect("a committed environment is right");
        }
    }

    #[test]
    fn what_is_wrong_is_said_with_file_and_line() {
        let cases = [
            "region = \"eu-central-1\"\n".to_owned(),
            format!("{LEAST}protekt = true\n"),
            format!("{LEAST}protect = \"yes\"\n"),
            format!("{LEAST}[functions]\nmemory_mb = 64\n"),
            format!("{LEAST}[functions]\nlog_retention_days = 15\n"),
            format!("{LEAST}[build]\nmethod = \"docker\"\n"),
            "region = \"frankfurt\"\naccount = \"111111111111\"\n".to_owned(),
            "region = \"eu-central-1\"\naccount = \"1234\"\n".to_owned(),
            "region = \"eu-central-1\naccount = 1\n".to_owned(),
        ];
        let said: Vec<String> = cases.iter().map(|text| error_of(text)).collect();
        insta::assert_snapshot!(said.join("\n---\n"));
    }

    #[test]
    fn every_key_is_documented() {
        let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/environments.md");
        let page = std::fs::read_to_string(page).expect("the page is committed");
        let tables = ["", "[build]\n", "[functions]\n", "[table]\n", "[stream]\n", "[local]\n"];
        for table in tables {
            // The parser knows the keys: it lists them when it meets one that it does not know.
            let error =
                error_of(&format!("{table}no_such_key = 1\n{}", if table.is_empty() { LEAST } else { "" }));
            let (_, keys) = error.split_once("expected").expect("the parser says what it expects");
            let keys: Vec<&str> = keys.split('`').skip(1).step_by(2).collect();
            assert!(!keys.is_empty(), "{error}");
            for key in keys {
                let mentioned =
                    [format!("`{key}`"), format!("[{key}]")].iter().any(|form| page.contains(form));
                assert!(mentioned, "docs/environments.md does not mention `{key}`");
            }
        }
    }

    #[test]
    fn a_list_is_no_table() {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let text = format!("{LEAST}functions = [512, 7, 30]\n");
        std::fs::write(folder.path().join("dev.toml"), text).expect("a new folder can be written");
        let error = Environment::load(folder.path(), "dev").expect_err("the order of keys means nothing");
        assert!(error.to_string().contains(":3: `functions` is a list"), "{error}");
    }

    #[test]
    fn a_missing_environment_names_those_that_exist() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../environments");
        let error = Environment::load(&folder, "stagin").expect_err("there is no such file");
        assert!(error.hint().is_some_and(|hint| hint.contains("dev, local, prod")), "{error}");
    }
}
