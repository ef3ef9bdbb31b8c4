//! Sessions in documents: the commands of a page, the output that it shows, and what they print now.

use std::process::{Command, Stdio};

use regex_lite::Regex;

use crate::place::{Place, Run};

/// The account that documents show.
const SHOWN_ACCOUNT: &str = "000000000000";

/// Replaces `cargo deployer` by the binary of the tests, and joins both outputs as a terminal does. Messages of cargo
/// itself are dropped.
const PREAMBLE: &str = r#"exec 2>&1
cargo() { if [ "$1" = deployer ]; then shift; "$DEPLOYER" "$@"; else command cargo "$@" 2>/dev/null; fi; }
"#;

/// A command in a document, and the output that the document shows.
#[derive(Debug, PartialEq, Eq)]
pub struct Step {
    /// What is typed.
    pub command: String,
    /// What is printed; `…` means any text of a line, and on a line of its own any lines.
    pub output: String,
}

/// Returns the steps in the `console` blocks of a Markdown document, in order.
pub fn steps(markdown: &str) -> Vec<Step> {
    let blocks = markdown.split("```console\n").skip(1).filter_map(|rest| rest.split("```").next());
    let mut steps: Vec<Step> = Vec::new();
    for block in blocks {
        for line in block.lines() {
            match (line.strip_prefix("$ "), steps.last_mut()) {
                (Some(command), _) => steps.push(Step { command: command.into(), output: String::new() }),
                (None, Some(step)) if step.command.ends_with('\\') => {
                    step.command.push('\n');
                    step.command.push_str(line);
                }
                (None, Some(step)) => {
                    step.output.push_str(line);
                    step.output.push('\n');
                }
                (None, None) => {}
            }
        }
    }
    steps
}

impl Step {
    /// Runs the command in a place, and returns its exit code and output.
    pub fn run(&self, place: &Place<'_>) -> Run {
        self.run_with("NO_COLOR", place)
    }

    /// Runs the command in a place, with colours as on a terminal.
    pub fn run_in_colour(&self, place: &Place<'_>) -> Run {
        self.run_with("CLICOLOR_FORCE", place)
    }

    /// Runs the command with this variable set, which decides about colours.
    fn run_with(&self, colours: &str, place: &Place<'_>) -> Run {
        let deployer = place.command(&[]);
        let mut shell = Command::new("bash");
        shell.arg("-c").arg(format!("{PREAMBLE}{}", self.command.replace(SHOWN_ACCOUNT, &place.account)));
        shell.envs(deployer.get_envs().filter_map(|(name, value)| Some((name, value?))));
        shell
            .env("DEPLOYER", deployer.get_program())
            .env("DEPLOYER_ENVIRONMENTS", place.environments())
            .env(colours, "1")
            // Hints name the program as a reader of the document calls it.
            .env("CARGO", "cargo")
            .current_dir(deployer.get_current_dir().expect("the deployer runs in a workspace"))
            .stdin(Stdio::null());
        let run = Run::of(&mut shell);
        Run { stdout: run.stdout.replace(&place.account, SHOWN_ACCOUNT), ..run }
    }

    /// Returns whether this is what the document shows.
    pub fn shows(&self, output: &str) -> bool {
        let lines = self.output.lines().map(|line| match line.trim() {
            "…" => "(?:.*\n)*?".to_owned(),
            _ => format!("{}[ ]*\n", regex_lite::escape(line.trim_end()).replace('…', ".*")),
        });
        let pattern = Regex::new(&format!("^{}$", lines.collect::<String>()));
        let ended = match output.trim_end() {
            "" => String::new(),
            output => format!("{output}\n"),
        };
        pattern.expect("an escaped text is a pattern").is_match(&ended)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_commands_with_their_output() {
        let page = "Text.\n```console\n$ one \\\n  more\nfirst\n\nsecond\n$ two\n```\n```\n$ none\n```\n";
        let step = |command: &str, output: &str| Step { command: command.into(), output: output.into() };
        assert_eq!(steps(page), [step("one \\\n  more", "first\n\nsecond\n"), step("two", "")]);
    }

    #[test]
    fn output_matches_what_a_document_elides() {
        let shown = |output: &str| Step { command: String::new(), output: output.into() };
        assert!(shown("a … (c)\n").shows("a b (c)\n"));
        assert!(shown("a\n…\nd\n").shows("a\nb\nc\nd"));
        assert!(shown("a\n…\nd\n").shows("a\nd"));
        assert!(shown("").shows("\n"));
        assert!(!shown("").shows("a"));
        assert!(!shown("a\n").shows("a\nb"));
        assert!(!shown("a.c\n").shows("abc"));
        assert!(!shown("a … d\n").shows("a\nd"));
    }
}
