//! Records the deployment of this release, for the test that later releases can continue from it.
//!
//! ```text
//! cargo run -p acceptance --example record_release -- NAME
//! ```
//!
//! Starts a local cloud on a free port, deploys into it, and writes the calls into
//! `tests/acceptance/releases/NAME.json.gz`. Run it for each release. Recordings are added and never changed.

use std::env;
use std::error::Error;
use std::path::Path;

use acceptance::{Cassette, Cloud, Hollow};

/// The environment file, except region and account.
const ENVIRONMENT: &str = "[functions]\nmemory_mb = 256\nlog_retention_days = 7\n\n\
                           [stream]\nretention_hours = 48\n\n[local]\nport = 4566\n";

fn main() -> Result<(), Box<dyn Error>> {
    let name = env::args_os()
        .nth(1)
        .and_then(|name| name.into_string().ok())
        .ok_or("the name of the release is missing, as in: record_release 2026-11")?;
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("acceptance/releases").join(format!("{name}.json.gz"));
    if path.exists() {
        return Err(format!("{} already exists; recordings are never changed", path.display()).into());
    }
    let cloud = Cloud::start()?;
    let recorded = Hollow::of(&cloud)
        .and_then(|hollow| Cassette::record(&cloud.place_of_recordings(), &hollow, ENVIRONMENT));
    cloud.stop()?;
    let (cassette, run) = recorded?;
    if run.code != Some(0) {
        return Err(format!("the deployment failed: {run:#?}").into());
    }
    Ok(cassette.write(&path)?)
}
