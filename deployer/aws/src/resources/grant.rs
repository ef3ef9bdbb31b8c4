//! A grant: what a function may do with a resource, and how it comes to know it.

use engine::resource::ResourceId;

use crate::policy::Statement;

/// One permission of a function: the least-privilege statement, the environment variable
/// that tells the function the resource's name, and the edge in the graph.
///
/// Resources make their own grants (`events.append()`); a function takes them with
/// [`Lambda::may`](crate::composites::Lambda::may).
#[derive(Debug, Clone, PartialEq)]
pub struct Grant {
    /// What is allowed, on what.
    pub statement: Statement,
    /// What using the key takes that the resource is encrypted with.
    pub key: Option<Statement>,
    /// The variable and its value: the resource's name.
    pub variable: Option<(String, String)>,
    /// The resource that the function uses.
    pub on: ResourceId,
}
