//! The pure planner: from what is desired and what was seen to what is to be done, as data.
//!
//! No I/O, no clock, no names of a cloud. `plan`, `drift` and `up` share this path; the
//! executor has no decision left to make.

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

/// What was found out about a resource. The order is by gravity, gravest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It could not be read: neither absent nor clean.
    Unknown,
    /// It has our name and is not ours.
    Foreign,
    /// Somebody changed it, or deleted it: live unlike its stamp.
    Drift,
    /// The code moved on: desired unlike its stamp, or it was never made.
    Pending,
    /// It is ours and no longer in the stack.
    Orphan,
    /// Live is what is desired.
    InSync,
}

impl Verdict {
    /// Every verdict, gravest first.
    pub const ALL: [Self; 6] =
        [Self::Unknown, Self::Foreign, Self::Drift, Self::Pending, Self::Orphan, Self::InSync];

    /// Returns the exit code that `plan` and `drift` end with when this is the gravest.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::InSync => 0,
            Self::Pending => 2,
            Self::Drift => 3,
            Self::Unknown => 4,
            Self::Foreign => 5,
            Self::Orphan => 6,
        }
    }
}

/// What the caller wants beyond what the stack says. Ids are kind and name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wishes {
    /// What has our name and is not ours, and is to be.
    pub adopt: BTreeSet<String>,
    /// Whether what is ours and no longer in the stack goes.
    pub prune: bool,
    /// What may lose its data.
    pub allow: BTreeSet<String>,
}

/// What is to be done about one resource, and why.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Step {
    /// The resource.
    pub id: ResourceId,
    /// Its kind.
    pub kind: &'static str,
    /// Its name.
    pub name: String,
    /// What is to be done.
    pub action: Action,
    /// What was found out; more than one when both the code and somebody moved on.
    pub verdicts: Vec<Verdict>,
    /// The gravest risk of its changes.
    pub risk: Risk,
    /// The fields that differ.
    pub changes: Vec<Change>,
    /// Why it is refused, made again, made though it was there, or left alone, or what could not
    /// be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The steps that come first.
    #[serde(skip)]
    pub needs: Vec<ResourceId>,
    /// What has its tags, when it has none itself.
    #[serde(skip)]
    pub parent: Option<ResourceId>,
    /// The tags to leave behind, stamp included; written last, and first where it is disabled.
    #[serde(skip)]
    pub tags: Tags,
    /// How many fields were compared.
    #[serde(skip)]
    pub compared: usize,
}

impl Step {
    /// Tells whether the step writes.
    pub fn writes(&self) -> bool {
        !matches!(self.action, Action::Keep | Action::Refuse)
    }

    /// Tells whether it is as the code says, or an orphan, of which the code says nothing.
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

    /// Returns the step of something that could not be read.
    fn unknown((id, error): (&ResourceId, &Error)) -> Self {
        Self { verdicts: vec![Verdict::Unknown], reason: Some(why(error)), ..Self::blank(id.clone()) }
    }
}

/// Says why something could not be read, and what to do about it.
fn why(error: &Error) -> String {
    match &error.hint {
        Some(hint) => format!("{error}; {hint}"),
        None => error.to_string(),
    }
}

/// Everything that is to be done for an environment. The JSON form is stable: see
/// `docs/commands.md`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Plan {
    /// The version of this form.
    pub schema: u32,
    /// The environment.
    pub environment: String,
    /// The gravest verdict.
    pub verdict: Verdict,
    /// How many resources get each action.
    pub actions: BTreeMap<Action, usize>,
    /// How many resources have each verdict.
    pub verdicts: BTreeMap<Verdict, usize>,
    /// How much "in sync" says.
    pub compared: Compared,
    /// The steps.
    #[serde(rename = "resources")]
    pub steps: Vec<Step>,
    /// What the release record is to say of the data that is read, see [`Stack::reads`].
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

    /// Returns the orphans that stay.
    pub fn orphans_left(&self) -> impl Iterator<Item = &Step> {
        self.having(Verdict::Orphan).filter(|step| step.action != Action::Delete)
    }

    /// Returns the steps that lose data when they are carried out.
    pub fn losses(&self) -> impl Iterator<Item = &Step> {
        self.writes().filter(|step| step.risk == Risk::LosesData)
    }
}
