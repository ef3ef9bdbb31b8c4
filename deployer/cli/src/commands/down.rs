//! `deployer down`: removes the resources that the environment owns, and reports them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use aws::{Aws, own_endpoint};
use engine::apply::apply;
use engine::plan::{Plan, Verdict, teardown};
use engine::release::{Release, ReleaseRecord, ReleaseState};
use engine::resource::{ResourceId, Tags};
use engine::retry::retried;
use engine::run::Run;
use engine::stack::Stack;
use engine::survey::{Survey, survey};
use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::exit::{Exit, Problem};
use crate::global::Global;
use crate::render::{
    Heading, LiveProgress, PlanFormat, Question, Ui, duration, failures, plan_in, unfinished,
};
use crate::session::Session;
use crate::signal::{stop_on_signal, within};

/// How often, and at which interval, `down` checks for resources that were created again. An invocation in
/// flight usually ends within a second.
const LOOKS: usize = 3;
const BETWEEN_LOOKS: Duration = Duration::from_millis(600);

/// Destroy an environment: remove all its resources, with their data
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The environment: the name of its file without .toml, such as dev
    environment: String,
    /// Do not ask for confirmation
    #[arg(long, short)]
    yes: bool,
    /// Repeat the name of a protected environment to confirm
    #[arg(long, value_name = "ENVIRONMENT")]
    confirm: Option<String>,
}

pub(crate) async fn run(args: Args, app: &App, global: &Global, ui: &Ui) -> Result<Exit, Problem> {
    let started = Instant::now();
    let name = args.environment.as_str();
    names_it_twice(&args)?;
    if Session::has_stopped_cloud(name, app, global).await? {
        ui.say("the local cloud is not running and holds nothing: there is nothing to remove");
        return Ok(Exit::DONE);
    }
    let session = Session::writing(name, app, global, ui).await?;
    let stack = session.empty_stack();
    let (mut survey, caller) = session.look(&stack, ui).await?;
    if let Some(error) = survey.unreadable.remove(&Aws::record_id(&session.scope)) {
        // The record is not necessary: the tags show which resources are owned.
        ui.warn(&format!("continuing without the release record: {error}"));
    }
    let plan = teardown(&stack, &survey);
    if plan.having(Verdict::Unknown).next().is_some() {
        let unread = plan.having(Verdict::Unknown);
        return Err(Problem::new("some resources could not be read, so nothing was removed")
            .details(unread.filter_map(|step| Some(format!("{}: {}", step.id, step.reason.as_ref()?))))
            .exit(Verdict::Unknown));
    }
    let stay = stays(&survey, &plan);
    if !stay.is_empty() {
        let behind = left_behind(&stay, name, ui);
        if plan.writes().next().is_none() {
            return Err(behind);
        }
        ui.warn(&behind.message);
    }
    if plan.writes().next().is_none() {
        ui.say(&format!("{name} owns nothing: there is nothing to remove"));
        return Ok(Exit::DONE);
    }
    ui.say(&plan_in(
        PlanFormat::Human,
        &plan,
        Heading { scope: &session.scope, question: Question::Plan, code: None },
    ));
    if let Some(text) = unfinished(survey.last_release()) {
        ui.warn(&text);
    }
    protect(&args, &session, ui)?;

    let run = match &survey.recorded {
        None => None,
        Some(last) => {
            // From this entry on, an absent resource is not drift, and a concurrent `up` detects this run.
            let entry = Run::entry(&plan, &survey, None, caller.arn);
            let entry = Release { state: ReleaseState::Removing, deployed: BTreeSet::new(), ..entry };
            Some(Run::begin(&session.aws, Some(last), entry).await?)
        }
    };
    let stop = CancellationToken::new();
    let _signals = stop_on_signal(&stop, ui);
    let live = LiveProgress::new(ui);
    // The bucket of the release record is deleted last, with the record.
    let all_else = Aws::kept_in(&session.scope).map_or_else(|| plan.clone(), |id| plan.without(&id));
    let report = apply(&all_else, &stack, &survey, &session.aws, &stop, move |event| live.show(event)).await;
    let again = format!("run `{} down {name}` again; it continues from there", ui.program());
    if !report.succeeded() {
        ui.say(&format!("\n{}", failures(&report)));
        let (done, all) = (report.done().len(), report.outcomes.len());
        return Err(Problem::new(format!("{done} of {all} resources were removed")).hint(again));
    }
    if !stay.is_empty() {
        // The record stays too: `up` needs it to recognise these resources.
        return Err(left_behind(&stay, name, ui));
    }
    match within(&stop, finish(&session, &stack, &plan, run.as_ref())).await {
        Some(finished) => finished?,
        None => return Err(Problem::new("stopped before the check for resources created again").hint(again)),
    }
    ui.say(&format!("\n{name} is down: removed {} in {}", kinds(&plan), duration(started.elapsed())));
    if session.environment.local.is_some() && own_endpoint().is_none() {
        ui.say(&format!("the local cloud keeps running: `{} local stop {name}` ends it", ui.program()));
    }
    Ok(Exit::DONE)
}

/// Returns the error for resources that stay, with a hint how to remove them.
fn left_behind(stay: &[String], environment: &str, ui: &Ui) -> Problem {
    let message = match stay {
        [one] => {
            format!("{one} was deployed here but has lost this environment's tags, so it was not removed")
        }
        many => format!(
            "{} resources were deployed here but have lost this environment's tags, so they were not removed",
            many.len()
        ),
    };
    let hint = format!(
        "run `{0} up {environment}` to restore the tags, then `{0} down {environment}` again; delete a \
         resource that others created under this name by hand",
        ui.program()
    );
    Problem::new(message).details(stay.iter().cloned()).hint(hint)
}

/// Returns the resources of the release record that `down` keeps: without tags, they cannot be distinguished
/// from unmanaged resources of the same names.
fn stays(survey: &Survey, plan: &Plan) -> Vec<String> {
    let goes: BTreeSet<&ResourceId> = plan.steps.iter().map(|step| &step.id).collect();
    let known = survey.last_release().map(|last| &last.identities);
    let known = move |id: &ResourceId| known.is_some_and(|known| known.contains_key(&id.to_string()));
    survey.strays.keys().filter(|id| known(id) && !goes.contains(id)).map(ToString::to_string).collect()
}

/// Checks for resources that were created again, and deletes the release record if there are none.
///
/// # Errors
/// Fails if another run creates resources in this environment.
async fn finish(
    session: &Session,
    empty: &Stack<Aws>,
    plan: &Plan,
    run: Option<&Run>,
) -> Result<(), Problem> {
    let left = remove_what_came_back(session, empty, plan).await?;
    if let Some((id, error)) = left.unreadable.iter().next() {
        let unknown = format!(
            "everything was removed, but cannot check whether resources were created again: {id}: {error}"
        );
        return Err(Problem::new(unknown).hint("run `down` again to check"));
    }
    let last = left.last_release();
    let ours = match run {
        Some(run) => run.is_last(left.recorded.as_ref()),
        None => last.is_none(),
    };
    let kept_in = Aws::kept_in(&session.scope);
    let there: Vec<String> = left
        .strays
        .iter()
        .filter(|(id, tags)| session.scope.owns(tags) && Some(*id) != kept_in.as_ref())
        .map(|(id, _)| id.to_string())
        .collect();
    if ours && there.is_empty() {
        let goes = plan.writes().any(|step| Some(&step.id) == kept_in.as_ref());
        return if goes { Ok(retried(async || session.aws.forget_releases().await).await?) } else { Ok(()) };
    }
    let by = last.filter(|_| !ours).map(|last| format!(" by {}", last.by)).unwrap_or_default();
    Err(Problem::new(format!(
        "another run{by} is creating resources here: what existed before was removed, and what that run created was kept"
    ))
    .details(there)
    .hint("wait for that run to end, then run `down` again to remove the rest"))
}

/// Removes resources that an invocation in flight created again, such as its function's log group: they have
/// no tags, and the name of a resource that this run removed. Returns the survey after that.
async fn remove_what_came_back(
    session: &Session,
    empty: &Stack<Aws>,
    plan: &Plan,
) -> Result<Survey, Problem> {
    let removed: BTreeSet<ResourceId> = plan.writes().map(|step| step.id.clone()).collect();
    let mut looks = 0;
    loop {
        tokio::time::sleep(BETWEEN_LOOKS).await;
        let found = survey(empty, &session.aws).await;
        looks += 1;
        if looks == LOOKS {
            return Ok(found);
        }
        let came_back = |(id, tags): &(&ResourceId, &Tags)| removed.contains(id) && tags.is_empty();
        for (id, _) in found.strays.iter().filter(came_back) {
            let kind = empty.kind(id.kind()).expect("the kind of a removed resource is known");
            retried(async || (kind.delete)(id.name(), &session.aws).await).await?;
        }
    }
}

/// Returns an error if `--confirm` names another environment.
fn names_it_twice(Args { environment: name, confirm, .. }: &Args) -> Result<(), Problem> {
    if let Some(typed) = confirm.as_ref().filter(|typed| *typed != name) {
        return Err(Problem::usage(format!(
            "`--confirm {typed}` does not match environment `{name}`, so nothing was removed"
        ))
        .hint("pass the same environment name twice"));
    }
    Ok(())
}

/// Asks for confirmation. A protected environment needs its name, even with `--yes`.
fn protect(args: &Args, session: &Session, ui: &Ui) -> Result<(), Problem> {
    let name = &session.environment.name;
    if !session.environment.protect {
        return super::confirm(&session.environment, args.yes, "Remove all of this, with its data?", ui);
    }
    let typed = match &args.confirm {
        Some(typed) => typed.clone(),
        None if ui.can_ask() => {
            ui.ask(&format!("`{name}` is protected. Type its name to remove all of this, with its data:"))
        }
        None => String::new(),
    };
    if typed == *name {
        return Ok(());
    }
    Err(Problem::usage(format!("environment `{name}` is protected, so nothing was removed"))
        .hint(format!("to remove it anyway, add --confirm {name}")))
}

/// Returns the number of removed resources of each kind: `7 lambda.function`.
fn kinds(plan: &Plan) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for step in plan.writes() {
        *counts.entry(step.kind).or_default() += 1;
    }
    counts.iter().map(|(kind, number)| format!("{number} {kind}")).collect::<Vec<_>>().join(", ")
}
