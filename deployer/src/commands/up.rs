//! `deployer up`: makes it so.

mod check;

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use self::check::check;
use crate::app::{App, Global};
use crate::apply::{Failure, Report, apply};
use crate::aws::{Aws, Packages};
use crate::bundle::Sources;
use crate::exit::{Exit, Problem};
use crate::plan::{Action, Plan, Step, Verdict, Wishes};
use crate::release::{Release, Run, State};
use crate::render::{Format, Heading, Live, Ui, count, duration, failures, plan_in};
use crate::resource::Resource;
use crate::resources::function::Function;
use crate::session::{Access, LocalCloudIs, Planned, Session};
use crate::settle::settle;
use crate::signal::stop_on_signal;
use crate::stack::Stack;

/// How long the last word in the release record may take once the run is stopped.
const LAST_WORD: Duration = Duration::from_secs(2);

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
}

pub(crate) async fn run(args: Args, app: &App, global: &Global, ui: &Ui) -> Result<Exit, Problem> {
    let started = Instant::now();
    let wishes = Wishes {
        adopt: args.adopt.into_iter().collect(),
        prune: args.prune,
        allow: args.allow.into_iter().collect(),
    };
    let name = args.environment.as_str();
    let mut session = Session::open(name, app, global, LocalCloudIs::Started, Access::Writes, ui).await?;
    let Planned { sources, stack, mut survey, plan, caller } = session.plan(app, &wishes, ui).await?;
    check(&plan, &wishes, &session)?;
    ui.say(&plan_in(Format::Human, &plan, Heading { scope: &session.scope, drift: false }));
    let deployed = deployed(&stack);
    let written =
        survey.last_release().is_some_and(|last| last.state == State::Done && last.deployed == deployed);
    if plan.writes().next().is_none() && written {
        next(&session, app, ui);
        return Ok(Exit::DONE);
    }
    if plan.writes().next().is_some() {
        super::confirm(&session.environment, args.yes, "Do this?", ui)?;
        warn_of_others(survey.last_release(), ui);
    }

    let binaries = binaries(&plan, &session);
    let entry = Run::entry(&plan, survey.last_release(), sources.release().await, caller);
    let run = Run::begin(&session.aws, survey.recorded.as_ref(), entry).await?;
    session.aws.packages = packages(sources, binaries, &session, ui);
    let stop = CancellationToken::new();
    let _signals = stop_on_signal(&stop, ui);
    let live = Live::new(ui);
    let building = tokio::spawn(drive(session.aws.packages.clone()));
    let report = apply(&plan, &stack, &survey, &session.aws, &stop, move |event| live.show(event)).await;
    // Whatever compiler is still at work is ended with it.
    building.abort();
    session.aws.packages = Packages::none();
    if !report.succeeded() {
        // Who is in a hurry to leave does not wait for the record: it says "begun" then.
        let there = there_now(survey.last_release(), &report);
        let _ = tokio::time::timeout(LAST_WORD, run.end(&session.aws, State::Failed, there)).await;
        return Err(unfinished(&report, name, ui));
    }
    let reading = ui.busy("reading again what was changed");
    let unsettled = settle(&stack, &wishes, &mut survey, report.done(), &session.aws, &stop).await;
    drop(reading);
    for step in &unsettled {
        ui.warn(&unsettled_yet(step));
    }
    if let Some(other) = run.end(&session.aws, State::Done, deployed).await? {
        met(&other, &session, app, &wishes, ui).await?;
    }
    let done = count(report.outcomes.len(), "change");
    ui.say(&format!("\n{name} is up: {done} in {}", duration(started.elapsed())));
    next(&session, app, ui);
    Ok(Exit::DONE)
}

/// Returns the ids of what there is when everything is as the stack says.
fn deployed(stack: &Stack<Aws>) -> BTreeSet<String> {
    stack.resources.iter().map(|node| node.id().to_string()).collect()
}

/// Returns the ids of what there is after a run that did not come to its end, as far as it knows.
fn there_now(last: Option<&Release>, report: &Report) -> BTreeSet<String> {
    let mut there = last.map(|last| last.deployed.clone()).unwrap_or_default();
    for outcome in report.outcomes.iter().filter(|outcome| outcome.result.is_ok()) {
        match outcome.action {
            Action::Delete => there.remove(&outcome.id.to_string()),
            _ => there.insert(outcome.id.to_string()),
        };
    }
    there
}

/// Says when somebody else may be at work here.
fn warn_of_others(last: Option<&Release>, ui: &Ui) {
    match last {
        Some(Release { state: State::Begun, by, .. }) => {
            ui.warn(&format!(
                "the last `up`, by {by}, did not say that it ended: it was cut short, or is at work"
            ));
        }
        Some(Release { state: State::Removing, by, .. }) => {
            ui.warn(&format!(
                "the last `down`, by {by}, did not say that it ended: it was cut short, or is at work"
            ));
        }
        _ => {}
    }
}

/// Looks at everything once more, because somebody else changed things at the same time.
///
/// # Errors
/// It is not what this run made of it.
async fn met(other: &Release, session: &Session, app: &App, wishes: &Wishes, ui: &Ui) -> Result<(), Problem> {
    let Planned { plan, .. } = session.plan(app, wishes, ui).await?;
    let by = &other.by;
    if plan.steps.iter().all(|step| [Verdict::InSync, Verdict::Orphan].contains(&step.verdicts[0])) {
        ui.warn(&format!("another run, by {by}, was at work meanwhile; everything is as this one wanted it"));
        return Ok(());
    }
    let different = plan.steps.iter().filter(|step| step.verdicts != [Verdict::InSync]);
    let name = &session.environment.name;
    Err(Problem::new(format!(
        "another run, by {by}, was at work meanwhile, and not everything is as this one wanted it"
    ))
    .details(different.map(|step| step.id.to_string()))
    .hint(format!("agree on who deploys, then run `{} up {name}` again", ui.program())))
}

fn unsettled_yet(step: &Step) -> String {
    let paths: Vec<&str> = step.changes.iter().map(|change| change.path.as_str()).collect();
    let what = step.reason.clone().unwrap_or_else(|| paths.join(", "));
    format!(
        "{} is not as it was made: {what} (AWS may show it later, or somebody changed it meanwhile: \
         `drift` tells)",
        step.id
    )
}

/// Drives the build to its end, so that it overlaps with everything else.
async fn drive(packages: Packages) {
    packages.start().await;
}

/// Returns the binaries whose code has to be uploaded.
fn binaries(plan: &Plan, session: &Session) -> Vec<String> {
    let prefix = session.scope.prefix();
    let functions = plan.writes().filter(|step| step.kind == Function::KIND);
    let uploaded = functions.filter(|step| {
        step.action != Action::Update || step.changes.iter().any(|change| change.path.starts_with("code."))
    });
    uploaded.filter_map(|step| step.name.strip_prefix(&prefix)).map(str::to_owned).collect()
}

fn packages(sources: Sources, binaries: Vec<String>, session: &Session, ui: &Ui) -> Packages {
    if binaries.is_empty() {
        return Packages::none();
    }
    let settings = session.environment.build.clone();
    let ui = ui.clone();
    Packages::from_build(async move {
        let busy = ui.busy("building functions");
        sources.build(&binaries, &settings, &|event| busy.build(&event)).await
    })
}

fn unfinished(report: &Report, environment: &str, ui: &Ui) -> Problem {
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
