//! What to do about each resource: the whole of the planner's judgement.

use serde_json::json;

use super::stamp::{comparable, is_stamp, place, stamp};
use super::{Action, Plan, Step, Verdict};
use crate::diff::{Change, diff, fields};
use crate::resource::{Described, Effect, ResourceId, Risk, Seen, Tags};
use crate::scope::{Scope, TAG_REGION};
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
            parent: subject.parent(),
            ..blank(id.clone())
        };
        match self.survey.seen.get(&id) {
            None | Some(Ok(None)) => self.absent(subject, Step { action: Action::Create, tags, ..step }),
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

    /// Decides about a resource that is not there: was it ever?
    ///
    /// What needs it is made after it. If such a thing is live, this one was there and
    /// somebody deleted it; for a store that means its data, and an empty one in its place
    /// would look as if nothing had happened.
    fn absent(&self, subject: &dyn Described, step: Step) -> Step {
        let id = subject.id();
        let needing = self.desired.iter().filter(|other| other.needs().contains(&id));
        match needing.map(|other| other.id()).find(|other| self.seen(other).is_some()) {
            None => Step { verdicts: vec![Verdict::Pending], ..step },
            Some(witness) => Step {
                verdicts: vec![Verdict::Drift],
                risk: if subject.stateful() { Risk::LosesData } else { Risk::Safe },
                reason: Some(format!("it was deleted: {witness} was made after it and is still there")),
                ..step
            },
        }
    }

    /// Decides about a resource that is live and ours.
    fn compared(&self, subject: &dyn Described, seen: &Seen, step: Step) -> Step {
        let state = subject.state();
        let step = Step { compared: fields(&state), ..step };
        let (holder, _) = place(subject);
        let none = Tags::new();
        let live_tags = self.tags(&holder).unwrap_or(&none);
        let mut changes = [diff(&seen.state, &state), tag_changes(&step.tags, live_tags)].concat();
        if changes.is_empty() {
            return Step { verdicts: vec![Verdict::InSync], ..step };
        }
        let verdicts = self.verdicts(subject, seen, &changes);
        // The stamp follows from whatever else changes, and is worth telling only by itself.
        if changes.iter().any(|change| !is_stamp(&change.path)) {
            changes.retain(|change| !is_stamp(&change.path));
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
        let (holder, key) = place(subject);
        let written = self.tags(&holder).and_then(|tags| tags.get(&key));
        let Some(written) = written else {
            return vec![Verdict::Pending];
        };
        if *written == stamp(&subject.state()) {
            return vec![Verdict::Drift];
        }
        let only_the_stamp = changes.iter().all(|change| is_stamp(&change.path));
        let touched = !only_the_stamp && comparable(written) && stamp(&seen.state) != *written;
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
            (None, Some(parent)) => match self.survey.seen.get(&parent) {
                Some(Ok(Some(parent))) => parent.tags.as_ref().is_some_and(|tags| self.scope.owns(tags)),
                Some(Err(_)) => false,
                // The parent is gone and its name is ours to give.
                Some(Ok(None)) | None => true,
            },
            (None, None) => false,
        }
    }

    fn seen(&self, id: &ResourceId) -> Option<&Seen> {
        self.survey.seen.get(id)?.as_ref().ok()?.as_ref()
    }

    /// Returns the live tags of a resource, if it is there.
    fn tags(&self, id: &ResourceId) -> Option<&Tags> {
        self.seen(id)?.tags.as_ref()
    }

    /// Returns the tags to leave behind: the stamp, and on what has tags of its own our name.
    fn desired_tags(&self, subject: &dyn Described) -> Tags {
        let (_, key) = place(subject);
        let mut tags = if subject.parent().is_some() { Tags::new() } else { self.scope.tags() };
        tags.insert(key, stamp(&subject.state()));
        tags
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
        parent: None,
        tags: Tags::new(),
        compared: 0,
    }
}

/// Compares our tags only: others may tag what they like.
fn tag_changes(desired: &Tags, live: &Tags) -> Vec<Change> {
    let differing = desired.iter().filter(|(key, value)| live.get(*key) != Some(value));
    differing
        .map(|(key, value)| Change {
            path: format!("tags.{key}"),
            live: json!(live.get(key)),
            desired: json!(value),
        })
        .collect()
}
