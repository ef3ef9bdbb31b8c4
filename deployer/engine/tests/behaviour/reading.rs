//! Code that cannot read stored data is not deployed.

use std::collections::BTreeMap;

use engine::apply::ApplyReport;
use engine::plan::{Action, Verdict, Wishes};
use engine::run::{Convergence, Run};
use engine::stack::Stack;
use engine::testing::{FakeCloud, Thing, When, down, planned, planned_with, stack, up, up_with};

/// Returns a stack whose code reads these schemas, each up to this version.
fn reading<const N: usize>(size: u32, reads: [(&str, u32); N]) -> Stack<FakeCloud> {
    let mut stack = stack();
    stack.add(Thing::new("a").size(size));
    stack.reads = reads.map(|(name, version)| (name.to_owned(), version)).into();
    stack
}

fn recorded(cloud: &FakeCloud) -> BTreeMap<String, u32> {
    cloud.world().releases.last().map(|last| last.release.reads.clone()).unwrap_or_default()
}

#[tokio::test]
async fn code_that_reads_less_than_what_was_deployed_is_refused() {
    let cloud = FakeCloud::default();
    up(&reading(1, [("cart/Added", 2), ("cart/Opened", 1)]), &cloud).await;
    for (older, version, known) in [
        (reading(2, [("cart/Added", 1), ("cart/Opened", 1)]), 2, "reads up to version 1"),
        (reading(2, [("cart/Opened", 1)]), 2, "does not know it"),
    ] {
        let (_, plan) = planned(&older, &cloud).await;
        let refused =
            plan.steps.iter().find(|step| step.action == Action::Refuse).expect("the step is refused");
        assert_eq!(
            (refused.id.to_string().as_str(), plan.verdict),
            ("stored.schema/cart/Added", Verdict::Pending)
        );
        let reason = refused.reason.as_deref().unwrap_or_default();
        let said = format!(
            "version {version} was deployed here, so events of it may be stored, but this code {known};"
        );
        assert!(
            reason.starts_with(&said) && reason.ends_with("--allow stored.schema/cart/Added"),
            "{reason}"
        );
    }
    let same = reading(1, [("cart/Added", 2), ("cart/Opened", 1), ("cart/Closed", 1)]);
    assert_eq!(planned(&same, &cloud).await.1.verdict, Verdict::InSync, "another schema does not matter");
}

#[tokio::test]
async fn schema_allowed_to_become_unreadable_is_forgotten() {
    let cloud = FakeCloud::default();
    up(&reading(1, [("cart/Added", 2), ("cart/Closed", 1)]), &cloud).await;
    let older = reading(2, [("cart/Added", 1)]);
    let allow = ["stored.schema/cart/Added".to_owned(), "stored.schema/cart/Closed".to_owned()].into();
    let wishes = Wishes { allow, ..Wishes::default() };
    let (_, plan) = planned_with(&older, &cloud, &wishes).await;
    assert!(plan.steps.iter().all(|step| step.action != Action::Refuse), "{plan:?}");
    assert!(up_with(&older, &cloud, &wishes).await.expect("no other run is in progress").succeeded());
    assert_eq!(recorded(&cloud), [("cart/Added".to_owned(), 1)].into());
    assert_eq!(planned(&older, &cloud).await.1.verdict, Verdict::InSync, "without allowing it again");
    let deployed = cloud.world().releases.last().map(|last| last.release.deployed.clone());
    assert_eq!(deployed, Some(["fake.thing/demo-dev-a".to_owned()].into()), "stored data is not a resource");
}

/// Some writers may be changed and others not.
#[tokio::test(start_paused = true)]
async fn schema_of_an_interrupted_run_stays_recorded() {
    let cloud = FakeCloud::default();
    up(&reading(1, [("cart/Added", 1)]), &cloud).await;
    cloud.world().dies = Some((1, When::Before));
    let newer = reading(2, [("cart/Added", 2)]);
    tokio::select! {
        _ = up(&newer, &cloud) => panic!("the run did not die"),
        () = cloud.death() => {}
    }
    assert_eq!(recorded(&cloud), [("cart/Added".to_owned(), 2)].into());

    cloud.fail("Delete", engine::error::Class::Denied);
    assert!(!down(&cloud).await.succeeded());
    assert_eq!(recorded(&cloud), [("cart/Added".to_owned(), 2)].into(), "it may still be stored");
    assert!(down(&cloud).await.succeeded());
    assert_eq!(planned(&reading(1, [("cart/Added", 1)]), &cloud).await.1.verdict, Verdict::Pending);
}

#[tokio::test]
async fn run_ending_after_another_keeps_its_recorded_schemas() {
    let cloud = FakeCloud::default();
    let older = reading(1, [("cart/Added", 1)]);
    let (survey, plan) = planned(&older, &cloud).await;
    let entry = Run::entry(&plan, &survey, None, "one".into());
    let run = Run::begin(&cloud, None, entry).await.expect("no other run is in progress");
    assert!(up(&reading(1, [("cart/Added", 2)]), &cloud).await.succeeded());
    let met = run.met(&cloud).await.expect("the record can be read");
    assert!(met.is_some());
    run.end(&cloud, &ApplyReport::default(), &survey, Convergence::Diverged, met)
        .await
        .expect("the record can be written");
    assert_eq!(recorded(&cloud), [("cart/Added".to_owned(), 2)].into());
}
