//! A grant: the permission of a function to use a resource.

use engine::resource::ResourceId;

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
    /// The resource of the stack that the function uses.
    pub on: Option<ResourceId>,
    /// The resource outside the stack that the function uses.
    pub existing: Option<Existing>,
    /// Whether the resource is created and changed before the function, which cannot work without the change.
    pub is_deployed_first: bool,
    /// A mistake of the stack in this grant, as words about the function: `it may query an index that …`.
    pub mistake: Option<String>,
}
