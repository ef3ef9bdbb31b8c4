//! Checks before a plan: of the stack, without a call to AWS, and of the resources outside it.

use std::collections::BTreeSet;

use aws::resources::function::Function;
use aws::{Aws, AwsNames};
use engine::error::Error;
use engine::stack::Stack;

use crate::app::App;
use crate::build::relative;
use crate::bundle::Sources;
use crate::environment::{Environment, FunctionMistakes};
use crate::exit::Problem;
use crate::render::Ui;

/// Checks the stack for mistakes that can be found without a call to AWS.
pub(super) fn offline(stack: &Stack<Aws>, environment: &Environment, app: &App) -> Result<(), Problem> {
    let resources = stack.neighbours();
    let functions: Vec<&str> = resources.of_kind().map(Function::binary).collect();
    if !functions.is_empty() && app.package.is_none() {
        let message = format!("the stack `{}` has functions, but no cargo package of them", app.stack_name);
        return Err(Problem::usage(message).hint("name the package in the `App` of this program"));
    }
    let mut seen = BTreeSet::new();
    if let Some(twice) = functions.iter().find(|function| !seen.insert(**function)) {
        let message = format!("the stack `{}` has two functions with the name `{twice}`", app.stack_name);
        return Err(Problem::usage(message).hint(
            "give each a name of its own; `capture`, `archive` and `replay` are those of the event pipeline",
        ));
    }
    #[cfg(feature = "pipeline")]
    if let Some(name) = app.pipeline.and_then(|pipeline| pipeline.shared_name()) {
        let message =
            format!("two aggregate types have the name `{name}`: their events could not be distinguished");
        return Err(Problem::usage(message)
            .hint("give each `Aggregate::TYPE` a name of its own; probes have `probe`"));
    }
    let mut in_files = FunctionMistakes::unknown(environment, &functions);
    let mut mistakes = stack.mistakes();
    mistakes.retain(|(id, mistake)| {
        // A mapping's name begins with that of its function.
        let function = stack.scope.thing(id.name().split('/').next().unwrap_or_default());
        !(functions.contains(&function.as_str()) && in_files.place(&function, mistake))
    });
    let details: Vec<String> = mistakes.into_iter().map(|(id, mistake)| format!("{id}: {mistake}")).collect();
    if let Some(error) = in_files.error() {
        return Err(Problem::from(error).details(details));
    }
    if details.is_empty() {
        return Ok(());
    }
    let name = &environment.name;
    Err(Problem::usage(format!("the stack of `{name}` is not valid, so nothing was read"))
        .details(details)
        .hint("correct the stack, or the numbers in the environment file"))
}

/// Checks that each function of the stack has a binary, and warns of a binary that the stack does not deploy. A bundle has
/// the binaries of the checkout that it was created from.
pub(super) fn binaries(stack: &Stack<Aws>, sources: &Sources, ui: &Ui) -> Result<(), Problem> {
    let Sources::Workspace(workspace) = sources else { return Ok(()) };
    let resources = stack.neighbours();
    let deployed: Vec<&str> = resources.of_kind().map(Function::binary).collect();
    deployed.iter().try_for_each(|function| workspace.require(function))?;
    for (function, main) in workspace.other_functions(&deployed) {
        let file = relative(main, workspace.root());
        ui.warn(&format!("{file} is not deployed: the stack has no function `{function}`"));
    }
    Ok(())
}

/// Checks that AWS shows all resources of others that the functions use.
pub(super) fn others(missing: Vec<(String, Error)>) -> Result<(), Problem> {
    if missing.is_empty() {
        return Ok(());
    }
    let details = missing.into_iter().map(|(arn, error)| format!("{arn}: {error}"));
    Err(Problem::new("functions use resources of others that cannot be found").details(details).hint(
        "correct their ARNs in the environment file, or ask their owner; the deployer never creates them",
    ))
}

#[cfg(all(test, feature = "pipeline"))]
mod tests {
    use std::path::Path;

    use aws::composites::{Composites, EventPipeline, Lambda};
    use aws::resources::kinds;

    use super::*;
    use crate::environment::AppSettings;

    fn stack(environment: &Environment) -> Stack<Aws> {
        let (scope, defaults) = (environment.scope("demo"), environment.lambda_defaults());
        let mut pipeline = EventPipeline::new(&scope, &defaults, environment.event_pipeline());
        pipeline.command(Lambda::new(&scope, "count-up", &defaults));
        pipeline.handler(Lambda::new(&scope, "log-events", &defaults));
        let mut stack = Stack::new(scope, kinds());
        stack.pipeline(pipeline);
        stack
    }

    /// Returns the message, the details and the hint for an environment with these settings.
    fn refused(settings: &str) -> String {
        let text = format!("region = \"eu-central-1\"\naccount = \"111111111111\"\n{settings}");
        let read = |_: &Path| Ok(text.clone());
        let environment = Environment::read(Path::new("environments"), "dev", AppSettings::NONE, &read);
        let environment = environment.expect("each value has the right type");
        let app = App::new("demo", stack).package("functions");
        said(offline(&stack(&environment), &environment, &app))
    }

    fn said(outcome: Result<(), Problem>) -> String {
        let Err(problem) = outcome else { return "right".into() };
        [vec![problem.message], problem.details, problem.hint.into_iter().collect()].concat().join("\n")
    }

    /// Otherwise a copied line would be deployed over the first one, and never be in sync.
    #[test]
    fn function_name_that_a_stack_uses_twice_is_refused() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../environments");
        let environment =
            Environment::load(&folder, "dev", AppSettings::NONE).expect("a committed environment");
        let mut stack = stack(&environment);
        stack.lambda(Lambda::new(&stack.scope, "replay", &environment.lambda_defaults()));
        let app = App::new("demo", |_| unreachable!("the stack is given")).package("functions");
        let message = "the stack `demo` has two functions with the name `replay`";
        assert!(said(offline(&stack, &environment, &app)).starts_with(message));
    }

    #[test]
    fn function_settings_that_the_stack_refuses_have_file_and_line() {
        let layer = "arn:aws:lambda:eu-central-1:111111111111:layer:tools";
        let network = "[functions]\nsubnets = [\"subnet-01234567\"]\nsecurity_groups = [\"sg-01234567\"]\n";
        let cases = [
            "[functions]\napplication_log_level = \"debug\"\n".to_owned(),
            "[functions.count-pu]\nmemory_mb = 512\n[functions.nope]\n".to_owned(),
            format!("{network}[functions.count-up]\nsubnets = []\n"),
            format!("{network}[functions.count-up]\nsubnets = []\nsecurity_groups = []\n"),
            format!("[functions]\nlayers = [\n  \"{layer}:1\",\n  \"{layer}:2\",\n]\n"),
            "[functions.count-up]\ndead_letter_target = \"arn:aws:sqs:eu-west-1:111111111111:dead\"\n".into(),
            "[functions.replay]\nmemory_mb = 512\ntimeout_s = 60\n".into(),
            "[functions]\nmemory_mb = 512\n".into(),
            "[stream]\nmode = \"on_demand\"\n[functions.log-events]\nreserved_concurrency = 3\n".into(),
        ];
        let said: Vec<String> = cases.iter().map(|settings| refused(settings)).collect();
        insta::assert_snapshot!(said.join("\n---\n"));
    }
}
