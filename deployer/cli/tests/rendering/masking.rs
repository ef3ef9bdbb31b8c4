//! No output format of a plan shows the value of a variable, and each shows that it changed.

use std::collections::BTreeMap;

use aws::resources::function::Function;
use aws::resources::kinds;
use clap::ValueEnum;
use cli::render::{Heading, PlanFormat, Question, plan_in};
use engine::plan::{Wishes, plan};
use engine::resource::{Live, LiveResource, Resource, ResourceId};
use engine::stack::Stack;
use engine::survey::Survey;
use engine::testing::scope;

const BEFORE: &str = "hunter2-before";
const AFTER: &str = "hunter2-after";
const ADDED: &str = "hunter2-added";

#[test]
fn variable_values_are_masked_in_every_form() {
    let function = |variables: &[(&str, &str)]| {
        let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Function::new(&scope(), "add-item", "arn:aws:iam::111111111111:role/r", Vec::new())
            .environment(variables)
    };
    let live = function(&[("PASSWORD", BEFORE), ("BY_HAND", ADDED)]);
    let mut stack = Stack::new(scope(), kinds());
    stack.add(function(&[("PASSWORD", AFTER)]));
    let id = ResourceId::new(Function::KIND, "demo-dev-add-item");
    let seen = LiveResource::new(Live { resource: live, tags: Some(scope().tags()), identity: None });
    let survey = Survey { seen: BTreeMap::from([(id, Ok(Some(seen)))]), ..Survey::default() };
    let plan = plan(&stack, &survey, &Wishes::default());
    for format in PlanFormat::value_variants() {
        for question in [Question::Plan, Question::Drift] {
            let shown = plan_in(*format, &plan, Heading { scope: &scope(), question, code: None });
            for secret in [BEFORE, AFTER, ADDED] {
                assert!(!shown.contains(secret), "{format:?} shows a value: {shown}");
            }
            assert!(shown.contains("environment.PASSWORD"), "{format:?} hides the change: {shown}");
            assert!(shown.contains("environment.BY_HAND"), "{format:?} hides the addition: {shown}");
            assert!(shown.contains("sha256:"), "{format:?} does not distinguish two values: {shown}");
        }
    }
    let human =
        plan_in(PlanFormat::Human, &plan, Heading { scope: &scope(), question: Question::Drift, code: None });
    let masked = human.lines().filter(|line| line.contains("•••"));
    let masked: Vec<String> =
        masked.map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    assert_eq!(
        masked,
        [
            "environment.BY_HAND ••• (sha256:1190543a…) → none",
            "environment.PASSWORD ••• (sha256:cd402596…) → ••• (sha256:26e5caed…)",
        ],
    );
}
