//! The first steps of most commands: read the environment, connect, build the stack, read AWS, plan.
//!
//! `plan`, `drift` and `up` all use this module, so they cannot disagree.

mod check;
mod code;
mod orphans;

pub(crate) use code::uploads;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

use engine::plan::{Plan, Wishes, plan};
use engine::resource::Resource;
use engine::scope::Scope;
use engine::settle::rechecked;
use engine::stack::Stack;
use engine::survey::{Survey, survey};

use crate::app::App;
use crate::build::{BuildSettings, FunctionsPackage};
use crate::bundle::Sources;
use crate::environment::{Environment, Local};
use crate::exit::Problem;
use crate::global::Global;
use crate::local::{LocalCloud, LocalStatus};
use crate::render::Ui;
use crate::suggestion::known_words;
use aws::composites::Composites;
use aws::resources::existing::not_found;
use aws::resources::function::Function;
use aws::{Aws, CallLog, Caller, Credentials, Fingerprints, ReadOnly, Target, own_endpoint};

/// The longest time that a function can run ("Lambda quotas", Lambda developer guide), for functions that are
/// not in the stack.
const LONGEST_RUN: Duration = Duration::from_secs(900);

/// A connection to one environment.
pub(crate) struct Session {
    /// The content of its file.
    pub(crate) environment: Environment,
    /// Its names and tags.
    pub(crate) scope: Scope,
    /// The clients for its account and region.
    pub(crate) aws: Aws,
    /// The desired resources. [`Session::plan`] adds the fingerprints of the functions.
    pub(crate) stack: Stack<Aws>,
}

/// A plan, and everything that is needed to apply it.
pub(crate) struct Planned {
    /// The source of the functions.
    pub(crate) sources: Sources,
    /// The fingerprints of the functions that the plan was made with.
    pub(crate) fingerprints: Fingerprints,
    /// The live state that was read.
    pub(crate) survey: Survey,
    /// The steps from the live to the desired state.
    pub(crate) plan: Plan,
    /// The AWS identity that read it.
    pub(crate) caller: Caller,
}

/// The access that a command needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Access {
    /// The command only reads, and its connection allows nothing else.
    Reads,
    /// The command changes resources.
    Writes,
    /// The command changes resources, and starts a local cloud that is not running.
    Starts,
}

impl Session {
    /// Reads the environment's file and opens a read-only connection. Makes no call to AWS.
    ///
    /// # Errors
    /// Returns an error if the file is not valid or the local cloud is not running.
    pub(crate) async fn reading(name: &str, app: &App, global: &Global, ui: &Ui) -> Result<Self, Problem> {
        Self::open(name, app, global, Access::Reads, ui).await
    }

    /// Connects like [`Session::reading`], but also allows changes.
    ///
    /// # Errors
    /// See [`Session::reading`].
    pub(crate) async fn writing(name: &str, app: &App, global: &Global, ui: &Ui) -> Result<Self, Problem> {
        Self::open(name, app, global, Access::Writes, ui).await
    }

    /// Connects like [`Session::writing`], and starts a local cloud that is not running.
    ///
    /// # Errors
    /// Returns an error if the file is not valid or the local cloud does not start.
    pub(crate) async fn starting(name: &str, app: &App, global: &Global, ui: &Ui) -> Result<Self, Problem> {
        Self::open(name, app, global, Access::Starts, ui).await
    }

    async fn open(name: &str, app: &App, global: &Global, access: Access, ui: &Ui) -> Result<Self, Problem> {
        let environment = global.environment(name, app)?;
        let credentials = Credentials::Chain(environment.org.login());
        let stack = app.desired(&environment);
        let read_only = (access == Access::Reads).then(|| ReadOnly::also(stack.read_operations()));
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
            // The root credentials of the local cloud, which are no secret.
            target.credentials = Credentials::Fixed("test", "test");
        }
        let scope = environment.scope(app.stack_name);
        let aws = Aws::connect_checked(scope.clone(), &target).await?;
        Ok(Self { environment, scope, aws, stack })
    }

    /// Returns whether the environment is in a local cloud that is stopped, and has no resources then.
    ///
    /// # Errors
    /// Returns an error if the file is not valid, or if the local cloud cannot be looked for.
    pub(crate) async fn has_stopped_cloud(name: &str, app: &App, global: &Global) -> Result<bool, Problem> {
        let environment = global.environment(name, app)?;
        match &environment.local {
            Some(settings) if own_endpoint().is_none() => {
                let cloud = local_cloud(settings, global.folder())?;
                Ok(matches!(cloud.status().await?, LocalStatus::Stopped))
            }
            _ => Ok(false),
        }
    }

    /// Returns the full names of the stack's functions.
    pub(crate) fn functions(&self) -> Vec<String> {
        self.stack.neighbours().names(Function::KIND).collect()
    }

    /// Returns how long the function with this full name may run, according to the stack.
    pub(crate) fn runs_at_most(&self, function: &str) -> Duration {
        self.stack.neighbours().get(function).map_or(LONGEST_RUN, Function::timeout)
    }

    /// Returns the full name of a function, given with or without the environment's prefix.
    ///
    /// # Errors
    /// Returns an error if the stack has no such function.
    pub(crate) fn function(&self, named: &str) -> Result<String, Problem> {
        let prefix = self.scope.prefix();
        let known = self.functions();
        let wanted = self.scope.name(named.strip_prefix(&prefix).unwrap_or(named));
        if known.contains(&wanted) {
            return Ok(wanted);
        }
        let known: Vec<&str> = known.iter().map(|name| name.strip_prefix(&prefix).unwrap_or(name)).collect();
        Err(Problem::usage(format!("`{named}` is not a function of this stack")).hint(known_words(
            named,
            "functions",
            &known,
        )))
    }

    /// Returns a stack without resources, for which every owned resource is an orphan. It has all kinds of
    /// this stack, including those defined outside these crates.
    pub(crate) fn empty_stack(&self) -> Stack<Aws> {
        Stack::new(self.scope.clone(), self.stack.kinds.clone())
    }

    /// Reads all resources, and concurrently checks that the account is the environment's. Also returns the
    /// caller.
    ///
    /// # Errors
    /// Returns an error if the credentials belong to another account.
    pub(crate) async fn look(&self, stack: &Stack<Aws>, ui: &Ui) -> Result<(Survey, Caller), Problem> {
        let _busy = ui.busy("reading resources");
        let looking = async { Ok(survey(stack, &self.aws).await) };
        // Credentials of another account, or no connection to AWS, end the reading at once.
        let (caller, survey) = futures::try_join!(self.aws.guard(), looking)?;
        Ok((survey, caller))
    }

    /// Reads all resources and plans the changes.
    ///
    /// # Errors
    /// Returns an error if AWS would reject the stack; see also [`Session::look`] and [`sources`].
    pub(crate) async fn plan(&mut self, app: &App, wishes: &Wishes, ui: &Ui) -> Result<Planned, Problem> {
        self.environment.check_method(own_endpoint().is_some())?;
        check::offline(&self.stack, &self.environment, app)?;
        // In a separate task: hashing would delay the processing of AWS's responses.
        let sources = tokio::spawn(sources(app.functions_package(), self.environment.build.clone()));
        let others = self.stack.existing();
        let others = not_found(&others, &self.aws);
        let (sources, looked, others) = futures::join!(sources, self.look(&self.stack, ui), others);
        let (sources, fingerprints) = sources.expect("the task is not cancelled and does not panic")?;
        check::binaries(&self.stack, &sources, ui)?;
        let (mut survey, caller) = looked?;
        check::others(others)?;
        if !wishes.prune {
            orphans::judge(&mut survey, &self.stack, &sources, &self.aws, &caller).await;
        }
        self.stack.fingerprint_functions(&fingerprints);
        let first = plan(&self.stack, &survey, wishes);
        let plan = rechecked(first, &self.stack, wishes, &mut survey, &self.aws).await;
        Ok(Planned { sources, fingerprints, survey, plan, caller })
    }
}

/// Returns the source of the functions and their fingerprints. Compiles nothing.
///
/// # Errors
/// Returns an error if the current folder is not in the cargo workspace of the functions, or if the bundle
/// has no functions with these settings.
async fn sources(
    functions: Option<FunctionsPackage>,
    settings: BuildSettings,
) -> Result<(Sources, Fingerprints), Problem> {
    let sources = Sources::open(functions).await?;
    let fingerprints = sources.fingerprints(&settings)?;
    Ok((sources, fingerprints))
}

/// Returns the local cloud of an environment, stored next to the folder of the environments.
pub(crate) fn local_cloud(settings: &Local, environments: &Path) -> Result<LocalCloud, Problem> {
    let port = u16::try_from(settings.port.get()).expect("the range of a port is checked when it is read");
    Ok(LocalCloud::new(local_dir(environments)?, port))
}

fn local_dir(environments: &Path) -> Result<PathBuf, Problem> {
    // A bundle contains its environment files, so there may be no such folder.
    let beside = environments.canonicalize().ok().and_then(|folder| Some(folder.parent()?.to_owned()));
    let beside = beside.map_or_else(std::env::current_dir, Ok);
    let beside = beside.map_err(|error| Problem::new(format!("cannot read the current folder: {error}")))?;
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
            .hint(format!("`{0} local stop {name}` ends it, `{0} up {name}` starts it again", ui.program()))),
            LocalStatus::Stopped => Err(Problem::new("the local cloud is not running")
                .hint(format!("`{} up {name}` starts it and deploys", ui.program()))),
            LocalStatus::PortInUse { holder } => {
                let port = settings.port.get();
                Err(Problem::new(format!("port {port} is in use by {holder}"))
                    .hint("choose another `port` in the environment file"))
            }
        },
    }
}

#[cfg(test)]
mod tests {
    use aws::resources::log_group::LogGroup;
    use aws::testing::{Script, body, fault};
    use engine::resource::{Kind, KindInfo};

    use super::*;
    use crate::environment::AppSettings;

    fn stack(environment: &Environment) -> Stack<Aws> {
        let scope = environment.scope("demo");
        let group = LogGroup::of_function(&scope, "f", 1);
        let outside = Kind { info: KindInfo::new("outside.kind"), ..Kind::of::<LogGroup>() };
        let mut stack = Stack::new(scope, vec![outside]);
        stack.add(group);
        stack
    }

    /// Otherwise `down` would leave its resources behind, and report that there are none.
    #[test]
    fn external_kind_is_known_to_down() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../environments");
        let environment =
            Environment::load(&folder, "dev", AppSettings::NONE).expect("a committed environment is valid");
        let scope = environment.scope("demo");
        let app = App::new("demo", stack);
        let stack = app.desired(&environment);
        let session = Session { environment, aws: Script::new().aws_of(scope.clone()), scope, stack };
        let empty = session.empty_stack();
        assert_eq!(
            (empty.resources.len(), empty.kinds.len()),
            (0, 2),
            "the kind of the deployment bucket is also known"
        );
        assert!(empty.kind("outside.kind").is_some());
    }

    /// Returns a script for an account that has nothing.
    fn empty_account() -> Script {
        let caller = "<GetCallerIdentityResponse><GetCallerIdentityResult>\
                      <Arn>arn:aws:iam::111111111111:user/me</Arn><Account>111111111111</Account>\
                      </GetCallerIdentityResult></GetCallerIdentityResponse>";
        let no_bucket = || fault(404, "NoSuchBucket", "The specified bucket does not exist");
        Script::new()
            .on("GetCallerIdentity", body(caller))
            .on("DescribeLogGroups", body("{}"))
            .on("ListBuckets", body("<ListAllMyBucketsResult/>"))
            .on("GetBucketTagging", no_bucket())
            .on("GetPublicAccessBlock", no_bucket())
            .on("GetBucketOwnershipControls", no_bucket())
            .on("GetBucketEncryption", no_bucket())
            .on("GetBucketVersioning", no_bucket())
            .on("GetBucketLifecycleConfiguration", no_bucket())
            .on("GetBucketPolicy", no_bucket())
            .on("GetBucketCors", no_bucket())
            .on("GetBucketNotificationConfiguration", no_bucket())
            .on("ListObjectsV2", no_bucket())
    }

    fn with_function(environment: &Environment) -> Stack<Aws> {
        let mut stack = stack(environment);
        stack.add(Function::new(&environment.scope("demo"), "f", "role", Vec::new()));
        stack
    }

    /// A package that does not exist shows whether cargo is asked: the tests run in a cargo workspace.
    #[tokio::test]
    async fn stack_without_functions_is_planned_without_cargo() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../environments");
        let planned = async |package, stack| {
            let environment = Environment::load(&folder, "dev", AppSettings::NONE)
                .expect("a committed environment is valid");
            let scope = environment.scope("demo");
            let app = App { package, ..App::new("demo", stack) };
            let stack = app.desired(&environment);
            let mut session =
                Session { environment, aws: empty_account().aws_of(scope.clone()), scope, stack };
            let planned = session.plan(&app, &Wishes::default(), &Ui::new()).await;
            planned.map(|planned| planned.plan.steps.len()).map_err(|problem| problem.message)
        };
        assert_eq!(planned(None, stack).await, Ok(2), "a log group and the deployment bucket");
        let asked = planned(Some("no-such-package"), stack).await.expect_err("there is no such package");
        assert!(asked.contains("no-such-package"), "{asked}");
        let forgotten = planned(None, with_function).await.expect_err("a function needs a package");
        assert_eq!(forgotten, "the stack `demo` has functions, but no cargo package of them");
    }
}
