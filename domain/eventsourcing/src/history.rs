//! What the commits of one aggregate fold to, and how a command is decided on it.
//!
//! Commits are folded as they are read and must follow each other without a gap. Because a
//! history knows every command that was committed and what it asked for, it answers a repeated command
//! as it did the first time.

use thiserror::Error;
use uuid::Uuid;

use crate::{
    aggregate::Aggregate,
    commit::{Commit, Context},
    event::{DecodeError, decode},
    id::AggregateId,
    request::{Request, RequestHash},
    surroundings::Moment,
};

/// All that happened to one aggregate so far.
#[derive(Debug, Clone)]
pub struct History<A: Aggregate> {
    id: AggregateId,
    state: A,
    events: Vec<A::Event>,
    commits: Vec<KnownCommit>,
    bytes: usize,
}

/// A commit of the past: which command led to it, what that asked for, which its first event is, and where its
/// events end.
#[derive(Debug, Clone)]
struct KnownCommit {
    command_id: Uuid,
    request_hash: RequestHash,
    first_event: Option<Uuid>,
    end: usize,
}

/// What a command leads to: the events to store, and what the caller is told.
///
/// For a command decided anew, the state is the one after its events. For a command that
/// was committed before, there are no events and the state is the one of back then, so the
/// answer is the same as the first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision<A: Aggregate> {
    /// The aggregate that was decided on.
    pub id: AggregateId,
    /// What has to be stored; nothing if all of it is stored already.
    pub events: Vec<A::Event>,
    /// The state to answer with.
    pub state: A,
    /// The version of that state.
    pub version: u64,
}

/// Why a commit does not continue a history.
#[derive(Debug, Error)]
pub enum HistoryError {
    /// An event is missing, or is there twice.
    #[error("{id} has version {found} where {expected} was expected")]
    Gap {
        /// The aggregate.
        id: AggregateId,
        /// The version that would have followed.
        expected: u64,
        /// The version of the commit that came instead.
        found: u64,
    },
    /// What was read before is not there any more.
    #[error("{id} has lost version {version} since it was read")]
    Lost {
        /// The aggregate.
        id: AggregateId,
        /// The version of its last commit, as it was read.
        version: u64,
    },
    /// The commit belongs to another aggregate.
    #[error("a commit of {found} was read for {id}")]
    Foreign {
        /// The aggregate.
        id: AggregateId,
        /// The aggregate whose commit came.
        found: AggregateId,
    },
    /// An event cannot be read.
    #[error("version {version} of {id} cannot be read")]
    Unreadable {
        /// The aggregate.
        id: AggregateId,
        /// The version of the event.
        version: u64,
        /// What is wrong with it.
        source: DecodeError,
    },
}

/// Why a command leads to nothing.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Refused<E: std::error::Error> {
    /// A rule of the aggregate would be broken.
    #[error(transparent)]
    Rule(E),
    /// The aggregate would have more events than it may.
    #[error("it has {events} events and can have {max}: only a command that ends it is still carried out")]
    TooManyEvents {
        /// How many it has.
        events: u64,
        /// How many it can have.
        max: u64,
    },
    /// The command id was committed before, by a command with other contents.
    #[error("command {command_id} was already used for something else")]
    CommandReused {
        /// The id that was used twice.
        command_id: Uuid,
    },
}

impl<A: Aggregate> History<A> {
    /// Returns the history of an aggregate before its first event.
    pub fn new(id: AggregateId) -> Self {
        Self { id, state: A::default(), events: Vec::new(), commits: Vec::new(), bytes: 0 }
    }

    /// Returns the aggregate that this is the history of.
    pub fn id(&self) -> &AggregateId {
        &self.id
    }

    /// Returns the state that all events fold to.
    pub fn state(&self) -> &A {
        &self.state
    }

    /// Returns the version of the last event, 0 before the first.
    pub fn version(&self) -> u64 {
        self.events.len() as u64
    }

    /// Returns how many bytes its events have as they are stored, which says about how much memory it takes.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Returns the version behind which its last commit begins: where to read on, beginning with what is known.
    pub(crate) fn before_last_commit(&self) -> u64 {
        self.commits.iter().rev().nth(1).map_or(0, |seen| seen.end as u64)
    }

    /// Passes over the commit that it ends with, which has to be the first that is read on.
    pub(crate) fn meets(&self, first: Option<&Commit>) -> Result<(), HistoryError> {
        let version = self.before_last_commit() + 1;
        let last = self.commits.last().map(|seen| (version, seen.first_event, self.version() + 1));
        // Of a commit that was written back, a part may be missing.
        if first.map(|commit| (commit.version, first_event(commit), commit.next_version())) == last {
            return Ok(());
        }
        Err(HistoryError::Lost { id: self.id.clone(), version })
    }

    /// Folds the next commit, all of it or nothing.
    pub fn fold(&mut self, commit: &Commit) -> Result<(), HistoryError> {
        let id = || self.id.clone();
        if commit.aggregate_id != self.id {
            let found = commit.aggregate_id.clone();
            return Err(HistoryError::Foreign { id: id(), found });
        }
        let expected = self.version() + 1;
        if commit.version != expected {
            let found = commit.version;
            return Err(HistoryError::Gap { id: id(), expected, found });
        }
        let read = (expected..).zip(&commit.events).map(|(version, stored)| {
            decode(&stored.event_type, stored.schema_version, &stored.data)
                .map_err(|source| HistoryError::Unreadable { id: id(), version, source })
        });
        let events: Vec<A::Event> = read.collect::<Result<_, _>>()?;

        events.iter().for_each(|event| self.state.apply(event));
        self.events.extend(events);
        self.bytes += commit.events.iter().map(|event| event.data.as_str().len()).sum::<usize>();
        let Context { command_id, request_hash, .. } = commit.context;
        let (first_event, end) = (first_event(commit), self.events.len());
        self.commits.push(KnownCommit { command_id, request_hash, first_event, end });
        Ok(())
    }

    /// Decides a command, or finds that it was decided before.
    ///
    /// A repeated command has the id of the first time and asks for the same; it is not decided again,
    /// whatever the rules are by now. A command that led to no event left no trace; it is simply decided
    /// once more.
    ///
    /// # Errors
    /// A rule forbids it, its id was used for another request, or the aggregate has too many events.
    pub fn decide(
        &self,
        request: &Request<A::Command>,
        moment: &Moment<'_>,
    ) -> Result<Decision<A>, Refused<A::Error>> {
        let command_id = request.command_id;
        match self.commits.iter().find(|seen| seen.command_id == command_id) {
            Some(seen) if seen.request_hash == request.hash => return Ok(self.decided_before(seen)),
            Some(_) => return Err(Refused::CommandReused { command_id }),
            None => {}
        }
        let events = self.state.decide(&request.command, moment).map_err(Refused::Rule)?;
        let mut state = self.state.clone();
        events.iter().for_each(|event| state.apply(event));
        let version = self.version() + events.len() as u64;
        if !events.is_empty() && version > A::MAX_EVENTS && !state.is_final() {
            return Err(Refused::TooManyEvents { events: self.version(), max: A::MAX_EVENTS });
        }
        Ok(Decision { id: self.id.clone(), version, events, state })
    }

    fn decided_before(&self, seen: &KnownCommit) -> Decision<A> {
        // Folding the beginning once more costs time on a repeat only; keeping every state
        // of the past would cost memory always.
        let mut state = A::default();
        self.events[..seen.end].iter().for_each(|event| state.apply(event));
        Decision { id: self.id.clone(), events: Vec::new(), state, version: seen.end as u64 }
    }
}

fn first_event(commit: &Commit) -> Option<Uuid> {
    commit.events.first().map(|event| event.id)
}
