//! What most commands begin with: the environment, a connection, the stack, a look, a plan.
//!
//! `plan`, `drift` and `up` all come through here, so they cannot disagree.

mod orphans;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

use engine::plan::{Plan, Wishes, plan};
use engine::resource::Resource;
use engine::scope::Scope;
use engine::settle::reconsidered;
use engine::stack::Stack;
use engine::survey::{Survey, survey};

use crate::app::App;
use crate::build::BuildSettings;
use crate::bundle::Sources;
use crate::environment::{Environment, Local};
use crate::exit::Problem;
use crate::global::Global;
use crate::local::{LocalCloud, LocalStatus};
use crate::render::Ui;
use aws::composites::Composites;
use aws::resources::function::Function;
use aws::{Aws, CallLog, Caller, Credentials, Fingerprints, ReadOnly, Target, own_endpoint};

/// How long a function may run at most that the stack does not have ("Lambda quotas", Lambda
/// developer guide).
const LONGEST_RUN: Duration = Duration::from_secs(900);

/// An environment that we are connected to.
pub(crate) struct Session {
    /// What its file says.
    pub(crate) environment: Environment,
    /// Its names and tags.
    pub(crate) scope: Scope,
    /// Its account and region.
    pub(crate) aws: Aws,
    /// What is desired; what the functions are made of, [`Session::plan`] finds out.
    pub(crate) stack: Stack<Aws>,
}

/// What is to be done, and all that doing it takes.
pub(crate) struct Planned {
    /// Where the functions come from.
    pub(crate) sources: Sources,
    /// What they are made of, as the plan has it.
    pub(crate) fingerprints: Fingerprints,
    /// What was seen.
    pub(crate) survey: Survey,
    /// The steps from one to the other.
    pub(crate) plan: Plan,
    /// Who looked.
    pub(crate) caller: Caller,
}

/// What a command does with what it is connected to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Access {
    /// It looks, and could do nothing else.
    Reads,
    /// It changes things.
    Writes,
    /// It changes things, and starts a local cloud that is not running.
    Starts,
}

impl Session {
    /// Reads the environment's file and connects, to look and to do nothing else. Makes no
    /// call to AWS.
    ///
    /// # Errors
    /// The file is wrong, or the local cloud is not there.
    pub(crate) async fn reading(name: &str, app: &App, global: &Global, ui: &Ui) -> Result<Self, Problem> {
        Self::open(name, app, global, Access::Reads, ui).await
    }

    /// Connects like [`Session::reading`], to change things as well.
    ///
    /// # Errors
    /// Those of [`Session::reading`].
    pub(crate) async fn writing(name: &str, app: &App, global: &Global, ui: &Ui) -> Result<Self, Problem> {
        Self::open(name, app, global, Access::Writes, ui).await
    }

    /// Connects like [`Session::writing`], and starts a local cloud that is not running.
    ///
    /// # Errors
    /// The file is wrong, or the local cloud does not start.
    pub(crate) async fn starting(name: &str, app: &App, global: &Global, ui: &Ui) -> Result<Self, Problem> {
        Self::open(name, app, global, Access::Starts, ui).await
    }

    async fn open(name: &str, app: &App, global: &Global, access: Access, ui: &Ui) -> Result<Self, Problem> {
        let environment = global.environment(name)?;
        let credentials = Credentials::Chain(environment.org.login());
        let stack = app.desired(&environment);
        let read_only = (access == Access::Reads).then(|| ReadOnly::besides(stack.looks_by()));
        let mut target = Target { endpoint: None, credentials, call_log: None, read_only };
        if let Some(path) = &global.record_calls {
            let file = File::create(path)
                .map_err(|error| Problem::usage(format!("cannot write {}: {error}", path.display())))?;
            target.call_log = Some(CallLog::to(file));
        }
        if let Some(settings) = &environment.local
            && own_endpoint().is_none()
        {
            target.endpoint = Some(endpoint(settings, name, global.folder(), access, ui).await?);
            // The local cloud's root, which protects nothing.
            target.credentials = Credentials::Fixed("test", "test");
        }
        let scope = environment.scope(app.stack_name);
        let aws = Aws::connect_checked(scope.clone(), &target).await?;
        Ok(Self { environment, scope, aws, stack })
    }

    /// Returns the full names of the stack's functions.
    pub(crate) fn functions(&self) -> Vec<String> {
        self.stack.neighbours().names(Function::KIND).collect()
    }

    /// Returns how long the function of this full name may run, as the stack says.
    pub(crate) fn runs_at_most(&self, function: &str) -> Duration {
        self.stack.neighbours().get(function).map_or(LONGEST_RUN, Function::timeout)
    }

    /// Returns the full name of a function, given with or without the environment's prefix.
    ///
    /// # Errors
    /// The stack has no such function.
    pub(crate) fn function(&self, named: &str) -> Result<String, Problem> {
        let prefix = self.scope.prefix();
        let known = self.functions();
        let wanted = self.scope.name(named.strip_prefix(&prefix).unwrap_or(named));
        if known.contains(&wanted) {
            return Ok(wanted);
        }
        let known: Vec<&str> = known.iter().map(|name| name.strip_prefix(&prefix).unwrap_or(name)).collect();
        Err(Problem::usage(format!("there is no function `{named}`"))
            .hint(format!("there are {}", known.join(", "))))
    }

    /// Returns a stack without resources, to which everything of ours is a stray: of all kinds that the
    /// stack knows, those from outside these crates among them.
    pub(crate) fn empty_stack(&self) -> Stack<Aws> {
        Stack::new(self.scope.clone(), self.stack.kinds.clone())
    }

    /// Looks at everything, and checks meanwhile whose account it is. Returns also who
    /// calls.
    ///
    /// # Errors
    /// The credentials are not of the environment's account.
    pub(crate) async fn look(&self, stack: &Stack<Aws>, ui: &Ui) -> Result<(Survey, Caller), Problem> {
        let _busy = ui.busy("looking");
        let looking = async { Ok(survey(stack, &self.aws).await) };
        // Credentials of another account, or no way to reach AWS, end the look at once.
        let (caller, survey) = futures::try_join!(self.aws.guard(), looking)?;
        Ok((survey, caller))
    }

    /// Looks, compares and decides.
    ///
    /// # Errors
    /// The stack is not one that AWS would take; see also [`Session::look`] and [`sources`].
    pub(crate) async fn plan(&mut self, app: &App, wishes: &Wishes, ui: &Ui) -> Result<Planned, Problem> {
        self.environment.check_method(own_endpoint().is_some())?;
        check(&self.stack, &self.environment.name)?;
        // On a thread of its own: hashing would keep the answers of AWS waiting.
        let sources = tokio::spawn(sources(app.package, self.environment.build.clone()));
        let (sources, looked) = futures::join!(sources, self.look(&self.stack, ui));
        let (sources, fingerprints) = sources.expect("nobody cancels it, and it does not panic")?;
        let (mut survey, caller) = looked?;
        if !wishes.prune {
            orphans::judge(&mut survey, &self.stack, &sources, &self.aws, &caller).await;
        }
        self.stack.fingerprint_functions(&fingerprints);
        let first = plan(&self.stack, &survey, wishes);
        let plan = reconsidered(first, &self.stack, wishes, &mut survey, &self.aws).await;
        Ok(Planned { sources, fingerprints, survey, plan, caller })
    }
}

/// Refuses a stack that AWS would not take, as far as that can be told without asking it.
fn check(stack: &Stack<Aws>, environment: &str) -> Result<(), Problem> {
    let mistakes = stack.mistakes();
    if mistakes.is_empty() {
        return Ok(());
    }
    let told = mistakes.into_iter().map(|(id, mistake)| format!("{id}: {mistake}"));
    Err(Problem::usage(format!("the stack of `{environment}` has mistakes, so nothing was looked at"))
        .details(told)
        .hint("correct the stack, or the numbers in the environment file"))
}

/// Returns where the functions come from, and their fingerprints. Compiles nothing.
///
/// # Errors
/// This is no cargo workspace, or not one with the functions; or the bundle has none for this.
async fn sources(package: &str, settings: BuildSettings) -> Result<(Sources, Fingerprints), Problem> {
    let sources = Sources::open(package).await?;
    let fingerprints = sources.fingerprints(&settings)?;
    Ok((sources, fingerprints))
}

/// Returns the local cloud of an environment, kept beside the folder of the environments.
pub(crate) fn local_cloud(settings: &Local, environments: &Path) -> Result<LocalCloud, Problem> {
    let port = u16::try_from(settings.port.get()).expect("the range of a port is checked when it is read");
    Ok(LocalCloud::new(local_dir(environments)?, port))
}

fn local_dir(environments: &Path) -> Result<PathBuf, Problem> {
    // A bundle has its environments with it, and then there is no folder of them.
    let beside = environments.canonicalize().ok().and_then(|folder| Some(folder.parent()?.to_owned()));
    let beside = beside.map_or_else(std::env::current_dir, Ok);
    let beside =
        beside.map_err(|error| Problem::new(format!("cannot tell which folder this is: {error}")))?;
    Ok(beside.join(".deployer"))
}

async fn endpoint(
    settings: &Local,
    name: &str,
    environments: &Path,
    access: Access,
    ui: &Ui,
) -> Result<String, Problem> {
    let cloud = local_cloud(settings, environments)?;
    match access {
        Access::Starts => {
            let busy = ui.busy("starting the local cloud");
            let running = cloud.start(&|event| busy.local(&event)).await?;
            Ok(running.endpoint)
        }
        Access::Reads | Access::Writes => match cloud.status().await? {
            LocalStatus::Running(running) => Ok(running.endpoint),
            LocalStatus::Silent { pid } => Err(Problem::new(format!(
                "the local cloud (pid {pid}) does not answer"
            ))
            .hint(format!("`{0} local stop {name}` ends it, `{0} up {name}` starts it anew", ui.program()))),
            LocalStatus::Stopped => Err(Problem::new("the local cloud is not running")
                .hint(format!("`{} up {name}` starts it and deploys", ui.program()))),
            LocalStatus::Foreign { holder } => {
                let port = settings.port.get();
                Err(Problem::new(format!("port {port} is held by something else: {holder}"))
                    .hint("choose another `port` in the environment file"))
            }
        },
    }
}

#[cfg(test)]
mod tests {
    use aws::resources::log_group::LogGroup;
    use aws::testing::Script;
    use engine::resource::{Kind, KindInfo};

    use super::*;

    fn stack(environment: &Environment) -> Stack<Aws> {
        let scope = environment.scope("demo");
        let group = LogGroup::of_function(&scope, "f", 1);
        let outside = Kind { info: KindInfo::new("outside.kind"), ..Kind::of::<LogGroup>() };
        let mut stack = Stack::new(scope, vec![outside]);
        stack.add(group);
        stack
    }

    /// Otherwise `down` would leave its things behind, and say that there are none.
    #[test]
    fn external_kind_is_known_to_down() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../environments");
        let environment = Environment::load(&folder, "dev").expect("a committed environment is right");
        let scope = environment.scope("demo");
        let app = App { stack_name: "demo", package: "functions", stack, try_next: "", pipeline: None };
        let stack = app.desired(&environment);
        let session = Session { environment, aws: Script::new().aws_of(scope.clone()), scope, stack };
        let empty = session.empty_stack();
        assert_eq!(
            (empty.resources.len(), empty.kinds.len()),
            (0, 2),
            "that of the deployment bucket as well"
        );
        assert!(empty.kind("outside.kind").is_some());
    }
}
