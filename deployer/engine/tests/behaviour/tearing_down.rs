//! Which resources are deleted with an environment, and which are kept.

use engine::plan::{Verdict, teardown};
use engine::resource::Tags;
use engine::survey::survey;
use engine::testing::{FakeCloud, Part, Thing, down, planned, scope, stack, up};

#[tokio::test]
async fn users_go_before_what_they_use() {
    let (mut stack, cloud) = (stack(), FakeCloud::default());
    let thing = Thing::new("a");
    stack.add(thing.clone()).add(Part::of(&thing));
    up(&stack, &cloud).await;
    cloud.writes();
    assert!(down(&cloud).await.succeeded());
    assert_eq!(cloud.writes(), ["Delete demo-dev-a/part", "Delete demo-dev-a"]);
    assert!(down(&cloud).await.outcomes.is_empty(), "there is nothing left to delete");
}

#[tokio::test]
async fn stateful_resource_is_reported_as_a_loss() {
    let (mut full, cloud) = (stack(), FakeCloud::default());
    let thing = Thing::new("a");
    full.add(thing.clone()).add(Part::of(&thing));
    up(&full, &cloud).await;
    let plan = teardown(&stack(), &survey(&stack(), &cloud).await);
    let lost: Vec<&str> = plan.losses().map(|step| step.name.as_str()).collect();
    assert_eq!((plan.steps.len(), lost), (2, vec!["demo-dev-a"]));
}

#[tokio::test]
async fn down_leaves_unmanaged_resources() {
    let cloud = FakeCloud::default();
    let mut theirs = scope().tags();
    theirs.insert("deployer:environment".into(), "dev-2".into());
    cloud.world().things.insert("demo-dev-2-a".into(), (Thing::new("2-a"), theirs));
    cloud.world().things.insert("demo-dev-b".into(), (Thing::new("b"), Tags::new()));
    cloud.world().things.insert("demo-dev-c".into(), (Thing::new("c"), scope().tags()));
    assert!(down(&cloud).await.succeeded());
    assert_eq!(cloud.writes(), ["Delete demo-dev-c"]);
}

#[tokio::test]
async fn orphan_is_deleted_by_down() {
    let cloud = FakeCloud::default();
    cloud.world().things.insert("demo-dev-old".into(), (Thing::new("old"), scope().tags()));
    assert_eq!(planned(&stack(), &cloud).await.1.verdict, Verdict::Orphan);
    down(&cloud).await;
    assert!(cloud.world().things.is_empty());
}
