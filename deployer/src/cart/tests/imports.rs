//! What Terraform imports of the cart's stack.

use aws::AwsNames;
use aws::resources::mapping::Mapping;
use cli::app::App;
use cli::render::{Imported, terraform_import};
use engine::resource::Resource;

use super::super::NAME;
use super::{dev, environment, stack};

/// The blocks of mappings are missing, because Lambda assigns their ids:
/// `tests/acceptance/commands.rs` has those of a deployed environment.
#[test]
fn import_blocks_of_dev_are_as_reviewed() {
    let environment = environment("dev");
    let app = App::new(NAME, stack);
    let stack = app.desired(&environment);
    let (named, unnamed): (Vec<_>, Vec<_>) =
        stack.resources.iter().partition(|node| !node.import_ids().is_empty());
    assert!(unnamed.iter().all(|node| node.id().kind() == Mapping::KIND), "every other id is derived");
    let imported = named.into_iter().map(|node| {
        let thing = stack.scope.thing(node.id().name());
        Imported { thing, ids: node.import_ids() }
    });
    let blocks = terraform_import(&stack.scope, &imported.collect::<Vec<_>>());
    let addresses: Vec<&str> = blocks.lines().filter_map(|line| line.strip_prefix("  to = ")).collect();
    let numbered = |address: &&&str| address.rsplit('_').next().is_some_and(|end| end.parse::<u8>().is_ok());
    assert_eq!(addresses.iter().find(numbered), None, "two resources have the same name in Terraform");
    insta::assert_snapshot!("dev", blocks);
}

#[test]
fn imported_types_are_in_the_documents() {
    let page = include_str!("../../../../docs/beside-terraform.md");
    for kind in dev().kinds {
        let row = format!("| `{}` | ", kind.info.name);
        let types = page.lines().find_map(|line| line.strip_prefix(&row));
        let types = types.unwrap_or_else(|| panic!("docs/beside-terraform.md has no row of {row}"));
        for node in dev().resources.iter().filter(|node| node.id().kind() == kind.info.name) {
            for import in node.import_ids() {
                assert!(
                    types.contains(&format!("`{}`", import.type_name)),
                    "{} is not in {row}",
                    import.type_name
                );
            }
        }
    }
}
