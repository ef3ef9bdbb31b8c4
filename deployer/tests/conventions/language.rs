//! Words that make a reader guess are not used in comments, messages, help and documents: see
//! [CONTRIBUTING.md](../../../CONTRIBUTING.md#language).

use std::fs;
use std::path::Path;

use crate::sources::files;

/// The folders with sources and documents, and the documents of the root.
const PLACES: [&str; 10] = [
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "README.md",
    "SECURITY.md",
    "deployer",
    "docs",
    "domain",
    "functions",
    "tests",
];

/// Words that do not say who or what is meant.
const RIDDLES: [&str; 21] = [
    "nobody",
    "somebody",
    "whoever",
    "whatever",
    "the first of them",
    "ours",
    "theirs",
    "stranger",
    "strangers",
    "told",
    "begun",
    "anew",
    "besides",
    "stands",
    "given up",
    "kept aside",
    "under way",
    "as the code says",
    "on the outside",
    "of then",
    "of now",
];

/// The allowed uses of these words: the end of the file's path, and a text in the line.
const ALLOWED: [(&str, &str); 3] = [
    ("conventions/language.rs", ""),
    ("conventions/test_names.rs", ""),
    // The stored state of a run that has started.
    ("acceptance/policy.rs", "begun"),
];

/// Returns the prose of a line of Rust: its comment, or the texts in quotes.
fn prose(line: &str) -> String {
    match line.split_once("//") {
        Some((_, comment)) => comment.to_owned(),
        None => line.split('"').skip(1).step_by(2).collect::<Vec<_>>().join(" "),
    }
}

/// Returns a text without the parts in backticks or braces, which are code.
fn without_code(text: &str) -> String {
    let outside = text.split('`').step_by(2).collect::<Vec<_>>().join(" ");
    let mut parts = outside.split('{');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |prose, part| prose + " " + part.split_once('}').map_or(part, |(_, rest)| rest))
}

/// Returns the riddle that a text has, if it has one.
fn riddle(text: &str) -> Option<&'static str> {
    let words: String = text
        .to_lowercase()
        .chars()
        .map(|c| if c.is_alphanumeric() || "_-'".contains(c) { c } else { ' ' })
        .collect();
    let words = format!(" {} ", words.split_whitespace().collect::<Vec<_>>().join(" "));
    RIDDLES.into_iter().find(|riddle| words.contains(&format!(" {riddle} ")))
}

#[test]
fn prose_has_no_words_that_make_readers_guess() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut sources = Vec::new();
    PLACES.iter().for_each(|place| files(&root.join(place), &mut sources));
    assert!(sources.len() > 400, "the sources were not found: {}", sources.len());
    let mut wrong = Vec::new();
    for path in sources {
        let text = fs::read_to_string(&path).expect("sources are text");
        let is_rust = path.extension().is_some_and(|ending| ending == "rs");
        for (number, line) in text.lines().enumerate() {
            let prose = without_code(&if is_rust { prose(line) } else { line.to_owned() });
            let allowed = ALLOWED.iter().any(|(file, text)| path.ends_with(file) && line.contains(text));
            if let (Some(riddle), false) = (riddle(&prose), allowed) {
                let path = path.strip_prefix(&root).unwrap_or(&path).display();
                wrong.push(format!("{path}:{}: `{riddle}` in: {}", number + 1, line.trim()));
            }
        }
    }
    assert!(wrong.is_empty(), "{} lines:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn riddles_are_found_as_whole_words_outside_of_code() {
    assert_eq!(riddle("Nobody: told"), Some("nobody"));
    assert_eq!(riddle("it is under\tway."), Some("under way"));
    assert_eq!(riddle("hours, standstill"), None);
    assert_eq!(without_code("call `told` twice"), "call   twice");
    assert_eq!(without_code("{told:?} and {begun} late"), "  and   late");
    assert_eq!(prose("let told = \"is ours\"; // No."), " No.");
    assert_eq!(prose("let told = \"is ours\";"), "is ours");
}
