//! The release record as text.

use std::time::Duration;

use engine::plan::Action;
use engine::release::{Ending, PastRun, Release, ReleaseState};

use sha2::{Digest, Sha256};

use super::style::{count, duration};
use super::table::columns;
use crate::build::commit_of;
use aws::arn_part;

/// Returns a line for each run, the latest first.
pub fn history_text(runs: &[PastRun]) -> String {
    let rows: Vec<[String; 6]> = runs.iter().map(row).collect();
    columns(&rows)
}

/// Returns a warning if the previous run may still be running.
pub fn unfinished(last: Option<&Release>) -> Option<String> {
    let Release { by, state, .. } = last?;
    let verb = match state {
        ReleaseState::Begun => "up",
        ReleaseState::Removing => "down",
        ReleaseState::Done | ReleaseState::Failed => return None,
    };
    Some(format!("the previous `{verb}` by {by} was interrupted or is still running"))
}

fn row(run: &PastRun) -> [String; 6] {
    let at = run.at.map_or_else(|| "?".to_owned(), |at| at.strftime("%Y-%m-%d %H:%M:%SZ").to_string());
    let took = run.took_s.and_then(|took| u64::try_from(took).ok()).map(Duration::from_secs);
    let took = took.map(|took| if took.is_zero() { "< 1 s".to_owned() } else { duration(took) });
    [at, code(run), ending(run.ending).to_owned(), took.unwrap_or_default(), changes(run), caller(&run.by)]
}

/// Returns the short form of the commit. Code with uncommitted changes also has a short hash of its packages,
/// which tells two of them apart.
fn code(run: &PastRun) -> String {
    let commit = run.release.as_deref().map_or_else(|| "no commit".to_owned(), short_commit);
    let is_commit = run.release.as_deref().is_some_and(|release| commit_of(release).1);
    if is_commit || run.packages.is_empty() {
        return commit;
    }
    let mut packages = Sha256::new();
    run.packages.iter().for_each(|(name, digest)| packages.update(format!("{name} {digest}\n")));
    let packages: String = packages.finalize().iter().take(3).map(|byte| format!("{byte:02x}")).collect();
    format!("{commit} ({packages})")
}

/// Returns a commit with ten digits, and `-dirty` if the release has that.
pub(crate) fn short_commit(release: &str) -> String {
    const SHORT: usize = 10;
    let commit = commit_of(release).0;
    let short: String = commit.chars().take(SHORT).collect();
    short + release.strip_prefix(commit).unwrap_or_default()
}

/// Returns the part of a caller's ARN that people know: `user/ann`, `assumed-role/deployer/ann`, `root`.
fn caller(arn: &str) -> String {
    arn_part(arn, 5).unwrap_or(arn).to_owned()
}

fn ending(ending: Ending) -> &'static str {
    match ending {
        Ending::Done => "done",
        Ending::Failed => "failed",
        Ending::CutShort => "interrupted",
        Ending::Open => "interrupted or running",
        Ending::Removing => "removing",
    }
}

fn changes(run: &PastRun) -> String {
    let sign = |(action, number): (&Action, &usize)| match action {
        Action::Create => Some(format!("+{number}")),
        Action::Update => Some(format!("~{number}")),
        Action::Recreate => Some(format!("±{number}")),
        Action::Disable => Some(format!("x{number}")),
        Action::Delete => Some(format!("-{number}")),
        Action::Refuse | Action::Keep => None,
    };
    let changes: Vec<String> = run.changes.iter().filter_map(sign).collect();
    if run.deployed.is_empty() {
        // The run recorded no resources.
        return changes.join(" ");
    }
    let there = count(run.deployed.len(), "resource");
    match (changes.join(" "), run.ending) {
        (none, _) if none.is_empty() => there,
        (made, Ending::Done) => format!("{made}, {there}"),
        // A run records its plan when it starts.
        (planned, _) => format!("{planned} planned, {there}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn history_run_is_one_line() {
        let run = |number: i64, ending, changes: &[(Action, usize)]| PastRun {
            run: "0a1b2c3d".into(),
            ending,
            release: (number > 1).then(|| "4b5b545c5e1d0f7d3d1f4b6a8c9d0e1f2a3b4c5d-dirty".to_owned()),
            by: "arn:aws:iam::111111111111:user/me".into(),
            at: jiff::Timestamp::from_second(1_795_000_000 + number).ok(),
            took_s: (ending == Ending::Done).then_some(75),
            changes: changes.iter().copied().collect(),
            deployed: (0..number).map(|n| n.to_string()).collect(),
            packages: (2..number).map(|n| (format!("f{n}"), "digest".to_owned())).collect(),
        };
        let runs = [
            run(3, Ending::Open, &[(Action::Update, 2), (Action::Delete, 1)]),
            run(2, Ending::Done, &[(Action::Create, 33)]),
            run(1, Ending::CutShort, &[]),
        ];
        insta::assert_snapshot!(history_text(&runs));
    }

    #[test]
    fn unfinished_last_run_gives_a_warning() {
        let last = |state| Release {
            schema: 1,
            run: "0a1b2c3d".into(),
            state,
            release: None,
            by: "ann".into(),
            changes: [].into(),
            deployed: [].into(),
            making: [].into(),
            changing: [].into(),
            identities: [].into(),
            packages: [].into(),
            reads: [].into(),
        };
        let said = |state| unfinished(Some(&last(state)));
        let up = "the previous `up` by ann was interrupted or is still running";
        assert_eq!(said(ReleaseState::Begun).as_deref(), Some(up));
        assert_eq!(said(ReleaseState::Removing), Some(up.replace("`up`", "`down`")));
        assert_eq!(
            (said(ReleaseState::Done), said(ReleaseState::Failed), unfinished(None)),
            (None, None, None)
        );
    }
}
