//! `deployer up`: makes it so.

mod check;
mod others;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use engine::apply::{ApplyReport, Failure, apply};
use engine::error::Error;
use engine::plan::{Action, Plan, Step, Wishes};
use engine::release::{Release, ReleaseRecord, ReleaseState};
use engine::resource::{Resource, ResourceId, field_of};
use engine::retry::retried;
use engine::run::Run;
use engine::settle::settle;
use engine::stack::Stack;
use engine::survey::Survey;
use tokio_util::sync::CancellationToken;

use self::check::{check, known};
use crate::app::App;
use crate::bundle::Sources;
use crate::exit::{Exit, Problem};
use crate::global::Global;
use crate::render::{
    self, Heading, LiveProgress, PlanFormat, Question, Ui, count, duration, failures, plan_in,
};
use crate::session::{Planned, Session};
use crate::signal::{interruptible, stop_on_signal, within};
use aws::resources::function::{Function, FunctionFieldName, deployed_package};
use aws::{Aws, Clock, Fingerprints, Packages};

/// How many entries of the release record keep their packages. A run writes two, as a rule: these are the
/// packages of the last ten.
const KEPT_ENTRIES: u64 = 20;

/// Make the environment as the code says
///
/// Shows the plan and asks first. An ID is kind and name, as the plan shows it.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The environment: the name of its file without .toml, such as dev
    environment: String,
    /// Do not ask
    #[arg(long, short)]
    yes: bool,
    /// Allow this resource to lose data, such as dynamodb.table/cart-dev-events; once for each
    #[arg(long, value_name = "ID")]
    allow: Vec<String>,
    /// Take over this resource, which has our name and is not ours, such as
    /// logs.log-group//aws/lambda/cart-dev-add-item; once for each
    #[arg(long, value_name = "ID")]
    adopt: Vec<String>,
    /// Delete what is ours and no longer in the stack; what holds data only if --allow names it
    #[arg(long)]
    prune: bool,
    /// When all is up, send a probe through every hop, and fail when it does not arrive
    #[arg(long)]
    probe: bool,
}

pub(crate) async fn run(args: Args, app: &App, global: &Global, ui: &Ui) -> Result<Exit, Problem> {
    let started = Instant::now();
    if args.probe {
        app.pipeline()?;
    }
    let wishes = Wishes {
        adopt: args.adopt.into_iter().collect(),
        prune: args.prune,
        allow: args.allow.into_iter().collect(),
    };
    let name = args.environment.as_str();
    let mut session = Session::starting(name, app, global, ui).await?;
    let Planned { sources, fingerprints, mut survey, plan, caller } = session.plan(app, &wishes, ui).await?;
    known(&plan, &wishes, name, &ui.program())?;
    ui.say(&plan_in(PlanFormat::Human, &plan, Heading { scope: &session.scope, question: Question::Plan }));
    check(&plan, &wishes, &session)?;
    let writes = plan.writes().next().is_some();
    if !writes && up_to_date(survey.last_release(), &session.stack, &plan) {
        warn_of_orphans(&session, &plan, &wishes, ui);
        return finish(&session, app, args.probe.then_some(caller.clock), ui).await;
    }
    if writes {
        if let Some(text) = render::unfinished(survey.last_release()) {
            ui.warn(&text);
        }
        super::confirm(&session.environment, args.yes, "Do this?", ui)?;
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
        // Who is in a hurry to leave does not wait for the record: it says "begun" then.
        let other = within(&stop, others::failed(&run, &report, &survey, &session)).await.flatten();
        return Err(Problem { details: other.into_iter().collect(), ..unfinished(&report, name, ui) });
    }
    let reading = ui.busy("reading again what was changed");
    // Who comes between this look at the record and our last word in it finds the number of that word taken.
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
        ui.warn(&format!("old packages stay in the deployment bucket until the next deployment: {error}"));
    }
    ui.say(&format!("\n{name} is up: {done} in {}", duration(started.elapsed())));
    warn_of_orphans(&session, &plan, &wishes, ui);
    finish(&session, app, args.probe.then_some(caller.clock), ui).await
}

/// Warns of what the code lost and is still there.
fn warn_of_orphans(session: &Session, plan: &Plan, wishes: &Wishes, ui: &Ui) {
    let mut prune = format!("{} up {} --prune", ui.program(), session.environment.name);
    if wishes.prune {
        // What is left holds data.
        plan.orphans_left().for_each(|step| prune.push_str(&format!(" --allow {}", step.id)));
    }
    if let Some(text) = render::orphans_left(plan, &format!("`{prune}`")) {
        ui.warn(&text);
    }
}

/// Sends a probe, by this clock, if one is wanted, and says what there is to try.
async fn finish(session: &Session, app: &App, probe: Option<Clock>, ui: &Ui) -> Result<Exit, Problem> {
    #[cfg(not(feature = "pipeline"))]
    let _ = probe;
    #[cfg(feature = "pipeline")]
    if let Some(clock) = probe {
        super::probe::after_up(session, app, clock, ui).await?;
    }
    next(session, app, ui);
    Ok(Exit::DONE)
}

/// Tells whether the record says already what there is.
fn up_to_date(last: Option<&Release>, stack: &Stack<Aws>, plan: &Plan) -> bool {
    let mut ids = stack.resources.iter().map(|node| node.id().to_string());
    let Some(last) = last.filter(|last| last.state == ReleaseState::Done) else { return false };
    last.reads == plan.reads && ids.all(|id| last.deployed.contains(&id))
}

fn stopped(done: &str, name: &str, ui: &Ui) -> Problem {
    Problem::new(format!("stopped: {done} were made, and not read again"))
        .hint(format!("`{} up {name}` reads everything again", ui.program()))
}

fn unsettled_yet(step: &Step) -> String {
    let paths: Vec<&str> = step.changes.iter().map(|change| change.path.as_str()).collect();
    let what = match &step.reason {
        Some(reason) => reason.clone(),
        None if paths.is_empty() => return format!("{} was made, and does not show yet", step.id),
        None => paths.join(", "),
    };
    format!(
        "{} is not as it was made: {what} (AWS may show it later, or somebody changed it meanwhile: \
         `drift` tells)",
        step.id
    )
}

/// Returns the binaries whose code has to be uploaded.
fn binaries(plan: &Plan, session: &Session) -> Vec<String> {
    let prefix = session.scope.prefix();
    let functions = plan.writes().filter(|step| step.kind == Function::KIND);
    let uploaded = functions.filter(|step| match step.action {
        Action::Create | Action::Recreate => true,
        Action::Update => {
            step.changes.iter().filter_map(field_of::<Function>).any(FunctionFieldName::is_uploaded)
        }
        // What is pruned has no sources any more.
        _ => false,
    });
    uploaded.filter_map(|step| step.name.strip_prefix(&prefix)).map(str::to_owned).collect()
}

/// Builds what the plan uploads, before the first write: code that does not compile, or a package
/// that Lambda does not take, must not leave code and infrastructure of two releases behind.
///
/// # Errors
/// Something cannot be built, the sources changed meanwhile, or a signal came. Nothing was changed.
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

/// Returns the digest of the package of each function of the stack as it will be: of what this run has
/// built, or of what is live.
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
    let repair = if failed { "repair what is named above and " } else { "" };
    Problem::new(format!("{done} of {all} changes were made"))
        .hint(format!("{repair}run `{} up {environment}` again: it goes on from there", ui.program()))
}

fn next(session: &Session, app: &App, ui: &Ui) {
    let words = app.try_next.replace("{env}", &session.environment.name);
    ui.say(&format!("next: {} {words}", ui.program()));
}
