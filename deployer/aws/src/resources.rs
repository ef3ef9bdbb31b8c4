//! The kinds of AWS resources that a stack can have: one file and one line of `kinds` each.
//!
//! The import ids of a kind are those of the section "Import" on the pages of its resources in the
//! documentation of Terraform's AWS provider (terraform-provider-aws, website/docs/r).

#[cfg(feature = "cloudwatch")]
pub mod alarm;
pub mod bucket;
mod created;
#[cfg(feature = "cloudwatch")]
pub mod dashboard;
pub mod existing;
pub mod function;
pub mod function_url;
mod grant;
mod key;
mod lacking;
mod lint;
pub mod log_group;
#[cfg(feature = "sources")]
pub mod mapping;
#[cfg(feature = "sources")]
mod mapping_name;
pub mod role;
mod sid;
#[cfg(feature = "sources")]
pub mod stream;
#[cfg(feature = "sources")]
pub mod table;

use engine::resource::Kind;
pub use grant::{Grant, GrantedOn};
pub use key::{Keys, is_of_key};

use crate::Aws;

/// Returns every kind. A kind that is not listed here is neither found nor deleted.
pub fn kinds() -> Vec<Kind<Aws>> {
    vec![
        #[cfg(feature = "cloudwatch")]
        Kind::of::<alarm::Alarm>(),
        Kind::of::<bucket::Bucket>(),
        #[cfg(feature = "cloudwatch")]
        Kind::of::<dashboard::Dashboard>(),
        Kind::of::<function::Function>(),
        Kind::of::<function_url::FunctionUrl>(),
        Kind::of::<log_group::LogGroup>(),
        #[cfg(feature = "sources")]
        Kind::of::<mapping::Mapping>(),
        Kind::of::<role::Role>(),
        #[cfg(feature = "sources")]
        Kind::of::<stream::Stream>(),
        #[cfg(feature = "sources")]
        Kind::of::<table::Table>(),
    ]
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use engine::resource::Described;
    use engine::testing::insist_on_fields;

    use super::*;
    use crate::policy::Policy;
    use crate::testing::{events_key, scope};

    #[test]
    fn resource_files_are_all_registered() {
        let files = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/src/resources"))
            .expect("the folder of the kinds exists");
        let sources =
            files.map(|file| file.expect("the folder is readable").path()).filter(|path| path.is_file());
        let mut written: Vec<String> = sources
            .map(|path| std::fs::read_to_string(path).expect("sources are text"))
            .filter_map(|source| {
                // The name of the kind of mappings is a constant in its own file.
                let begins = |mark: &str| source.split_once(mark).map(|(_, after)| after);
                let named = begins("KindInfo::new(\"").or_else(|| begins("const KIND: &str = \""))?;
                named.split('"').next().map(str::to_owned)
            })
            .collect();
        let mut registered: Vec<String> = kinds().iter().map(|kind| kind.info.name.to_owned()).collect();
        written.sort();
        registered.sort();
        assert_eq!(registered, written, "`resources::kinds` lists the kinds of all files");
    }

    /// Returns a desired resource of every kind.
    fn all() -> [Box<dyn Described>; 10] {
        let scope = scope();
        [
            Box::new(alarm::Alarm::errors(&scope, "a", "f")),
            Box::new(bucket::Bucket::new(&scope, "a")),
            Box::new(dashboard::Dashboard::new(&scope, serde_json::json!({}))),
            Box::new(function::Function::new(&scope, "f", "arn", Vec::new())),
            Box::new(function_url::FunctionUrl::of("f")),
            Box::new(log_group::LogGroup::of_function(&scope, "f", 1)),
            Box::new(mapping::Mapping::table("f", "a", mapping::MappingSettings::default())),
            Box::new(role::Role::for_service(&scope, "f", "lambda.amazonaws.com", Policy::allowing(&[]))),
            Box::new(stream::Stream::new(&scope, "a")),
            Box::new(table::Table::new(&scope, "a", events_key())),
        ]
    }

    #[test]
    fn fields_of_every_kind_are_those_of_its_struct() {
        let all = all();
        let known: Vec<&str> = kinds().iter().map(|kind| kind.info.name).collect();
        let named: Vec<_> = all.iter().map(|one| one.id().kind()).collect();
        assert_eq!(named, known, "add a resource of the new kind to `all` in this test");
        all.iter().for_each(|one| insist_on_fields(&**one));
    }

    #[test]
    fn kinds_all_have_import_ids() {
        let without = all().into_iter().filter(|one| one.import_ids().is_empty());
        let without: Vec<_> = without.map(|one| one.id().kind()).collect();
        assert_eq!(without, [mapping_name::KIND], "Lambda assigns the id of a mapping");
        let types = all().into_iter().flat_map(|one| one.import_ids());
        let types: Vec<_> = types.map(|import| import.type_name).collect();
        let different: BTreeSet<_> = types.iter().collect();
        assert_eq!(different.len(), types.len(), "two kinds share a type, so names can collide: {types:?}");
    }
}
