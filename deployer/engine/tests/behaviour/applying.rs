//! The executor carries out plans.

use std::sync::{Arc, Mutex};

use engine::apply::{Event, Failure, apply};
use engine::error::Class;
use engine::plan::Verdict;
use engine::testing::{FakeCloud, Part, Thing, When, planned, stack, up};
use tokio_util::sync::CancellationToken;

#[tokio::test]
async fn dependencies_come_first_and_the_stamp_last() {
    let (mut stack, cloud) = (stack(), FakeCloud::default());
    let (a, b) = (Thing::new("a"), Thing::new("b"));
    stack.add(Part::of(&b)).add(b.needing(&a)).add(a);
    assert!(up(&stack, &cloud).await.succeeded());
    assert_eq!(
        cloud.writes(),
        [
            "Create demo-dev-a",
            "Tag demo-dev-a",
            "Create demo-dev-b",
            "Tag demo-dev-b",
            "Create demo-dev-b/part",
            // The stamp of a part is on its thing.
            "Tag demo-dev-b",
        ],
    );
}

#[tokio::test]
async fn second_run_writes_nothing() {
    let (mut stack, cloud) = (stack(), FakeCloud::default());
    stack.add(Thing::new("a"));
    up(&stack, &cloud).await;
    cloud.writes();
    up(&stack, &cloud).await;
    assert!(cloud.writes().is_empty());
}

#[tokio::test]
async fn failure_skips_only_its_dependants() {
    let (mut stack, cloud) = (stack(), FakeCloud::default());
    let (a, b, c) = (Thing::new("a"), Thing::new("b"), Thing::new("c"));
    stack.add(b.clone().needing(&a)).add(Part::of(&b)).add(a).add(c);
    cloud.fail("Create demo-dev-a", Class::Denied);
    let report = up(&stack, &cloud).await;
    let reported: Vec<String> = report
        .outcomes
        .iter()
        .map(|outcome| match &outcome.result {
            Ok(()) => format!("{} done", outcome.id),
            Err(Failure::Failed(_)) => format!("{} failed", outcome.id),
            Err(Failure::Skipped(cause)) => format!("{} skipped for {cause}", outcome.id),
            Err(Failure::Stopped) => format!("{} stopped", outcome.id),
            Err(Failure::Interrupted) => format!("{} interrupted", outcome.id),
        })
        .collect();
    for expected in [
        "fake.thing/demo-dev-a failed",
        "fake.thing/demo-dev-b skipped for fake.thing/demo-dev-a",
        "fake.part/demo-dev-b/part skipped for fake.thing/demo-dev-b",
        "fake.thing/demo-dev-c done",
    ] {
        assert!(reported.iter().any(|line| line == expected), "{expected} in {reported:#?}");
    }
    assert_eq!(reported.len(), 4);

    assert!(up(&stack, &cloud).await.succeeded(), "another run repairs it");
    assert_eq!(planned(&stack, &cloud).await.1.verdict, Verdict::InSync);
}

#[tokio::test]
async fn passing_failure_of_a_step_is_retried() {
    for class in [Class::Propagating, Class::InProgress, Class::Throttled] {
        let (mut stack, cloud) = (stack(), FakeCloud::default());
        stack.add(Thing::new("a"));
        cloud.fail("Create", class);
        cloud.fail("Tag", class);
        assert!(up(&stack, &cloud).await.succeeded());
    }
}

#[tokio::test]
async fn tag_update_writes_nothing_else() {
    let (mut stack, cloud) = (stack(), FakeCloud::default());
    stack.add(Thing::new("a"));
    up(&stack, &cloud).await;
    cloud.world().things.get_mut("demo-dev-a").expect("the resource exists").1.remove("deployer:stamp");
    cloud.writes();
    up(&stack, &cloud).await;
    assert_eq!(cloud.writes(), ["Tag demo-dev-a"]);
}

#[tokio::test]
async fn half_created_resource_is_stamped_when_ready() {
    let (mut stack, cloud) = (stack(), FakeCloud::default());
    stack.add(Thing::new("a"));
    cloud.fail("Tag", Class::Denied);
    assert!(!up(&stack, &cloud).await.succeeded());
    cloud.writes();

    cloud.fail("Ready", Class::Other);
    assert!(!up(&stack, &cloud).await.succeeded());
    assert!(cloud.writes().is_empty(), "the resource is not ready");
    cloud.fail("Ready", Class::InProgress);
    assert!(up(&stack, &cloud).await.succeeded());
    assert_eq!(cloud.writes(), ["Tag demo-dev-a"]);
}

#[tokio::test]
async fn recreated_part_is_deleted_first() {
    let (mut stack, cloud) = (stack(), FakeCloud::default());
    let thing = Thing::new("a");
    stack.add(thing.clone()).add(Part::of(&thing));
    up(&stack, &cloud).await;
    cloud.world().parts.get_mut("demo-dev-a/part").expect("the resource exists").speed = 7;
    cloud.writes();
    up(&stack, &cloud).await;
    assert_eq!(cloud.writes(), ["Delete demo-dev-a/part", "Create demo-dev-a/part", "Tag demo-dev-a"]);
}

#[tokio::test]
async fn stopped_run_starts_no_further_steps() {
    let (mut stack, cloud) = (stack(), FakeCloud::default());
    let (a, b) = (Thing::new("a"), Thing::new("b"));
    stack.add(b.needing(&a)).add(a);
    let (survey, plan) = planned(&stack, &cloud).await;
    let stop = CancellationToken::new();
    let (stopping, events) = (stop.clone(), Arc::new(Mutex::new(0)));
    let counted = Arc::clone(&events);
    let report = apply(&plan, &stack, &survey, &cloud, &stop, move |event| {
        *counted.lock().expect("the lock is never poisoned") += 1;
        if matches!(event, Event::Ended(_)) {
            stopping.cancel();
        }
    })
    .await;
    assert_eq!(cloud.writes(), ["Create demo-dev-a", "Tag demo-dev-a"]);
    assert!(matches!(report.outcomes[1].result, Err(Failure::Stopped)));
    assert_eq!(*events.lock().expect("the lock is never poisoned"), 3);
}

#[tokio::test]
async fn step_behind_an_unstarted_one_blames_no_failure() {
    let (mut stack, cloud) = (stack(), FakeCloud::default());
    let (a, b, c) = (Thing::new("a"), Thing::new("b"), Thing::new("c"));
    stack.add(c.needing(&b)).add(b.needing(&a)).add(a);
    let (survey, plan) = planned(&stack, &cloud).await;
    let stop = CancellationToken::new();
    let stopping = stop.clone();
    let report = apply(&plan, &stack, &survey, &cloud, &stop, move |event| {
        if matches!(event, Event::Ended(_)) {
            stopping.cancel();
        }
    })
    .await;
    let results: Vec<_> = report.outcomes.iter().map(|outcome| outcome.result.clone()).collect();
    let stopped = [Ok(()), Err(Failure::Stopped), Err(Failure::Stopped)];
    assert_eq!(format!("{results:?}"), format!("{stopped:?}"), "a step that did not start has not failed");
}

#[tokio::test]
async fn run_failed_before_a_child_is_no_drift() {
    let (mut before, mut after, cloud) = (stack(), stack(), FakeCloud::default());
    let thing = Thing::new("a");
    before.add(thing.clone()).add(Part::of(&thing));
    after.add(thing.clone().size(2)).add(Part::of(&thing).speed(2));
    up(&before, &cloud).await;
    cloud.fail("Delete demo-dev-a/part", Class::Denied);
    assert!(!up(&after, &cloud).await.succeeded());
    let (_, plan) = planned(&after, &cloud).await;
    assert_eq!(plan.verdict, Verdict::Pending, "only the code was changed: {plan:?}");
    assert!(up(&after, &cloud).await.succeeded());
    assert_eq!(planned(&after, &cloud).await.1.verdict, Verdict::InSync);
}

#[tokio::test(start_paused = true)]
async fn stopped_run_waits_briefly_for_calls_in_flight() {
    let (mut stack, cloud) = (stack(), FakeCloud::default());
    let (a, b) = (Thing::new("a"), Thing::new("b"));
    stack.add(b.needing(&a)).add(a);
    let (survey, plan) = planned(&stack, &cloud).await;
    // A call that never gets an answer.
    cloud.world().dies = Some((0, When::After));
    let begun = tokio::time::Instant::now();
    let running = CancellationToken::new();
    let stopping = running.clone();
    let report = apply(&plan, &stack, &survey, &cloud, &running, move |event| {
        if matches!(event, Event::Started(..)) {
            stopping.cancel();
        }
    })
    .await;
    assert!(begun.elapsed() < std::time::Duration::from_secs(6), "{:?}", begun.elapsed());
    let reported: Vec<_> = report.outcomes.iter().map(|outcome| outcome.result.clone()).collect();
    assert!(
        matches!(reported.as_slice(), [Err(Failure::Interrupted), Err(Failure::Stopped)]),
        "{reported:?}",
    );
}
