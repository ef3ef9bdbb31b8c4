//! After any initial state, any failing calls and any interruption, another run converges, and unmanaged
//! resources are left alone.

use std::num::NonZero;

use engine::error::{Class, Error};
use engine::plan::Verdict;
use engine::resource::Tags;
use engine::testing::{FakeCloud, Fault, Part, Thing, When, down, planned, scope, stack, up, up_with};
use proptest::prelude::*;

const NAMES: [&str; 4] = ["a", "b", "c", "d"];

/// The live state of one thing before the run.
#[derive(Debug, Clone)]
enum Before {
    Absent,
    Ours { size: u32, stamped: bool, part: Option<u32> },
}

/// The inputs of a test case.
#[derive(Debug, Clone)]
struct Trouble {
    befores: Vec<Before>,
    /// Failing calls, some of them with their effect but without an answer.
    faults: Vec<(&'static str, &'static str, Class, When)>,
    /// The runs that die, and at which call.
    deaths: Vec<(usize, When)>,
    forgets_tags: bool,
}

fn before() -> impl Strategy<Value = Before> {
    let ours = (0u32..3, any::<bool>(), proptest::option::of(0u32..3))
        .prop_map(|(size, stamped, part)| Before::Ours { size, stamped, part });
    prop_oneof![Just(Before::Absent), ours]
}

fn when() -> impl Strategy<Value = When> {
    prop_oneof![Just(When::Before), Just(When::After)]
}

fn fault() -> impl Strategy<Value = (&'static str, &'static str, Class, When)> {
    let verb = prop::sample::select(vec![
        "Create", "Update", "Ready", "Tag", "Delete", "Read", "List", "Record", "Forget",
    ]);
    let name = prop::sample::select(vec!["demo-dev-a", "demo-dev-b", "demo-dev-c", "demo-dev-d", "", "fake"]);
    let class = prop::sample::select(vec![
        Class::Throttled,
        Class::Propagating,
        Class::InProgress,
        Class::Denied,
        Class::Other,
    ]);
    // A refused call has no effect; otherwise an answer may be lost after the effect.
    (verb, name, class, when()).prop_map(|(verb, name, class, when)| match class {
        Class::Throttled | Class::Other => (verb, name, class, when),
        _ => (verb, name, class, When::Before),
    })
}

fn trouble() -> impl Strategy<Value = Trouble> {
    (
        prop::collection::vec(before(), NAMES.len()),
        prop::collection::vec(fault(), 0..4),
        prop::collection::vec((0usize..16, when()), 0..4),
        any::<bool>(),
    )
        .prop_map(|(befores, faults, deaths, forgets_tags)| Trouble {
            befores,
            faults,
            deaths,
            forgets_tags,
        })
}

/// Returns a cloud with this initial state, and with unmanaged resources.
fn world(trouble: &Trouble) -> FakeCloud {
    let cloud = FakeCloud::default();
    let mut world = cloud.world();
    world.forgets_tags = trouble.forgets_tags;
    for (thing, tags) in unmanaged() {
        world.things.insert(thing.name.clone(), (thing, tags));
    }
    for (name, before) in NAMES.iter().zip(&trouble.befores) {
        let Before::Ours { size, stamped, part } = before else { continue };
        let thing = Thing::new(name).size(*size);
        let mut tags = scope().tags();
        if *stamped {
            tags.insert("deployer:stamp".into(), "1:0".into());
        }
        if let Some(speed) = part {
            let part = Part::of(&thing).speed(*speed);
            world.parts.insert(part.name.clone(), part);
        }
        world.things.insert(thing.name.clone(), (thing, tags));
    }
    for (verb, name, class, when) in &trouble.faults {
        let call = format!("{verb} {name}");
        let error = Error::new(*class, call.clone(), "asked to fail");
        world.failures.push(Fault { call, error, when: *when });
    }
    drop(world);
    cloud
}

/// Resources of an environment with a longer name, and resources without tags.
fn unmanaged() -> [(Thing, Tags); 2] {
    let mut theirs = scope().tags();
    theirs.insert("deployer:environment".into(), "dev-2".into());
    [(Thing::new("2-a"), theirs), (Thing::new("old"), Tags::new())]
}

fn chain() -> engine::stack::Stack<FakeCloud> {
    let mut stack = stack();
    let mut last: Option<Thing> = None;
    for name in NAMES {
        let mut thing = Thing::new(name);
        if let Some(last) = &last {
            thing = thing.needing(last);
        }
        stack.add(Part::of(&thing));
        stack.add(thing.clone());
        last = Some(thing);
    }
    stack
}

/// Repeats a run, each time with the next death, until it succeeds.
async fn until_it_succeeds(cloud: &FakeCloud, deaths: &[(usize, When)], mut run: impl AsyncFnMut() -> bool) {
    let mut deaths = deaths.iter();
    // Each run uses up a death or a failure, or succeeds.
    for _ in 0..10 {
        cloud.world().dies = deaths.next().copied();
        let succeeded = tokio::select! {
            biased;
            succeeded = run() => succeeded,
            () = cloud.death() => false,
        };
        if succeeded {
            cloud.world().dies = None;
            return;
        }
    }
    panic!("it never converges");
}

async fn converges(trouble: Trouble) {
    let (cloud, stack) = (world(&trouble), chain());
    let up_once = async || match up_with(&stack, &cloud, &Default::default()).await {
        Ok(report) => report.succeeded(),
        Err(_) => false,
    };
    // An unreadable resource was not planned: `up` stops there.
    let up_or_stop =
        async || planned(&stack, &cloud).await.1.having(Verdict::Unknown).next().is_none() && up_once().await;
    until_it_succeeds(&cloud, &trouble.deaths, up_or_stop).await;
    cloud.world().failures.clear();
    assert_eq!(planned(&stack, &cloud).await.1.verdict, Verdict::InSync);
    cloud.writes();
    up(&stack, &cloud).await;
    assert!(cloud.writes().is_empty(), "a converged environment is not changed");
    assert!(cloud.world().releases.last().is_some_and(|last| last.release.making.is_empty()));

    until_it_succeeds(&cloud, &trouble.deaths, async || down(&cloud).await.succeeded()).await;
    let world = cloud.world();
    let left: Vec<_> = world.things.values().cloned().collect();
    assert_eq!(left, unmanaged());
    assert!(world.parts.is_empty());
    assert!(world.releases.is_empty());
}

/// Returns the number of cases: the same as for every property if `PROPTEST_CASES` is set. An invalid number
/// is rejected, because proptest would silently use its default.
fn cases() -> u32 {
    let Some(wanted) = std::env::var_os("PROPTEST_CASES") else {
        return 10_000;
    };
    let number = wanted.to_str().and_then(|wanted| wanted.parse::<NonZero<u32>>().ok());
    number.unwrap_or_else(|| panic!("PROPTEST_CASES is not a number above 0: {}", wanted.display())).get()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), ..ProptestConfig::default() })]

    #[test]
    fn up_converges_and_down_leaves_only_unmanaged_resources(trouble in trouble()) {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_time().start_paused(true).build().expect("a runtime");
        runtime.block_on(converges(trouble));
    }
}
