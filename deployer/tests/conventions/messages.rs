//! The code prints every message that `docs/messages.md` lists.

use std::fs;
use std::path::Path;

use crate::sources::files;

/// The minimum number of bytes of a part that is searched: shorter parts occur in any source.
const LEAST: usize = 8;

/// Returns the fixed parts of the messages on the page: a message is in backticks in the first cell of its row.
fn parts(page: &str) -> Vec<&str> {
    let rows = page.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| message"));
    let messages = rows.filter_map(|row| row.split('`').nth(1));
    messages
        .flat_map(|message| message.split('…'))
        .map(str::trim)
        .filter(|part| part.len() >= LEAST)
        .collect()
}

/// Returns the texts of a source, with strings of several lines on one.
fn on_one_line(source: &str) -> String {
    let mut lines = source.split("\\\n");
    let first = lines.next().unwrap_or_default().to_owned();
    lines.fold(first, |text, line| text + line.trim_start())
}

#[test]
fn documented_messages_exist() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let page = fs::read_to_string(root.join("docs/messages.md")).expect("the page is committed");
    let mut sources = Vec::new();
    ["deployer/aws/src", "deployer/cli/src", "deployer/engine/src", "functions/runtime/src"]
        .iter()
        .for_each(|place| files(&root.join(place), &mut sources));
    let sources: String = sources
        .iter()
        .map(|path| on_one_line(&fs::read_to_string(path).expect("sources are text")))
        .collect();
    let parts = parts(&page);
    assert!(parts.len() > 30, "the page was not understood: {parts:?}");
    let lost: Vec<_> = parts.into_iter().filter(|part| !sources.contains(part)).collect();
    assert_eq!(lost, [""; 0], "docs/messages.md quotes messages that no code prints");
}
