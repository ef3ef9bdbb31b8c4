//! Whatever the world looks like and wherever a run dies, running it again converges.

use deployer::error::Class;
use deployer::plan::Verdict;
use deployer::resource::Tags;
use proptest::prelude::*;

use crate::fake::{FakeCloud, Part, Thing, down, planned, scope, stack, up};

const NAMES: [&str; 4] = ["a", "b", "c", "d"];

/// What is live of one thing before the run.
#[derive(Debug, Clone)]
enum Before {
    Absent,
    Ours { size: u32, stamped: bool, part: Option<u32> },
}

fn before() -> impl Strategy<Value = Before> {
    let ours = (0u32..3, any::<bool>(), proptest::option::of(0u32..3))
        .prop_map(|(size, stamped, part)| Before::Ours { size, stamped, part });
    prop_oneof![Just(Before::Absent), ours]
}

fn failure() -> impl Strategy<Value = (&'static str, usize)> {
    (prop::sample::select(vec!["Create", "Update", "Tag", "Delete"]), 0usize..NAMES.len())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn up_converges_from_anything_and_down_leaves_only_what_is_not_ours(
        befores in prop::collection::vec(before(), NAMES.len()),
        failures in prop::collection::vec(failure(), 0..4),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let cloud = FakeCloud::default();
            let foreign = (Thing::new("2-a"), Tags::new());
            cloud.world().things.insert(foreign.0.name.clone(), foreign.clone());
            for (name, before) in NAMES.iter().zip(&befores) {
                let Before::Ours { size, stamped, part } = before else { continue };
                let thing = Thing::new(name).size(*size);
                let mut tags = scope().tags();
                if *stamped {
                    tags.insert("deployer:stamp".into(), "1:0".into());
                }
                let mut world = cloud.world();
                if let Some(speed) = part {
                    let part = Part::of(&thing).speed(*speed);
                    world.parts.insert(part.name.clone(), part);
                }
                world.things.insert(thing.name.clone(), (thing, tags));
            }
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
            for (verb, name) in failures {
                cloud.fail(&format!("{verb} cart-dev-{}", NAMES[name]), Class::Other);
            }
            // Each run uses up at least one failure or ends with success.
            let mut runs = 0;
            while !up(&stack, &cloud).await.succeeded() {
                runs += 1;
                assert!(runs < 6, "it never converges");
            }
            cloud.world().failures.clear();
            assert_eq!(planned(&stack, &cloud).await.1.verdict, Verdict::InSync);
            cloud.writes();
            up(&stack, &cloud).await;
            assert!(cloud.writes().is_empty(), "a converged world is left alone");

            assert!(down(&cloud).await.succeeded());
            let world = cloud.world();
            assert_eq!(world.things.values().collect::<Vec<_>>(), [&foreign]);
            assert!(world.parts.is_empty());
        });
    }
}
