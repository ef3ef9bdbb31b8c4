//! The import blocks of Terraform: reads what exists, and leaves out what Terraform could not import.

use std::collections::{BTreeMap, BTreeSet};

use engine::error::Error;
use engine::resource::{LiveResource, ResourceId};
use engine::stack::Stack;
use engine::survey::read_again;

use crate::exit::Problem;
use crate::render::{Imported, Ui, count, terraform_import};
use crate::session::Session;
use aws::{Aws, AwsNames};

/// The live state of the desired resources, as a survey reads it.
type Seen = BTreeMap<ResourceId, Result<Option<LiveResource>, Error>>;

/// Reads all resources of the stack and returns the import blocks of those that the environment owns. Warns
/// about each of the others.
///
/// # Errors
/// Returns an error if a resource cannot be read, or if the environment owns none.
pub(super) async fn imports(session: &Session, ui: &Ui) -> Result<String, Problem> {
    let Session { aws, stack, .. } = session;
    let ids: BTreeSet<_> = stack.resources.iter().map(|node| node.id()).collect();
    let busy = ui.busy("reading resources");
    let (_, seen) = futures::try_join!(aws.guard(), async { Ok(read_again(stack, &ids, aws).await) })?;
    drop(busy);
    let (name, program) = (&session.environment.name, ui.program());
    let (imported, left_out) = chosen(stack, &seen).map_err(|unread| {
        let number = count(unread.len(), "resource");
        Problem::new(format!("cannot print the import blocks of `{name}`: {number} could not be read"))
            .details(unread)
    })?;
    if imported.is_empty() {
        return Err(Problem::new(format!("cannot print the import blocks of `{name}`: it owns no resource"))
            .details(left_out)
            .hint(format!("`{program} up {name}` deploys it")));
    }
    for what in left_out {
        ui.warn(&format!("{what}, so it has no import block; `{program} plan {name}` shows the difference"));
    }
    Ok(terraform_import(&stack.scope, &imported))
}

/// Returns what Terraform imports, and why it cannot import the rest. If one resource does not exist,
/// Terraform imports none. A resource without the owner tags may have another owner.
///
/// # Errors
/// Returns the errors of the resources that could not be read.
fn chosen(stack: &Stack<Aws>, seen: &Seen) -> Result<(Vec<Imported>, Vec<String>), Vec<String>> {
    let (mut imported, mut left_out, mut unread) = (Vec::new(), Vec::new(), Vec::new());
    for node in &stack.resources {
        let id = node.id();
        // A part without tags has the owner of its parent.
        let of_owner = node.parent().unwrap_or_else(|| id.clone());
        match (&seen[&id], seen.get(&of_owner)) {
            (Err(error), _) => unread.push(format!("{id}: {error}")),
            (Ok(None), _) => left_out.push(format!("{id} does not exist")),
            (Ok(Some(live)), Some(Ok(Some(owner)))) if owns(stack, owner) => match live.import_ids() {
                ids if ids.is_empty() => left_out.push(format!("{id} has no import id")),
                ids => imported.push(Imported { thing: stack.scope.thing(id.name()), ids }),
            },
            (Ok(Some(_)), _) => left_out.push(format!("{id} does not have this environment's tags")),
        }
    }
    if unread.is_empty() { Ok((imported, left_out)) } else { Err(unread) }
}

fn owns(stack: &Stack<Aws>, live: &LiveResource) -> bool {
    live.tags.as_ref().is_some_and(|tags| stack.scope.owns(tags))
}

#[cfg(test)]
mod tests {
    use aws::resources::function::Function;
    use aws::resources::log_group::LogGroup;
    use aws::resources::mapping::{Mapping, MappingSettings};
    use engine::error::Class;
    use engine::resource::{Live, Resource, Tags};
    use engine::testing::scope;

    use super::*;

    fn live<R: Resource>(resource: R, tags: Option<Tags>) -> Result<Option<LiveResource>, Error> {
        Ok(Some(LiveResource::new(Live { resource, tags, identity: None })))
    }

    fn group(thing: &str) -> LogGroup {
        LogGroup::of_function(&scope(), &scope().name(thing), 1)
    }

    fn function() -> Function {
        Function::new(&scope(), "capture", "role", Vec::new())
    }

    fn mapping() -> Mapping {
        Mapping::table("demo-dev-capture", "demo-dev-events", MappingSettings::default())
    }

    /// Returns a stack with a log group of each of three functions, a function and its mapping.
    fn stack() -> Stack<Aws> {
        let mut stack = Stack::new(scope(), Vec::new());
        stack.add(group("a")).add(group("b")).add(group("c")).add(function()).add(mapping());
        stack
    }

    fn seen(states: [Result<Option<LiveResource>, Error>; 5]) -> Seen {
        stack().resources.iter().map(|node| node.id()).zip(states).collect()
    }

    #[test]
    fn imports_leave_out_absent_and_unmanaged_resources() {
        let seen = seen([
            live(group("a"), Some(scope().tags())),
            Ok(None),
            live(group("c"), Some(Tags::new())),
            live(function(), Some(Tags::new())),
            live(mapping(), None),
        ]);
        let (imported, left_out) = chosen(&stack(), &seen).expect("everything was read");
        let imported: Vec<_> =
            imported.iter().map(|one| (one.thing.as_str(), one.ids[0].id.as_str())).collect();
        assert_eq!(imported, [("/aws/lambda/a", "/aws/lambda/demo-dev-a")]);
        assert_eq!(
            left_out,
            [
                "logs.log-group//aws/lambda/demo-dev-b does not exist",
                "logs.log-group//aws/lambda/demo-dev-c does not have this environment's tags",
                "lambda.function/demo-dev-capture does not have this environment's tags",
                "lambda.event-source-mapping/demo-dev-capture/dynamodb/demo-dev-events does not have this \
                 environment's tags",
            ]
        );
    }

    #[test]
    fn imports_need_every_resource_to_be_readable() {
        let denied = || Error::new(Class::Denied, "GetFunction", "not authorized");
        let seen = seen([Ok(None), Ok(None), Ok(None), Err(denied()), live(mapping(), None)]);
        let unread = chosen(&stack(), &seen).expect_err("a function was not read");
        assert_eq!(unread, [format!("lambda.function/demo-dev-capture: {}", denied())]);
    }
}
