//! What `deployer new` writes: the files of a small system in `system/`, a help desk with support tickets. They are the
//! code of a real system, and the command replaces the two names.
//!
//! Manifests are called `manifest.toml` here, because cargo leaves folders with a `Cargo.toml` out of a package.
//! `{checkout}` is where the crates of the deployer are.

use cli::template::Template;

/// A help desk with support tickets: one aggregate, one command, one query and one handler.
pub const HELPDESK: Template = Template {
    system: "helpdesk",
    aggregate: "support-ticket",
    checkout: concat!(env!("CARGO_MANIFEST_DIR"), "/../.."),
    files: &[
        ("README.md", include_str!("../system/README.md")),
        ("Cargo.toml", include_str!("../system/manifest.toml")),
        (".cargo/config.toml", include_str!("../system/.cargo/config.toml")),
        (".github/workflows/ci.yml", include_str!("../system/.github/workflows/ci.yml")),
        (".gitignore", include_str!("../system/.gitignore")),
        ("environments/local.toml", include_str!("../system/environments/local.toml")),
        ("environments/dev.toml", include_str!("../system/environments/dev.toml")),
        ("domain/Cargo.toml", include_str!("../system/domain/manifest.toml")),
        ("domain/src/lib.rs", include_str!("../system/domain/src/lib.rs")),
        ("domain/src/support_ticket.rs", include_str!("../system/domain/src/support_ticket.rs")),
        (
            "domain/tests/golden/support_ticket/SupportTicketOpened.v1.json",
            include_str!("../system/domain/tests/golden/support_ticket/SupportTicketOpened.v1.json"),
        ),
        ("functions/Cargo.toml", include_str!("../system/functions/manifest.toml")),
        (
            "functions/src/bin/open-support-ticket.rs",
            include_str!("../system/functions/src/bin/open-support-ticket.rs"),
        ),
        (
            "functions/src/bin/get-support-ticket.rs",
            include_str!("../system/functions/src/bin/get-support-ticket.rs"),
        ),
        (
            "functions/src/bin/announce-support-ticket.rs",
            include_str!("../system/functions/src/bin/announce-support-ticket.rs"),
        ),
        ("deployer/Cargo.toml", include_str!("../system/deployer/manifest.toml")),
        ("deployer/src/main.rs", include_str!("../system/deployer/src/main.rs")),
        ("deployer/src/stack.rs", include_str!("../system/deployer/src/stack.rs")),
    ],
};

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::Path;

    use toml::Table;

    use super::*;

    const SYSTEM: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/system");

    fn list(folder: &Path, files: &mut BTreeSet<String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                list(&path, files);
            } else {
                let name = path.strip_prefix(SYSTEM).unwrap().to_str().unwrap().to_owned();
                files.insert(name.replace("manifest.toml", "Cargo.toml"));
            }
        }
    }

    #[test]
    fn files_are_all_written() {
        let mut there = BTreeSet::new();
        list(Path::new(SYSTEM), &mut there);
        let written: BTreeSet<String> = HELPDESK.files.iter().map(|(path, _)| (*path).to_owned()).collect();
        assert_eq!(written, there, "HELPDESK lists other files than `system/` has");
    }

    /// With other profiles, a new system would compile slower, or deploy larger functions.
    #[test]
    fn profiles_are_those_of_this_workspace() {
        let root = fs::read_to_string(Path::new(HELPDESK.checkout).join("Cargo.toml")).unwrap();
        let (_, own) = HELPDESK.files.iter().find(|(path, _)| *path == "Cargo.toml").unwrap();
        let profiles = |manifest: &str| manifest.parse::<Table>().unwrap()["profile"].clone();
        assert_eq!(profiles(own), profiles(&root));
    }
}
