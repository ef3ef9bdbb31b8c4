//! What is known for ours by its identity, though its tags do not say so.

use engine::plan::Verdict;
use engine::stack::Stack;
use engine::testing::{FakeCloud, Part, Thing, planned, scope, stack, up};

/// Returns a cloud in which a thing and its part were made, and the stack that has them.
async fn made() -> (Stack<FakeCloud>, FakeCloud) {
    let (mut stack, cloud) = (stack(), FakeCloud::default());
    let thing = Thing::new("a");
    stack.add(Part::of(&thing)).add(thing);
    // The second run has seen what the first made.
    for _ in 0..2 {
        assert!(up(&stack, &cloud).await.succeeded());
    }
    (stack, cloud)
}

fn tagged(cloud: &FakeCloud, tags: &[(&str, &str)]) {
    let tags = tags.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    cloud.world().things.get_mut("demo-dev-a").expect("it was made").1 = tags;
}

/// The commonest accident: a tool that replaces all tags.
#[tokio::test]
async fn resource_that_lost_its_tags_is_drift_and_retagged() {
    for left in [&[][..], &[("team", "checkout")], &[("deployer:stack", "demo")]] {
        let (stack, cloud) = made().await;
        tagged(&cloud, left);
        let (_, plan) = planned(&stack, &cloud).await;
        assert_eq!((plan.verdict, plan.verdicts[&Verdict::Foreign]), (Verdict::Drift, 0), "{left:?}");
        assert!(up(&stack, &cloud).await.succeeded());
        let (_, plan) = planned(&stack, &cloud).await;
        assert_eq!(plan.verdict, Verdict::InSync);
        let tags = cloud.world().things["demo-dev-a"].1.clone();
        assert!(scope().owns(&tags) && left.iter().all(|(key, _)| tags.contains_key(*key)), "{tags:?}");
    }
}

#[tokio::test]
async fn resource_recreated_by_others_is_foreign() {
    let (stack, cloud) = made().await;
    tagged(&cloud, &[]);
    *cloud.world().made.get_mut("demo-dev-a").expect("it was made") += 1;
    assert_eq!(planned(&stack, &cloud).await.1.verdict, Verdict::Foreign);
    // Without anything to tell it by, nobody knows.
    cloud.world().made.clear();
    assert_eq!(planned(&stack, &cloud).await.1.verdict, Verdict::Foreign);
}

#[tokio::test]
async fn resource_taken_over_by_another_environment_is_foreign() {
    let (stack, cloud) = made().await;
    tagged(&cloud, &[("deployer:stack", "demo"), ("deployer:environment", "dev-2")]);
    assert_eq!(planned(&stack, &cloud).await.1.verdict, Verdict::Foreign);
}
