//! The names of a new system and of its aggregate, in each form in which code and text use them.

use std::fmt;
use std::str::FromStr;

use aho_corasick::{AhoCorasick, MatchKind};
use heck::{ToKebabCase, ToPascalCase, ToShoutySnakeCase, ToSnakeCase};

use super::Template;

/// The keywords of Rust ("Keywords", The Rust Reference): a module cannot have these names.
const KEYWORDS: [&str; 51] = [
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "crate", "do", "dyn",
    "else", "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl", "in", "let", "loop",
    "macro", "match", "mod", "move", "mut", "override", "priv", "pub", "ref", "return", "self", "static",
    "struct", "super", "trait", "true", "try", "type", "typeof", "unsafe", "unsized", "use", "virtual",
    "where", "while", "yield",
];

/// The fields of every command that an id of the aggregate would have the name of: `correlation_id`.
const OF_EVERY_COMMAND: [&str; 2] = ["causation", "correlation"];

/// The aggregate type of probes, which each stack with an event pipeline has.
const PROBE: &str = "probe";

/// The longest name of a system, in characters. The name of a bucket has at most 63:
/// `<system>-prod-deployment-<account>-ap-southeast-2-an`.
const LONGEST_SYSTEM: usize = 16;

/// The longest name of an aggregate, in characters. The name of a role has at most 64:
/// `<system>-prod-announce-<aggregate>-ap-southeast-2`.
const LONGEST_AGGREGATE: usize = 18;

/// The name of a system: the first part of the name of every resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SystemName(String);

impl FromStr for SystemName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        check(text, LONGEST_SYSTEM)?;
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for SystemName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The name of an aggregate: words in lower case with hyphens between them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AggregateName(String);

impl AggregateName {
    /// Returns the name of a template's aggregate.
    pub(super) fn of_template(name: &str) -> Self {
        Self(name.to_owned())
    }

    /// Returns the name of the type: `BankAccount`.
    pub(super) fn pascal(&self) -> String {
        self.0.to_pascal_case()
    }

    /// Returns the name of the module: `bank_account`.
    pub(crate) fn snake(&self) -> String {
        self.0.to_snake_case()
    }

    /// Returns the name in a sentence: `bank account`.
    fn prose(&self) -> String {
        self.0.replace('-', " ")
    }

    /// Returns the name in a sentence with its article: `an account`.
    fn with_article(&self) -> String {
        format!("{} {}", if self.begins_with_vowel() { "an" } else { "a" }, self.prose())
    }

    /// Returns the name at the beginning of a sentence with its article: `An account`.
    fn with_capital_article(&self) -> String {
        format!("{} {}", if self.begins_with_vowel() { "An" } else { "A" }, self.prose())
    }

    fn begins_with_vowel(&self) -> bool {
        self.0.starts_with(['a', 'e', 'i', 'o', 'u'])
    }
}

impl FromStr for AggregateName {
    type Err = String;

    /// Takes a name in any of its forms: `BankAccount`, `bank_account` or `bank-account`.
    fn from_str(text: &str) -> Result<Self, String> {
        let name = text.to_kebab_case();
        check(&name, LONGEST_AGGREGATE)?;
        if KEYWORDS.contains(&name.as_str()) {
            return Err(format!("`{name}` is a keyword of Rust"));
        }
        if name == PROBE {
            return Err("probes have the aggregate type `probe`".to_owned());
        }
        if OF_EVERY_COMMAND.contains(&name.as_str()) {
            return Err(format!("every command has a field `{name}_id` already"));
        }
        Ok(Self(name))
    }
}

impl fmt::Display for AggregateName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Checks that a name consists of words in lower case with hyphens between them.
fn check(name: &str, longest: usize) -> Result<(), String> {
    let is_word = |word: &str| {
        !word.is_empty() && word.chars().all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit())
    };
    if !name.split('-').all(is_word) || name.starts_with(|letter: char| letter.is_ascii_digit()) {
        return Err(format!(
            "`{name}` is not a name: use lower-case letters, digits and single hyphens, and begin with a letter"
        ));
    }
    if name.len() > longest {
        return Err(format!("`{name}` has {} characters, and a name at most {longest}", name.len()));
    }
    Ok(())
}

/// The replacements of a template's names, all forms in one pass: a new name may contain an old one.
#[derive(Debug)]
pub(super) struct Replacements {
    old: AhoCorasick,
    new: Vec<String>,
}

impl Replacements {
    /// Returns the replacements of a template's names by these.
    pub(super) fn new(template: &Template, system: &SystemName, aggregate: &AggregateName) -> Self {
        let forms = |system: &str, aggregate: &AggregateName| {
            [
                system.to_owned(),
                aggregate.0.clone(),
                aggregate.snake(),
                aggregate.pascal(),
                aggregate.0.to_shouty_snake_case(),
                aggregate.prose(),
                aggregate.with_article(),
                aggregate.with_capital_article(),
            ]
        };
        let old = forms(template.system, &AggregateName::of_template(template.aggregate));
        let old = AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(old);
        let new = forms(&system.0, aggregate).into();
        Self { old: old.expect("eight short patterns can be compiled"), new }
    }

    /// Returns a text with the new names.
    pub(super) fn replace(&self, text: &str) -> String {
        self.old.replace_all(text, &self.new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEMPLATE: Template =
        Template { system: "helpdesk", aggregate: "support-ticket", checkout: "", files: &[] };

    fn replaced(system: &str, aggregate: &str, text: &str) -> String {
        let (system, aggregate) = (system.parse().unwrap(), aggregate.parse().unwrap());
        Replacements::new(&TEMPLATE, &system, &aggregate).replace(text)
    }

    #[test]
    fn names_are_replaced_in_each_form() {
        let text = "helpdesk: open-support-ticket, support_ticket_id, SupportTicketOpened, GET_SUPPORT_TICKET, each support ticket, Opens a support ticket. A support ticket";
        assert_eq!(
            replaced("bank", "Account", text),
            "bank: open-account, account_id, AccountOpened, GET_ACCOUNT, each account, Opens an account. An account"
        );
        assert_eq!(
            replaced("support-ticket", "helpdesk", "helpdesk support-ticket"),
            "support-ticket helpdesk",
            "a new name that contains an old one is not replaced again"
        );
    }

    #[test]
    fn longest_names_fit_into_names_of_aws() {
        let (system, aggregate) = ("s".repeat(LONGEST_SYSTEM), "a".repeat(LONGEST_AGGREGATE));
        let bucket = format!("{system}-prod-deployment-111111111111-ap-southeast-2-an");
        let role = format!("{system}-prod-announce-{aggregate}-ap-southeast-2");
        assert_eq!((bucket.len(), role.len()), (63, 64));
    }

    #[test]
    fn aggregate_name_is_accepted_in_each_form() {
        for text in ["BankAccount", "bank_account", "bank-account"] {
            assert_eq!(text.parse::<AggregateName>().unwrap().to_string(), "bank-account");
        }
    }

    #[test]
    fn unusable_name_is_refused_with_reason() {
        for (name, reason) in [
            ("match", "keyword"),
            ("Correlation", "every command has a field `correlation_id`"),
            ("1st", "begin with a letter"),
            ("", "lower-case letters"),
            ("käse", "lower-case letters"),
            ("a-name-that-is-very-long", "has 24 characters, and a name at most 18"),
        ] {
            let refused = name.parse::<AggregateName>().unwrap_err();
            assert!(refused.contains(reason), "{name}: {refused}");
        }
        for name in ["Bank", "my_bank", "-bank", "bank-", "../bank"] {
            assert!(name.parse::<SystemName>().is_err(), "{name}");
        }
    }
}
