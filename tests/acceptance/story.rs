//! The sessions in documents: every command is run, and prints what the document shows.

use std::fs;

use acceptance::{Cloud, Place, steps, until};

use crate::Test;

pub(crate) const TESTS: &[Test] = &[
    ("story_shows_what_its_commands_print", story_shows_what_its_commands_print),
    ("session_of_the_readme_shows_what_it_prints", session_of_the_readme_shows_what_it_prints),
];

fn story_shows_what_its_commands_print(cloud: &Cloud) {
    let place = cloud.place();
    // The story begins behind the README, which has deployed the environment.
    place.deploys(&["up", "local"]);
    page_shows_what_its_commands_print(&place, "docs/story.md");
}

/// `docs/session.svg` is a picture of this page, drawn by `--example record_session`.
fn session_of_the_readme_shows_what_it_prints(cloud: &Cloud) {
    page_shows_what_its_commands_print(&cloud.place(), "docs/session.md");
}

/// Runs the commands of a page in order.
fn page_shows_what_its_commands_print(place: &Place<'_>, page: &str) {
    let text = fs::read_to_string(place.cloud.root().join(page)).expect("the page is committed");
    let steps = steps(&text);
    assert!(steps.len() > 3, "{page} has no console blocks");
    for step in steps {
        let run = || step.run(place).stdout;
        // Log lines and archived events arrive after a while.
        let is_eventual =
            ["logs", "audit"].iter().any(|verb| step.command.starts_with(&format!("cargo deployer {verb} ")));
        let printed = if is_eventual {
            until(&step.command, || Some(run()).filter(|printed| step.shows(printed)))
        } else {
            run()
        };
        assert!(step.shows(&printed), "{page}\n$ {}\n{printed}\nis shown as\n{}", step.command, step.output);
    }
}
