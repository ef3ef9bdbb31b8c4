//! The planner's verdicts and actions.

use engine::apply::apply;
use engine::error::{Class, Error};
use engine::plan::{Action, Plan, Verdict, Wishes, plan};
use engine::resource::{Resource, ResourceId, Risk, Tags};
use engine::stack::Stack;
use engine::survey::Fate;
use engine::testing::{FakeCloud, Part, Thing, planned, scope, stack, up};

fn only(plan: &Plan) -> &engine::plan::Step {
    assert_eq!(plan.steps.len(), 1);
    &plan.steps[0]
}

fn paths(plan: &Plan) -> Vec<&str> {
    plan.steps.iter().flat_map(|step| step.changes.iter().map(|change| change.path.as_str())).collect()
}

#[tokio::test]
async fn absent_resource_is_created() {
    let mut stack = stack();
    stack.add(Thing::new("a"));
    let (_, plan) = planned(&stack, &FakeCloud::default()).await;
    assert_eq!(only(&plan).action, Action::Create);
    assert_eq!(plan.verdict, Verdict::Pending);
}

#[tokio::test]
async fn resource_as_desired_is_kept() {
    let (mut stack, cloud) = (stack(), FakeCloud::default());
    stack.add(Thing::new("a")).add(Part::of(&Thing::new("a")));
    up(&stack, &cloud).await;
    let (_, plan) = planned(&stack, &cloud).await;
    assert_eq!(plan.verdict, Verdict::InSync, "{plan:?}");
    assert_eq!(plan.writes().count(), 0);
}

#[tokio::test]
async fn manual_change_is_drift() {
    let (mut stack, cloud) = (stack(), FakeCloud::default());
    stack.add(Thing::new("a"));
    up(&stack, &cloud).await;
    cloud.world().things.get_mut("demo-dev-a").expect("the resource exists").0.size = 0;
    let (_, plan) = planned(&stack, &cloud).await;
    assert_eq!(only(&plan).verdicts, [Verdict::Drift]);
    assert_eq!(paths(&plan), ["size"]);
}

#[tokio::test]
async fn code_change_is_pending() {
    let (mut before, mut after, cloud) = (stack(), stack(), FakeCloud::default());
    before.add(Thing::new("a"));
    after.add(Thing::new("a").size(2));
    up(&before, &cloud).await;
    let (_, plan) = planned(&after, &cloud).await;
    assert_eq!(only(&plan).verdicts, [Verdict::Pending]);
    assert_eq!(paths(&plan), ["size"]);
}

#[tokio::test]
async fn drift_and_pending_are_distinguished_in_one_resource() {
    let (mut before, mut after, cloud) = (stack(), stack(), FakeCloud::default());
    before.add(Thing::new("a").size(2));
    after.add(Thing::new("a").size(3));
    up(&before, &cloud).await;
    cloud.world().things.get_mut("demo-dev-a").expect("the resource exists").0.size = 1;
    let (_, plan) = planned(&after, &cloud).await;
    assert_eq!(only(&plan).verdicts, [Verdict::Drift, Verdict::Pending]);
    assert_eq!(plan.verdict, Verdict::Drift, "the most severe verdict counts");
}

#[tokio::test]
async fn part_has_its_stamp_on_its_parent() {
    let (mut before, mut after, cloud) = (stack(), stack(), FakeCloud::default());
    let thing = Thing::new("a");
    before.add(thing.clone()).add(Part::of(&thing));
    after.add(thing.clone()).add(Part::of(&thing).speed(2));
    up(&before, &cloud).await;

    let (_, plan) = planned(&after, &cloud).await;
    let part = &plan.steps[1];
    assert_eq!((part.action, part.verdicts.as_slice()), (Action::Recreate, [Verdict::Pending].as_slice()));
    assert_eq!(part.risk, Risk::LosesPosition);

    cloud.world().parts.get_mut("demo-dev-a/part").expect("the resource exists").speed = 7;
    let (_, plan) = planned(&before, &cloud).await;
    assert_eq!(plan.steps[1].verdicts, [Verdict::Drift]);
    assert_eq!(plan.steps[0].verdicts, [Verdict::InSync]);
}

#[tokio::test]
async fn parts_have_stamps_of_their_own() {
    let (mut stack, cloud) = (stack(), FakeCloud::default());
    let thing = Thing::new("a");
    let other = Part { name: "demo-dev-a/other".into(), ..Part::of(&thing).speed(2) };
    stack.add(thing.clone()).add(Part::of(&thing)).add(other);
    up(&stack, &cloud).await;
    assert_eq!(planned(&stack, &cloud).await.1.verdict, Verdict::InSync);
}

#[tokio::test]
async fn stamp_of_another_schema_is_pending_only() {
    let (mut stack, cloud) = (stack(), FakeCloud::default());
    stack.add(Thing::new("a"));
    up(&stack, &cloud).await;
    {
        let mut world = cloud.world();
        let (thing, tags) = world.things.get_mut("demo-dev-a").expect("the resource exists");
        tags.insert("deployer:stamp".into(), "99:0".into());
        thing.size = 0;
    }
    let (_, plan) = planned(&stack, &cloud).await;
    assert_eq!(only(&plan).verdicts, [Verdict::Pending]);
}

#[tokio::test]
async fn resource_with_other_tags_is_unmanaged() {
    let theirs = [("deployer:environment".to_owned(), "dev-2".to_owned())].into();
    for tags in [Tags::new(), theirs] {
        let (mut stack, cloud) = (stack(), FakeCloud::default());
        stack.add(Thing::new("a"));
        cloud.world().things.insert("demo-dev-a".into(), (Thing::new("a"), tags));
        let (_, plan) = planned(&stack, &cloud).await;
        assert_eq!((only(&plan).action, plan.verdict), (Action::Refuse, Verdict::Unmanaged));
        assert_eq!(plan.writes().count(), 0);
    }
}

#[tokio::test]
async fn resource_of_another_region_is_unmanaged_with_reason() {
    let (mut stack, cloud) = (stack(), FakeCloud::default());
    stack.add(Thing::new("a"));
    let mut tags = scope().tags();
    tags.insert("deployer:region".into(), "eu-west-1".into());
    cloud.world().things.insert("demo-dev-a".into(), (Thing::new("a"), tags));
    let (_, plan) = planned(&stack, &cloud).await;
    assert_eq!(plan.verdict, Verdict::Unmanaged);
    let reason = only(&plan).reason.as_deref().expect("the step has a reason");
    assert!(reason.contains("this environment in eu-west-1"), "{reason}");

    // A resource of another stack there is not this environment's.
    cloud
        .world()
        .things
        .get_mut("demo-dev-a")
        .expect("the resource exists")
        .1
        .insert("deployer:stack".into(), "other".into());
    let (_, plan) = planned(&stack, &cloud).await;
    let reason = only(&plan).reason.as_deref().expect("the step has a reason");
    assert!(!reason.contains("belongs to this environment"), "{reason}");
}

#[tokio::test]
async fn undesired_resource_is_an_orphan_and_stays() {
    let cloud = FakeCloud::default();
    let mut tags = scope().tags();
    cloud.world().things.insert("demo-dev-old".into(), (Thing::new("old"), tags.clone()));
    tags.insert("deployer:environment".into(), "dev-2".into());
    cloud.world().things.insert("demo-dev-2-a".into(), (Thing::new("2-a"), tags));
    let (_, plan) = planned(&stack(), &cloud).await;
    assert_eq!((only(&plan).name.as_str(), plan.verdict), ("demo-dev-old", Verdict::Orphan));
    assert_eq!(plan.writes().count(), 0);
}

/// Returns a cloud whose stack no longer has a part that is still active, and that stack.
async fn with_orphaned_part() -> (FakeCloud, Stack<FakeCloud>, ResourceId) {
    let (mut before, mut after, cloud) = (stack(), stack(), FakeCloud::default());
    let (thing, part) = (Thing::new("a"), Part::of(&Thing::new("a")));
    let id = ResourceId::new(Part::KIND, part.name.clone());
    before.add(thing.clone()).add(part);
    after.add(thing);
    up(&before, &cloud).await;
    (cloud, after, id)
}

#[tokio::test]
async fn orphan_that_still_works_is_reported_and_kept() {
    let (cloud, stack, id) = with_orphaned_part().await;
    let (_, plan) = planned(&stack, &cloud).await;
    let orphan = plan.having(Verdict::Orphan).next().expect("the part");
    assert_eq!((&orphan.id, orphan.action), (&id, Action::Keep));
    assert_eq!(orphan.reason.as_deref(), Some("it still works"));
}

#[tokio::test]
async fn activity_of_unmanaged_resources_is_not_read() {
    let (mut stack, cloud) = (stack(), FakeCloud::default());
    let theirs = Thing::new("unmanaged");
    stack.add(Thing::new("a"));
    cloud.world().parts.insert("demo-dev-unmanaged/part".into(), Part::of(&theirs));
    cloud.world().things.insert(theirs.name.clone(), (theirs, Tags::new()));
    let (survey, _) = planned(&stack, &cloud).await;
    assert_eq!((survey.strays.len(), survey.active.len()), (2, 0));
}

#[tokio::test]
async fn orphan_that_the_code_removed_is_disabled_once() {
    let (cloud, stack, id) = with_orphaned_part().await;
    let (mut survey, _) = planned(&stack, &cloud).await;
    let activity = survey.active.get_mut(&id).expect("the part is active");
    activity.fate = Some(Fate::Disable("this checkout removed it".into()));
    let disabling = plan(&stack, &survey, &Wishes::default());
    let orphan = disabling.having(Verdict::Orphan).next().expect("the part");
    assert_eq!((orphan.action, orphan.risk), (Action::Disable, Risk::Safe));
    assert_eq!(orphan.reason.as_deref(), Some("it still works: this checkout removed it"));
    assert_eq!((disabling.verdict, disabling.actions[&Action::Disable]), (Verdict::Orphan, 1));
    cloud.writes();
    let report = apply(&disabling, &stack, &survey, &cloud, &Default::default(), |_| {}).await;
    assert!(report.succeeded(), "{report:?}");
    assert_eq!(cloud.writes(), ["Disable demo-dev-a/part"]);
    // A part that is desired again is a pending change, according to its stamp on its thing.
    let tags = cloud.world().things["demo-dev-a"].1.clone();
    let mut stamps = tags.iter().filter(|(key, _)| key.starts_with("deployer:stamp:"));
    assert_eq!(stamps.next().map(|(_, stamp)| stamp.as_str()), Some("disabled"), "{tags:?}");
    assert_eq!(stamps.next(), None, "{tags:?}");
    let (survey, plan) = planned(&stack, &cloud).await;
    assert!(survey.active.is_empty() && plan.writes().next().is_none(), "{plan:?}");
}

#[tokio::test]
async fn orphan_that_may_be_a_colleagues_goes_on() {
    let (cloud, stack, id) = with_orphaned_part().await;
    let (mut survey, _) = planned(&stack, &cloud).await;
    survey.active.get_mut(&id).expect("the part is active").fate =
        Some(Fate::Leave("it may be a colleague's".into()));
    let orphan = plan(&stack, &survey, &Wishes::default());
    let orphan = orphan.having(Verdict::Orphan).next().expect("the part");
    assert_eq!(orphan.action, Action::Keep);
    assert_eq!(
        orphan.reason.as_deref(),
        Some("it still works, and `up` leaves it active, because it may be a colleague's")
    );
}

#[tokio::test]
async fn orphan_that_is_pruned_is_deleted_rather_than_disabled() {
    let (cloud, stack, id) = with_orphaned_part().await;
    let wishes = Wishes { prune: true, ..Wishes::default() };
    let (mut survey, _) = planned(&stack, &cloud).await;
    survey.active.get_mut(&id).expect("the part is active").fate =
        Some(Fate::Disable("this checkout removed it".into()));
    let plan = plan(&stack, &survey, &wishes);
    assert_eq!(plan.having(Verdict::Orphan).next().map(|step| step.action), Some(Action::Delete));
}

#[tokio::test]
async fn unreadable_resource_is_unknown_and_never_absent() {
    let (mut stack, cloud) = (stack(), FakeCloud::default());
    stack.add(Thing::new("a"));
    cloud.fail("Read demo-dev-a", Class::Denied);
    cloud.fail("List fake.part", Class::Denied);
    let (_, plan) = planned(&stack, &cloud).await;
    assert_eq!(plan.verdict, Verdict::Unknown);
    assert_eq!(plan.having(Verdict::Unknown).count(), 2);
    assert_eq!(plan.writes().count(), 0);
}

#[tokio::test]
async fn unchangeable_field_is_refused_with_instructions() {
    let (mut stack, cloud) = (stack(), FakeCloud::default());
    stack.add(Thing::new("a"));
    up(&stack, &cloud).await;
    cloud.world().things.get_mut("demo-dev-a").expect("the resource exists").0.key = "other".into();
    let (_, plan) = planned(&stack, &cloud).await;
    assert_eq!(only(&plan).action, Action::Refuse);
    assert_eq!(only(&plan).reason.as_deref(), Some("copy its data to another resource"));
}

#[tokio::test]
async fn data_loss_is_reported_in_the_plan() {
    let (mut stack, cloud) = (stack(), FakeCloud::default());
    stack.add(Thing::new("a"));
    up(&stack, &cloud).await;
    cloud.world().things.get_mut("demo-dev-a").expect("the resource exists").0.size = 9;
    let (_, plan) = planned(&stack, &cloud).await;
    assert_eq!(plan.losses().count(), 1);
}

#[tokio::test]
async fn unmanaged_tags_are_no_difference_but_missing_own_are() {
    let (mut stack, cloud) = (stack(), FakeCloud::default());
    stack.add(Thing::new("a"));
    up(&stack, &cloud).await;
    let tags = |change: fn(&mut Tags)| {
        change(&mut cloud.world().things.get_mut("demo-dev-a").expect("the resource exists").1);
    };
    tags(|tags| drop(tags.insert("team".into(), "checkout".into())));
    let (_, plan) = planned(&stack, &cloud).await;
    assert_eq!(plan.verdict, Verdict::InSync);
    tags(|tags| drop(tags.remove("deployer:stamp")));
    let (_, plan) = planned(&stack, &cloud).await;
    assert_eq!(paths(&plan), ["tags.deployer:stamp"]);
}

#[tokio::test]
async fn plan_json_is_stable() {
    let (mut before, mut after, cloud) = (stack(), stack(), FakeCloud::default());
    let thing = Thing::new("a");
    before.add(thing.clone()).add(Part::of(&thing));
    after.add(thing.clone().size(2)).add(Part::of(&thing)).add(Thing::new("b"));
    up(&before, &cloud).await;
    cloud.world().parts.get_mut("demo-dev-a/part").expect("the resource exists").speed = 7;
    let (_, plan) = planned(&after, &cloud).await;
    insta::assert_json_snapshot!(plan);
}

#[tokio::test]
async fn store_deleted_by_hand_is_drift_and_data_loss() {
    let (mut stack, cloud) = (stack(), FakeCloud::default());
    let (store, user) = (Thing::new("store"), Thing::new("user"));
    stack.add(user.needing(&store)).add(store);
    up(&stack, &cloud).await;
    cloud.world().things.remove("demo-dev-store");
    let (_, plan) = planned(&stack, &cloud).await;
    let step = &plan.steps[1];
    assert_eq!((step.action, step.risk), (Action::Create, Risk::LosesData));
    assert_eq!(step.verdicts, [Verdict::Drift]);
    assert_eq!(plan.losses().count(), 1);
}

#[tokio::test]
async fn deleted_store_is_recognised_by_its_dependants() {
    let (mut stack, cloud) = (stack(), FakeCloud::default());
    let (store, user) = (Thing::new("store"), Thing::new("user"));
    stack.add(user.needing(&store)).add(store);
    up(&stack, &cloud).await;
    cloud.world().releases.clear();
    cloud.world().things.remove("demo-dev-store");
    let (_, plan) = planned(&stack, &cloud).await;
    assert_eq!((&plan.steps[1].verdicts[..], plan.losses().count()), (&[Verdict::Drift][..], 1));

    cloud.world().things.remove("demo-dev-user");
    let (_, plan) = planned(&stack, &cloud).await;
    assert_eq!(
        (plan.verdict, plan.losses().count()),
        (Verdict::Pending, 0),
        "there is no evidence that it existed"
    );
}

#[tokio::test]
async fn bound_part_is_recreated_when_its_thing_changes_identity() {
    let (mut before, mut after, cloud) = (stack(), stack(), FakeCloud::default());
    let mut thing = Thing::new("a");
    before.add(thing.clone()).add(Part::of(&thing));
    up(&before, &cloud).await;
    thing.face = 1;
    after.add(Part::of(&thing)).add(thing);
    let (_, plan) = planned(&after, &cloud).await;
    assert_eq!((plan.steps[0].action, plan.steps[0].risk), (Action::Recreate, Risk::LosesPosition));
    cloud.writes();
    up(&after, &cloud).await;
    let writes = cloud.writes();
    assert_eq!(writes[0], "Update demo-dev-a", "{writes:?}");
    assert!(writes.contains(&"Create demo-dev-a/part".to_owned()), "{writes:?}");
    assert_eq!(planned(&after, &cloud).await.1.verdict, Verdict::InSync);
}

/// A stream that was deleted and created again has the same name, but none of its records.
#[tokio::test]
async fn bound_part_is_recreated_when_its_source_is_recreated() {
    let (mut stack, cloud) = (stack(), FakeCloud::default());
    let (reader, source) = (Thing::new("reader"), Thing::new("source"));
    stack.add(Part::of(&reader).reading(&source)).add(reader).add(source);
    up(&stack, &cloud).await;
    cloud.world().things.remove("demo-dev-source");
    let (_, plan) = planned(&stack, &cloud).await;
    assert_eq!((plan.steps[0].action, plan.steps[0].risk), (Action::Recreate, Risk::LosesPosition));
    assert_eq!(plan.steps[0].verdicts, [Verdict::Drift]);
    up(&stack, &cloud).await;
    assert_eq!(planned(&stack, &cloud).await.1.verdict, Verdict::InSync);
}

#[tokio::test]
async fn part_of_an_unreadable_resource_is_unknown() {
    let (mut stack, cloud) = (stack(), FakeCloud::default());
    let thing = Thing::new("a");
    stack.add(thing.clone()).add(Part::of(&thing));
    up(&stack, &cloud).await;
    let (mut survey, _) = planned(&stack, &cloud).await;
    let id = ResourceId::new(Thing::KIND, "demo-dev-a");
    survey.seen.insert(id, Err(Error::new(Class::Denied, "Read", "no")));
    let plan = engine::plan::plan(&stack, &survey, &Wishes::default());
    assert_eq!(plan.having(Verdict::Unknown).count(), 2, "{plan:?}");
    assert_eq!(plan.having(Verdict::Unmanaged).count(), 0);
}
