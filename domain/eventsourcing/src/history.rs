//! The history of one aggregate: the state folded from its commits, and decisions on it.
//!
//! Commits are folded as they are read and must follow each other without a gap. A history knows every
//! committed command and its request, so a repeated command gets the same answer as the first time.

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

/// All events of one aggregate so far.
#[derive(Debug, Clone)]
pub struct History<A: Aggregate> {
    id: AggregateId,
    state: A,
    events: Vec<A::Event>,
    commits: Vec<KnownCommit>,
    bytes: usize,
}

/// A past commit: its command, the request hash, its first event, and the version of its last event.
#[derive(Debug, Clone)]
struct KnownCommit {
    command_id: Uuid,
    request_hash: RequestHash,
    first_event: Option<Uuid>,
    end: usize,
}

/// The result of a command: the events to store, and the state to answer with.
///
/// For a new command, this is the state after its events. For a command that was committed before, there are
/// no events and the state is the one at that time, so the answer is the same as the first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision<A: Aggregate> {
    /// The aggregate of the decision.
    pub id: AggregateId,
    /// The events to store; none if they are already stored.
    pub events: Vec<A::Event>,
    /// The state to answer with.
    pub state: A,
    /// The version of that state.
    pub version: u64,
}

/// Why a commit does not continue a history.
#[derive(Debug, Error)]
pub enum HistoryError {
    /// An event is missing or duplicated.
    #[error("expected version {expected} of {id}, found {found}")]
    Gap {
        /// The aggregate.
        id: AggregateId,
        /// The expected version.
        expected: u64,
        /// The version of the commit that was read.
        found: u64,
    },
    /// A commit that was read before no longer exists.
    #[error("{id} has lost version {version} since it was read")]
    Lost {
        /// The aggregate.
        id: AggregateId,
        /// The version of its last commit when it was read.
        version: u64,
    },
    /// The commit belongs to another aggregate.
    #[error("a commit of {found} was read for {id}")]
    OtherAggregate {
        /// The aggregate.
        id: AggregateId,
        /// The aggregate of the commit.
        found: AggregateId,
    },
    /// An event cannot be read.
    #[error("version {version} of {id} cannot be read")]
    Unreadable {
        /// The aggregate.
        id: AggregateId,
        /// The version of the event.
        version: u64,
        /// The cause.
        source: DecodeError,
    },
}

/// Why a command is refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Refused<E: std::error::Error> {
    /// The command would break a rule of the aggregate.
    #[error(transparent)]
    Rule(E),
    /// The aggregate would exceed its maximum number of events.
    #[error("it has {events} events, and {max} are allowed: only a command that ends it can succeed")]
    TooManyEvents {
        /// The number of its events.
        events: u64,
        /// The maximum number.
        max: u64,
    },
    /// The command id was committed before, with a different request.
    #[error("command {command_id} was already used for a different request")]
    CommandReused {
        /// The id that was used again.
        command_id: Uuid,
    },
}

impl<A: Aggregate> History<A> {
    /// Returns the history of an aggregate before its first event.
    pub fn new(id: AggregateId) -> Self {
        Self { id, state: A::default(), events: Vec::new(), commits: Vec::new(), bytes: 0 }
    }

    /// Returns the id of the aggregate.
    pub fn id(&self) -> &AggregateId {
        &self.id
    }

    /// Returns the state after all events.
    pub fn state(&self) -> &A {
        &self.state
    }

    /// Returns the version of the last event, 0 before the first.
    pub fn version(&self) -> u64 {
        self.events.len() as u64
    }

    /// Returns the size of the stored events in bytes, an estimate of the memory that the history needs.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Returns the version before the last commit: reading continues there, starting with the known last
    /// commit.
    pub(crate) fn before_last_commit(&self) -> u64 {
        self.commits.iter().rev().nth(1).map_or(0, |seen| seen.end as u64)
    }

    /// Checks that the first commit that was read is the last known commit of this history.
    pub(crate) fn meets(&self, first: Option<&Commit>) -> Result<(), HistoryError> {
        let version = self.before_last_commit() + 1;
        let last = self.commits.last().map(|seen| (version, seen.first_event, self.version() + 1));
        // A restored commit may have only a part of its events.
        if first.map(|commit| (commit.version, first_event(commit), commit.next_version())) == last {
            return Ok(());
        }
        Err(HistoryError::Lost { id: self.id.clone(), version })
    }

    /// Folds the next commit, completely or not at all.
    pub fn fold(&mut self, commit: &Commit) -> Result<(), HistoryError> {
        let id = || self.id.clone();
        if commit.aggregate_id != self.id {
            let found = commit.aggregate_id.clone();
            return Err(HistoryError::OtherAggregate { id: id(), found });
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

    /// Decides a command, or returns its earlier decision.
    ///
    /// A repeated command has the same id and the same request as the first time. It is not decided again,
    /// even if the rules have changed. A command without events left no trace, so its repeat is decided
    /// again.
    ///
    /// # Errors
    /// Returns an error if a rule forbids it, if its id was used for another request, or if the aggregate has
    /// too many events.
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
        // Folding the first events again costs time only for a repeated command; storing every past state
        // would always cost memory.
        let mut state = A::default();
        self.events[..seen.end].iter().for_each(|event| state.apply(event));
        Decision { id: self.id.clone(), events: Vec::new(), state, version: seen.end as u64 }
    }
}

fn first_event(commit: &Commit) -> Option<Uuid> {
    commit.events.first().map(|event| event.id)
}
