//! A system that `new` writes into a folder, with another name and another aggregate. It must not know what the system
//! does.

mod crates;
mod names;

use crate::exit::Problem;

pub(crate) use crates::Crates;
pub(crate) use names::{AggregateName, SystemName};

/// The files of a system, and the names in them that are replaced.
#[derive(Debug, Clone, Copy)]
pub struct Template {
    /// The name of the system, in lower case.
    pub system: &'static str,
    /// The name of the aggregate: words in lower case with hyphens between them.
    pub aggregate: &'static str,
    /// The folder of the checkout with the crates that the system depends on, its `Cargo.lock` and its
    /// `rust-toolchain.toml`.
    pub checkout: &'static str,
    /// The path and the text of each file. `{checkout}` in a text is where the crates are.
    pub files: &'static [(&'static str, &'static str)],
}

impl Template {
    /// Returns the path and text of each file with these names and crates.
    ///
    /// # Errors
    /// Fails if the template uses the name of the aggregate for something else.
    pub(crate) fn rendered(
        &self,
        system: &SystemName,
        aggregate: &AggregateName,
        crates: &Crates,
    ) -> Result<Vec<(String, String)>, Problem> {
        self.check_unused(aggregate)?;
        let names = names::Replacements::new(self, system, aggregate);
        let rendered =
            self.files.iter().map(|(path, text)| (names.replace(path), crates.insert(&names.replace(text))));
        Ok(rendered.collect())
    }

    /// Checks that no identifier of the template's code is the name of the aggregate.
    fn check_unused(&self, aggregate: &AggregateName) -> Result<(), Problem> {
        let own = AggregateName::of_template(self.aggregate);
        if *aggregate == own {
            return Ok(());
        }
        let files = self.files.iter().filter(|(path, _)| path.ends_with(".rs"));
        let lines = files.flat_map(|(_, text)| text.lines());
        let code = lines.filter(|line| !line.trim_start().starts_with("//"));
        let mut words =
            code.flat_map(|text| text.split(|letter: char| !letter.is_alphanumeric() && letter != '_'));
        if words.any(|word| word == aggregate.pascal() || word == aggregate.snake()) {
            return Err(Problem::usage(format!(
                "cannot call the aggregate `{aggregate}`: the code of a new system uses this name for something else"
            ))
            .hint("choose a longer name, such as two words: --aggregate bank-account"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEMPLATE: Template = Template {
        system: "helpdesk",
        aggregate: "support-ticket",
        checkout: "",
        files: &[
            ("Cargo.toml", "cli = { path = \"{checkout}/cli\" }\n"),
            ("src/open-support-ticket.rs", "// Sends mail.\nconst OPEN_SUPPORT_TICKET: Event = title;\n"),
        ],
    };

    fn rendered(aggregate: &str) -> Result<Vec<(String, String)>, Problem> {
        let (system, aggregate) = ("shop".parse().unwrap(), aggregate.parse().unwrap());
        TEMPLATE.rendered(&system, &aggregate, &Crates::Path("../helpdesk".to_owned()))
    }

    #[test]
    fn crates_and_names_are_inserted_apart() {
        let files = rendered("Checkout").unwrap();
        let expected = [
            ("Cargo.toml", "cli = { path = \"../helpdesk/cli\" }\n"),
            ("src/open-checkout.rs", "// Sends mail.\nconst OPEN_CHECKOUT: Event = title;\n"),
        ];
        assert_eq!(files, expected.map(|(path, text)| (path.to_owned(), text.to_owned())));
    }

    #[test]
    fn aggregate_with_a_name_of_the_code_is_refused() {
        for used in ["Event", "title"] {
            assert!(rendered(used).is_err(), "{used}");
        }
        assert!(rendered("mail").is_ok(), "a comment is not code");
    }
}
