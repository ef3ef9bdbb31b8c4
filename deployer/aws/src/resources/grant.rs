//! A grant: the permission of a function to use a resource.

use engine::resource::{Resource, ResourceId};

use crate::policy::Statement;
use crate::resources::existing::Existing;

/// One permission of a function: the least-privilege statement, the environment variable with the resource's
/// name, and the edge in the dependency graph.
///
/// Resources create their grants (`events.append()`); a function takes them with
/// [`Lambda::may`](crate::composites::Lambda::may).
#[derive(Debug, Clone, PartialEq)]
pub struct Grant {
    /// The allowed actions and their resource.
    pub statement: Statement,
    /// A second statement that the use requires, such as one for the KMS key that the resource is encrypted
    /// with.
    pub also: Option<Statement>,
    /// The variable and its value: the resource's name.
    pub variable: Option<(String, String)>,
    /// The resource that the function uses.
    pub on: GrantedOn,
    /// Whether the resource is created and changed before the function, which cannot work without the change.
    pub is_deployed_first: bool,
    /// A mistake of the stack in this grant, as words about the function: `it may query an index that …`.
    pub mistake: Option<String>,
}

/// The resource that a grant is about.
#[derive(Debug, Clone, PartialEq)]
pub enum GrantedOn {
    /// A resource of the stack.
    Own(ResourceId),
    /// A resource outside the stack.
    Existing(Existing),
}

impl Grant {
    /// Returns the grant of a statement alone.
    pub(crate) fn of(on: GrantedOn, statement: Statement) -> Self {
        Self { statement, also: None, variable: None, on, is_deployed_first: false, mistake: None }
    }

    /// Returns the grant of a statement about a resource of the stack.
    pub(crate) fn own<R: Resource>(name: &str, statement: Statement) -> Self {
        Self::of(GrantedOn::Own(ResourceId::new(R::KIND, name)), statement)
    }
}
