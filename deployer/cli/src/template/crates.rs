//! Where the crates of a new system come from, as its files say it.

/// The placeholder in a template for the checkout with the crates.
const CHECKOUT: &str = "{checkout}";

/// The beginning of a dependency's source in a template.
const PATH: &str = "path = \"{checkout}/";

/// Where the crates of a new system come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Crates {
    /// A checkout, by its path from the folder of the new system.
    Path(String),
    /// A commit of a git repository.
    Git {
        /// The address of the repository.
        url: String,
        /// The commit, tag or branch.
        revision: String,
    },
}

impl Crates {
    /// Returns a file of a template with the source of the crates.
    pub(super) fn insert(&self, text: &str) -> String {
        let lines = text.split_inclusive('\n').map(|line| {
            let dependency =
                line.split_once(PATH).and_then(|(before, after)| Some((before, after.split_once('"')?)));
            match dependency {
                Some((before, (path, after))) => format!("{before}{}{after}", self.source(path)),
                None => line.replace(CHECKOUT, self.address()),
            }
        });
        lines.collect()
    }

    /// Returns the source of the crate with this path in the checkout, as a manifest says it.
    fn source(&self, crate_path: &str) -> String {
        let quoted = |text: &str| toml::Value::from(text).to_string();
        match self {
            Self::Path(path) => format!("path = {}", quoted(&format!("{path}/{crate_path}"))),
            Self::Git { url, revision } => format!("git = {}, rev = {}", quoted(url), quoted(revision)),
        }
    }

    /// Returns where a reader finds the checkout.
    fn address(&self) -> &str {
        match self {
            Self::Path(path) => path,
            Self::Git { url, .. } => url,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANIFEST: &str =
        "[workspace.dependencies]\ncli = { path = \"{checkout}/deployer/cli\" }\nserde = \"1\"\n";

    #[test]
    fn crates_are_taken_from_a_checkout_or_a_repository() {
        let path = Crates::Path("../cart".to_owned());
        assert_eq!(path.insert(MANIFEST), MANIFEST.replace("{checkout}", "../cart"));
        let git = Crates::Git { url: "https://example.com/cart".to_owned(), revision: "01a210a".to_owned() };
        assert_eq!(
            git.insert(MANIFEST),
            "[workspace.dependencies]\ncli = { git = \"https://example.com/cart\", rev = \"01a210a\" }\nserde = \"1\"\n"
        );
        assert_eq!(git.insert("see {checkout}/docs"), "see https://example.com/cart/docs");
    }
}
