//! What a run writes to the release record, and reads from it.

use engine::apply::ApplyReport;
use engine::error::{Class, Error};
use engine::plan::{Verdict, Wishes, plan};
use engine::release::{Recorded, Release, ReleaseRecord, ReleaseState, SCHEMA};
use engine::resource::{Cloud, ResourceId, Tags};
use engine::run::{Convergence, Run};
use engine::scope::Scope;
use engine::survey::survey_without_record;
use engine::testing::{FakeCloud, Part, Thing, planned, scope, stack, up, up_with};

fn last(cloud: &FakeCloud) -> Release {
    cloud.world().releases.last().expect("a run wrote").release.clone()
}

#[tokio::test]
async fn new_run_keeps_unfinished_creations_and_changes() {
    let (mut stack, cloud) = (stack(), FakeCloud::default());
    stack.add(Thing::new("a"));
    let (mut survey, plan) = planned(&stack, &cloud).await;
    let blank = Run::entry(&plan, &survey, None, "one".into());
    let earlier = Release {
        making: ["fake.thing/demo-dev-b".into()].into(),
        changing: ["fake.thing/demo-dev-c".into()].into(),
        ..blank.clone()
    };
    survey.recorded = Some(Recorded { release: earlier.clone(), number: 1, at: None });
    let entry = Run::entry(&plan, &survey, None, "other".into());
    assert!(entry.making.is_superset(&earlier.making) && entry.making.is_superset(&blank.making));
    assert_eq!(entry.changing, earlier.changing);
}

#[tokio::test]
async fn unmanaged_or_unknown_resource_is_not_recorded_as_deployed() {
    let (mut stack, cloud) = (stack(), FakeCloud::default());
    stack.add(Thing::new("unmanaged")).add(Thing::new("unknown"));
    cloud.world().things.insert("demo-dev-unmanaged".into(), (Thing::new("unmanaged"), Tags::new()));
    cloud.fail("Read demo-dev-unknown", Class::Denied);
    let (survey, plan) = planned(&stack, &cloud).await;
    assert_eq!((plan.having(Verdict::Unmanaged).count(), plan.having(Verdict::Unknown).count()), (1, 1));
    let entry = Run::entry(&plan, &survey, None, "one".into());
    assert_eq!(entry.deployed, [].into());
}

#[tokio::test]
async fn pruned_resource_leaves_the_record() {
    let (mut before, cloud) = (stack(), FakeCloud::default());
    let thing = Thing::new("a");
    before.add(thing.clone()).add(Part::of(&thing));
    up(&before, &cloud).await;
    let mut after = stack();
    after.add(thing);
    let wishes = Wishes { prune: true, ..Wishes::default() };
    assert!(up_with(&after, &cloud, &wishes).await.expect("no other run is in progress").succeeded());
    assert_eq!(last(&cloud).deployed, ["fake.thing/demo-dev-a".into()].into());
}

#[tokio::test]
async fn run_that_did_not_succeed_is_recorded_as_failed() {
    let (stack, cloud) = (stack(), FakeCloud::default());
    let ends = [(Convergence::Converged, ReleaseState::Done), (Convergence::Diverged, ReleaseState::Failed)];
    for (convergence, state) in ends {
        let (survey, plan) = planned(&stack, &cloud).await;
        let entry = Run::entry(&plan, &survey, None, "one".into());
        let run =
            Run::begin(&cloud, survey.recorded.as_ref(), entry).await.expect("no other run is in progress");
        run.end(&cloud, &ApplyReport::default(), &survey, convergence, None)
            .await
            .expect("the record can be written");
        assert_eq!(last(&cloud).state, state);
    }
}

/// A cloud in which a third run begins just before the entry of this number is written.
#[derive(Clone)]
struct WithThirdRun {
    cloud: FakeCloud,
    third: Release,
    number: u64,
}

impl Cloud for WithThirdRun {
    type Permission = <FakeCloud as Cloud>::Permission;

    fn fresh(&self) -> Self {
        self.clone()
    }
}

impl ReleaseRecord for WithThirdRun {
    fn record_id(scope: &Scope) -> ResourceId {
        FakeCloud::record_id(scope)
    }

    fn kept_in(scope: &Scope) -> Option<ResourceId> {
        FakeCloud::kept_in(scope)
    }

    async fn last_release(&self) -> Result<Option<Recorded>, Error> {
        self.cloud.last_release().await
    }

    async fn releases(&self, from: u64) -> Result<Vec<Recorded>, Error> {
        self.cloud.releases(from).await
    }

    async fn record(&self, release: &Release, number: u64) -> Result<(), Error> {
        if number == self.number {
            let _ = self.cloud.record(&self.third, number).await;
        }
        self.cloud.record(release, number).await
    }

    async fn withdraw(&self, number: u64) -> Result<(), Error> {
        self.cloud.withdraw(number).await
    }

    async fn forget_releases(&self) -> Result<(), Error> {
        self.cloud.forget_releases().await
    }
}

/// If the open run is killed, its resources would otherwise count as unmanaged.
#[tokio::test]
async fn open_run_stays_last_in_the_record() {
    let (stack, cloud) = (stack(), FakeCloud::default());
    let (survey, plan) = planned(&stack, &cloud).await;
    let entry = |by: &str| Run::entry(&plan, &survey, None, by.into());
    let first = Run::begin(&cloud, None, entry("first")).await.expect("the record is empty");
    let open = Release { making: ["fake.thing/demo-dev-b".into()].into(), ..entry("open") };
    cloud.record(&open, 2).await.expect("the number is free");
    let cloud = WithThirdRun { cloud, third: entry("third"), number: 4 };
    let met = first.met(&cloud).await.expect("the record can be read");
    let report = ApplyReport::default();
    let ended = first.end(&cloud, &report, &survey, Convergence::Converged, met).await;
    assert_eq!(ended.expect("the record can be written").map(|other| other.by), Some("open".into()));
    let by: Vec<String> =
        cloud.cloud.world().releases.iter().map(|recorded| recorded.release.by.clone()).collect();
    assert_eq!(by, ["first", "open", "first", "third", "open"]);
}

#[tokio::test]
async fn record_that_cannot_be_read_is_unknown() {
    let cloud = FakeCloud::default();
    cloud.fail("Read release", Class::Denied);
    let (survey, plan) = planned(&stack(), &cloud).await;
    assert_eq!(plan.having(Verdict::Unknown).count(), 1, "{:?}", survey.unreadable);
    assert_eq!(survey.unreadable.keys().next(), Some(&FakeCloud::record_id(&scope())));
}

/// A cloud without a release record has a survey of its own.
#[tokio::test]
async fn survey_without_record_reads_resources_and_orphans_only() {
    let (mut full, cloud) = (stack(), FakeCloud::default());
    full.add(Thing::new("a")).add(Thing::new("orphan"));
    up(&full, &cloud).await;
    let mut desired = stack();
    desired.add(Thing::new("a"));
    cloud.fail("Read release", Class::Denied);
    let survey = survey_without_record(&desired, &cloud).await;
    assert_eq!(survey.unreadable.len(), 0, "the record is not read");
    let read = plan(&desired, &survey, &Wishes::default());
    assert_eq!((read.having(Verdict::InSync).count(), read.having(Verdict::Orphan).count()), (1, 1));

    cloud.world().things.remove("demo-dev-a");
    let survey = survey_without_record(&desired, &cloud).await;
    let read = plan(&desired, &survey, &Wishes::default());
    assert_eq!(read.having(Verdict::Pending).count(), 1, "without a record, it was never deployed");
}

/// Later releases must be able to read the entries of earlier ones. A new field needs a default; this file
/// never changes.
#[test]
fn first_release_entry_form_is_read_and_written_unchanged() {
    let golden = include_str!("../golden/release.v1.json");
    let release: Release = serde_json::from_str(golden).expect("the file is an entry");
    let ids = |id: &str| [format!("fake.thing/demo-dev-{id}")].into();
    assert_eq!(release.schema, SCHEMA);
    assert_eq!(
        (release.state, release.making.clone(), release.changing.clone()),
        (ReleaseState::Begun, ids("b"), ids("a"))
    );
    assert_eq!(release.reads, [("cart/ItemAdded".to_owned(), 2)].into());
    assert!(release.packages.is_empty());
    let written = serde_json::to_string_pretty(&release).expect("an entry can be serialised");
    assert_eq!(written, golden.trim_end());
}

/// The complete current format.
#[test]
fn entry_with_packages_is_read_and_written_as_it_is() {
    let golden = include_str!("../golden/release.v1.with-packages.json");
    let release: Release = serde_json::from_str(golden).expect("the file is an entry");
    assert_eq!(release.packages.keys().collect::<Vec<_>>(), ["demo-dev-add-item"]);
    let written = serde_json::to_string_pretty(&release).expect("an entry can be serialised");
    assert_eq!(written, golden.trim_end());
}
