//! Names and ARNs of resources, as text, JSON and shell variables.

use engine::resource::ResourceId;
use serde::Serialize;

use super::table::columns;

/// The names of a resource.
#[derive(Debug, Clone, Serialize)]
pub struct Output {
    /// Its id.
    pub id: ResourceId,
    /// Its kind.
    pub kind: &'static str,
    /// Its name.
    pub name: String,
    /// Its ARN, if that can be derived.
    pub arn: Option<String>,
    /// The name without the environment's prefix, which is the same in every environment.
    pub thing: String,
}

/// Returns a table of kinds, names and ARNs.
pub fn outputs_text(outputs: &[Output]) -> String {
    let rows: Vec<[String; 3]> = outputs
        .iter()
        .map(|output| [output.kind.to_owned(), output.name.clone(), output.arn.clone().unwrap_or_default()])
        .collect();
    columns(&rows)
}

/// Returns lines for a shell: `DYNAMODB_TABLE_EVENTS=demo-dev-events`.
pub fn outputs_env(outputs: &[Output]) -> String {
    let lines = outputs.iter().map(|output| {
        let variable = format!("{}_{}", output.kind, output.thing.trim_matches('/'));
        let variable: String = variable
            .chars()
            .map(|letter| if letter.is_ascii_alphanumeric() { letter.to_ascii_uppercase() } else { '_' })
            .collect();
        format!("{variable}={}", output.name)
    });
    lines.collect::<Vec<_>>().join("\n")
}
