//! Reconciles the files of a folder: a cloud and a kind of its own, in one file.
//!
//! ```text
//! cargo run -p engine --example files -- /tmp/files plan    # shows what would change
//! cargo run -p engine --example files -- /tmp/files up      # creates the files
//! echo changed >> /tmp/files/motd.txt                       # now `plan` shows drift, and `up` repairs it
//! cargo run -p engine --example files -- /tmp/files prune   # like `up`, and deletes orphans
//! ```
//!
//! To see a pending change, change a text in [`FILES`]. To see an orphan, remove a line there.

#![expect(clippy::print_stdout, reason = "an example prints its results")]

use std::ffi::OsString;
use std::path::PathBuf;
use std::{env, fs, io};

use engine::apply::apply;
use engine::error::{Class, Error, GoneIsNone};
use engine::plan::{Plan, Verdict, Wishes, plan};
use engine::resource::{Changed, Cloud, Kind, KindInfo, Live, Resource, Tags};
use engine::scope::Scope;
use engine::stack::Stack;
use engine::survey::{Survey, survey_without_record};
use serde::{Deserialize, Serialize};
use struct_to_enum::FieldName;

/// The desired files: the name and the text of each.
const FILES: &[(&str, &str)] = &[("hosts.txt", "127.0.0.1 localhost\n"), ("motd.txt", "Welcome.\n")];

/// The beginning of a managed file. Its first line holds the tags as JSON, because a folder has no place for tags.
/// So a file is created together with its tags.
const HEADER: &str = "# deployer ";

/// The cloud: a folder.
#[derive(Clone)]
struct Folder(PathBuf);

impl Cloud for Folder {
    type Permission = ();
}

impl Folder {
    /// Returns the tags and the text of a file; `None` if it does not exist.
    fn read(&self, name: &str) -> Result<Option<(Tags, String)>, Error> {
        let found = called("read", fs::read(self.0.join(name))).gone_is_none()?;
        Ok(found.map(|bytes| {
            let content = String::from_utf8_lossy(&bytes);
            let header = content.strip_prefix(HEADER).and_then(|rest| rest.split_once('\n'));
            match header {
                Some((tags, text)) if let Ok(tags) = serde_json::from_str(tags) => (tags, text.to_owned()),
                _ => (Tags::new(), content.into_owned()),
            }
        }))
    }

    /// Writes a new file next to its place and moves it there, so that an interrupted call leaves no half file.
    fn write(
        &self,
        name: &str,
        (tags, text): &(Tags, String),
        put: fn(&PathBuf, &PathBuf) -> io::Result<()>,
    ) -> Result<(), Error> {
        let tags = serde_json::to_string(tags).expect("tags can be serialised");
        let new = self.0.join(format!(".{name}.new"));
        called("create folder", fs::create_dir_all(&self.0))?;
        called("write", fs::write(&new, format!("{HEADER}{tags}\n{text}")))?;
        called("put", put(&new, &self.0.join(name)))
    }

    /// Changes the tags or the text of an existing file.
    fn edit(&self, name: &str, edit: impl FnOnce(&mut (Tags, String))) -> Result<(), Error> {
        let gone = || Error::new(Class::Gone, "edit", format!("{name} does not exist"));
        let mut file = self.read(name)?.ok_or_else(gone)?;
        edit(&mut file);
        self.write(name, &file, |new, place| fs::rename(new, place))
    }
}

/// Returns the result of a call to the file system with the class of its error, which tells the engine what to do.
fn called<T>(operation: &str, result: io::Result<T>) -> Result<T, Error> {
    result.map_err(|error| {
        let class = match error.kind() {
            io::ErrorKind::NotFound => Class::Gone,
            io::ErrorKind::AlreadyExists => Class::Exists,
            io::ErrorKind::PermissionDenied => Class::Denied,
            _ => Class::Other,
        };
        Error::new(class, operation, error.to_string())
    })
}

/// The kind: a text file. Its fields are compared, and `TextFileFieldName` is the enum of them.
#[derive(Serialize, FieldName)]
#[stem_name_derive(PartialOrd, Ord, Deserialize)]
#[stem_name_attr(serde(rename_all = "snake_case"))]
struct TextFile {
    name: String,
    text: String,
}

impl Resource for TextFile {
    type Cloud = Folder;
    type Field = TextFileFieldName;
    const INFO: KindInfo = KindInfo::new("folder.file");

    fn name(&self) -> &str {
        &self.name
    }

    fn permissions(_scope: &Scope) -> Vec<()> {
        Vec::new()
    }

    async fn read(&self, folder: &Folder) -> Result<Option<Live<Self>>, Error> {
        Ok(folder.read(&self.name)?.map(|(tags, text)| {
            let resource = Self { name: self.name.clone(), text };
            Live { resource, tags: Some(tags), identity: None }
        }))
    }

    async fn create(&self, tags: &Tags, folder: &Folder) -> Result<(), Error> {
        folder.write(&self.name, &(tags.clone(), self.text.clone()), |new, place| {
            // `rename` would replace a file that was created after the plan. A link fails.
            let linked = fs::hard_link(new, place);
            fs::remove_file(new)?;
            linked
        })
    }

    async fn update(&self, _live: &Self, changed: &Changed<Self>, folder: &Folder) -> Result<(), Error> {
        for field in changed {
            match field {
                TextFileFieldName::Text => {
                    folder.edit(&self.name, |(_, text)| text.clone_from(&self.text))?
                }
                TextFileFieldName::Name => unreachable!("a live file is compared with the file of its name"),
            }
        }
        Ok(())
    }

    async fn tag(&self, tags: &Tags, folder: &Folder) -> Result<(), Error> {
        folder.edit(&self.name, |(live, _)| live.extend(tags.clone()))
    }

    async fn delete(name: &str, folder: &Folder) -> Result<(), Error> {
        called("delete", fs::remove_file(folder.0.join(name))).gone_is_none().map(drop)
    }

    async fn list(_scope: &Scope, folder: &Folder) -> Result<Vec<String>, Error> {
        let entries = called("list", fs::read_dir(&folder.0)).gone_is_none()?;
        let entries: io::Result<Vec<_>> = entries.into_iter().flatten().collect();
        let files = called("list", entries)?.into_iter().filter(|entry| entry.path().is_file());
        let names = files.filter_map(|entry| entry.file_name().into_string().ok());
        Ok(names.filter(|name| !name.starts_with('.')).collect())
    }

    async fn tags(name: &str, folder: &Folder) -> Result<Option<Tags>, Error> {
        Ok(folder.read(name)?.map(|(tags, _)| tags))
    }
}

/// Returns the stack with these files.
fn stack(files: &[(&str, &str)]) -> Stack<Folder> {
    let scope = Scope {
        stack: "example".to_owned(),
        environment: "dev".to_owned(),
        account: String::new(),
        region: "local".to_owned(),
        extra_tags: Tags::new(),
    };
    let mut stack = Stack::new(scope, vec![Kind::of::<TextFile>()]);
    for (name, text) in files {
        stack.add(TextFile { name: (*name).to_owned(), text: (*text).to_owned() });
    }
    stack
}

/// Reads the folder and plans. Nothing is written.
async fn planned(stack: &Stack<Folder>, folder: &Folder, wishes: &Wishes) -> (Survey, Plan) {
    let survey = survey_without_record(stack, folder).await;
    let plan = plan(stack, &survey, wishes);
    (survey, plan)
}

/// Applies a plan, unless a file could not be read or is not managed by this stack.
async fn applied(plan: &Plan, survey: &Survey, stack: &Stack<Folder>, folder: &Folder) -> Result<(), String> {
    if matches!(plan.verdict, Verdict::Unknown | Verdict::Unmanaged) {
        return Err(format!("cannot apply the plan: a file is {:?}; nothing was changed", plan.verdict));
    }
    let report = apply(plan, stack, survey, folder, &Default::default(), |_| {}).await;
    if report.succeeded() { Ok(()) } else { Err(format!("cannot apply all steps: {:?}", report.outcomes)) }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), String> {
    let arguments: Vec<OsString> = env::args_os().skip(1).collect();
    let [folder, verb] = &arguments[..] else {
        return Err("usage: files <folder> plan|up|prune".to_owned());
    };
    let verb = verb.to_string_lossy();
    let (stack, folder) = (stack(FILES), Folder(folder.into()));
    let wishes = Wishes { prune: verb == "prune", ..Wishes::default() };
    let (survey, plan) = planned(&stack, &folder, &wishes).await;
    for step in &plan.steps {
        println!(
            "{:?} {}: {:?} {}",
            step.action,
            step.id,
            step.verdicts,
            step.reason.as_deref().unwrap_or("")
        );
        for change in &step.changes {
            println!("    {}: {} -> {}", change.path, change.live, change.desired);
        }
    }
    match &*verb {
        "plan" => Ok(()),
        "up" | "prune" => applied(&plan, &survey, &stack, &folder).await,
        _ => Err(format!("`{verb}` is not a command; the commands are plan, up and prune")),
    }
}

#[cfg(test)]
mod tests {
    use engine::plan::Action;
    use engine::testing::insist_on_fields;

    use super::*;

    /// A folder that is deleted at the end of a test.
    struct Place(tempfile::TempDir);

    impl Place {
        fn new() -> Self {
            Self(tempfile::tempdir().expect("a temporary folder can be created"))
        }

        fn folder(&self) -> Folder {
            Folder(self.0.path().to_owned())
        }

        /// Returns the text of a file without its header.
        fn text(&self, name: &str) -> Option<String> {
            self.folder().read(name).expect("the folder is readable").map(|(_, text)| text)
        }

        async fn verdict(&self, files: &[(&str, &str)]) -> Verdict {
            planned(&stack(files), &self.folder(), &Wishes::default()).await.1.verdict
        }

        async fn up(&self, files: &[(&str, &str)], wishes: &Wishes) -> Result<(), String> {
            let (stack, folder) = (stack(files), self.folder());
            let (survey, plan) = planned(&stack, &folder, wishes).await;
            applied(&plan, &survey, &stack, &folder).await
        }

        async fn up_succeeds(&self, files: &[(&str, &str)]) {
            assert_eq!(self.up(files, &Wishes::default()).await, Ok(()));
        }
    }

    #[test]
    fn text_file_fields_are_those_of_the_struct() {
        insist_on_fields(&TextFile { name: "a".to_owned(), text: "b".to_owned() });
    }

    #[tokio::test]
    async fn missing_file_is_created_with_its_folder() {
        let place = Place::new();
        let folder = Folder(place.0.path().join("new"));
        let (survey, plan) = planned(&stack(FILES), &folder, &Wishes::default()).await;
        assert_eq!((plan.verdict, plan.actions[&Action::Create]), (Verdict::Pending, 2));
        assert!(!folder.0.exists(), "a plan only reads");
        assert_eq!(applied(&plan, &survey, &stack(FILES), &folder).await, Ok(()));
        assert_eq!(planned(&stack(FILES), &folder, &Wishes::default()).await.1.verdict, Verdict::InSync);
        assert_eq!(TextFile::list(&stack(&[]).scope, &folder).await.expect("it is listed").len(), 2);
        assert_eq!(fs::read_dir(&folder.0).expect("it exists").count(), 2, "nothing else is left");
    }

    #[tokio::test]
    async fn manual_edit_is_drift_and_is_repaired() {
        let place = Place::new();
        place.up_succeeds(&[("a", "one\n")]).await;
        let path = place.folder().0.join("a");
        let edited = fs::read_to_string(&path).expect("it exists") + "two\n";
        fs::write(&path, edited).expect("it is writable");
        assert_eq!(place.verdict(&[("a", "one\n")]).await, Verdict::Drift);
        place.up_succeeds(&[("a", "one\n")]).await;
        assert_eq!(place.text("a").as_deref(), Some("one\n"));
        assert_eq!(place.verdict(&[("a", "one\n")]).await, Verdict::InSync);
    }

    #[tokio::test]
    async fn change_in_the_code_is_pending() {
        let place = Place::new();
        place.up_succeeds(&[("a", "one\n")]).await;
        assert_eq!(place.verdict(&[("a", "two\n")]).await, Verdict::Pending);
        place.up_succeeds(&[("a", "two\n")]).await;
        assert_eq!(place.text("a").as_deref(), Some("two\n"));
        assert_eq!(place.verdict(&[("a", "two\n")]).await, Verdict::InSync);
    }

    #[tokio::test]
    async fn orphan_is_deleted_only_by_prune() {
        let place = Place::new();
        place.up_succeeds(&[("a", "one\n"), ("b", "two\n")]).await;
        assert_eq!(place.verdict(&[("a", "one\n")]).await, Verdict::Orphan);
        place.up_succeeds(&[("a", "one\n")]).await;
        assert!(place.text("b").is_some());
        let prune = Wishes { prune: true, ..Wishes::default() };
        assert_eq!(place.up(&[("a", "one\n")], &prune).await, Ok(()));
        assert_eq!(place.text("b"), None);
        assert_eq!(place.verdict(&[("a", "one\n")]).await, Verdict::InSync);
    }

    #[tokio::test]
    async fn unmanaged_file_is_not_changed() {
        let place = Place::new();
        fs::write(place.folder().0.join("a"), "of a user\n").expect("it is writable");
        assert_eq!(place.verdict(&[]).await, Verdict::InSync, "files outside of the stack do not matter");
        assert_eq!(place.verdict(&[("a", "one\n")]).await, Verdict::Unmanaged);
        assert!(place.up(&[("a", "one\n")], &Wishes::default()).await.is_err());
        assert_eq!(place.text("a").as_deref(), Some("of a user\n"));
    }

    #[tokio::test]
    async fn file_created_after_the_plan_is_not_replaced() {
        let place = Place::new();
        let (stack, folder) = (stack(&[("a", "one\n")]), place.folder());
        let (survey, plan) = planned(&stack, &folder, &Wishes::default()).await;
        fs::write(folder.0.join("a"), "of a user\n").expect("it is writable");
        assert!(applied(&plan, &survey, &stack, &folder).await.is_err());
        assert_eq!(place.text("a").as_deref(), Some("of a user\n"));
        assert_eq!(fs::read_dir(&folder.0).expect("it exists").count(), 1, "nothing else is left");
    }
}
