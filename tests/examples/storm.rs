//! Runs a storm of any size against the pipeline, like the acceptance test of the same name, which writes
//! 2,000 events of 200 carts.
//!
//! ```text
//! cargo run -p acceptance --example storm -- [--events 20000] [--carts 1000]
//! ```
//!
//! Starts a local cloud in which a third of the functions' calls fail, writes the events concurrently while
//! functions are killed, waits until all events passed the pipeline, and compares what each consumer has seen
//! with the table. Then it runs `audit`. The exit code is 1 if there is a difference.

use std::env;
use std::error::Error;
use std::io::Write;
use std::process::ExitCode;

use acceptance::{Cloud, Deployed, Faulty, Storm, Weather};

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let storm = asked_for(env::args_os().skip(1).map(|text| text.to_string_lossy().into_owned()))?;
    let cloud = Cloud::start()?;
    let passed = pass(&cloud, storm);
    cloud.stop()?;
    passed
}

fn asked_for(mut arguments: impl Iterator<Item = String>) -> Result<Storm, Box<dyn Error>> {
    let mut storm = Storm { events: 20_000, carts: 1_000 };
    while let Some(name) = arguments.next() {
        let value = arguments.next().ok_or_else(|| format!("{name} needs a number"))?.parse()?;
        match &*name {
            "--events" => storm.events = value,
            "--carts" => storm.carts = value,
            _ => return Err(format!("{name} is neither --events nor --carts").into()),
        }
    }
    if storm.carts == 0 || storm.events < 2 * storm.carts {
        return Err("a cart needs at least two events".into());
    }
    Ok(storm)
}

fn pass(cloud: &Cloud, storm: Storm) -> Result<ExitCode, Box<dyn Error>> {
    let faulty = Faulty::beside(cloud, &Weather::storm())?;
    let place = faulty.place();
    let up = Deployed::local(&place);
    let calm = storm.over(&faulty, &place, &up);
    let audit = place.deployer(&["audit", "local", "--grace", "1s"]);
    write!(std::io::stdout().lock(), "{calm}{}{}", audit.stdout, audit.stderr)?;
    let clean = calm.differences.is_empty() && audit.code == Some(0);
    Ok(if clean { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
