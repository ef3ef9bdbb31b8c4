//! Groups published events into the commits that they were published from.
//!
//! Publishing splits a commit into events. To rebuild a table from an archive, whole commits are needed: an
//! append starts right after a whole commit, and a command id belongs to one commit.

use crate::{
    commit::{Commit, Context, StoredEvent},
    envelope::Envelope,
    id::InvalidAggregateId,
};

impl Envelope {
    /// Returns the context of the event, which all events of its commit share.
    fn context(&self) -> Context {
        Context {
            command_id: self.command_id,
            request_hash: self.request_hash,
            correlation_id: self.correlation_id,
            causation_id: self.causation_id,
            actor: self.actor.clone(),
            occurred_at: self.occurred_at,
        }
    }

    /// Returns a commit of this event alone.
    fn alone(self) -> Result<Commit, InvalidAggregateId> {
        Ok(Commit {
            aggregate_id: self.aggregate()?,
            version: self.version,
            context: self.context(),
            events: vec![StoredEvent {
                id: self.id,
                event_type: self.event_type,
                schema_version: self.schema_version,
                data: self.data,
                more: self.more,
            }],
        })
    }
}

impl Commit {
    /// Groups events into commits. The events have to be ordered by aggregate and version.
    ///
    /// Events that follow each other and come from the same command were one commit: a command id commits at
    /// most once. If an event is missing, its commit is split; a caller that cannot accept this checks for
    /// gaps first.
    ///
    /// # Errors
    /// Returns an error if an event's aggregate id is invalid.
    pub fn from_envelopes(
        events: impl IntoIterator<Item = Envelope>,
    ) -> Result<Vec<Self>, InvalidAggregateId> {
        let mut commits: Vec<Self> = Vec::new();
        for event in events {
            let next = event.alone()?;
            match commits.last_mut() {
                Some(last) if last.continues_with(&next) => last.events.extend(next.events),
                _ => commits.push(next),
            }
        }
        Ok(commits)
    }

    /// Returns whether the events of `other` directly follow these in the same commit.
    fn continues_with(&self, other: &Self) -> bool {
        self.aggregate_id == other.aggregate_id
            && self.next_version() == other.version
            && self.context == other.context
    }
}
