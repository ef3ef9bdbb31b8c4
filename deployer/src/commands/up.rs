//! `deployer up`: makes it so.

use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use crate::app::{App, Global};
use crate::apply::{Failure, Report, apply};
use crate::aws::{Aws, Packages};
use crate::bundle::Sources;
use crate::exit::{Exit, Problem};
use crate::plan::{Action, Plan, Step, Verdict, plan};
use crate::render::{Format, Heading, Live, Ui, count, duration, plan_in};
use crate::resource::Resource;
use crate::resources::function::Function;
use crate::session::{LocalCloudIs, Planned, Session};
use crate::signal::stop_on_signal;
use crate::stack::Stack;
use crate::survey::{Survey, look_again};

/// How long AWS may take to show what it has accepted.
const SETTLING: Duration = Duration::from_secs(30);

/// Make the environment as the code says
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The environment: a file in the folder of environments
    environment: String,
    /// Do not ask
    #[arg(long, short)]
    yes: bool,
    /// Allow this resource to lose data; may be given several times
    #[arg(long, value_name = "ID")]
    allow: Vec<String>,
}

pub(crate) async fn run(args: Args, app: &App, global: &Global, ui: &Ui) -> Result<Exit, Problem> {
    let started = Instant::now();
    let mut session = Session::open(&args.environment, app, global, LocalCloudIs::Started, ui).await?;
    let Planned { sources, stack, survey, plan } = session.plan(app, ui).await?;
    check(&plan, &args.allow, &session)?;
    let heading = Heading { scope: &session.scope, drift: false };
    ui.say(&plan_in(Format::Human, &plan, heading));
    if plan.writes().next().is_none() {
        next(&session, app, ui);
        return Ok(Exit::DONE);
    }
    super::confirm(&session.environment, args.yes, "Do this?", ui)?;

    let binaries = binaries(&plan, &session);
    session.aws.packages = packages(sources, binaries, &session, ui);
    let stop = CancellationToken::new();
    let _signals = stop_on_signal(&stop, ui);
    let live = Live::new(ui);
    let (report, ()) = futures::join!(
        apply(&plan, &stack, &survey, &session.aws, &stop, move |event| live.show(event)),
        session.aws.packages.start(),
    );
    if !report.succeeded() {
        return Err(unfinished(&report, &args.environment, ui));
    }
    settle(&session, &stack, survey, &report, ui).await?;
    let done = count(report.outcomes.len(), "change");
    ui.say(&format!("\n{} is up: {done} in {}", args.environment, duration(started.elapsed())));
    next(&session, app, ui);
    Ok(Exit::DONE)
}

/// Stops before the first write when anything speaks against it.
fn check(plan: &Plan, allowed: &[String], session: &Session) -> Result<(), Problem> {
    let about = |step: &Step| match &step.reason {
        Some(reason) => format!("{}: {reason}", step.id),
        None => step.id.to_string(),
    };
    let known = |id: &&String| plan.steps.iter().any(|step| step.id.to_string() == **id);
    if let Some(unknown) = allowed.iter().find(|id| !known(id)) {
        return Err(Problem::usage(format!("--allow {unknown} names nothing in this environment"))
            .hint("an id is kind and name, as `plan` shows it"));
    }
    if plan.having(Verdict::Unknown).next().is_some() {
        return Err(Problem::new("not everything could be read, so nothing was changed")
            .details(plan.having(Verdict::Unknown).map(about))
            .exit(Verdict::Unknown));
    }
    if plan.having(Verdict::Foreign).next().is_some() {
        return Err(Problem::new("something has our names and is not ours, so nothing was changed")
            .details(plan.having(Verdict::Foreign).map(about))
            .hint(match &session.environment.local {
                Some(_) => "`deployer local reset` empties the local cloud",
                None => "deploy under another environment's name, or remove it if nobody needs it",
            })
            .exit(Verdict::Foreign));
    }
    let refused: Vec<&Step> = plan.steps.iter().filter(|step| step.action == Action::Refuse).collect();
    if !refused.is_empty() {
        return Err(Problem::new("some changes cannot be made, so nothing was changed")
            .details(refused.into_iter().map(about)));
    }
    // Nothing in a local cloud is worth keeping, and nobody is asked there.
    let guarded = session.environment.local.is_none();
    let losses = plan.losses().filter(|step| guarded && !allowed.contains(&step.id.to_string()));
    let losses: Vec<&Step> = losses.collect();
    if !losses.is_empty() {
        let allow: Vec<String> = losses.iter().map(|step| format!("--allow {}", step.id)).collect();
        return Err(Problem::new("some changes lose data, so nothing was changed")
            .details(losses.iter().map(|step| {
                let paths: Vec<&str> = step.changes.iter().map(|change| change.path.as_str()).collect();
                format!("{}: {}", step.id, paths.join(", "))
            }))
            .hint(format!("if that is meant, allow it by name: {}", allow.join(" "))));
    }
    Ok(())
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

/// Reads again what was changed, until AWS shows it or has taken long enough.
async fn settle(
    session: &Session,
    stack: &Stack<Aws>,
    mut survey: Survey,
    report: &Report,
    ui: &Ui,
) -> Result<(), Problem> {
    let done = report.done();
    let busy = ui.busy("reading again what was changed");
    let started = Instant::now();
    let mut delay = Duration::from_millis(250);
    loop {
        survey.seen.extend(look_again(stack, &done, &session.aws).await);
        let after = plan(&session.scope, &stack.described(), &survey);
        let unsettled = || after.steps.iter().filter(|step| done.contains(&step.id) && !clean(step));
        if unsettled().next().is_none() {
            return Ok(());
        }
        if started.elapsed() + delay > SETTLING {
            drop(busy);
            for step in unsettled() {
                let paths: Vec<&str> = step.changes.iter().map(|change| change.path.as_str()).collect();
                let what = step.reason.clone().unwrap_or_else(|| paths.join(", "));
                ui.warn(&format!(
                    "{} is not as it was made: {what} (AWS may show it later, or somebody changed it \
                     meanwhile: `drift` tells)",
                    step.id
                ));
            }
            return Ok(());
        }
        tokio::time::sleep(delay).await;
        delay = (delay * 2).min(Duration::from_secs(4));
    }
}

fn clean(step: &Step) -> bool {
    step.verdicts == [Verdict::InSync]
}

fn unfinished(report: &Report, environment: &str, ui: &Ui) -> Problem {
    let (all, done) = (report.outcomes.len(), report.done().len());
    let failed = report.outcomes.iter().any(|outcome| matches!(outcome.result, Err(Failure::Failed(_))));
    // Each failure was told when it happened.
    let repair = if failed { "repair what is named above and " } else { "" };
    Problem::new(format!("{done} of {all} changes were made"))
        .hint(format!("{repair}run `{} up {environment}` again: it goes on from there", ui.program()))
}

fn next(session: &Session, app: &App, ui: &Ui) {
    let words = app.try_next.replace("{env}", &session.environment.name);
    ui.say(&format!("next: {} {words}", ui.program()));
}
