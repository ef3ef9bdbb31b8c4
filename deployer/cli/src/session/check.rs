//! Checks before a plan: of the stack, without a call to AWS, and of the resources outside it.

use aws::Aws;
use aws::resources::function::Function;
use engine::error::Error;
use engine::stack::Stack;

use crate::app::App;
use crate::environment::Environment;
use crate::exit::Problem;
use crate::suggestion::known_words;

/// Checks the stack for mistakes that can be found without a call to AWS.
pub(super) fn offline(stack: &Stack<Aws>, environment: &Environment, app: &App) -> Result<(), Problem> {
    let resources = stack.neighbours();
    let functions: Vec<&str> = resources.of_kind().map(Function::binary).collect();
    if !functions.is_empty() && app.package.is_none() {
        let message = format!("the stack `{}` has functions, but no cargo package of them", app.stack_name);
        return Err(Problem::usage(message).hint("name the package in the `App` of this program"));
    }
    if let Some(name) =
        environment.functions.overrides.keys().find(|name| !functions.contains(&name.as_str()))
    {
        let message =
            format!("`[functions.{name}]` of `{}` is not a function of the stack", environment.name);
        return Err(Problem::usage(message).hint(known_words(name, "functions", &functions)));
    }
    #[cfg(feature = "pipeline")]
    if let Some(name) = app.pipeline.and_then(|pipeline| pipeline.shared_name()) {
        let message =
            format!("two aggregate types have the name `{name}`: their events could not be distinguished");
        return Err(Problem::usage(message)
            .hint("give each `Aggregate::TYPE` a name of its own; probes have `probe`"));
    }
    let mistakes = stack.mistakes();
    if mistakes.is_empty() {
        return Ok(());
    }
    let details = mistakes.into_iter().map(|(id, mistake)| format!("{id}: {mistake}"));
    let name = &environment.name;
    Err(Problem::usage(format!("the stack of `{name}` is not valid, so nothing was read"))
        .details(details)
        .hint("correct the stack, or the numbers in the environment file"))
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
