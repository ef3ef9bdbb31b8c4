//! `docs/your-own-system.md`: each recipe is followed in a system that `new` wrote. Its patch changes the files that the
//! recipe names and no others, the tests of the system pass, and its commands print what the page shows.
//!
//! To compile and deploy each takes minutes, so only [`FOLLOWED`] are followed to the end, and of the others the patch is
//! applied. With `RECIPES_ALL=1`, as in `.ci/full`, all are followed.

use std::collections::BTreeSet;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;
use std::{env, fs};

use acceptance::{Cloud, Place, Run, steps, until};

use super::{BUILD_DEPLOYER, System, cargo};

/// The recipes that are always followed: a function, and a table with functions that use it.
const FOLLOWED: [&str; 2] = ["A command", "A table for lists and searches"];

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
    let is_followed = |recipe: &Recipe<'_>| FOLLOWED.contains(&recipe.title);
    assert_eq!(recipes.iter().filter(|recipe| is_followed(recipe)).count(), FOLLOWED.len());
    let all = env::var_os("RECIPES_ALL").is_some();
    let system = System::new(cloud, "0.1.0-recipes");
    let path = system.path();
    git(&path, &["init", "--quiet"]);
    git(&path, &["add", "--all"]);
    git(&path, &["commit", "--quiet", "--no-verify", "--message", "new"]);
    for recipe in &recipes {
        let place = apply(recipe, &system);
        if all || is_followed(recipe) {
            follow(recipe, &system, &place);
        }
        git(&path, &["add", "--all"]);
        git(&path, &["reset", "--quiet", "--hard"]);
    }
}

/// Applies the patch of a recipe to a new system. Returns an account of its own for the system.
fn apply<'a>(recipe: &Recipe<'_>, system: &System<'a>) -> Place<'a> {
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
    place
}

/// Runs the tests and the commands of a recipe that was applied.
fn follow(recipe: &Recipe<'_>, system: &System<'_>, place: &Place<'_>) {
    let title = recipe.title;
    let compiled = cargo(place, &["test", "--workspace"]) + &cargo(place, &BUILD_DEPLOYER);
    assert!(!compiled.contains("warning"), "{title}: {compiled}");
    // A command of a recipe may change an environment file.
    let environments = system.path().join("environments");
    fs::remove_dir_all(&environments).expect("the folder was written");
    symlink(place.environments(), environments).expect("the folder is writable");
    for step in steps(recipe.text) {
        let run = || step.run(place).stdout;
        // Events reach handlers, logs and the archive after a while.
        let printed = if step.command.contains("  # after a moment") {
            until(&step.command, || Some(run()).filter(|printed| step.shows(printed)))
        } else {
            run()
        };
        assert!(step.shows(&printed), "{title}\n$ {}\n{printed}\nis shown as\n{}", step.command, step.output);
    }
}
