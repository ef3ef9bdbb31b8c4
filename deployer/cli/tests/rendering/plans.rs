//! Plans in all output formats: one with every action and verdict, and one with hostile text.

use clap::ValueEnum;
use cli::render::{Heading, PlanFormat, Question, orphans_left, plan_in};
use engine::change::Change;
use engine::error::Class;
use engine::plan::{Action, Compared, NotCompared, Plan, Step, Verdict, Wishes, plan};
use engine::resource::{ResourceId, Risk, Tags};
use engine::survey::Fate;
use engine::testing::{FakeCloud, Part, Thing, planned, planned_with, scope, stack, up};
use proptest::prelude::*;
use serde_json::{Value, json};

/// The maximum length of a comment on GitHub.
const LONGEST_COMMENT: usize = 65_536;

fn shown(format: PlanFormat, plan: &Plan, question: Question) -> String {
    let text = plan_in(format, plan, Heading { scope: &scope(), question, code: None });
    anstream::adapter::strip_str(&text).to_string()
}

/// Returns a plan with every verdict and every action.
async fn eventful() -> Plan {
    let (mut before, mut after, cloud) = (stack(), stack(), FakeCloud::default());
    let [drifted, pending, recreated, kept] = ["drifted", "pending", "recreated", "kept"].map(Thing::new);
    before.add(drifted.clone().size(2)).add(pending.clone()).add(recreated.clone()).add(kept.clone());
    before.add(Part::of(&recreated)).add(Thing::new("orphan")).add(Thing::new("refused"));
    let pruned = Thing::new("pruned");
    before.add(pruned.clone()).add(Part::of(&pruned));
    up(&before, &cloud).await;
    {
        let mut world = cloud.world();
        world.things.get_mut("demo-dev-drifted").expect("it was created").0.size = 5;
        world.things.get_mut("demo-dev-refused").expect("it was created").0.key = "other".into();
        world.things.insert("demo-dev-unmanaged".into(), (Thing::new("unmanaged"), Tags::new()));
    }
    cloud.fail("Read demo-dev-unreadable", Class::Denied);
    after.add(drifted.size(2)).add(pending.size(3)).add(recreated.clone()).add(kept);
    after.add(Part::of(&recreated).speed(2)).add(Thing::new("absent")).add(Thing::new("unmanaged"));
    after.add(Thing::new("unreadable")).add(Thing::new("refused"));
    let allow = ["fake.thing/demo-dev-pruned".to_owned()].into();
    let wishes = Wishes { prune: true, allow, ..Wishes::default() };
    planned_with(&after, &cloud, &wishes).await.1
}

#[tokio::test]
async fn plan_is_shown_whole_in_every_form() {
    let plan = eventful().await;
    // Pruned resources are not disabled: see below.
    for (action, number) in plan.actions.iter().filter(|(action, _)| **action != Action::Disable) {
        assert!(*number > 0, "no step is {action:?}");
    }
    for (verdict, number) in &plan.verdicts {
        assert!(*number > 0, "nothing is {verdict:?}");
    }
    // JSON is the plan itself.
    for format in PlanFormat::value_variants().iter().filter(|format| **format != PlanFormat::Json) {
        let name = format.to_possible_value().expect("every form has a name").get_name().to_owned();
        let format = *format;
        insta::assert_snapshot!(name.clone(), shown(format, &plan, Question::Plan));
        insta::assert_snapshot!(format!("{name}_drift"), shown(format, &plan, Question::Drift));
    }
}

#[tokio::test]
async fn orphan_is_no_unchanged_resource() {
    let (mut before, mut after, cloud) = (stack(), stack(), FakeCloud::default());
    let [kept, old] = ["kept", "old"].map(Thing::new);
    before.add(kept.clone()).add(Part::of(&kept)).add(old.clone()).add(Part::of(&old));
    after.add(kept);
    up(&before, &cloud).await;
    let (mut survey, _) = planned(&after, &cloud).await;
    let parts = survey.active.iter_mut().filter(|(id, _)| id.name() == "demo-dev-old/part");
    parts.for_each(|(_, activity)| activity.fate = Some(Fate::Disable("commit 4b5b545 created it".into())));
    let plan = plan(&after, &survey, &Wishes::default());
    insta::assert_snapshot!(shown(PlanFormat::Human, &plan, Question::Plan));
    insta::assert_snapshot!("orphans_left", orphans_left(&plan, "`up --prune`").expect("there are some"));
    insta::assert_snapshot!("orphans_comment", shown(PlanFormat::Markdown, &plan, Question::Plan));
}

#[tokio::test]
async fn clean_plan_is_one_line() {
    let (mut stack, cloud) = (stack(), FakeCloud::default());
    stack.add(Thing::new("a"));
    up(&stack, &cloud).await;
    let plan = planned(&stack, &cloud).await.1;
    insta::assert_snapshot!(shown(PlanFormat::Human, &plan, Question::Drift));
    insta::assert_snapshot!("a_clean_comment", shown(PlanFormat::Markdown, &plan, Question::Drift));
}

/// Returns a plan with these steps.
fn plan_of(steps: Vec<Step>) -> Plan {
    let mut verdicts: std::collections::BTreeMap<Verdict, usize> = Verdict::ALL.map(|of| (of, 0)).into();
    let mut actions = std::collections::BTreeMap::new();
    for step in &steps {
        *actions.entry(step.action).or_default() += 1;
        for verdict in &step.verdicts {
            *verdicts.entry(*verdict).or_default() += 1;
        }
    }
    Plan {
        schema: 1,
        environment: "dev".into(),
        verdict: Verdict::Drift,
        actions,
        verdicts,
        compared: Compared { resources: steps.len(), fields: 7 * steps.len(), ..Compared::default() },
        steps,
        reads: [].into(),
    }
}

fn drifted(name: &str, changes: Vec<Change>) -> Step {
    Step {
        id: ResourceId::new("iam.role", name),
        kind: "iam.role",
        name: name.into(),
        action: Action::Update,
        verdicts: vec![Verdict::Drift],
        risk: changes.iter().map(|change| change.risk).max().unwrap_or(Risk::Safe),
        changes,
        reason: None,
        needs: Vec::new(),
        parent: None,
        tags: Tags::new(),
        compared: 7,
    }
}

/// Policies by statement, documents by path, long text by line, secrets as hashes.
#[test]
fn changes_of_every_shape_are_readable() {
    let wide = json!({"Action": ["dynamodb:*"], "Effect": "Allow", "Resource": ["*"]});
    let statement = |action: &str| json!({"Action": [action], "Effect": "Allow", "Resource": ["arn:aws:dynamodb:eu-central-1:111111111111:table/demo-dev-events"]});
    let actions = |last: &str| json!(["dynamodb:batchgetitem", "dynamodb:getitem", "dynamodb:query", last]);
    let grants = "inline_policies.grants.statements";
    let mut shorter = Change::new("retention_hours", json!(168), json!(24));
    shorter.risk = Risk::LosesData;
    let changes = vec![
        Change::new("description", json!("x".repeat(300) + " by hand"), json!("x".repeat(300))),
        Change::new("environment.TABLE", json!("sha256:2cf24dba5fb0a30e"), json!("sha256:486ea46224d1bb4f")),
        Change::new("environment.TOKEN", json!(null), json!("sha256:2cf24dba5fb0a30e")),
        Change::new(
            "filter",
            json!(r#"{"eventName": ["INSERT"]}"#),
            json!(r#"{"eventName": ["INSERT", "MODIFY"]}"#),
        ),
        Change::new(format!("{grants}.Append"), statement("dynamodb:putitem"), json!(null)),
        Change::new(format!("{grants}.Read.Action"), actions("dynamodb:*"), actions("dynamodb:scan")),
        Change::new(
            "inline_policies.more",
            json!({"version": "2012-10-17", "statements": {"#ea9a827d": wide}}),
            json!(null),
        ),
        Change::new("notes", json!("one\ntwo\nthree"), json!("one\n2\nthree")),
        shorter,
        Change::new("vpc", json!({"subnets": ["subnet-1"], "security_groups": []}), json!(null)),
    ];
    let mut plan = plan_of(vec![drifted("demo-dev-get-demo", changes)]);
    let left = |what, why| NotCompared { kind: "dynamodb.table", what, why, resources: 1 };
    plan.compared.left_out =
        vec![left("replicas", "another region's"), left("resource policy", "another call for each read")];
    insta::assert_snapshot!("shapes_human", shown(PlanFormat::Human, &plan, Question::Drift));
    insta::assert_snapshot!("shapes_markdown", shown(PlanFormat::Markdown, &plan, Question::Drift));
    plan.compared.left_out.extend([left("other tags", "not managed"), left("metrics", "no configuration")]);
    let text = shown(PlanFormat::Human, &plan, Question::Drift);
    insta::assert_snapshot!("much_left_out", text.lines().last().unwrap_or_default());
}

/// GitHub rejects a longer comment as a whole, so the comment is cut, and says by how much.
#[test]
fn comment_stays_below_the_github_limit() {
    let change = |number: usize| Change::new("description", json!("é".repeat(number)), json!("by hand"));
    let resource = |number: usize| drifted(&format!("demo-dev-{number:03}"), vec![change(500)]);
    let text = shown(PlanFormat::Markdown, &plan_of((0..500).map(resource).collect()), Question::Drift);
    assert!(text.chars().count() < LONGEST_COMMENT, "{} characters", text.chars().count());
    let shown_blocks = text.matches("<details>").count();
    let more = format!("… and {} more resources", 500 - shown_blocks);
    assert!(text.contains(&more), "{more} is not in {}", &text[text.len() - 400..]);
    assert!(text.contains("`deployer drift dev` shows all"));
    assert!(text.contains("| 500 |"), "the totals are of all of them");

    let huge = plan_of(vec![drifted("demo-dev-a", vec![change(200_000)]), resource(1)]);
    let text = shown(PlanFormat::Markdown, &huge, Question::Drift);
    assert!(text.chars().count() < LONGEST_COMMENT);
    assert!(text.contains("more characters"));
    assert!(text.contains("demo-dev-001"), "one long value does not hide the next resource");
}

/// A comment is found by its first line.
#[test]
fn comment_is_the_same_for_the_same_plan() {
    let plan = plan_of(vec![drifted("demo-dev-a", vec![Change::new("size", json!(1), json!(2))])]);
    let text = shown(PlanFormat::Markdown, &plan, Question::Drift);
    assert_eq!(text, shown(PlanFormat::Markdown, &plan.clone(), Question::Drift));
    assert_eq!(text.lines().next(), Some("<!-- deployer:drift:demo-dev -->"));
    assert!(
        shown(PlanFormat::Markdown, &plan, Question::Plan).starts_with("<!-- deployer:plan:demo-dev -->\n")
    );
}

/// GitHub shows ten annotations of a level and drops the others silently.
#[test]
fn annotations_beyond_what_github_shows_are_counted() {
    let resource = |number: usize| drifted(&format!("a:b,{number}"), vec![]);
    let text = shown(PlanFormat::Github, &plan_of((0..12).map(resource).collect()), Question::Drift);
    let annotations: Vec<&str> = text.lines().filter(|line| line.starts_with("::")).collect();
    assert_eq!(annotations.len(), 10);
    assert_eq!(annotations[0], "::warning title=iam.role/a%3Ab%2C0::drift");
    assert_eq!(annotations[9], "::warning title=and more::3 more resources");
}

fn nasty() -> impl Strategy<Value = String> {
    let bits = prop_oneof![
        "[`~|<>\"'\\\\&*_#@:-]{1,8}",
        "[\n\r\t\u{1b}\u{202e}]{1,3}",
        "[a-z ]{1,10}",
        Just("```".to_owned()),
        Just("</details>".to_owned()),
        Just("\n::error::x".to_owned()),
        Just("-->".to_owned()),
    ];
    prop::collection::vec(bits, 0..6).prop_map(|bits| bits.concat())
}

proptest! {
    /// With any text in a name, a field or an error: each block is opened and closed once, no line leaves its
    /// fence, and no line is a command of the runner.
    #[test]
    fn comment_content_cannot_break_out(texts in prop::collection::vec(nasty(), 5)) {
        let [name, path, live, desired, reason] = &texts[..] else { unreachable!("there are five") };
        let mut step = drifted(name, vec![Change::new(path.as_str(), json!(live), json!([desired, null]))]);
        step.reason = Some(reason.clone());
        let bare = Step { verdicts: vec![Verdict::Orphan], action: Action::Keep, ..drifted(name, vec![]) };
        let text = shown(PlanFormat::Github, &plan_of(vec![step, bare]), Question::Drift);
        let (annotations, text) = text.split_at(text.find("<!--").unwrap_or_default());
        prop_assert_eq!(annotations.lines().count(), 1);
        let (mut fence, mut open, mut blocks): (Option<String>, bool, usize) = (None, false, 0);
        for line in text.lines() {
            prop_assert!(!line.chars().any(char::is_control));
            prop_assert!(!line.trim_start().starts_with("::"));
            match &fence {
                Some(until) if line == until => fence = None,
                Some(until) => {
                    prop_assert!("-+ @#~o".contains(&line[..1]), "{}", line);
                    prop_assert!(!line.contains(until.as_str()));
                }
                None if line.starts_with("<details><summary>") => {
                    prop_assert!(!open && line.ends_with("</summary>"));
                    prop_assert_eq!(line.matches('<').count(), 5, "{}", line);
                    (open, blocks) = (true, blocks + 1);
                }
                None if line == "</details>" => {
                    prop_assert!(open);
                    open = false;
                }
                None if line.starts_with("```") => {
                    let ticks = line.chars().take_while(|letter| *letter == '`').collect();
                    fence = Some(ticks);
                }
                None => prop_assert!(!line.contains(name.as_str()) || name.len() < 12, "{}", line),
            }
        }
        prop_assert!(fence.is_none() && !open);
        prop_assert_eq!(blocks, 2);
        let json: Value = serde_json::from_str(&shown_json(live)).expect("JSON is JSON");
        prop_assert_eq!(&json["resources"][0]["changes"][0]["live"], live);
    }
}

fn shown_json(live: &str) -> String {
    let change = Change::new("a", json!(live), json!(null));
    shown(PlanFormat::Json, &plan_of(vec![drifted("a", vec![change])]), Question::Drift)
}
