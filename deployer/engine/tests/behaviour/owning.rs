//! Adopting, pruning, and the release record as evidence.

use std::collections::BTreeSet;

use engine::apply::ApplyReport;
use engine::error::{Class, Error};
use engine::plan::{Action, Plan, Verdict, Wishes};
use engine::release::{Ending, Recorded, Release, ReleaseRecord, ReleaseState, history};
use engine::resource::{Risk, Tags};
use engine::run::{Convergence, Run};
use engine::stack::Stack;
use engine::survey::Survey;
use engine::testing::{
    FakeCloud, Fault, Part, Thing, When, down, planned, planned_with, scope, stack, up, up_with,
};

fn ids(ids: &[&str]) -> BTreeSet<String> {
    ids.iter().map(|id| (*id).to_owned()).collect()
}

#[tokio::test]
async fn adopted_resource_is_owned_and_updated() {
    let (mut stack, cloud) = (stack(), FakeCloud::default());
    stack.add(Thing::new("a").size(2));
    let theirs: Tags = [("team".to_owned(), "checkout".to_owned())].into();
    cloud.world().things.insert("demo-dev-a".into(), (Thing::new("a"), theirs));
    assert_eq!(planned(&stack, &cloud).await.1.verdict, Verdict::Unmanaged);

    let another = Wishes { adopt: ids(&["fake.thing/demo-dev-b"]), ..Wishes::default() };
    assert_eq!(planned_with(&stack, &cloud, &another).await.1.verdict, Verdict::Unmanaged);

    let wishes = Wishes { adopt: ids(&["fake.thing/demo-dev-a"]), ..Wishes::default() };
    let (_, plan) = planned_with(&stack, &cloud, &wishes).await;
    assert_eq!((plan.steps[0].action, plan.verdict), (Action::Update, Verdict::Pending));
    assert!(up_with(&stack, &cloud, &wishes).await.expect("no other run is in progress").succeeded());
    assert_eq!(planned(&stack, &cloud).await.1.verdict, Verdict::InSync, "without adopting again");
    let world = cloud.world();
    let (thing, tags) = &world.things["demo-dev-a"];
    assert_eq!(thing.size, 2);
    assert_eq!(tags["team"], "checkout", "unmanaged tags are kept");
}

#[tokio::test]
async fn adopted_resource_brings_its_parts() {
    let (mut stack, cloud) = (stack(), FakeCloud::default());
    let thing = Thing::new("a");
    stack.add(thing.clone()).add(Part::of(&thing));
    cloud.world().things.insert(thing.name.clone(), (thing.clone(), Tags::new()));
    cloud.world().parts.insert("demo-dev-a/part".into(), Part::of(&thing));
    assert_eq!(planned(&stack, &cloud).await.1.having(Verdict::Unmanaged).count(), 2);
    let wishes = Wishes { adopt: ids(&["fake.thing/demo-dev-a"]), ..Wishes::default() };
    assert_eq!(planned_with(&stack, &cloud, &wishes).await.1.having(Verdict::Unmanaged).count(), 0);
}

#[tokio::test]
async fn orphan_is_pruned_on_demand_and_data_by_name() {
    let cloud = FakeCloud::default();
    let old = Thing::new("old");
    cloud.world().things.insert(old.name.clone(), (old.clone(), scope().tags()));
    cloud.world().parts.insert("demo-dev-old/part".into(), Part::of(&old));

    let (_, plan) = planned(&stack(), &cloud).await;
    assert_eq!(plan.writes().count(), 0);
    let prune = Wishes { prune: true, ..Wishes::default() };
    let (_, plan) = planned_with(&stack(), &cloud, &prune).await;
    let deleted: Vec<String> = plan.writes().map(|step| step.id.to_string()).collect();
    assert_eq!(deleted, ["fake.part/demo-dev-old/part"]);
    let kept = plan.steps.iter().find(|step| step.name == "demo-dev-old").expect("the orphan is reported");
    assert!(kept.reason.as_ref().is_some_and(|why| why.contains("--allow fake.thing/demo-dev-old")));
    let left: Vec<&str> = plan.orphans_left().map(|step| step.name.as_str()).collect();
    assert_eq!(left, ["demo-dev-old"], "deleted orphans are not listed");

    let another = Wishes { allow: ids(&["fake.thing/demo-dev-older"]), ..prune.clone() };
    assert_eq!(planned_with(&stack(), &cloud, &another).await.1.losses().count(), 0);
    let by_name = Wishes { allow: ids(&["fake.thing/demo-dev-old"]), ..prune };
    let (_, plan) = planned_with(&stack(), &cloud, &by_name).await;
    assert_eq!(plan.losses().count(), 1);
    assert!(up_with(&stack(), &cloud, &by_name).await.expect("no other run is in progress").succeeded());
    assert_eq!(cloud.writes(), ["Delete demo-dev-old/part", "Delete demo-dev-old"]);
}

#[tokio::test]
async fn prune_leaves_unmanaged_resources() {
    let cloud = FakeCloud::default();
    let mut theirs = scope().tags();
    theirs.insert("deployer:environment".into(), "dev-2".into());
    for (name, tags) in [("2-a", theirs), ("b", Tags::new())] {
        let thing = Thing::new(name);
        cloud.world().parts.insert(format!("{}/part", thing.name), Part::of(&thing));
        cloud.world().things.insert(thing.name.clone(), (thing, tags));
    }
    let everything = ids(&["fake.thing/demo-dev-2-a", "fake.thing/demo-dev-b"]);
    let wishes = Wishes { prune: true, allow: everything, ..Wishes::default() };
    assert_eq!(planned_with(&stack(), &cloud, &wishes).await.1.writes().count(), 0);
}

#[tokio::test]
async fn recorded_resource_that_is_absent_is_drift() {
    let (mut stack, cloud) = (stack(), FakeCloud::default());
    stack.add(Thing::new("a"));
    let (_, plan) = planned(&stack, &cloud).await;
    assert_eq!((plan.verdict, plan.steps[0].risk), (Verdict::Pending, Risk::Safe));
    up(&stack, &cloud).await;
    cloud.world().things.clear();
    let (_, plan) = planned(&stack, &cloud).await;
    assert_eq!((plan.verdict, plan.steps[0].risk), (Verdict::Drift, Risk::LosesData));
}

#[tokio::test]
async fn resource_deleted_by_interrupted_down_is_pending() {
    let (mut stack, cloud) = (stack(), FakeCloud::default());
    stack.add(Thing::new("a")).add(Thing::new("b"));
    up(&stack, &cloud).await;
    cloud.fail("Delete demo-dev-b", Class::Denied);
    assert!(!down(&cloud).await.succeeded());
    assert_eq!(planned(&stack, &cloud).await.1.verdict, Verdict::Pending);
}

#[tokio::test(start_paused = true)]
async fn untagged_resource_of_an_interrupted_run_is_owned() {
    let (mut stack, cloud) = (stack(), FakeCloud::default());
    stack.add(Thing::new("a"));
    {
        let mut world = cloud.world();
        world.forgets_tags = true;
        // The calls are: the record, the creation, then the tags.
        world.dies = Some((2, When::Before));
    }
    tokio::select! {
        _ = up(&stack, &cloud) => panic!("the run did not die"),
        () = cloud.death() => {}
    }
    assert_eq!(cloud.world().things["demo-dev-a"].1, Tags::new());
    let (_, plan) = planned(&stack, &cloud).await;
    assert_eq!((plan.steps[0].action, plan.verdict), (Action::Update, Verdict::Pending));
    // It is owned even if tagging it fails.
    cloud.fail("Tag demo-dev-a", Class::Denied);
    assert!(!up(&stack, &cloud).await.succeeded());
    assert_eq!(planned(&stack, &cloud).await.1.verdict, Verdict::Pending);
    // A resource that the run was not going to create is still unmanaged.
    cloud.world().things.insert("demo-dev-b".into(), (Thing::new("b"), Tags::new()));
    stack.add(Thing::new("b"));
    assert_eq!(planned(&stack, &cloud).await.1.verdict, Verdict::Unmanaged);
}

#[tokio::test]
async fn resource_tagged_by_another_environment_is_unmanaged_despite_record() {
    let (mut stack, cloud) = (stack(), FakeCloud::default());
    stack.add(Thing::new("a"));
    // The error does not rule out an effect: the record still says that the run may have created it.
    cloud.fail("Create demo-dev-a", Class::Other);
    assert!(!up(&stack, &cloud).await.succeeded());
    assert!(cloud.world().releases.last().is_some_and(|last| !last.release.making.is_empty()));
    let mut theirs = scope().tags();
    theirs.insert("deployer:environment".into(), "dev-2".into());
    cloud.world().things.insert("demo-dev-a".into(), (Thing::new("a"), theirs));
    assert_eq!(planned(&stack, &cloud).await.1.verdict, Verdict::Unmanaged);
}

/// Reads the environment, and records the start of a run.
async fn begin(stack: &Stack<FakeCloud>, cloud: &FakeCloud, who: &str) -> Result<Run, Error> {
    let (survey, plan) = planned(stack, cloud).await;
    begin_with(&survey, &plan, cloud, who).await
}

/// Records the start of a run that has read the environment before.
async fn begin_with(survey: &Survey, plan: &Plan, cloud: &FakeCloud, who: &str) -> Result<Run, Error> {
    let entry = Run::entry(plan, survey, None, who.to_owned());
    Run::begin(cloud, survey.recorded.as_ref(), entry).await
}

/// Ends a run without changes, and returns the run that it met.
async fn end(run: &Run, cloud: &FakeCloud) -> Option<Release> {
    let met = run.met(cloud).await.expect("the record can be read");
    let convergence = if met.is_none() { Convergence::Converged } else { Convergence::Diverged };
    let later = run.end(cloud, &ApplyReport::default(), &Survey::default(), convergence, met).await;
    later.expect("the record can be written")
}

#[tokio::test]
async fn concurrent_run_stops_before_it_writes() {
    for before in [false, true] {
        let (mut one, mut other, cloud) = (stack(), stack(), FakeCloud::default());
        one.add(Thing::new("a"));
        other.add(Thing::new("a").size(2));
        if before {
            up(&one, &cloud).await;
        }
        let (one, other) = (planned(&one, &cloud).await, planned(&other, &cloud).await);
        let first = begin_with(&one.0, &one.1, &cloud, "one").await.expect("the first run can start");
        let said = cloud.world().releases.last().map(|last| last.release.clone());
        let refused =
            begin_with(&other.0, &other.1, &cloud, "other").await.expect_err("the second run is refused");
        assert_eq!(refused.class, Class::Exists);
        assert!(refused.to_string().contains("by one"), "{refused}");
        let last = cloud.world().releases.last().map(|last| last.release.clone());
        assert_eq!(last, said, "the first run's entry is the last one");
        let met = end(&first, &cloud).await;
        assert_eq!(met, None, "a refused run does not count as met");
        let runs = history(cloud.releases(0).await.expect("the record can be read"));
        assert!(runs.iter().all(|run| run.by != "other"), "a refused run is not in the history: {runs:?}");
    }
}

#[tokio::test]
async fn run_learns_of_another_run_meanwhile() {
    let (mut stack, cloud) = (stack(), FakeCloud::default());
    stack.add(Thing::new("a"));
    let run = begin(&stack, &cloud, "one").await.expect("no other run is in progress");
    assert!(up(&stack, &cloud).await.succeeded(), "a later run continues from there");
    let other = end(&run, &cloud).await;
    assert_eq!(other.map(|other| other.by), Some("a colleague".into()));
}

#[tokio::test]
async fn planned_creations_of_a_run_outlast_another_run() {
    let (mut stack, cloud) = (stack(), FakeCloud::default());
    stack.add(Thing::new("a"));
    let one = begin(&stack, &cloud, "one").await.expect("no other run is in progress");
    let other = begin(&stack, &cloud, "other").await.expect("a later run can start");
    let met = end(&one, &cloud).await;
    assert_eq!(met.map(|met| met.by), Some("other".into()));
    let making = cloud.world().releases.last().map(|last| last.release.making.clone());
    assert_eq!(making, Some(ids(&["fake.thing/demo-dev-a"])));
    let met = end(&other, &cloud).await;
    assert_eq!(met.map(|met| met.by), Some("one".into()));
}

#[tokio::test]
async fn down_meanwhile_leaves_no_stale_record() {
    let (mut stack, cloud) = (stack(), FakeCloud::default());
    stack.add(Thing::new("a"));
    up(&stack, &cloud).await;
    // Between reading and starting.
    stack.add(Thing::new("b"));
    let (survey, plan) = planned(&stack, &cloud).await;
    assert!(down(&cloud).await.succeeded());
    let refused = begin_with(&survey, &plan, &cloud, "one").await.expect_err("the record was deleted");
    assert!(refused.to_string().contains("down"), "{refused}");
    assert!(cloud.world().releases.is_empty());

    // And another run has started a new record, with as many entries.
    up(&stack, &cloud).await;
    let (survey, plan) = planned(&stack, &cloud).await;
    assert!(down(&cloud).await.succeeded());
    up(&stack, &cloud).await;
    let anew = cloud.world().releases.clone();
    let refused = begin_with(&survey, &plan, &cloud, "one").await.expect_err("it is a different record");
    assert!(refused.to_string().contains("down"), "{refused}");
    assert_eq!(cloud.world().releases, anew, "the unused entry is removed");
    assert!(down(&cloud).await.succeeded());
    assert_eq!(
        planned(&stack, &cloud).await.1.verdict,
        Verdict::Pending,
        "it was not deleted outside the deployer"
    );

    // Between start and end.
    let run = begin(&stack, &cloud, "one").await.expect("no other run is in progress");
    assert!(down(&cloud).await.succeeded());
    let other = end(&run, &cloud).await;
    assert_eq!(other.map(|other| other.state), Some(ReleaseState::Removing));
    assert!(cloud.world().releases.is_empty());

    // And another run has started a new record, with as many entries.
    let run = begin(&stack, &cloud, "one").await.expect("no other run is in progress");
    assert!(down(&cloud).await.succeeded());
    begin(&stack, &cloud, "other").await.expect("no other run is in progress");
    let other = end(&run, &cloud).await;
    assert_eq!(other.map(|other| other.by), Some("other".into()));
    let is_of_other = |entry: &Recorded| entry.release.by == "other";
    assert!(cloud.world().releases.iter().all(is_of_other), "the end does not belong to this record");
}

#[tokio::test]
async fn new_dependency_is_not_taken_for_deleted() {
    let (mut stack, cloud) = (stack(), FakeCloud::default());
    let (store, user) = (Thing::new("store"), Thing::new("user"));
    stack.add(user.clone());
    up(&stack, &cloud).await;
    let mut more = engine::testing::stack();
    more.add(user.needing(&store)).add(store);
    let (_, plan) = planned(&more, &cloud).await;
    assert_eq!((plan.verdict, plan.losses().count()), (Verdict::Pending, 0));
}

#[tokio::test(start_paused = true)]
async fn interrupted_change_is_pending_and_no_drift() {
    let (mut before, mut after, cloud) = (stack(), stack(), FakeCloud::default());
    before.add(Thing::new("a"));
    after.add(Thing::new("a").size(2));
    up(&before, &cloud).await;
    // The calls are: the record, the update, then the stamp.
    cloud.world().dies = Some((2, When::Before));
    tokio::select! {
        _ = up(&after, &cloud) => panic!("the run did not die"),
        () = cloud.death() => {}
    }
    assert_eq!(planned(&after, &cloud).await.1.verdict, Verdict::Pending);
    assert_eq!(planned(&before, &cloud).await.1.verdict, Verdict::Pending);
    up(&after, &cloud).await;
    assert_eq!(planned(&after, &cloud).await.1.verdict, Verdict::InSync);
    cloud.world().things.get_mut("demo-dev-a").expect("the resource exists").0.size = 7;
    assert_eq!(planned(&after, &cloud).await.1.verdict, Verdict::Drift, "later changes are drift");
}

/// A resource that holds data is never recreated: if it is gone, its data is lost.
#[tokio::test(start_paused = true)]
async fn interrupted_recreation_is_pending_and_no_drift() {
    let (mut before, mut after, cloud) = (stack(), stack(), FakeCloud::default());
    let thing = Thing::new("a");
    before.add(thing.clone()).add(Part::of(&thing));
    after.add(thing.clone()).add(Part::of(&thing).speed(2));
    up(&before, &cloud).await;
    // The calls are: the record, the deletion, then the creation.
    cloud.world().dies = Some((2, When::Before));
    tokio::select! {
        _ = up(&after, &cloud) => panic!("the run did not die"),
        () = cloud.death() => {}
    }
    assert!(cloud.world().parts.is_empty(), "the run died between deletion and creation");
    let (_, plan) = planned(&after, &cloud).await;
    assert_eq!((plan.verdict, plan.losses().count()), (Verdict::Pending, 0), "{plan:#?}");
    cloud.world().things.clear();
    assert_eq!(planned(&after, &cloud).await.1.losses().count(), 1, "the store was deleted");
    cloud.world().things.insert(thing.name.clone(), (thing, scope().tags()));
    up(&after, &cloud).await;
    assert_eq!(planned(&after, &cloud).await.1.verdict, Verdict::InSync);
    cloud.world().parts.clear();
    assert_eq!(planned(&after, &cloud).await.1.verdict, Verdict::Drift, "later deletions are drift");
}

/// A run that is killed between the creation of a store and its settings leaves a store without data.
#[tokio::test]
async fn half_created_store_has_no_data_to_lose() {
    let (mut stack, cloud) = (stack(), FakeCloud::default());
    stack.add(Thing::new("a").size(2));
    let run = begin(&stack, &cloud, "one").await.expect("no other run is in progress");
    for tags in [Tags::new(), scope().tags()] {
        cloud.world().things.insert("demo-dev-a".into(), (Thing::new("a").size(5), tags));
        let (_, plan) = planned(&stack, &cloud).await;
        assert_eq!((plan.steps[0].action, plan.losses().count()), (Action::Update, 0), "{plan:#?}");
        assert!(plan.steps[0].changes.iter().all(|change| change.risk == Risk::Safe), "{plan:#?}");
    }
    assert_eq!(end(&run, &cloud).await, None);

    // The stamp shows that a store was once complete, and the end of the run that all were.
    assert_eq!(planned(&stack, &cloud).await.1.losses().count(), 1, "a complete store can have data");
    begin(&stack, &cloud, "other").await.expect("no other run is in progress");
    assert_eq!(planned(&stack, &cloud).await.1.losses().count(), 1, "that run did not create it");
}

/// The resource of the release record is created before the record has an entry.
#[tokio::test]
async fn half_created_record_resource_has_no_data_to_lose() {
    let (mut stack, cloud) = (stack(), FakeCloud::default());
    stack.add(Thing::new("record").size(2));
    let theirs: Tags = [("team".to_owned(), "checkout".to_owned())].into();
    let adopt = Wishes { adopt: ids(&["fake.thing/demo-dev-record"]), ..Wishes::default() };
    for (tags, losses) in [(scope().tags(), 0), (theirs, 1)] {
        cloud.world().things.insert("demo-dev-record".into(), (Thing::new("record").size(5), tags));
        let (mut survey, _) = planned_with(&stack, &cloud, &adopt).await;
        survey.record_resource = Some(stack.resources[0].id());
        let plan = engine::plan::plan(&stack, &survey, &adopt);
        assert_eq!(plan.losses().count(), losses, "an adopted resource can have data: {plan:#?}");
    }
    cloud.world().things.insert("demo-dev-record".into(), (Thing::new("record").size(5), scope().tags()));
    let (_, plan) = planned(&stack, &cloud).await;
    assert_eq!(plan.losses().count(), 1, "any other resource without a record can have data");
}

#[tokio::test]
async fn denied_creation_does_not_claim_the_name() {
    let (mut stack, cloud) = (stack(), FakeCloud::default());
    stack.add(Thing::new("a"));
    let call = "Create demo-dev-a".to_owned();
    let error = Error::new(Class::Denied, "PutThing", "no");
    cloud.world().failures.push(Fault { call, error, when: When::Before });
    assert!(!up(&stack, &cloud).await.succeeded());
    cloud.world().things.insert("demo-dev-a".into(), (Thing::new("a"), Tags::new()));
    assert_eq!(planned(&stack, &cloud).await.1.verdict, Verdict::Unmanaged);
    down(&cloud).await;
    assert_eq!(cloud.world().things.len(), 1);
}

#[tokio::test]
async fn unsent_change_is_not_recorded() {
    let (mut before, mut after, cloud) = (stack(), stack(), FakeCloud::default());
    before.add(Thing::new("a"));
    after.add(Thing::new("a").size(2)).add(Thing::new("b"));
    up(&before, &cloud).await;
    // The compiler fails.
    cloud.fail("Read sources of demo-dev-a", Class::Other);
    cloud.fail("Read sources of demo-dev-b", Class::Other);
    assert!(!up(&after, &cloud).await.succeeded());
    let last =
        cloud.world().releases.last().map(|last| last.release.clone()).expect("the record has an entry");
    assert!(last.making.is_empty() && last.changing.is_empty(), "{last:?}");
    cloud.world().things.get_mut("demo-dev-a").expect("the resource exists").0.size = 7;
    cloud.world().things.insert("demo-dev-b".into(), (Thing::new("b"), Tags::new()));
    let (_, plan) = planned(&after, &cloud).await;
    assert_eq!(
        plan.steps[0].verdicts,
        [Verdict::Drift, Verdict::Pending],
        "it was changed outside the deployer"
    );
    assert_eq!(plan.steps[1].verdicts, [Verdict::Unmanaged], "it was created outside the deployer");
}

#[tokio::test]
async fn resource_of_another_region_cannot_be_adopted() {
    let (mut stack, cloud) = (stack(), FakeCloud::default());
    stack.add(Thing::new("a"));
    let mut tags = scope().tags();
    tags.insert("deployer:region".into(), "eu-west-1".into());
    cloud.world().things.insert("demo-dev-a".into(), (Thing::new("a"), tags));
    let wishes = Wishes { adopt: ids(&["fake.thing/demo-dev-a"]), ..Wishes::default() };
    assert_eq!(planned_with(&stack, &cloud, &wishes).await.1.verdict, Verdict::Unmanaged);
}

#[tokio::test(start_paused = true)]
async fn lost_answer_is_not_taken_for_another_run() {
    let (mut stack, cloud) = (stack(), FakeCloud::default());
    stack.add(Thing::new("a"));
    for _ in 0..2 {
        for _ in 0..2 {
            let error = Error::new(Class::Throttled, "Record", "the connection broke");
            let call = "Record release".to_owned();
            cloud.world().failures.push(Fault { call, error, when: When::After });
        }
        assert!(up(&stack, &cloud).await.succeeded());
    }
}

#[tokio::test]
async fn history_shows_how_each_run_ended() {
    let (mut stack, cloud) = (stack(), FakeCloud::default());
    stack.add(Thing::new("a"));
    cloud.fail("Create", Class::Denied);
    up(&stack, &cloud).await;
    up(&stack, &cloud).await;
    stack.add(Thing::new("b"));
    for _ in 0..2 {
        begin(&stack, &cloud, "one").await.expect("no other run is in progress");
    }
    let runs = history(cloud.releases(0).await.expect("the record can be read"));
    let endings: Vec<Ending> = runs.iter().map(|run| run.ending).collect();
    assert_eq!(endings, [Ending::Open, Ending::CutShort, Ending::Done, Ending::Failed]);
    assert_eq!(runs[2].deployed, ids(&["fake.thing/demo-dev-a"]));
    assert_eq!(runs[0].changes, [(Action::Create, 1)].into());
}

#[tokio::test]
async fn orphan_is_deleted_after_its_users_change() {
    let cloud = FakeCloud::default();
    let (old, thing) = (Thing::new("old"), Thing::new("a"));
    let mut before = stack();
    before.add(old.clone()).add(thing.clone()).add(Part::of(&thing));
    up(&before, &cloud).await;
    let mut after = stack();
    after.add(thing.clone()).add(Part::of(&thing).speed(2));
    let allow = ids(&["fake.thing/demo-dev-old"]);
    let wishes = Wishes { prune: true, allow, ..Wishes::default() };
    cloud.writes();
    assert!(up_with(&after, &cloud, &wishes).await.expect("no other run is in progress").succeeded());
    let writes = cloud.writes();
    let at = |call: &str| writes.iter().position(|made| made == call).expect("the call was sent");
    // Parts use things: deleting a thing waits for all writes of parts.
    assert!(at("Create demo-dev-a/part") < at("Delete demo-dev-old"), "{writes:?}");
}
