//! Decides the action for each resource.

use serde_json::json;

use super::order::users_first;
use super::owner::Owner;
use super::stamp::{comparable, is_stamp, of_disabled, place, stamp};
use super::{Action, Compared, Plan, Step, Verdict, Wishes, reading, why};
use crate::change::Change;
use crate::diff::{diff, fields};
use crate::error::Error;
use crate::release::ReleaseState;
use crate::resource::{Cloud, Described, Effect, LiveResource, ResourceId, Risk, Tags};
use crate::scope::Scope;
use crate::stack::Stack;
use crate::survey::{Activity, Fate, Survey};

/// Compares the desired with the live state and returns the steps to take.
pub fn plan<C: Cloud>(stack: &Stack<C>, survey: &Survey, wishes: &Wishes) -> Plan {
    let (scope, desired) = (&stack.scope, stack.described());
    let owner = Owner { scope, record: survey.last_release(), adopt: &wishes.adopt };
    let decision = Decision { scope, desired: &desired, survey, owner };
    let mut steps: Vec<Step> = desired.iter().map(|subject| decision.step(*subject)).collect();
    decision.rebind(&mut steps);
    steps.extend(decision.orphans().map(|id| orphan(id, survey, stack.holds_data(id), wishes)));
    users_first(&mut steps, &stack.kinds);
    steps.extend(reading::unread(stack, survey.last_release(), wishes));
    steps.extend(survey.unreadable.iter().map(Step::unknown));
    let compared = Compared::of(&desired, &steps);
    let reads = reading::recorded(stack, survey.last_release(), wishes);
    Plan::new(&scope.environment, steps, compared, reads)
}

struct Decision<'a> {
    scope: &'a Scope,
    desired: &'a [&'a dyn Described],
    survey: &'a Survey,
    owner: Owner<'a>,
}

impl Decision<'_> {
    fn step(&self, subject: &dyn Described) -> Step {
        let id = subject.id();
        let tags = self.desired_tags(subject);
        let step = Step {
            needs: subject.needs().into_iter().chain(subject.parent()).collect(),
            parent: subject.parent(),
            ..Step::blank(id.clone())
        };
        match self.survey.seen.get(&id) {
            None | Some(Ok(None)) => self.absent(subject, Step { action: Action::Create, tags, ..step }),
            Some(Err(error)) => Step { verdicts: vec![Verdict::Unknown], reason: Some(why(error)), ..step },
            Some(Ok(Some(_))) if let Some(error) = self.unread_parent(subject) => {
                Step { verdicts: vec![Verdict::Unknown], reason: Some(why(error)), ..step }
            }
            Some(Ok(Some(seen))) if !self.owns(subject, seen) => Step {
                action: Action::Refuse,
                verdicts: vec![Verdict::Unmanaged],
                reason: Some(self.unmanaged(seen)),
                ..step
            },
            Some(Ok(Some(seen))) => self.compared(subject, seen, Step { tags, ..step }),
        }
    }

    /// Recreates the resources that are bound to a replaced resource. Two examples: a mapping whose stream
    /// changes its view reads a stream that gets no records any more, and a mapping whose stream was deleted
    /// and is created again has a position that is not valid in the new stream.
    fn rebind(&self, steps: &mut [Step]) {
        let renewed = |id: &ResourceId| {
            let subject = self.desired.iter().find(|subject| subject.id() == *id)?;
            let step = steps.iter().find(|step| step.id == *id)?;
            let renews = match step.action {
                Action::Create => true,
                Action::Update => step.changes.iter().any(|change| subject.renews(change)),
                _ => false,
            };
            renews.then(|| step.verdicts.clone())
        };
        let bound = self.desired.iter().filter_map(|subject| {
            let verdicts = renewed(&subject.bound_to()?)?;
            Some((subject.id(), verdicts))
        });
        let bound: Vec<_> = bound.collect();
        for (id, verdicts) in bound {
            let step = steps.iter_mut().find(|step| step.id == id && !step.verdicts.is_empty());
            let Some(step) = step.filter(|step| matches!(step.action, Action::Keep | Action::Update)) else {
                continue;
            };
            if step.verdicts == [Verdict::InSync] {
                step.verdicts = verdicts;
            }
            step.action = Action::Recreate;
            step.risk = step.risk.max(Risk::LosesPosition);
            step.reason = Some("the stream that it reads is replaced".into());
        }
    }

    /// Decides about a resource that does not exist, depending on whether it was ever deployed.
    ///
    /// The release record lists it if so. Without a record, a live resource that is created after this one
    /// shows that this one existed. Then it was deleted outside the deployer. For a store that means lost
    /// data, and creating an empty one without a warning would hide the loss.
    fn absent(&self, subject: &dyn Described, step: Step) -> Step {
        // Only resources without data are recreated; a store that is gone is lost, even if a run was changing it.
        if !subject.info().stateful && self.half_changed(&subject.id()) {
            let reason = Some("an interrupted deployment was recreating it".into());
            return Step { verdicts: vec![Verdict::Pending], reason, ..step };
        }
        match self.was_deployed(&subject.id()) {
            None => Step { verdicts: vec![Verdict::Pending], ..step },
            Some(evidence) => Step {
                verdicts: vec![Verdict::Drift],
                risk: if subject.info().stateful { Risk::LosesData } else { Risk::Safe },
                reason: Some(format!("it was deleted: {evidence}")),
                ..step
            },
        }
    }

    /// Returns the evidence that the resource was deployed before.
    fn was_deployed(&self, id: &ResourceId) -> Option<String> {
        if let Some(record) = self.owner.record {
            let deployed = record.deployed.contains(&id.to_string());
            return deployed.then(|| "the release record lists it as deployed".into());
        }
        let needing = self.desired.iter().filter(|other| other.needs().contains(id));
        let witness = needing.map(|other| other.id()).find(|other| self.seen(other).is_some())?;
        Some(format!("{witness} was created after it and still exists"))
    }

    /// Decides about a resource that is live and owned.
    fn compared(&self, subject: &dyn Described, seen: &LiveResource, step: Step) -> Step {
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
        // The stamp changes with every other change, so it is shown only if it is the only change.
        if changes.iter().any(|change| !is_stamp(&change.path)) {
            changes.retain(|change| !is_stamp(&change.path));
        }
        let mut action = Action::Update;
        let mut risk = Risk::Safe;
        let mut reason = None;
        for change in &mut changes {
            match subject.effect(change, seen) {
                Effect::InPlace(grave) => {
                    change.risk = grave;
                    risk = risk.max(grave);
                }
                Effect::Recreate(grave) => {
                    change.risk = grave;
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
        if self.half_created(subject) {
            risk = Risk::Safe;
            changes.iter_mut().for_each(|change| change.risk = Risk::Safe);
        }
        Step { action, verdicts, risk, changes, reason, ..step }
    }

    /// Returns whether an interrupted or running deployment created this resource and has not completed it. No
    /// change of such a resource is a risk: it has no data yet, because its users are created after it.
    fn half_created(&self, subject: &dyn Described) -> bool {
        let (holder, key) = place(subject);
        let Some(tags) = self.tags(&holder).filter(|tags| !tags.contains_key(&key)) else { return false };
        let id = subject.id();
        match self.owner.record {
            Some(record) => record.state != ReleaseState::Done && record.making.contains(&id.to_string()),
            // This resource is created before the first entry.
            None => self.survey.record_resource == Some(id) && self.scope.owns(tags),
        }
    }

    /// Returns whether the resource was changed in the code, outside the deployer, or both.
    fn verdicts(&self, subject: &dyn Described, seen: &LiveResource, changes: &[Change]) -> Vec<Verdict> {
        let (holder, key) = place(subject);
        let written = self.tags(&holder).and_then(|tags| tags.get(&key));
        // Removing the owner tags removes the stamp as well.
        if written.is_none() && self.seen(&holder).is_some_and(|seen| self.lost_its_tags(&holder, seen)) {
            return vec![Verdict::Drift];
        }
        let Some(written) = written.filter(|_| !self.half_changed(&subject.id())) else {
            return vec![Verdict::Pending];
        };
        if *written == stamp(&subject.state()) {
            return vec![Verdict::Drift];
        }
        let only_the_stamp = changes.iter().all(|change| is_stamp(&change.path));
        let touched = !only_the_stamp && comparable(written) && stamp(&seen.state) != *written;
        if touched { vec![Verdict::Drift, Verdict::Pending] } else { vec![Verdict::Pending] }
    }

    /// Returns whether an interrupted or running deployment was changing this resource. The stamp is written
    /// last, so until then the resource looks like drift.
    fn half_changed(&self, id: &ResourceId) -> bool {
        let open = self.owner.record.filter(|record| record.state != ReleaseState::Done);
        open.is_some_and(|record| record.changing.contains(&id.to_string()))
    }

    /// Returns why the resource counts as unmanaged, according to its tags.
    fn unmanaged(&self, seen: &LiveResource) -> String {
        let region = seen.tags.as_ref().and_then(|tags| self.owner.elsewhere(tags));
        match region {
            Some(region) => format!(
                "it belongs to this environment in {region} and is not changed: an environment has one region"
            ),
            None => "it exists already, without this environment's tags".into(),
        }
    }

    fn owns(&self, subject: &dyn Described, seen: &LiveResource) -> bool {
        match (&seen.tags, subject.parent()) {
            (Some(_), _) => self.owns_seen(&subject.id(), seen),
            (None, Some(id)) => match self.survey.seen.get(&id) {
                Some(Ok(Some(parent))) => self.owns_seen(&id, parent),
                // The parent no longer exists, and this environment may create it again under its name.
                _ => true,
            },
            (None, None) => false,
        }
    }

    fn owns_seen(&self, id: &ResourceId, seen: &LiveResource) -> bool {
        let tags = seen.tags.as_ref();
        tags.is_some_and(|tags| self.owner.owns(id, tags, seen.identity.as_deref()))
    }

    fn lost_its_tags(&self, id: &ResourceId, seen: &LiveResource) -> bool {
        let tags = seen.tags.as_ref();
        tags.is_some_and(|tags| self.owner.lost_its_tags(id, tags, seen.identity.as_deref()))
    }

    /// Returns the error of reading the parent, without which the owner of a part is not known.
    fn unread_parent(&self, subject: &dyn Described) -> Option<&Error> {
        self.survey.seen.get(&subject.parent()?)?.as_ref().err()
    }

    fn seen(&self, id: &ResourceId) -> Option<&LiveResource> {
        self.survey.seen.get(id)?.as_ref().ok()?.as_ref()
    }

    /// Returns the live tags of a resource, if it exists.
    fn tags(&self, id: &ResourceId) -> Option<&Tags> {
        self.seen(id)?.tags.as_ref()
    }

    /// Returns the tags to write: the stamp, and the owner tags on a resource with tags of its own.
    fn desired_tags(&self, subject: &dyn Described) -> Tags {
        let (_, key) = place(subject);
        let mut tags = if subject.parent().is_some() { Tags::new() } else { self.scope.all_tags() };
        tags.insert(key, stamp(&subject.state()));
        tags
    }

    /// Returns the resources that are owned but not desired. Unmanaged resources are left alone.
    fn orphans(&self) -> impl Iterator<Item = &ResourceId> {
        let strays = self.survey.strays.iter();
        strays.filter(|(id, tags)| self.owner.owns(id, tags, None)).map(|(id, _)| id)
    }
}

/// Decides about an owned resource that is not in the stack. An outdated checkout must not delete what a
/// colleague has just created, so it is deleted only on request, and only if it is also named when it holds
/// data.
fn orphan(id: &ResourceId, survey: &Survey, holds_data: bool, wishes: &Wishes) -> Step {
    let step = Step { verdicts: vec![Verdict::Orphan], ..Step::blank(id.clone()) };
    match (wishes.prune, holds_data) {
        (false, _) => active_orphan(step, survey.active.get(id)),
        (true, false) => Step { action: Action::Delete, ..step },
        (true, true) if wishes.allow.contains(&id.to_string()) => {
            Step { action: Action::Delete, risk: Risk::LosesData, ..step }
        }
        (true, true) => {
            Step { reason: Some(format!("it holds data; deleting it needs --allow {id}")), ..step }
        }
    }
}

/// Decides about an orphan that may still be active.
fn active_orphan(step: Step, activity: Option<&Activity>) -> Step {
    let Some(Activity { what, fate }) = activity else { return step };
    match fate {
        Some(Fate::Disable(why)) => {
            let (tags, reason) = (of_disabled(&step.id), Some(format!("it {what}: {why}")));
            Step { action: Action::Disable, reason, tags, ..step }
        }
        Some(Fate::Leave(why)) => {
            Step { reason: Some(format!("it {what}, and `up` leaves it active, because {why}")), ..step }
        }
        None => Step { reason: Some(format!("it {what}")), ..step },
    }
}

/// Compares only the deployer's tags: other tags are free to use.
fn tag_changes(desired: &Tags, live: &Tags) -> Vec<Change> {
    let differing = desired.iter().filter(|(key, value)| live.get(*key) != Some(value));
    differing.map(|(key, value)| Change::of_tag(key, json!(live.get(key)), json!(value))).collect()
}
