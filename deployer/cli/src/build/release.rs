//! The commit of the sources, read from git. It must not know how the commit is used.

use std::collections::BTreeSet;
use std::io;
use std::path::Path;
use std::process::{Output, Stdio};

use tokio::process::Command;

use super::workspace::Workspace;

/// The suffix of a commit if the sources have uncommitted changes.
const DIRTY: &str = "-dirty";

/// How many commits a bundle contains: years of history in 80 KB.
const HISTORY: usize = 2_000;

/// Variables that git sets in hooks to name a repository. The repository here is always the one around the
/// folder.
const SET_BY_GIT: [&str; 3] = ["GIT_DIR", "GIT_INDEX_FILE", "GIT_WORK_TREE"];

impl Workspace {
    /// Returns the commit of the sources: see [`release`].
    pub async fn release(&self) -> Option<String> {
        release(&self.root).await
    }

    /// Returns the files of the functions that differ from the commit of a release, relative to the root.
    /// Empty if git does not know the commit.
    pub async fn changed_since(&self, release: &str) -> BTreeSet<String> {
        let changed = changed_since(&self.root, commit_of(release).0).await.unwrap_or_default();
        self.hashed_files(changed)
    }
}

/// Returns the files of the checkout around `dir` that differ from a commit, new files included, relative to
/// `dir`. Returns `None` if git does not know the commit.
async fn changed_since(dir: &Path, commit: &str) -> Option<BTreeSet<String>> {
    if !is_commit(commit) {
        return None;
    }
    let differ = ["diff", "--name-only", "--relative", "--no-ext-diff", "-z", commit, "--"];
    let new = ["ls-files", "--others", "--exclude-standard", "-z"];
    let (mut differ, mut new) = (git(dir, &differ), git(dir, &new));
    let (differ, new) = futures::join!(differ.output(), new.output());
    let names = |output: io::Result<Output>| {
        let output = output.ok().filter(|output| output.status.success())?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        Some(text.split('\0').filter(|name| !name.is_empty()).map(str::to_owned).collect::<BTreeSet<_>>())
    };
    Some(&names(differ)? | &names(new)?)
}

/// Returns the commit of the checkout around `dir`, with the suffix `-dirty` if the checkout has changed or
/// new files. Returns `None` without git, checkout or commit.
pub async fn release(dir: &Path) -> Option<String> {
    // New files count, because they are compiled as well.
    let status = ["status", "--porcelain=v2", "--branch", "--untracked-files=normal"];
    let output = git(dir, &status).output().await.ok()?;
    if !output.status.success() {
        return None;
    }
    of_status(&String::from_utf8_lossy(&output.stdout))
}

/// Returns whether a commit is the checkout's commit or one of its ancestors, for the checkout around `dir`.
/// Returns `None` if git does not know: there is no checkout, or its history is incomplete.
pub async fn descends_from(dir: &Path, commit: &str) -> Option<bool> {
    if !is_commit(commit) {
        return None;
    }
    let output = git(dir, &["merge-base", "--is-ancestor", commit, "HEAD"]).output().await.ok()?;
    match output.status.code() {
        Some(0) => Some(true),
        Some(1) => Some(false),
        _ => None,
    }
}

/// Returns the commit of the checkout around `dir` and its ancestors, latest first, at most 2,000. Empty if
/// git has no history.
pub async fn history(dir: &Path) -> Vec<String> {
    let most = format!("--max-count={HISTORY}");
    match git(dir, &["rev-list", &most, "HEAD"]).output().await {
        Ok(output) if output.status.success() => {
            String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect()
        }
        _ => Vec::new(),
    }
}

/// Returns the commit of a release, and whether the release is exactly that commit.
pub fn commit_of(release: &str) -> (&str, bool) {
    match release.strip_suffix(DIRTY) {
        Some(commit) => (commit, false),
        None => (release, true),
    }
}

fn is_commit(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Returns a read-only call of git in the checkout around `dir`.
fn git(dir: &Path, arguments: &[&str]) -> Command {
    let mut git = Command::new("git");
    for name in SET_BY_GIT {
        git.env_remove(name);
    }
    // Another git in this checkout must not find the index locked.
    git.env("GIT_OPTIONAL_LOCKS", "0").current_dir(dir);
    git.args(arguments).stdin(Stdio::null()).kill_on_drop(true);
    git
}

/// Parses `git status --porcelain=v2 --branch`: header lines start with `#`, every other line is a change.
fn of_status(status: &str) -> Option<String> {
    let commit = status.lines().find_map(|line| line.strip_prefix("# branch.oid "))?;
    if !is_commit(commit) {
        return None; // "(initial)": there is no commit yet.
    }
    let dirty = status.lines().any(|line| !line.starts_with('#'));
    Some(format!("{commit}{}", if dirty { DIRTY } else { "" }))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn git(dir: &Path, arguments: &[&str]) -> String {
        let mut git = std::process::Command::new("git");
        git.args(["-c", "user.name=test", "-c", "user.email=test@example.org"]);
        git.args(["-c", "commit.gpgsign=false"]).args(arguments).current_dir(dir);
        for name in SET_BY_GIT {
            git.env_remove(name);
        }
        let output = git.output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    #[tokio::test]
    async fn release_is_the_commit_and_whether_dirty() {
        let dir = tempfile::tempdir().unwrap();
        let dir = dir.path();
        git(dir, &["init", "--quiet"]);
        assert_eq!(release(dir).await, None);
        fs::write(dir.join("a"), "1").unwrap();
        git(dir, &["add", "a"]);
        git(dir, &["commit", "--quiet", "--no-verify", "-m", "first"]);
        let commit = git(dir, &["rev-parse", "HEAD"]);
        assert_eq!(release(dir).await.as_ref(), Some(&commit));
        fs::create_dir(dir.join("folder")).unwrap();
        fs::write(dir.join("folder/new"), "").unwrap();
        let dirty = format!("{commit}-dirty");
        assert_eq!(release(dir).await.as_ref(), Some(&dirty), "a new file");
        assert_eq!(release(&dir.join("folder")).await.as_ref(), Some(&dirty), "from below");
        fs::remove_file(dir.join("folder/new")).unwrap();
        fs::write(dir.join("a"), "2").unwrap();
        assert_eq!(release(dir).await.as_ref(), Some(&dirty), "a changed file");
    }

    #[tokio::test]
    async fn checkout_descends_from_its_own_history_alone() {
        let dir = tempfile::tempdir().unwrap();
        let dir = dir.path();
        git(dir, &["init", "--quiet", "--initial-branch=main"]);
        let commit = |name: &str| {
            fs::write(dir.join(name), name).unwrap();
            git(dir, &["add", name]);
            git(dir, &["commit", "--quiet", "--no-verify", "-m", name]);
            git(dir, &["rev-parse", "HEAD"])
        };
        let first = commit("first");
        git(dir, &["switch", "--quiet", "-c", "colleague"]);
        let colleagues = commit("colleagues");
        git(dir, &["switch", "--quiet", "main"]);
        let own = commit("own");
        assert_eq!(descends_from(dir, &first).await, Some(true));
        assert_eq!(descends_from(dir, &own).await, Some(true));
        assert_eq!(descends_from(dir, &colleagues).await, Some(false));
        for unknown in ["0123456789012345678901234567890123456789", "", "--all", "main"] {
            assert_eq!(descends_from(dir, unknown).await, None, "{unknown}");
        }
        assert_eq!(descends_from(Path::new("/"), &first).await, None);
        assert_eq!(history(dir).await, [own, first]);
        assert_eq!(history(Path::new("/")).await, [""; 0]);
    }

    #[tokio::test]
    async fn changed_files_are_those_that_differ_from_a_commit() {
        let dir = tempfile::tempdir().unwrap();
        let dir = dir.path();
        git(dir, &["init", "--quiet"]);
        for name in ["changed.rs", "deleted.rs", "kept.rs"] {
            fs::write(dir.join(name), "1").unwrap();
        }
        git(dir, &["add", "."]);
        git(dir, &["commit", "--quiet", "--message", "one"]);
        let commit = release(dir).await.unwrap();
        assert_eq!(changed_since(dir, &commit).await, Some(BTreeSet::new()));
        fs::write(dir.join("changed.rs"), "2").unwrap();
        fs::write(dir.join("new.rs"), "2").unwrap();
        fs::remove_file(dir.join("deleted.rs")).unwrap();
        let changed = changed_since(dir, &commit).await;
        assert_eq!(changed, Some(["changed.rs", "deleted.rs", "new.rs"].map(str::to_owned).into()));
        for unknown in ["4b5b545", "--output=x", ""] {
            assert_eq!(changed_since(dir, unknown).await, None, "{unknown}");
        }
    }

    #[test]
    fn release_splits_into_commit_and_dirty_flag() {
        assert_eq!(commit_of("4b5b545"), ("4b5b545", true));
        assert_eq!(commit_of("4b5b545-dirty"), ("4b5b545", false));
    }

    #[tokio::test]
    async fn release_is_none_without_a_checkout() {
        assert_eq!(release(Path::new("/")).await, None);
        assert_eq!(release(Path::new("/no/such/folder")).await, None);
        assert_eq!(of_status("# branch.oid (initial)\n# branch.head main\n"), None);
    }
}
