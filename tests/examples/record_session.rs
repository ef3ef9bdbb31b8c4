//! Runs the commands of `docs/session.md` in a new local cloud, and draws what they print as `docs/session.svg`.
//!
//! ```text
//! cargo run -p acceptance --example record_session
//! ```

use std::error::Error;
use std::fmt::Write;
use std::fs;

use acceptance::{Cloud, steps};
use anstyle_svg::Term;

fn main() -> Result<(), Box<dyn Error>> {
    let cloud = Cloud::start()?;
    let drawn = drawn(&cloud);
    let root = cloud.root().to_path_buf();
    cloud.stop()?;
    Ok(fs::write(root.join("docs/session.svg"), drawn?)?)
}

/// Returns the picture of a session in an account of its own.
fn drawn(cloud: &Cloud) -> Result<String, Box<dyn Error>> {
    let page = fs::read_to_string(cloud.root().join("docs/session.md"))?;
    let place = cloud.place();
    let mut screen = String::new();
    for step in steps(&page) {
        let run = step.run_in_colour(&place);
        // As the page does, the picture leaves out what is too long to read.
        let shown = shortened(&run.stdout, &step.output);
        write!(screen, "\x1b[2m$\x1b[0m \x1b[1m{}\x1b[0m\n{shown}\n", step.command)?;
    }
    Ok(Term::new().render_svg(screen.trim_end()))
}

/// Returns an output without the lines that the page elides.
fn shortened(output: &str, shown: &str) -> String {
    let Some((before, after)) = shown.split_once("\n…\n") else { return output.to_owned() };
    let lines: Vec<&str> = output.lines().collect();
    let (first, last) = (before.lines().count(), after.lines().count());
    let end = lines.len().saturating_sub(last);
    let kept = [&lines[..first.min(end)], &["…"], &lines[end..]].concat();
    kept.join("\n") + "\n"
}
