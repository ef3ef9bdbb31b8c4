//! `deployer up`: deploys an environment.

mod addresses;
mod check;
mod others;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use engine::apply::{ApplyReport, Failure, apply};
use engine::error::Error;
use engine::plan::{Plan, STORED_SCHEMA, Step, Wishes};
use engine::release::{Release, ReleaseRecord, ReleaseState};
use engine::resource::{Resource, ResourceId};
use engine::retry::retried;
use engine::run::Run;
use engine::settle::settle;
use engine::stack::Stack;
use engine::survey::Survey;
use tokio_util::sync::CancellationToken;

use self::check::{are_ids, are_planned, check};
use crate::app::App;
use crate::bundle::Sources;
use crate::exit::{Exit, Problem};
use crate::global::Global;
use crate::render::{
    self, Heading, LiveProgress, PlanFormat, Question, Ui, count, duration, failures, plan_in,
};
use crate::session::{Planned, Session, uploads};
use crate::signal::{interruptible, stop_on_signal, within};
use aws::resources::function::{Function, deployed_package};
use aws::{Aws, Clock, Fingerprints, Packages};

/// How many entries of the release record keep their packages. A run usually writes two entries, so these are
/// the packages of the last ten runs.
const KEPT_ENTRIES: u64 = 20;

/// Deploy an environment: create, update and repair its resources
///
/// Shows the plan and asks for confirmation first. An ID is kind and name, as the plan shows it.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The environment: the name of its file without .toml, such as dev
    environment: String,
    /// Do not ask for confirmation
    #[arg(long, short)]
    yes: bool,
    /// Allow this resource to lose data, such as dynamodb.table/<name>; can be repeated
    #[arg(long, value_name = "ID")]
    allow: Vec<String>,
    /// Take ownership of an existing resource; can be repeated
    ///
    /// The resource has a name of this environment but not its tags, such as
    /// logs.log-group//aws/lambda/<name>.
    #[arg(long, value_name = "ID")]
    adopt: Vec<String>,
    /// Delete resources no longer in the code; those with data also need --allow <ID>
    #[arg(long)]
    prune: bool,
    /// Send a probe through the pipeline after the deployment, and fail if it does not arrive
    #[arg(long)]
    probe: bool,
}

pub(crate) async fn run(args: Args, app: &App, global: &Global, ui: &Ui) -> Result<Exit, Problem> {
    let started = Instant::now();
    let probed = if args.probe { Some(app.events()?) } else { None };
    let wishes = Wishes {
        adopt: args.adopt.into_iter().collect(),
        prune: args.prune,
        allow: args.allow.into_iter().collect(),
    };
    let name = args.environment.as_str();
    let mut session = Session::starting(name, app, global, ui).await?;
    if let Some(pipeline) = probed {
        pipeline.archives(&session.stack)?;
    }
    let kinds = session.stack.kinds.iter().map(|kind| kind.info.name);
    are_ids(&wishes, &kinds.chain([STORED_SCHEMA]).collect::<Vec<_>>())?;
    let planned = session.plan(app, &wishes, ui).await?;
    are_planned(&planned.plan, &wishes, name, &ui.program())?;
    let code = planned.code().await;
    let heading = Heading { scope: &session.scope, question: Question::Plan, code: code.as_deref() };
    ui.say(&plan_in(PlanFormat::Human, &planned.plan, heading));
    let Planned { sources, fingerprints, mut survey, plan, caller } = planned;
    check(&plan, &survey, &wishes, &session)?;
    let writes = plan.writes().next().is_some();
    if !writes && up_to_date(survey.last_release(), &session.stack, &plan) {
        warn_of_orphans(&session, &plan, &wishes, ui);
        return finish(&session, app, args.probe.then_some(caller.clock), ui).await;
    }
    if writes {
        if let Some(text) = render::unfinished(survey.last_release()) {
            ui.warn(&text);
        }
        let question = format!(
            "Apply {} to {name} ({})?",
            count(plan.writes().count(), "change"),
            session.scope.account
        );
        super::confirm(&session.environment, args.yes, &question, ui)?;
    }

    session.aws.packages = build(&sources, &fingerprints, &plan, &session, ui).await?;
    let entry = Run::entry(&plan, &survey, sources.release().await, caller.arn);
    let entry = Release { packages: packages(&session, &survey), ..entry };
    let run = Run::begin(&session.aws, survey.recorded.as_ref(), entry).await?;
    let stop = CancellationToken::new();
    let _signals = stop_on_signal(&stop, ui);
    let live = LiveProgress::new(ui);
    let report =
        apply(&plan, &session.stack, &survey, &session.aws, &stop, move |event| live.show(event)).await;
    let stored = session.aws.packages.all().next().is_some();
    session.aws.packages = Packages::default();
    if !report.succeeded() {
        // After a signal, the wait for the record is short; without a final entry, the run stays `Begun`.
        let other = within(&stop, others::failed(&run, &report, &survey, &session)).await.flatten();
        return Err(Problem { details: other.into_iter().collect(), ..unfinished(&report, name, ui) });
    }
    let reading = ui.busy("reading the changed resources again");
    // A run that starts between this read and this run's last entry finds the number of that entry taken.
    let (unsettled, met) = futures::join!(
        settle(&session.stack, &wishes, &mut survey, report.done(), &session.aws, &stop),
        within(&stop, run.met(&session.aws)),
    );
    drop(reading);
    for step in &unsettled {
        ui.warn(&unsettled_yet(step));
    }
    let done = count(report.outcomes.len(), "change");
    let Some(met) = met else { return Err(stopped(&done, name, ui)) };
    let applied = others::Applied { run: &run, report: &report, survey: &survey, met };
    match within(&stop, others::conclude(applied, &mut session, app, &wishes, ui)).await {
        Some(concluded) if !stop.is_cancelled() => concluded?,
        _ => return Err(stopped(&done, name, ui)),
    }
    if stored && let Err(error) = prune_packages(&session.aws, &run, &caller.clock).await {
        ui.warn(&format!("cannot delete old packages; the next deployment tries again: {error}"));
    }
    ui.say(&format!("\n{name} is up: {done} in {}", duration(started.elapsed())));
    warn_of_orphans(&session, &plan, &wishes, ui);
    finish(&session, app, args.probe.then_some(caller.clock), ui).await
}

/// Warns about orphans.
fn warn_of_orphans(session: &Session, plan: &Plan, wishes: &Wishes, ui: &Ui) {
    let mut prune = format!("{} up {} --prune", ui.program(), session.environment.name);
    if wishes.prune {
        // The remaining orphans hold data.
        plan.orphans_left().for_each(|step| prune.push_str(&format!(" --allow {}", step.id)));
    }
    if let Some(text) = render::orphans_left(plan, &format!("`{prune}`")) {
        ui.warn(&text);
    }
}

/// Sends a probe if there is a clock for it, and shows the addresses of functions and which command to try next.
async fn finish(session: &Session, app: &App, probe: Option<Clock>, ui: &Ui) -> Result<Exit, Problem> {
    #[cfg(not(feature = "pipeline"))]
    let _ = probe;
    #[cfg(feature = "pipeline")]
    if let Some(clock) = probe {
        super::probe::after_up(session, app, clock, ui).await?;
    }
    addresses::show(session, ui).await;
    next(session, app, ui);
    Ok(Exit::DONE)
}

/// Returns whether the last entry of the release record matches the stack.
fn up_to_date(last: Option<&Release>, stack: &Stack<Aws>, plan: &Plan) -> bool {
    let mut ids = stack.resources.iter().map(|node| node.id().to_string());
    let Some(last) = last.filter(|last| last.state == ReleaseState::Done) else { return false };
    last.reads == plan.reads && ids.all(|id| last.deployed.contains(&id))
}

fn stopped(done: &str, name: &str, ui: &Ui) -> Problem {
    Problem::new(format!("stopped: {done} were made, but not verified"))
        .hint(format!("run `{} up {name}` to verify them", ui.program()))
}

fn unsettled_yet(step: &Step) -> String {
    let paths: Vec<&str> = step.changes.iter().map(|change| change.path.as_str()).collect();
    let what = match &step.reason {
        Some(reason) => reason.clone(),
        None if paths.is_empty() => return format!("{} was created, but AWS does not show it yet", step.id),
        None => paths.join(", "),
    };
    format!(
        "{} differs from what was deployed: {what} (AWS may show the change later, or another change was \
         made at the same time; check with `drift`)",
        step.id
    )
}

/// Returns the binaries whose code has to be uploaded.
fn binaries(plan: &Plan, session: &Session) -> Vec<String> {
    let prefix = session.scope.prefix();
    let uploaded = plan.writes().filter(|step| uploads(step));
    uploaded.filter_map(|step| step.name.strip_prefix(&prefix)).map(str::to_owned).collect()
}

/// Builds the functions that the plan uploads, before the first write: code that does not compile, or a
/// package that Lambda rejects, must not leave code and infrastructure of two releases.
///
/// # Errors
/// Fails if a function cannot be built, the sources change during the build, or a signal arrives. Nothing is
/// changed then.
async fn build(
    sources: &Sources,
    planned: &Fingerprints,
    plan: &Plan,
    session: &Session,
    ui: &Ui,
) -> Result<Packages, Problem> {
    let binaries = binaries(plan, session);
    if binaries.is_empty() {
        return Ok(Packages::default());
    }
    let settings = &session.environment.build;
    if sources.compile() {
        ui.say(&format!("building {} with {settings}", count(binaries.len(), "function")));
    }
    let packages = {
        let busy = ui.busy("building functions");
        let on_event = |event| busy.build(&event);
        interruptible(sources.build(&binaries, settings, planned, &on_event)).await.flatten()
    };
    let packages = packages.map_err(|problem| {
        let message = format!("{}, so nothing was changed", problem.message);
        Problem { message, ..problem }
    })?;
    Ok(Packages::new(packages))
}

/// Deletes the packages that none of the last runs deployed.
async fn prune_packages(aws: &Aws, run: &Run, clock: &Clock) -> Result<(), Error> {
    let recorded = retried(async || aws.releases(run.number().saturating_sub(KEPT_ENTRIES)).await).await?;
    let kept = recorded.iter().flat_map(|recorded| recorded.release.packages.values());
    let kept: BTreeSet<&str> = kept.map(String::as_str).collect();
    retried(async || aws.prune_packages(&kept, clock.now()).await).await
}

/// Returns the digest of each function's package after this run: of the package that this run built, or of
/// the live one.
fn packages(session: &Session, survey: &Survey) -> BTreeMap<String, String> {
    let live = session.functions().into_iter().filter_map(|function| {
        let seen = survey.seen.get(&ResourceId::new(Function::KIND, &function))?;
        let digest = deployed_package(seen.as_ref().ok()?.as_ref()?.tags.as_ref()?)?;
        Some((function, digest))
    });
    let built = session.aws.packages.all();
    live.chain(built.map(|package| (session.scope.name(&package.function), package.digest()))).collect()
}

fn unfinished(report: &ApplyReport, environment: &str, ui: &Ui) -> Problem {
    let (all, done) = (report.outcomes.len(), report.done().len());
    let failed = report.outcomes.iter().any(|outcome| matches!(outcome.result, Err(Failure::Failed(_))));
    ui.say(&format!("\n{}", failures(report)));
    let repair = if failed { "fix the errors above, then " } else { "" };
    Problem::new(format!("{done} of {all} changes were made"))
        .hint(format!("{repair}run `{} up {environment}` again; it continues from there", ui.program()))
}

fn next(session: &Session, app: &App, ui: &Ui) {
    if let Some(words) = next_words(&session.stack, app) {
        ui.say(&format!("next: {} {words}", ui.program()));
    }
}

/// Returns the command to suggest, unless it is about a function that is paused.
fn next_words(stack: &Stack<Aws>, app: &App) -> Option<String> {
    let (scope, resources) = (&stack.scope, stack.neighbours());
    let paused = |word: &str| resources.get::<Function>(&scope.name(word)).is_some_and(Function::is_paused);
    (!app.try_next.is_empty() && !app.try_next.split(' ').any(paused))
        .then(|| app.try_next.replace("{env}", &scope.environment))
}

#[cfg(test)]
mod tests {
    use aws::testing::scope;

    use super::*;

    #[test]
    fn next_command_is_not_about_a_paused_function() {
        let words = |executions, try_next| {
            let mut stack = Stack::new(scope(), Vec::new());
            stack.add(
                Function::new(&scope(), "count-up", "role", Vec::new()).reserved_concurrency(executions),
            );
            next_words(&stack, &App::new("demo", |_| unreachable!("the stack is given")).try_next(try_next))
        };
        let invoked = "invoke {env} count-up";
        assert_eq!(words(None, invoked).as_deref(), Some("invoke dev count-up"));
        assert_eq!(words(Some(1), invoked).as_deref(), Some("invoke dev count-up"));
        assert_eq!(words(Some(0), invoked), None);
        assert_eq!(words(Some(0), "logs {env}").as_deref(), Some("logs dev"));
        assert_eq!(words(None, ""), None);
    }
}
