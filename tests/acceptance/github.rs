//! The action for GitHub workflows: how its script maps exit codes, and where it reports. GitHub is replaced
//! by `github/gh` in this folder, a program that stores issues and comments in a folder.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use acceptance::{Cloud, Place, Run, until};

use crate::Test;

pub(crate) const TESTS: &[Test] = &[
    ("github_shows_plans_drift_and_deployments", github_shows_plans_drift_and_deployments),
    ("github_job_failure_is_reported_and_issues_stay", github_job_failure_is_reported_and_issues_stay),
    ("github_cancels_a_deployment_in_order", github_cancels_a_deployment_in_order),
    ("github_report_is_cut_to_its_limit", github_report_is_cut_to_its_limit),
];

/// The number of the pull request.
const PULL_REQUEST: &str = "7";

/// There is one comment per pull request and one issue per environment, however often a job runs. A job fails
/// only if the deployer would not continue.
fn github_shows_plans_drift_and_deployments(cloud: &Cloud) {
    let place = cloud.place();
    let github = Github::new(&place);
    for _ in 0..2 {
        github.job("plan", "local", "comment").ends(0, "pending", "2");
        let comments = github.comments(PULL_REQUEST);
        assert_eq!(comments.len(), 1, "{comments:#?}");
        assert!(comments[0].starts_with("<!-- deployer plan local -->\n### Plan of `cart-local`"));
        assert!(comments[0].contains(&place.scope("local").name("add-item")), "{}", comments[0]);
        assert!(comments[0].contains("/owner/name/actions/runs/12"), "{}", comments[0]);
    }
    let job = github.job("up", "local", "none");
    job.ends(0, "in_sync", "0");
    assert!(job.summary.contains("local is up"), "{job:#?}");
    github.job("plan", "local", "comment").ends(0, "in_sync", "0");
    let comments = github.comments(PULL_REQUEST);
    assert!(comments.len() == 1 && comments[0].contains("Everything matches the stack"), "{comments:#?}");

    github.job("drift", "local", "issue").ends(0, "in_sync", "0");
    assert_eq!(github.issues(), [PULL_REQUEST]);
    for (function, memory_mb) in [("add-item", 512), ("get-cart", 1024)] {
        grow(&place, function, memory_mb);
        let job = github.job("drift", "local", "issue");
        job.ends(0, "drift", "3");
        let id = format!("lambda.function/{}", place.scope("local").name(function));
        let annotation = format!("::warning title={id}::memory {memory_mb} MB → 256 MB");
        assert!(job.run.stdout.lines().any(|line| line == annotation), "{job:#?}");
        assert!(job.summary.contains(&id), "{job:#?}");
        let issues = github.issues();
        assert_eq!(issues.len(), 2, "the pull request and one issue: {issues:?}");
        assert!(github.of(&issues[0], "body").contains(&id));
        assert_eq!(github.of(&issues[0], "title"), "Drift in local\n");
        assert_eq!((github.of(&issues[0], "labels"), github.of(&issues[0], "state")), said("drift", "open"));
    }
    github.job("drift", "local", "none").ends(3, "drift", "3");
    github.job("plan", "local", "none").ends(0, "drift", "3");

    github.job("up", "local", "none").ends(0, "in_sync", "0");
    let issue = github.issues().remove(0);
    github.job("drift", "local", "issue").ends(0, "in_sync", "0");
    assert_eq!(github.of(&issue, "state"), "closed\n");
    assert_eq!(github.comments(&issue).len(), 1);

    // A closed issue stays closed; the next drift opens another issue.
    grow(&place, "add-item", 512);
    github.job("drift", "local", "issue").ends(0, "drift", "3");
    assert_eq!(github.of(&issue, "state"), "closed\n");
    assert_eq!(github.issues().len(), 3);
}

/// A job that could not read fails and does not change issues. An outdated plan does not stay in a pull
/// request as if it were current.
fn github_job_failure_is_reported_and_issues_stay(cloud: &Cloud) {
    let place = cloud.place();
    let github = Github::new(&place);
    github.with_deployer("drift", "long", "issue").ends(0, "drift", "3");
    let before = github.of(&github.issues()[0], "body");
    place.environment("long", "protekt = true\n");
    github.job("drift", "long", "issue").ends(64, "failed", "64");
    assert_eq!(github.of(&github.issues()[0], "state"), "open\n");
    assert_eq!(github.of(&github.issues()[0], "body"), before);

    let job = github.job("plan", "long", "comment");
    job.ends(64, "failed", "64");
    assert!(job.run.stdout.contains("::error title=deployer plan long::failed (exit code 64)"), "{job:#?}");
    let comments = github.comments(PULL_REQUEST);
    assert_eq!(comments.len(), 1, "{comments:#?}");
    assert!(comments[0].contains("ended with exit code 64") && comments[0].contains("protekt"));
    assert!(job.summary.contains("protekt"), "{job:#?}");

    let wrong = Run::of(github.command("down", "local", "none").env("DEPLOYER", cloud.binary()));
    assert_eq!((wrong.code, wrong.stdout.as_str()), (Some(64), ""), "{wrong:#?}");
}

/// GitHub sends the signal only to the step's shell; the deployer gets it too and reports how it ended.
fn github_cancels_a_deployment_in_order(cloud: &Cloud) {
    let place = cloud.place();
    let github = Github::new(&place);
    let started = place.folder().join("started");
    let mut command = github.command("up", "slow", "none");
    command.env("DEPLOYER", github.deployer()).env("STARTED", &started);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the script exists");
    until("the deployment to begin", || started.exists().then_some(()));
    // Not SIGINT, which GitHub sends first: a shell cannot trap a signal that was ignored when it was
    // started, and SIGINT is ignored if the tests were started in the background.
    let signal = Command::new("kill").args(["-TERM", &child.id().to_string()]).status();
    assert!(signal.expect("`kill` is installed").success());
    let run = Run::from(child.wait_with_output().expect("the process is a child"));
    let job = github.job_of(run);
    job.ends(1, "failed", "1");
    assert!(job.summary.contains("ended in order"), "{job:#?}");
}

/// A long report is cut between lines, and only intended lines of the log are commands.
fn github_report_is_cut_to_its_limit(cloud: &Cloud) {
    let place = cloud.place();
    let github = Github::new(&place);
    let job = github.with_deployer("drift", "long", "issue");
    job.ends(0, "drift", "3");
    let body = github.of(&github.issues()[0], "body");
    assert!(body.len() < 65_536 && body.contains("| länger"), "{} bytes", body.len());
    assert!(body.contains("then some |\n\nThe rest does not fit here"), "{}", &body[body.len() - 300..]);
    assert!(!body.contains("::error"), "annotations are not part of a report");
    let at = |text: &str| job.run.stdout.find(text).unwrap_or_else(|| panic!("{text} is not in {job:#?}"));
    let pause = job.run.stdout.lines().find_map(|line| line.strip_prefix("::stop-commands::"));
    let resume = at(&format!("\n::{}::\n", pause.expect("commands are paused")));
    assert!(at("::add-mask::everything") < resume && resume < at("::error title=iam.role/more::description"));
}

fn grow(place: &Place<'_>, function: &str, memory_mb: i32) {
    let aws = place.aws("local");
    let call = aws.lambda.update_function_configuration().function_name(aws.scope.name(function));
    place.cloud.wait(call.memory_size(memory_mb).send()).expect("the function exists");
}

fn said(one: &str, other: &str) -> (String, String) {
    (format!("{one}\n"), format!("{other}\n"))
}

/// A repository with an open pull request, and jobs that run in a place.
struct Github<'a> {
    place: &'a Place<'a>,
    state: PathBuf,
}

/// The outcome of a job.
#[derive(Debug)]
struct Job {
    run: Run,
    outputs: String,
    summary: String,
}

impl Job {
    /// Checks the job's own exit code, the verdict, and the deployer's exit code.
    fn ends(&self, code: i32, verdict: &str, exit_code: &str) {
        assert_eq!(self.run.code, Some(code), "{self:#?}");
        let expected = format!("verdict={verdict}\nexit-code={exit_code}\nreport=");
        assert!(self.outputs.starts_with(&expected), "{self:#?}");
        let report = fs::read_to_string(self.outputs.trim_start_matches(&expected).trim());
        assert_eq!(report.expect("the report is a file"), self.summary, "{self:#?}");
    }
}

impl<'a> Github<'a> {
    fn new(place: &'a Place<'a>) -> Self {
        let state = place.folder().join("github");
        fs::create_dir_all(state.join(PULL_REQUEST).join("comments")).expect("a new folder is writable");
        fs::create_dir(place.folder().join("bin")).expect("a new folder is writable");
        symlink(Self::beside("gh"), place.folder().join("bin/gh")).expect("a new folder is writable");
        Self { place, state }
    }

    fn beside(name: &str) -> PathBuf {
        [env!("CARGO_MANIFEST_DIR"), "acceptance", "github", name].iter().collect()
    }

    fn deployer(&self) -> PathBuf {
        Self::beside("deployer")
    }

    /// Runs a job with the real deployer.
    fn job(&self, command: &str, environment: &str, report_to: &str) -> Job {
        let mut command = self.command(command, environment, report_to);
        self.job_of(Run::of(command.env("DEPLOYER", self.place.cloud.binary())))
    }

    /// Runs a job with a fake deployer.
    fn with_deployer(&self, command: &str, environment: &str, report_to: &str) -> Job {
        let mut command = self.command(command, environment, report_to);
        self.job_of(Run::of(command.env("DEPLOYER", self.deployer())))
    }

    fn command(&self, command: &str, environment: &str, report_to: &str) -> Command {
        let folder = self.place.folder();
        let path = format!("{}:{}", folder.join("bin").display(), std::env::var("PATH").unwrap_or_default());
        for file in ["outputs", "summary"] {
            fs::write(folder.join(file), "").expect("a new folder is writable");
        }
        let script = self.place.cloud.root().join(".github/actions/deployer/run.sh");
        let mut run = Command::new(script);
        run.args([command, environment])
            .current_dir(self.place.cloud.root())
            .stdin(Stdio::null())
            .env("PATH", path)
            .env("REPORT_TO", report_to)
            .env("GH_TOKEN", "a-token")
            .env("GH_STATE", &self.state)
            .env("PULL_REQUEST", PULL_REQUEST)
            .env("GITHUB_REPOSITORY", "owner/name")
            .env("GITHUB_RUN_ID", "12")
            .env("GITHUB_OUTPUT", folder.join("outputs"))
            .env("GITHUB_STEP_SUMMARY", folder.join("summary"))
            .env("RUNNER_TEMP", folder)
            .env("DEPLOYER_ENVIRONMENTS", self.place.environments())
            .env("AWS_ENDPOINT_URL", self.place.cloud.endpoint())
            .env("AWS_ACCESS_KEY_ID", &self.place.account)
            .env("AWS_SECRET_ACCESS_KEY", "test")
            .env_remove("AWS_SESSION_TOKEN")
            .env_remove("AWS_PROFILE");
        run
    }

    fn job_of(&self, run: Run) -> Job {
        let read =
            |file: &str| fs::read_to_string(self.place.folder().join(file)).expect("the file was written");
        Job { run, outputs: read("outputs"), summary: read("summary") }
    }

    /// Returns the numbers of all issues, the newest first, the pull request last.
    fn issues(&self) -> Vec<String> {
        let folders = fs::read_dir(&self.state).expect("the state is a folder").flatten();
        let folders = folders.filter(|entry| entry.path().is_dir());
        let mut numbers: Vec<String> = folders.filter_map(|it| it.file_name().into_string().ok()).collect();
        numbers.sort_by_key(|number| std::cmp::Reverse(number.parse::<u32>().expect("issues have numbers")));
        numbers
    }

    fn of(&self, issue: &str, field: &str) -> String {
        fs::read_to_string(self.state.join(issue).join(field)).expect("the issue exists")
    }

    fn comments(&self, issue: &str) -> Vec<String> {
        let files = fs::read_dir(self.state.join(issue).join("comments"))
            .expect("comments are in a folder")
            .flatten();
        files.map(|file| fs::read_to_string(file.path()).expect("a comment is a file")).collect()
    }
}
