//! The code blocks of the documents: Rust is an excerpt of compiled code, environment files are valid, JSON can
//! be read, commands are accepted. Everything else is marked as text.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::sources::{files, has_mutants};

/// The mark of lines that an excerpt leaves out.
const LEFT_OUT: &str = "…";

/// The pages outside of `docs/`.
const PAGES: [&str; 5] = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md"];

/// A code block.
struct Block {
    /// Page and line.
    at: String,
    language: String,
    lines: Vec<String>,
}

impl Block {
    fn text(&self) -> String {
        self.lines.join("\n")
    }
}

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// Returns the code blocks of all pages in these languages.
fn blocks(languages: &[&str]) -> Vec<Block> {
    let mut pages: Vec<_> = PAGES.iter().map(|page| root().join(page)).collect();
    files(&root().join("docs"), &mut pages);
    let mut all = Vec::new();
    for page in pages {
        let text = fs::read_to_string(&page).expect("the page is committed");
        let mut open: Option<(String, Block)> = None;
        for (number, line) in text.lines().enumerate() {
            let ticks = line.trim_start().chars().take_while(|letter| *letter == '`').count();
            match open.take() {
                Some((fence, block)) if line.trim() == fence => all.push(block),
                Some((fence, mut block)) => {
                    block.lines.push(line.to_owned());
                    open = Some((fence, block));
                }
                None if ticks >= 3 => {
                    let at =
                        format!("{}:{}", page.strip_prefix(root()).unwrap_or(&page).display(), number + 1);
                    let (fence, language) = line.trim().split_at(ticks);
                    let (fence, language) = (fence.to_owned(), language.to_owned());
                    open = Some((fence, Block { at, language, lines: Vec::new() }));
                }
                None => {}
            }
        }
        assert!(open.is_none(), "{} has a code block without an end", page.display());
    }
    all.retain(|block| languages.is_empty() || languages.contains(&block.language.as_str()));
    assert!(all.len() > 5, "the pages have code blocks in {languages:?}");
    all
}

#[test]
fn code_blocks_have_a_known_language() {
    let known = ["rust", "toml", "json", "sh", "console", "mermaid", "text", "diff"];
    let unknown: Vec<String> = blocks(&[])
        .into_iter()
        .filter(|block| !known.contains(&block.language.as_str()))
        .map(|block| format!("{}: `{}`", block.at, block.language))
        .collect();
    assert_eq!(unknown, [""; 0]);
}

/// Returns the lines that two versions of the same code share: without indentation and empty lines.
fn code<'a>(lines: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    lines.into_iter().map(str::trim).filter(|line| !line.is_empty()).collect()
}

#[test]
fn rust_block_is_an_excerpt_of_compiled_code() {
    if has_mutants() {
        return;
    }
    let mut sources = Vec::new();
    for folder in ["deployer", "domain", "functions", "tests"] {
        files(&root().join(folder), &mut sources);
    }
    sources.retain(|path| path.extension().is_some_and(|ending| ending == "rs"));
    let sources: Vec<String> =
        sources.iter().map(|path| fs::read_to_string(path).expect("sources are text")).collect();
    // A block may leave out doc comments.
    let sources: Vec<Vec<&str>> = sources
        .iter()
        .map(|source| code(source.lines().filter(|line| !line.trim_start().starts_with("///"))))
        .collect();
    let strange: Vec<String> = blocks(&["rust"])
        .into_iter()
        .filter(|block| {
            let lines = code(block.lines.iter().map(String::as_str));
            let parts: Vec<&[&str]> =
                lines.split(|line| *line == LEFT_OUT).filter(|part| !part.is_empty()).collect();
            let in_order = |source: &Vec<&str>| {
                let mut from = 0;
                parts.iter().all(|part| {
                    let found = source[from..].windows(part.len()).position(|window| window == *part);
                    from += found.map_or(0, |found| found + part.len());
                    found.is_some()
                })
            };
            !sources.iter().any(in_order)
        })
        .map(|block| format!("{}\n{}", block.at, block.text()))
        .collect();
    assert!(strange.is_empty(), "no source has the code of these blocks:\n{}", strange.join("\n\n"));
}

#[test]
fn toml_block_is_an_environment_file() {
    let folder = tempfile::tempdir().expect("a temporary folder can be created");
    for entry in fs::read_dir(root().join("environments")).expect("the folder is committed").flatten() {
        fs::copy(entry.path(), folder.path().join(entry.file_name())).expect("the folder is writable");
    }
    let blocks = blocks(&["toml"]);
    let names: Vec<String> = blocks
        .iter()
        .enumerate()
        .map(|(number, block)| {
            let text = block.text();
            let named = text.lines().next().and_then(|line| line.strip_prefix("# environments/"));
            let name = named.and_then(|name| name.strip_suffix(".toml")).map(str::to_owned);
            let name = name.unwrap_or_else(|| format!("block-{number}"));
            let whole =
                ["region", "extends"].iter().any(|key| text.lines().any(|line| line.starts_with(key)));
            let text = if whole { text } else { format!("extends = \"dev\"\n{text}") };
            fs::write(folder.path().join(format!("{name}.toml")), text).expect("the folder is writable");
            name
        })
        .collect();
    let wrong: Vec<String> = names
        .iter()
        .zip(&blocks)
        .filter_map(|(name, block)| {
            let error =
                cli::environment::Environment::load(folder.path(), name, cli::environment::AppSettings::NONE)
                    .err()?;
            Some(format!("{}: {error}", block.at))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn json_block_is_valid() {
    let wrong: Vec<String> = blocks(&["json"])
        .into_iter()
        .filter_map(|block| {
            let text = block.text();
            let mut values = serde_json::Deserializer::from_str(&text).into_iter::<Value>();
            let error = values.find_map(Result::err)?;
            Some(format!("{}: {error}", block.at))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Returns the words of each command of the deployer in a block.
fn commands(block: &Block) -> Vec<Vec<String>> {
    let prompt = if block.language == "console" { "$ " } else { "" };
    let lines = block.text().replace("\\\n", " ");
    let lines = lines.lines().filter_map(|line| line.trim_start().strip_prefix(prompt).map(str::to_owned));
    let words = lines.filter(|line| line.contains("cargo deployer ")).map(|line| {
        let words = shlex::split(&line).unwrap_or_else(|| panic!("{}: {line} is not a command", block.at));
        let start =
            words.windows(2).position(|two| two == ["cargo", "deployer"]).map_or(0, |start| start + 2);
        let mut command = Vec::new();
        for word in &words[start..] {
            if ["|", ">", "&&", "||"].contains(&word.as_str()) {
                break;
            }
            command.push(word.trim_end_matches(';').to_owned());
            if word.ends_with(';') {
                break;
            }
        }
        command
    });
    words.collect()
}

#[test]
fn commands_of_the_deployer_are_accepted() {
    let (mut wrong, mut number) = (Vec::new(), 0);
    for block in blocks(&["sh", "console"]) {
        for words in commands(&block) {
            number += 1;
            if let Err(error) = cli::check_command_line(&words) {
                wrong.push(format!("{}: {}\n{error}", block.at, words.join(" ")));
            }
        }
    }
    assert!(number > 40, "the pages have commands: {number}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
