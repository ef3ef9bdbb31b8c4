//! Measures how long an `up` with nothing to do takes if the cloud is far away.
//!
//! ```text
//! cargo run -p acceptance --example latency -- [RUNS] [MILLISECONDS] [DEPLOYER]
//! ```
//!
//! Starts a local cloud on a free port, deploys into it, adds a latency of MILLISECONDS (50), and runs `up`
//! RUNS (10) times with the deployer of this build or another binary. Prints the wall time of the whole
//! process, and its parts: before the first call, between the first call and the last answer, and after that.
//! A real AWS adds TLS handshakes: a few round trips for each service.
//!
//! This is not a test: a busy machine is slow, but not wrong.

use std::env;
use std::error::Error;
use std::io::Write;
use std::time::{Duration, Instant};

use acceptance::{Call, Cloud, Place, Proxy, Run};

/// The duration of a run, in milliseconds, and the number of its calls.
#[derive(Clone, Copy)]
struct Taken {
    wall: f64,
    before: f64,
    calling: f64,
    calls: usize,
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args_os().skip(1).map(|text| text.to_string_lossy().into_owned());
    let runs: usize = arguments.next().map_or(Ok(10), |text| text.parse())?;
    let milliseconds: u64 = arguments.next().map_or(Ok(50), |text| text.parse())?;
    let binary = arguments.next();

    let cloud = Cloud::start()?;
    let measured = measure(&cloud, runs.max(1), Duration::from_millis(milliseconds), binary.as_deref());
    cloud.stop()?;
    let measured = measured?;

    let mut out = std::io::stdout().lock();
    let calls = measured[0].calls;
    writeln!(
        out,
        "{} runs of `up` with nothing to do, {milliseconds} ms away: {calls} calls each",
        measured.len()
    )?;
    writeln!(out, "{:24} {:>8} {:>8} {:>8}", "ms", "min", "median", "max")?;
    row(&mut out, "wall time", measured.iter().map(|taken| taken.wall))?;
    row(&mut out, "before the first call", measured.iter().map(|taken| taken.before))?;
    row(&mut out, "calling", measured.iter().map(|taken| taken.calling))?;
    let after = measured.iter().map(|taken| taken.wall - taken.before - taken.calling);
    row(&mut out, "starting and ending", after)?;
    Ok(())
}

fn measure(
    cloud: &Cloud,
    runs: usize,
    latency: Duration,
    binary: Option<&str>,
) -> Result<Vec<Taken>, Box<dyn Error>> {
    let place = cloud.place();
    place.deploys(&["up", "local"]);
    let proxy = Proxy::start(cloud, latency)?;
    (0..runs).map(|_| run(&place, &proxy, binary)).collect()
}

fn run(place: &Place<'_>, proxy: &Proxy, binary: Option<&str>) -> Result<Taken, Box<dyn Error>> {
    let record = place.folder().join("calls.jsonl");
    let mut command = place.command_of(binary.map_or(place.cloud.binary(), AsRef::as_ref), &["up", "local"]);
    command.arg("--record-calls").arg(&record).env("AWS_ENDPOINT_URL", proxy.endpoint());
    let started = Instant::now();
    let up = Run::of(&mut command);
    let wall = started.elapsed().as_secs_f64() * 1000.0;
    if up.code != Some(0) || !up.stderr.contains("Nothing to do") {
        return Err(format!("`up` found something to do: {up:#?}").into());
    }
    let calls = Call::recorded(&record);
    let first = calls.iter().map(|call| call.start_ms).fold(f64::INFINITY, f64::min);
    let last = calls.iter().map(|call| call.end_ms).fold(0.0, f64::max);
    Ok(Taken { wall, before: first, calling: last - first, calls: calls.len() })
}

fn row(out: &mut impl Write, what: &str, times: impl Iterator<Item = f64>) -> std::io::Result<()> {
    let mut times: Vec<f64> = times.collect();
    times.sort_by(f64::total_cmp);
    let (min, median, max) = (times[0], times[times.len() / 2], times[times.len() - 1]);
    writeln!(out, "{what:24} {min:8.0} {median:8.0} {max:8.0}")
}
