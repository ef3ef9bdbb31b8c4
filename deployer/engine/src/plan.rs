//! The pure planner: computes the steps from the desired and the live state, as data.
//!
//! No I/O, no clock, no cloud. `plan`, `drift` and `up` share this code; the executor decides nothing.

mod compared;
mod decide;
mod order;
mod owner;
mod reading;
mod stamp;
mod teardown;

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

pub use compared::{Compared, NotCompared};
pub use decide::plan;
pub use reading::STORED_SCHEMA;
pub use stamp::stamp;
pub use teardown::teardown;

pub use crate::action::Action;

use crate::change::Change;
use crate::error::Error;
use crate::resource::{ResourceId, Risk, Tags};

/// The state of a resource. Ordered by severity, most severe first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It could not be read: neither absent nor in sync.
    Unknown,
    /// It exists under one of our names, but is not managed by this environment.
    Unmanaged,
    /// It was changed or deleted outside the deployer: the live state differs from its stamp.
    Drift,
    /// It was changed in the code and is not deployed yet: the desired state differs from its stamp, or it
    /// was never created.
    Pending,
    /// It is owned, but no longer in the stack.
    Orphan,
    /// The live state is the desired state.
    InSync,
}

impl Verdict {
    /// All verdicts, most severe first.
    pub const ALL: [Self; 6] =
        [Self::Unknown, Self::Unmanaged, Self::Drift, Self::Pending, Self::Orphan, Self::InSync];

    /// Returns the exit code of `plan` and `drift` when this is the most severe verdict.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::InSync => 0,
            Self::Pending => 2,
            Self::Drift => 3,
            Self::Unknown => 4,
            Self::Unmanaged => 5,
            Self::Orphan => 6,
        }
    }
}

/// What the caller asks for in addition to the stack. Ids are kind and name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wishes {
    /// The unmanaged resources to adopt.
    pub adopt: BTreeSet<String>,
    /// Whether orphans are deleted.
    pub prune: bool,
    /// The resources that may lose their data.
    pub allow: BTreeSet<String>,
}

/// The action for one resource, and its reason.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Step {
    /// The resource.
    pub id: ResourceId,
    /// Its kind.
    pub kind: &'static str,
    /// Its name.
    pub name: String,
    /// The action.
    pub action: Action,
    /// The state of the resource; two verdicts if it was changed both in the code and outside the deployer.
    pub verdicts: Vec<Verdict>,
    /// The highest risk of its changes.
    pub risk: Risk,
    /// The fields that differ.
    pub changes: Vec<Change>,
    /// Why the resource is refused, recreated, created again or left alone, or why it could not be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The steps that have to finish first.
    #[serde(skip)]
    pub needs: Vec<ResourceId>,
    /// The resource that has its tags, if it has none itself.
    #[serde(skip)]
    pub parent: Option<ResourceId>,
    /// The tags to write, stamp included: written last, but first when the resource is disabled.
    #[serde(skip)]
    pub tags: Tags,
    /// The number of compared fields.
    #[serde(skip)]
    pub compared: usize,
}

impl Step {
    /// Returns whether the step writes.
    pub fn writes(&self) -> bool {
        !matches!(self.action, Action::Keep | Action::Refuse)
    }

    /// Returns whether the resource is in sync or an orphan, so that no change is pending.
    pub fn is_settled(&self) -> bool {
        self.verdicts == [Verdict::InSync] || self.verdicts == [Verdict::Orphan]
    }

    /// Returns a step that does nothing yet.
    fn blank(id: ResourceId) -> Self {
        Self {
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

    /// Returns the step of a resource that could not be read.
    fn unknown((id, error): (&ResourceId, &Error)) -> Self {
        Self { verdicts: vec![Verdict::Unknown], reason: Some(why(error)), ..Self::blank(id.clone()) }
    }
}

/// Returns why a resource could not be read, with the hint if there is one.
fn why(error: &Error) -> String {
    match &error.hint {
        Some(hint) => format!("{error}; {hint}"),
        None => error.to_string(),
    }
}

/// All steps for an environment. The JSON form is stable: see `docs/commands.md`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Plan {
    /// The version of this form.
    pub schema: u32,
    /// The environment.
    pub environment: String,
    /// The most severe verdict.
    pub verdict: Verdict,
    /// The number of resources for each action.
    pub actions: BTreeMap<Action, usize>,
    /// The number of resources for each verdict.
    pub verdicts: BTreeMap<Verdict, usize>,
    /// The extent of the comparison.
    pub compared: Compared,
    /// The steps.
    #[serde(rename = "resources")]
    pub steps: Vec<Step>,
    /// The schema versions for the new release record, see [`Stack::reads`].
    ///
    /// [`Stack::reads`]: crate::stack::Stack::reads
    #[serde(skip)]
    pub reads: BTreeMap<String, u32>,
}

impl Plan {
    fn new(environment: &str, steps: Vec<Step>, compared: Compared, reads: BTreeMap<String, u32>) -> Self {
        let mut actions: BTreeMap<Action, usize> = Action::ALL.map(|action| (action, 0)).into();
        let mut verdicts: BTreeMap<Verdict, usize> = Verdict::ALL.map(|verdict| (verdict, 0)).into();
        for step in &steps {
            *actions.entry(step.action).or_default() += 1;
            for verdict in &step.verdicts {
                *verdicts.entry(*verdict).or_default() += 1;
            }
        }
        let present = verdicts.iter().find(|(_, count)| **count > 0);
        Self {
            schema: 1,
            environment: environment.to_owned(),
            verdict: present.map_or(Verdict::InSync, |(verdict, _)| *verdict),
            actions,
            verdicts,
            compared,
            steps,
            reads,
        }
    }

    /// Returns the plan without the step of this id.
    pub fn without(&self, id: &ResourceId) -> Self {
        let steps = self.steps.iter().filter(|step| step.id != *id).cloned();
        Self::new(&self.environment, steps.collect(), self.compared.clone(), self.reads.clone())
    }

    /// Returns the steps that write.
    pub fn writes(&self) -> impl Iterator<Item = &Step> {
        self.steps.iter().filter(|step| step.writes())
    }

    /// Returns the steps with this verdict.
    pub fn having(&self, verdict: Verdict) -> impl Iterator<Item = &Step> {
        self.steps.iter().filter(move |step| step.verdicts.contains(&verdict))
    }

    /// Returns the orphans that are not deleted.
    pub fn orphans_left(&self) -> impl Iterator<Item = &Step> {
        self.having(Verdict::Orphan).filter(|step| step.action != Action::Delete)
    }

    /// Returns the steps that lose data.
    pub fn losses(&self) -> impl Iterator<Item = &Step> {
        self.writes().filter(|step| step.risk == Risk::LosesData)
    }
}
