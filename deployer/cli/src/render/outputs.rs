//! Names and ARNs of resources, as text, JSON and shell variables.

use aws::resources::function_url::FunctionUrl;
use engine::resource::{Resource, ResourceId};
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

impl Output {
    /// Returns the kind and the name without the environment's prefix, in letters, digits and `_`.
    fn variable(&self) -> String {
        let variable = format!("{}_{}", self.kind, self.thing.trim_matches('/'));
        variable.chars().map(|letter| if letter.is_ascii_alphanumeric() { letter } else { '_' }).collect()
    }
}

/// Returns lines for a shell: `DYNAMODB_TABLE_EVENTS=demo-dev-events`. Function URLs are left out: AWS chooses
/// their addresses, and a variable of that name with the name of the function would be taken for one.
pub fn outputs_env(outputs: &[Output]) -> String {
    let line = |output: &Output| format!("{}={}", output.variable().to_ascii_uppercase(), output.name);
    let named = outputs.iter().filter(|output| output.kind != FunctionUrl::KIND);
    named.map(line).collect::<Vec<_>>().join("\n")
}

/// Returns one map for a variable file of Terraform, in the form of `terraform fmt`. A variable that a
/// configuration does not declare would be a warning for each resource.
pub fn outputs_tfvars(outputs: &[Output]) -> String {
    let width = outputs.iter().map(|output| output.variable().len()).max().unwrap_or_default();
    let line = |output: &Output| {
        let arn = output.arn.as_deref().map_or_else(|| "null".to_owned(), quoted);
        format!(
            "  {:width$} = {{ name = {}, arn = {arn} }}",
            output.variable().to_ascii_lowercase(),
            quoted(&output.name)
        )
    };
    let lines: Vec<String> = outputs.iter().map(line).collect();
    format!("deployer = {{\n{}\n}}", lines.join("\n"))
}

/// Returns a text as a string of HCL, whose templates begin with `${` and `%{` ("Strings and Templates",
/// Terraform language).
pub(super) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string().replace("${", "$${").replace("%{", "%%{")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn output(kind: &'static str, name: &str, arn: Option<&str>, thing: &str) -> Output {
        let (name, arn) = (name.to_owned(), arn.map(str::to_owned));
        Output { id: ResourceId::new(kind, name.clone()), kind, name, arn, thing: thing.to_owned() }
    }

    #[test]
    fn outputs_are_variables_of_a_shell_and_of_terraform() {
        let arn = "arn:aws:dynamodb:eu-central-1:111111111111:table/demo-dev-events";
        let outputs = [
            output("dynamodb.table", "demo-dev-events", Some(arn), "events"),
            output("logs.log-group", "/aws/lambda/demo-dev-add-item", None, "/aws/lambda/add-item"),
            output("lambda.url", "demo-dev-add-item", None, "add-item"),
            output("fake.thing", "a\"${b}", None, "b"),
        ];
        insta::assert_snapshot!([outputs_env(&outputs), outputs_tfvars(&outputs)].join("\n\n"));
    }
}
