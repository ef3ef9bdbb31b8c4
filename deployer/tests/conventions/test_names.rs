//! Names of tests begin with their subject, so that `grep` finds them by it.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::sources::files;

/// The folders with sources.
const FOLDERS: [&str; 4] = ["deployer", "domain", "functions", "tests"];

/// The maximum number of words in a name.
const MOST_WORDS: usize = 10;

/// Forbidden first words: questions, articles, and pronouns without a subject.
const NOT_FIRST: [&str; 15] = [
    "a",
    "an",
    "everybody",
    "how",
    "it",
    "nobody",
    "somebody",
    "that",
    "the",
    "what",
    "whatever",
    "where",
    "which",
    "who",
    "whoever",
];

/// Collects the names of the tests below all folders.
pub(crate) fn test_names() -> BTreeSet<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut names = BTreeSet::new();
    let mut sources = Vec::new();
    FOLDERS.iter().for_each(|folder| files(&root.join(folder), &mut sources));
    for source in sources.iter().filter(|path| path.extension().is_some_and(|ending| ending == "rs")) {
        gather(&fs::read_to_string(source).expect("sources are text"), &mut names);
    }
    names
}

/// Adds the names of the tests in a source.
fn gather(text: &str, names: &mut BTreeSet<String>) {
    let mut marked = false;
    for line in text.lines().map(str::trim_start) {
        marked |= line.starts_with("#[test]") || line.starts_with("#[tokio::test");
        let signature = line.strip_prefix("async ").unwrap_or(line).strip_prefix("fn ");
        let Some((name, parameters)) = signature.and_then(|rest| rest.split_once('(')) else {
            continue;
        };
        // Acceptance tests have no attribute, but a parameter `cloud: &Cloud`.
        if std::mem::take(&mut marked) || parameters.starts_with("cloud: &Cloud)") {
            names.insert(name.to_owned());
        }
    }
}

#[test]
fn test_names_begin_with_their_subject() {
    let names = test_names();
    assert!(names.len() > 500, "too few tests were found: {}", names.len());
    let wrong = names.iter().filter(|name| {
        let words: Vec<&str> = name.split('_').collect();
        NOT_FIRST.contains(&words[0]) || words.len() > MOST_WORDS
    });
    assert_eq!(wrong.collect::<Vec<_>>(), [""; 0]);
}
