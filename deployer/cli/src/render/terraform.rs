//! Import blocks of Terraform 1.5 and later, for its AWS provider.

use std::collections::BTreeSet;

use engine::resource::ImportId;
use engine::scope::Scope;

use super::outputs::quoted;

/// What Terraform imports for one resource.
#[derive(Debug, Clone)]
pub struct Imported {
    /// The name of the resource without the environment's prefix, from which its names in Terraform are made.
    pub thing: String,
    /// One id for each Terraform resource.
    pub ids: Vec<ImportId>,
}

/// Returns import blocks in the form of `terraform fmt`. Each has another address.
pub fn terraform_import(scope: &Scope, imported: &[Imported]) -> String {
    let mut taken = BTreeSet::new();
    let all = imported.iter().flat_map(|one| one.ids.iter().map(|import| (&one.thing, import)));
    let blocks = all.map(|(thing, import)| {
        let label = label(&[Some(thing), import.part.as_ref()]);
        let address = free(&format!("{}.{label}", import.type_name), &mut taken);
        format!("\nimport {{\n  to = {address}\n  id = {}\n}}\n", quoted(&import.id))
    });
    let blocks: String = blocks.collect();
    let Scope { stack, environment, account, region, .. } = scope;
    format!("# The environment {environment} of {stack}, in account {account} and region {region}.\n{blocks}")
}

/// Returns the address, or the address with the lowest number that makes it another one than those before.
fn free(address: &str, taken: &mut BTreeSet<String>) -> String {
    let numbered = (2..).map(|number| format!("{address}_{number}"));
    let mut free = std::iter::once(address.to_owned()).chain(numbered);
    let free = free.find(|address| taken.insert(address.clone()));
    free.expect("there are more numbers than addresses")
}

/// Returns an identifier of HCL made of these names: "Identifiers can contain letters, digits, underscores, and
/// hyphens. The first character of an identifier must not be a digit" ("Syntax Configuration", Terraform
/// language).
fn label(names: &[Option<&String>]) -> String {
    let names = names.iter().flatten().flat_map(|name| name.split(|c: char| !c.is_ascii_alphanumeric()));
    let words: Vec<String> = names.filter(|word| !word.is_empty()).map(str::to_ascii_lowercase).collect();
    let label = words.join("_");
    if label.starts_with(|c: char| c.is_ascii_alphabetic()) { label } else { format!("_{label}") }
}

#[cfg(test)]
mod tests {
    use engine::testing::scope;

    use super::*;

    fn imported(thing: &str, ids: Vec<ImportId>) -> Imported {
        Imported { thing: thing.to_owned(), ids }
    }

    /// `terraform fmt` leaves this text as it is.
    #[test]
    fn import_blocks_have_valid_and_different_addresses() {
        let group = |name: &str| ImportId::new("aws_cloudwatch_log_group", name);
        let policy = |name: &str| {
            ImportId::new("aws_iam_role_policy", format!("demo-dev-capture-eu-central-1:{name}"))
                .of_part(name)
        };
        let all = [
            imported(
                "capture",
                vec![ImportId::new("aws_iam_role", "demo-dev-capture-eu-central-1"), policy("grants")],
            ),
            imported("capture", vec![policy("Grants"), policy("grants 2")]),
            imported("/aws/lambda/add-item", vec![group("/aws/lambda/demo-dev-add-item")]),
            imported("/aws/lambda/add_item", vec![group("/aws/lambda/demo-dev-add_item")]),
            imported("2nd", vec![group("a\"b\\${c}%{d}")]),
            imported("ü", vec![group("ü")]),
        ];
        insta::assert_snapshot!(terraform_import(&scope(), &all));
    }
}
