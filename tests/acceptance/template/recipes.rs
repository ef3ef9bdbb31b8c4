//! `docs/your-own-system.md`: each recipe is followed in a system that `new` wrote. Its patch changes the files that the
//! recipe names and no others, the tests of the system pass, and its commands print what the page shows.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use acceptance::{Cloud, Run, steps, until};

use super::{BUILD_DEPLOYER, System, cargo};

/// A recipe of the page.
struct Recipe<'a> {
    title: &'a str,
    /// The text below the title.
    text: &'a str,
    /// The changes, as a patch.
    patch: String,
}

/// Returns the sections of the page that have a patch.
fn recipes<'a>(page: &'a str) -> Vec<Recipe<'a>> {
    let sections = page.split("\n## ").skip(1);
    let recipe = |section: &'a str| -> Option<Recipe<'a>> {
        let (title, text) = section.split_once('\n')?;
        let patches = text.split("```diff\n").skip(1).filter_map(|rest| rest.split("```").next());
        let patch: String = patches.collect();
        (!patch.is_empty()).then_some(Recipe { title, text, patch })
    };
    sections.filter_map(recipe).collect()
}

impl Recipe<'_> {
    /// Returns the files that the line `Files: …` names.
    fn files(&self) -> BTreeSet<&str> {
        let line = self.text.lines().find_map(|line| line.strip_prefix("Files: ")).unwrap_or_default();
        line.split('`').skip(1).step_by(2).collect()
    }
}

/// Runs git in a folder, and panics if it fails. Returns what it printed.
fn git(folder: &Path, arguments: &[&str]) -> String {
    let identity =
        ["-c", "user.name=test", "-c", "user.email=test@example.org", "-c", "commit.gpgsign=false"];
    let run = Run::of(Command::new("git").args(identity).args(arguments).current_dir(folder));
    assert_eq!(run.code, Some(0), "{arguments:?}: {run:#?}");
    run.stdout
}

pub(super) fn lead_where_they_say(cloud: &Cloud) {
    let page = cloud.root().join("docs/your-own-system.md");
    let page = fs::read_to_string(page).expect("the page is committed");
    let recipes = recipes(&page);
    assert!(recipes.len() > 1, "the page has no recipes");
    let system = System::new(cloud);
    let path = system.path();
    git(&path, &["init", "--quiet"]);
    git(&path, &["add", "--all"]);
    git(&path, &["commit", "--quiet", "--no-verify", "--message", "new"]);
    for recipe in &recipes {
        follow(recipe, &system);
        git(&path, &["add", "--all"]);
        git(&path, &["reset", "--quiet", "--hard"]);
    }
}

/// Applies a recipe to a new system, and runs its commands in an account of its own.
fn follow(recipe: &Recipe<'_>, system: &System<'_>) {
    let (title, path) = (recipe.title, system.path());
    let patch = system.folder.path().join("recipe.patch");
    fs::write(&patch, &recipe.patch).expect("a temporary folder is writable");
    let patch = patch.to_str().expect("a temporary folder has a readable path");
    git(&path, &["apply", "--whitespace=nowarn", patch]);
    git(&path, &["add", "--all"]);
    let changed = git(&path, &["diff", "--cached", "--name-only"]);
    let changed: BTreeSet<&str> = changed.lines().filter(|file| *file != "Cargo.lock").collect();
    assert_eq!(changed, recipe.files(), "{title}: the patch changes other files than `Files:` names");

    let place = system.place();
    cargo(&place, &["fmt"]);
    let differs = git(&path, &["diff", "--name-only"]);
    assert!(
        differs.lines().all(|file| file == "Cargo.lock"),
        "{title}: not formatted:\n{}",
        git(&path, &["diff"])
    );
    let compiled = cargo(&place, &["test", "--workspace"]) + &cargo(&place, &BUILD_DEPLOYER);
    assert!(!compiled.contains("warning"), "{title}: {compiled}");
    for step in steps(recipe.text) {
        let run = || step.run(&place).stdout;
        // Events reach handlers, logs and the archive after a while.
        let printed = if step.command.contains("  # after a moment") {
            until(&step.command, || Some(run()).filter(|printed| step.shows(printed)))
        } else {
            run()
        };
        assert!(step.shows(&printed), "{title}\n$ {}\n{printed}\nis shown as\n{}", step.command, step.output);
    }
}
