//! What a reader sees of a plan in which everything happens at once.

use deployer::error::Class;
use deployer::plan::Plan;
use deployer::render::{Format, Heading, plan_in};
use deployer::resource::Tags;

use crate::fake::{FakeCloud, Part, Thing, planned, scope, stack, up};

/// Returns a plan with every verdict and every action but deleting.
async fn eventful() -> Plan {
    let (mut before, mut after, cloud) = (stack(), stack(), FakeCloud::default());
    let [drifted, pending, recreated, kept] = ["drifted", "pending", "recreated", "kept"].map(Thing::new);
    before.add(drifted.clone().size(2)).add(pending.clone()).add(recreated.clone()).add(kept.clone());
    before.add(Part::of(&recreated)).add(Thing::new("orphan")).add(Thing::new("refused"));
    up(&before, &cloud).await;
    {
        let mut world = cloud.world();
        world.things.get_mut("cart-dev-drifted").expect("it was made").0.size = 5;
        world.things.get_mut("cart-dev-refused").expect("it was made").0.key = "other".into();
        world.things.insert("cart-dev-foreign".into(), (Thing::new("foreign"), Tags::new()));
    }
    cloud.fail("Read cart-dev-unreadable", Class::Denied);
    after.add(drifted.size(2)).add(pending.size(3)).add(recreated.clone()).add(kept);
    after.add(Part::of(&recreated).speed(2)).add(Thing::new("absent")).add(Thing::new("foreign"));
    after.add(Thing::new("unreadable")).add(Thing::new("refused"));
    planned(&after, &cloud).await.1
}

#[tokio::test]
async fn every_form_shows_all_of_it() {
    let (plan, scope) = (eventful().await, scope());
    for (name, format) in
        [("human", Format::Human), ("markdown", Format::Markdown), ("github", Format::Github)]
    {
        let text = plan_in(format, &plan, Heading { scope: &scope, drift: false });
        insta::assert_snapshot!(name, anstream::adapter::strip_str(&text).to_string());
    }
}

#[tokio::test]
async fn a_clean_world_is_one_line() {
    let (mut stack, cloud) = (stack(), FakeCloud::default());
    stack.add(Thing::new("a"));
    up(&stack, &cloud).await;
    let (plan, scope) = (planned(&stack, &cloud).await.1, scope());
    let text = plan_in(Format::Human, &plan, Heading { scope: &scope, drift: true });
    insta::assert_snapshot!(anstream::adapter::strip_str(&text).to_string());
}
