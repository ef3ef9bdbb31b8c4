//! Published events put together to the commits that they were published from.
//!
//! A commit comes apart when it is published, and whoever has to write a table anew from an
//! archive needs it whole: an append starts right behind a whole commit, and a command id
//! belongs to one.

use crate::{
    commit::{Commit, Context, StoredEvent},
    envelope::Envelope,
    id::InvalidAggregateId,
};

impl Envelope {
    /// Returns where the event came from, which all events of one commit share.
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

    /// Returns the commit of this event alone.
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
    /// Puts events back into commits; they come by aggregate, and in the order of their versions.
    ///
    /// Events that follow each other and come from the same command were one commit: a command
    /// id commits at most once. Where an event is missing, the commit around it is in parts;
    /// who must not have that looks for gaps first.
    ///
    /// # Errors
    /// An event belongs to an aggregate that cannot be stored.
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

    /// Returns whether the other was published right behind this, of the same commit.
    fn continues_with(&self, other: &Self) -> bool {
        self.aggregate_id == other.aggregate_id
            && self.next_version() == other.version
            && self.context == other.context
    }
}
