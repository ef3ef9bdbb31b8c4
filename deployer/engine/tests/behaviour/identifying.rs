//! Resources that are recognised by their identity after their owner tags were lost.

use engine::plan::Verdict;
use engine::stack::Stack;
use engine::testing::{FakeCloud, Part, Thing, planned, scope, stack, up};

/// Returns a cloud with a thing and its part, and the stack that has them.
async fn made() -> (Stack<FakeCloud>, FakeCloud) {
    let (mut stack, cloud) = (stack(), FakeCloud::default());
    let thing = Thing::new("a");
    stack.add(Part::of(&thing)).add(thing);
    // The second run has read the resources that the first one created.
    for _ in 0..2 {
        assert!(up(&stack, &cloud).await.succeeded());
    }
    (stack, cloud)
}

fn tagged(cloud: &FakeCloud, tags: &[(&str, &str)]) {
    let tags = tags.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    cloud.world().things.get_mut("demo-dev-a").expect("the resource exists").1 = tags;
}

/// The most common accident: a tool that replaces all tags.
#[tokio::test]
async fn resource_that_lost_its_tags_is_drift_and_retagged() {
    for left in [&[][..], &[("team", "checkout")], &[("deployer:stack", "demo")]] {
        let (stack, cloud) = made().await;
        tagged(&cloud, left);
        let (_, plan) = planned(&stack, &cloud).await;
        assert_eq!((plan.verdict, plan.verdicts[&Verdict::Unmanaged]), (Verdict::Drift, 0), "{left:?}");
        assert!(up(&stack, &cloud).await.succeeded());
        let (_, plan) = planned(&stack, &cloud).await;
        assert_eq!(plan.verdict, Verdict::InSync);
        let tags = cloud.world().things["demo-dev-a"].1.clone();
        assert!(scope().owns(&tags) && left.iter().all(|(key, _)| tags.contains_key(*key)), "{tags:?}");
    }
}

#[tokio::test]
async fn resource_recreated_by_others_is_unmanaged() {
    let (stack, cloud) = made().await;
    tagged(&cloud, &[]);
    *cloud.world().made.get_mut("demo-dev-a").expect("the resource exists") += 1;
    assert_eq!(planned(&stack, &cloud).await.1.verdict, Verdict::Unmanaged);
    // Without an identity, the owner is unknown.
    cloud.world().made.clear();
    assert_eq!(planned(&stack, &cloud).await.1.verdict, Verdict::Unmanaged);
}

#[tokio::test]
async fn resource_taken_over_by_another_environment_is_unmanaged() {
    let (stack, cloud) = made().await;
    tagged(&cloud, &[("deployer:stack", "demo"), ("deployer:environment", "dev-2")]);
    assert_eq!(planned(&stack, &cloud).await.1.verdict, Verdict::Unmanaged);
}
