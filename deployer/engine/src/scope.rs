//! Ownership: the names and owner tags of one environment of one stack.
//!
//! Everything here is derived and not read from the cloud, so resources that refer to each other can be
//! created at the same time.

use std::collections::BTreeMap;

/// Tags of a resource, by key.
pub type Tags = BTreeMap<String, String>;

/// The tag that names the stack a resource belongs to.
pub const TAG_STACK: &str = "deployer:stack";
/// The tag that names the environment a resource belongs to.
pub const TAG_ENVIRONMENT: &str = "deployer:environment";
/// The tag that names the region of the environment.
pub const TAG_REGION: &str = "deployer:region";
/// The tag that holds the hash of the configuration with which a resource was last deployed.
pub const TAG_STAMP: &str = "deployer:stamp";

/// One environment of one stack, in its account and region.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    /// The stack: `demo`.
    pub stack: String,
    /// The environment: `dev`.
    pub environment: String,
    /// The account, twelve digits.
    pub account: String,
    /// The region: `eu-central-1`.
    pub region: String,
    /// Additional tags that an organisation requires on all resources: `cost-center`.
    pub extra_tags: Tags,
}

impl Scope {
    /// Returns the prefix of all names of the environment. `demo-dev-` is also a prefix of `demo-dev-2-…`, so
    /// it narrows a listing but does not prove ownership.
    pub fn prefix(&self) -> String {
        format!("{}-{}-", self.stack, self.environment)
    }

    /// Returns the full name of a resource: `demo-dev-events`.
    pub fn name(&self, thing: &str) -> String {
        format!("{}{thing}", self.prefix())
    }

    /// Returns the owner tags.
    pub fn tags(&self) -> Tags {
        [(TAG_STACK, &self.stack), (TAG_ENVIRONMENT, &self.environment), (TAG_REGION, &self.region)]
            .map(|(key, value)| (key.to_owned(), value.clone()))
            .into()
    }

    /// Returns the tags of all owned resources: the owner tags, and the organisation's.
    pub fn all_tags(&self) -> Tags {
        self.extra_tags.clone().into_iter().chain(self.tags()).collect()
    }

    /// Returns whether tags identify this environment as the owner.
    pub fn owns(&self, tags: &Tags) -> bool {
        self.tags().iter().all(|(key, value)| tags.get(key) == Some(value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope(environment: &str, region: &str) -> Scope {
        Scope {
            stack: "demo".into(),
            environment: environment.into(),
            account: "111111111111".into(),
            region: region.into(),
            extra_tags: Default::default(),
        }
    }

    #[test]
    fn names_are_derived() {
        assert_eq!(scope("dev", "eu-central-1").name("events"), "demo-dev-events");
    }

    #[test]
    fn environment_does_not_own_a_longer_named_one() {
        let (dev, dev_2) = (scope("dev", "eu-central-1"), scope("dev-2", "eu-central-1"));
        assert!(dev_2.name("events").starts_with(&dev.prefix()));
        assert!(dev.owns(&dev.tags()));
        assert!(!dev.owns(&dev_2.tags()));
        assert!(!dev.owns(&Tags::new()));
    }
}
