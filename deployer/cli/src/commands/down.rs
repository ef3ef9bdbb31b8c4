//! `deployer down`: removes what the environment owns, and says what that was.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use aws::Aws;
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

/// How often `down` looks whether something came back, and after how long each time. An
/// invocation in flight ends within a second as a rule.
const LOOKS: usize = 3;
const BETWEEN_LOOKS: Duration = Duration::from_millis(600);

/// Remove everything that the environment owns, with its data
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The environment: the name of its file without .toml, such as dev
    environment: String,
    /// Do not ask
    #[arg(long, short)]
    yes: bool,
    /// The name of a protected environment, typed once more
    #[arg(long, value_name = "ENVIRONMENT")]
    confirm: Option<String>,
}

pub(crate) async fn run(args: Args, app: &App, global: &Global, ui: &Ui) -> Result<Exit, Problem> {
    let started = Instant::now();
    let name = args.environment.as_str();
    let session = Session::writing(name, app, global, ui).await?;
    let stack = session.empty_stack();
    let (mut survey, caller) = session.look(&stack, ui).await?;
    if let Some(error) = survey.unreadable.remove(&Aws::record_id(&session.scope)) {
        // Evidence is good to have; what goes is told by its tags.
        ui.warn(&format!("going on without the release record: {error}"));
    }
    let plan = teardown(&stack, &survey);
    if plan.having(Verdict::Unknown).next().is_some() {
        let unread = plan.having(Verdict::Unknown);
        return Err(Problem::new("not everything could be read, so nothing was removed")
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
    ui.say(&plan_in(PlanFormat::Human, &plan, Heading { scope: &session.scope, question: Question::Plan }));
    if let Some(text) = unfinished(survey.last_release()) {
        ui.warn(&text);
    }
    protect(&args, &session, ui)?;

    let run = match &survey.recorded {
        None => None,
        Some(last) => {
            // From now on, what is absent is no drift; and an `up` at work meanwhile hears of it.
            let entry = Run::entry(&plan, &survey, None, caller.arn);
            let entry = Release { state: ReleaseState::Removing, deployed: BTreeSet::new(), ..entry };
            Some(Run::begin(&session.aws, Some(last), entry).await?)
        }
    };
    let stop = CancellationToken::new();
    let _signals = stop_on_signal(&stop, ui);
    let live = LiveProgress::new(ui);
    // What the record is kept in goes with it, when all else is gone.
    let all_else = Aws::kept_in(&session.scope).map_or_else(|| plan.clone(), |id| plan.without(&id));
    let report = apply(&all_else, &stack, &survey, &session.aws, &stop, move |event| live.show(event)).await;
    let again = format!("run `{} down {name}` again: it goes on from there", ui.program());
    if !report.succeeded() {
        ui.say(&format!("\n{}", failures(&report)));
        let (done, all) = (report.done().len(), report.outcomes.len());
        return Err(Problem::new(format!("{done} of {all} resources were removed")).hint(again));
    }
    if !stay.is_empty() {
        // With the record, by which `up` knows them.
        return Err(left_behind(&stay, name, ui));
    }
    match within(&stop, finish(&session, &stack, &plan, run.as_ref())).await {
        Some(finished) => finished?,
        None => return Err(Problem::new("stopped before the last look at what came back").hint(again)),
    }
    ui.say(&format!("\n{name} is down: removed {} in {}", kinds(&plan), duration(started.elapsed())));
    Ok(Exit::DONE)
}

/// Says what stays behind, and how it goes.
fn left_behind(stay: &[String], environment: &str, ui: &Ui) -> Problem {
    let message = match stay {
        [one] => format!("{one} was deployed here, and its tags do not say so any more, so it stays"),
        many => format!(
            "{} things were deployed here, and their tags do not say so any more, so they stay",
            many.len()
        ),
    };
    let hint = format!(
        "`{0} up {environment}` puts the tags back of what is the same thing, then run `{0} down {environment}` \
         again; what others made under the name is theirs to remove",
        ui.program()
    );
    Problem::new(message).details(stay.iter().cloned()).hint(hint)
}

/// Returns what the record knows and `down` leaves: without our tags, a listing does not tell it from what others
/// made under its name.
fn stays(survey: &Survey, plan: &Plan) -> Vec<String> {
    let goes: BTreeSet<&ResourceId> = plan.steps.iter().map(|step| &step.id).collect();
    let known = survey.last_release().map(|last| &last.identities);
    let known = move |id: &ResourceId| known.is_some_and(|known| known.contains_key(&id.to_string()));
    survey.strays.keys().filter(|id| known(id) && !goes.contains(id)).map(ToString::to_string).collect()
}

/// Looks whether something came back, and forgets the record when nothing did.
///
/// # Errors
/// Somebody else makes things here.
async fn finish(
    session: &Session,
    empty: &Stack<Aws>,
    plan: &Plan,
    run: Option<&Run>,
) -> Result<(), Problem> {
    let left = remove_what_came_back(session, empty, plan).await?;
    if let Some((id, error)) = left.unreadable.iter().next() {
        let unknown =
            format!("everything was removed, and whether something came back is not known: {id}: {error}");
        return Err(Problem::new(unknown).hint("run `down` again: it looks once more"));
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
    let by = last.filter(|_| !ours).map(|last| format!(", by {},", last.by)).unwrap_or_default();
    Err(Problem::new(format!(
        "another run{by} makes things here: what was there is removed, not what it made"
    ))
    .details(there)
    .hint("agree on who deploys; then run `down` again if everything is to go"))
}

/// Removes again what an invocation that outlived its function made anew, such as its log
/// group: it has no tags, and the name of something that this very run has removed as ours.
/// Returns what is there after that.
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
            let kind = empty.kind(id.kind()).expect("what was removed is of a kind that is known");
            retried(async || (kind.delete)(id.name(), &session.aws).await).await?;
        }
    }
}

/// A protected environment wants its name typed, whatever else was said.
fn protect(args: &Args, session: &Session, ui: &Ui) -> Result<(), Problem> {
    let name = &session.environment.name;
    if let Some(typed) = args.confirm.as_ref().filter(|typed| *typed != name) {
        return Err(Problem::usage(format!("--confirm {typed} is not `{name}`, so nothing was removed"))
            .hint("which of the two is meant?"));
    }
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
    Err(Problem::usage(format!("`{name}` is protected, so nothing was removed"))
        .hint(format!("if that is meant: --confirm {name}")))
}

/// Counts what was of each kind: `7 lambda.function`.
fn kinds(plan: &Plan) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for step in plan.writes() {
        *counts.entry(step.kind).or_default() += 1;
    }
    counts.iter().map(|(kind, number)| format!("{number} {kind}")).collect::<Vec<_>>().join(", ")
}
