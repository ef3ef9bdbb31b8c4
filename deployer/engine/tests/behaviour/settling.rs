//! Reading again: before drift is reported, and until AWS shows an accepted change.

use std::time::Duration;

use engine::apply::apply;
use engine::plan::{Verdict, Wishes};
use engine::resource::{Resource, ResourceId, Tags};
use engine::settle::{rechecked, settle};
use engine::testing::{FakeCloud, Part, Thing, planned, stack, up};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

#[tokio::test(start_paused = true)]
async fn apparent_drift_is_read_once_more() {
    let (mut stack, cloud, wishes) = (stack(), FakeCloud::default(), Wishes::default());
    stack.add(Thing::new("a"));
    up(&stack, &cloud).await;
    for (later, verdict) in [(1, Verdict::InSync), (7, Verdict::Drift)] {
        let size =
            |size| cloud.world().things.get_mut("demo-dev-a").expect("the resource exists").0.size = size;
        size(7);
        let (mut survey, plan) = planned(&stack, &cloud).await;
        assert_eq!(plan.verdict, Verdict::Drift);
        size(later);
        let plan = rechecked(plan, &stack, &wishes, &mut survey, &cloud).await;
        assert_eq!(plan.verdict, verdict);
        size(1);
    }
}

#[tokio::test(start_paused = true)]
async fn apparently_unmanaged_resource_is_read_once_more() {
    let (mut stack, cloud, wishes) = (stack(), FakeCloud::default(), Wishes::default());
    stack.add(Thing::new("a"));
    up(&stack, &cloud).await;
    let swap = |tags| {
        std::mem::replace(
            &mut cloud.world().things.get_mut("demo-dev-a").expect("the resource exists").1,
            tags,
        )
    };
    let ours = swap(Tags::new());
    let (mut survey, plan) = planned(&stack, &cloud).await;
    assert_eq!(plan.verdict, Verdict::Unmanaged);
    swap(ours);
    let plan = rechecked(plan, &stack, &wishes, &mut survey, &cloud).await;
    assert_eq!(plan.verdict, Verdict::InSync);
}

#[tokio::test(start_paused = true)]
async fn clean_resource_is_not_read_again() {
    let (mut stack, cloud) = (stack(), FakeCloud::default());
    stack.add(Thing::new("a"));
    up(&stack, &cloud).await;
    let (mut survey, plan) = planned(&stack, &cloud).await;
    cloud.world().calls.clear();
    rechecked(plan, &stack, &Wishes::default(), &mut survey, &cloud).await;
    assert!(cloud.world().calls.is_empty());
}

#[tokio::test(start_paused = true)]
async fn unsettled_change_is_a_warning() {
    let (mut stack, cloud, wishes) = (stack(), FakeCloud::default(), Wishes::default());
    stack.add(Thing::new("a")).add(Thing::new("b"));
    up(&stack, &cloud).await;
    // AWS returns an older state of one of them for longer than allowed.
    cloud.world().things.get_mut("demo-dev-a").expect("the resource exists").0.size = 7;
    let (mut survey, _) = planned(&stack, &cloud).await;
    let changed = ["demo-dev-a", "demo-dev-b"].map(|name| ResourceId::new(Thing::KIND, name));
    let begun = Instant::now();
    let stop = CancellationToken::new();
    let unsettled = settle(&stack, &wishes, &mut survey, changed.clone().into(), &cloud, &stop).await;
    assert_eq!(unsettled.iter().map(|step| step.name.as_str()).collect::<Vec<_>>(), ["demo-dev-a"]);
    let waited = begun.elapsed();
    assert!(waited > Duration::from_secs(15) && waited <= Thing::INFO.settles_within, "{waited:?}");

    stop.cancel();
    let begun = Instant::now();
    settle(&stack, &wishes, &mut survey, changed.into(), &cloud, &stop).await;
    assert_eq!(begun.elapsed(), Duration::ZERO, "a stopped run does not wait");
}

#[tokio::test(start_paused = true)]
async fn part_settles_with_its_stamped_parent() {
    let (mut before, mut after, cloud, wishes) = (stack(), stack(), FakeCloud::default(), Wishes::default());
    let thing = Thing::new("a");
    before.add(thing.clone()).add(Part::of(&thing));
    after.add(thing.clone()).add(Part::of(&thing).speed(2));
    up(&before, &cloud).await;
    let (mut survey, plan) = planned(&after, &cloud).await;
    let stop = CancellationToken::new();
    let report = apply(&plan, &after, &survey, &cloud, &stop, |_| {}).await;
    let begun = Instant::now();
    let unsettled = settle(&after, &wishes, &mut survey, report.done(), &cloud, &stop).await;
    assert!(unsettled.is_empty(), "{unsettled:?}");
    assert_eq!(begun.elapsed(), Duration::ZERO);
}
