//! What to do about each resource: the whole of the planner's judgement.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::stamp::{comparable, stamp};
use super::{Action, Plan, Step, Verdict};
use crate::diff::{Change, diff, fields};
use crate::resource::{Described, Effect, ResourceId, Risk, Seen, Tags};
use crate::scope::{Scope, TAG_REGION, TAG_STAMP};
use crate::survey::Survey;

/// Compares what is desired with what was seen and says what is to be done.
pub fn plan(scope: &Scope, desired: &[&dyn Described], survey: &Survey) -> Plan {
    let decision = Decision { scope, desired, survey };
    let mut steps: Vec<Step> = desired.iter().map(|subject| decision.step(*subject)).collect();
    steps.extend(decision.strays());
    Plan::new(&scope.environment, steps)
}

struct Decision<'a> {
    scope: &'a Scope,
    desired: &'a [&'a dyn Described],
    survey: &'a Survey,
}

impl Decision<'_> {
    fn step(&self, subject: &dyn Described) -> Step {
        let id = subject.id();
        let tags = self.desired_tags(subject);
        let step = Step {
            needs: subject.needs().into_iter().chain(subject.parent()).collect(),
            ..blank(id.clone())
        };
        match self.survey.seen.get(&id) {
            None | Some(Ok(None)) => {
                Step { action: Action::Create, verdicts: vec![Verdict::Pending], tags, ..step }
            }
            Some(Err(error)) => {
                Step { verdicts: vec![Verdict::Unknown], reason: Some(error.to_string()), ..step }
            }
            Some(Ok(Some(seen))) if !self.owns(subject, seen) => Step {
                action: Action::Refuse,
                verdicts: vec![Verdict::Foreign],
                reason: Some(self.foreign(seen)),
                ..step
            },
            Some(Ok(Some(seen))) => self.compared(subject, seen, Step { tags, ..step }),
        }
    }

    /// Decides about a resource that is live and ours.
    fn compared(&self, subject: &dyn Described, seen: &Seen, step: Step) -> Step {
        let state = subject.state();
        let step = Step { compared: fields(&state), ..step };
        let mut changes =
            [diff(&seen.state, &state), tag_changes(step.tags.as_ref(), seen.tags.as_ref())].concat();
        if changes.is_empty() {
            return Step { verdicts: vec![Verdict::InSync], ..step };
        }
        let verdicts = self.verdicts(subject, seen, &changes);
        // The stamp follows from whatever else changes, and is worth telling only by itself.
        if changes.iter().any(|change| change.path != stamp_path()) {
            changes.retain(|change| change.path != stamp_path());
        }
        let mut action = Action::Update;
        let mut risk = Risk::Safe;
        let mut reason = None;
        for change in &changes {
            match subject.effect(change) {
                Effect::InPlace(grave) => risk = risk.max(grave),
                Effect::Recreate(grave) => {
                    risk = risk.max(grave);
                    if action == Action::Update {
                        action = Action::Recreate;
                    }
                }
                Effect::Refuse(instructions) => {
                    action = Action::Refuse;
                    reason = Some(instructions.to_owned());
                }
            }
        }
        Step { action, verdicts, risk, changes, reason, ..step }
    }

    /// Tells who moved: the code, somebody, or both.
    fn verdicts(&self, subject: &dyn Described, seen: &Seen, changes: &[Change]) -> Vec<Verdict> {
        // What has no tags takes its stamp from its parent.
        let (top, top_seen) = match subject.parent() {
            None => (subject, Some(seen)),
            Some(parent) => match self.desired.iter().find(|other| other.id() == parent) {
                Some(parent) => (*parent, self.seen(&parent.id())),
                None => (subject, None),
            },
        };
        let tags = top_seen.and_then(|seen| seen.tags.as_ref());
        let Some(written) = tags.and_then(|tags| tags.get(TAG_STAMP)) else {
            return vec![Verdict::Pending];
        };
        if *written == self.desired_stamp(top) {
            return vec![Verdict::Drift];
        }
        let only_the_stamp = changes.iter().all(|change| change.path == stamp_path());
        let touched = !only_the_stamp
            && comparable(written)
            && self.live_stamp(top).is_some_and(|live| live != *written);
        if touched { vec![Verdict::Drift, Verdict::Pending] } else { vec![Verdict::Pending] }
    }

    /// Says whose it is, as far as its tags tell.
    fn foreign(&self, seen: &Seen) -> String {
        let region = seen.tags.as_ref().and_then(|tags| {
            let elsewhere = tags.get(TAG_REGION)?;
            let here = tags.clone().into_iter().chain([(TAG_REGION.to_owned(), self.scope.region.clone())]);
            self.scope.owns(&here.collect()).then(|| elsewhere.clone())
        });
        match region {
            Some(region) => format!(
                "it belongs to this environment in {region}, and must stay: an environment is in one region"
            ),
            None => "it exists under our name and its tags do not say that it is ours".into(),
        }
    }

    fn owns(&self, subject: &dyn Described, seen: &Seen) -> bool {
        match (&seen.tags, subject.parent()) {
            (Some(tags), _) => self.scope.owns(tags),
            (None, Some(parent)) => match self.seen(&parent).and_then(|parent| parent.tags.as_ref()) {
                Some(tags) => self.scope.owns(tags),
                // The parent is gone and its name is ours to give.
                None => true,
            },
            (None, None) => false,
        }
    }

    fn seen(&self, id: &ResourceId) -> Option<&Seen> {
        self.survey.seen.get(id)?.as_ref().ok()?.as_ref()
    }

    fn children(&self, parent: &ResourceId) -> impl Iterator<Item = &&dyn Described> {
        self.desired.iter().filter(move |other| other.parent().as_ref() == Some(parent))
    }

    fn desired_tags(&self, subject: &dyn Described) -> Option<Tags> {
        if subject.parent().is_some() {
            return None;
        }
        let mut tags = self.scope.tags();
        tags.insert(TAG_STAMP.to_owned(), self.desired_stamp(subject));
        Some(tags)
    }

    fn desired_stamp(&self, subject: &dyn Described) -> String {
        let children: BTreeMap<ResourceId, Value> =
            self.children(&subject.id()).map(|child| (child.id(), child.state())).collect();
        stamp(&subject.state(), &children.iter().map(|(id, state)| (id.clone(), state)).collect())
    }

    fn live_stamp(&self, subject: &dyn Described) -> Option<String> {
        let children = self
            .children(&subject.id())
            .filter_map(|child| Some((child.id(), &self.seen(&child.id())?.state)))
            .collect();
        Some(stamp(&self.seen(&subject.id())?.state, &children))
    }

    /// Reports what is not desired: ours, or unreadable. What is neither is nobody's business.
    fn strays(&self) -> impl Iterator<Item = Step> {
        let orphans = self
            .survey
            .strays
            .iter()
            .filter(|(_, tags)| self.scope.owns(tags))
            .map(|(id, _)| Step { verdicts: vec![Verdict::Orphan], ..blank(id.clone()) });
        let unknown = self.survey.unreadable.iter().map(|(id, error)| Step {
            verdicts: vec![Verdict::Unknown],
            reason: Some(error.to_string()),
            ..blank(id.clone())
        });
        orphans.chain(unknown)
    }
}

/// Returns a step that does nothing yet.
pub(super) fn blank(id: ResourceId) -> Step {
    Step {
        kind: id.kind(),
        name: id.name().to_owned(),
        id,
        action: Action::Keep,
        verdicts: Vec::new(),
        risk: Risk::Safe,
        changes: Vec::new(),
        reason: None,
        needs: Vec::new(),
        tags: None,
        compared: 0,
    }
}

fn stamp_path() -> String {
    format!("tags.{TAG_STAMP}")
}

/// Compares our tags only: others may tag what they like.
fn tag_changes(desired: Option<&Tags>, live: Option<&Tags>) -> Vec<Change> {
    let (Some(desired), Some(live)) = (desired, live) else {
        return Vec::new();
    };
    let differing = desired.iter().filter(|(key, value)| live.get(*key) != Some(value));
    differing
        .map(|(key, value)| Change {
            path: format!("tags.{key}"),
            live: json!(live.get(key)),
            desired: json!(value),
        })
        .collect()
}
