//! A support ticket: its state, its events, its decisions and its answers. All business rules are in this file.

use eventsourcing::event::{Event, Schema};
use eventsourcing::{Aggregate, Answering, Moment, RefusalKind};
use serde::{Deserialize, Serialize};
use thiserror::Error;
use uuid::Uuid;

/// The maximum length of a title, in characters.
pub const MAX_TITLE_LENGTH: usize = 200;

// State.

/// A support ticket, rebuilt from its events.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SupportTicket {
    /// What it is about; `None` if it was never opened.
    title: Option<String>,
}

// Events. The names of variants are stored and never change. A changed field needs a new schema version, an upcaster
// and a golden file.

/// The events of a support ticket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", content = "data", deny_unknown_fields)]
pub enum SupportTicketEvent {
    /// The support ticket was opened.
    SupportTicketOpened {
        /// What it is about.
        title: String,
    },
}

impl Event for SupportTicketEvent {
    const SCHEMAS: &'static [Schema] = &[Schema::first("SupportTicketOpened")];
}

// Decisions.

/// A command on a support ticket. The decision validates its values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SupportTicketCommand {
    /// Opens the support ticket.
    Open {
        /// What it is about.
        title: String,
    },
}

/// The rule that a command would break.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SupportTicketError {
    /// No support ticket was opened under this id.
    #[error("the support ticket does not exist: open it first")]
    SupportTicketNotFound,
    /// A support ticket with another title was opened under this id.
    #[error("the support ticket is open and has another title")]
    SupportTicketExists,
    /// The title is empty or too long.
    #[error("title must have 1 to {MAX_TITLE_LENGTH} characters, not {0}")]
    InvalidTitle(usize),
}

impl Aggregate for SupportTicket {
    const TYPE: &'static str = "support-ticket";
    /// Each command reads all events of its support ticket, so this limits its cost.
    const MAX_EVENTS: u64 = 1_000;
    type Event = SupportTicketEvent;
    type Command = SupportTicketCommand;
    type Error = SupportTicketError;

    fn apply(&mut self, event: &SupportTicketEvent) {
        match event {
            SupportTicketEvent::SupportTicketOpened { title } => self.title = Some(title.clone()),
        }
    }

    fn is_final(&self) -> bool {
        // No event ends a support ticket.
        false
    }

    fn decide(
        &self,
        command: &SupportTicketCommand,
        _: &Moment<'_>,
    ) -> Result<Vec<SupportTicketEvent>, SupportTicketError> {
        match (command, &self.title) {
            (SupportTicketCommand::Open { title }, None) => {
                Ok(vec![SupportTicketEvent::SupportTicketOpened { title: checked(title)? }])
            }
            // Nothing to do: the goal of the command is reached.
            (SupportTicketCommand::Open { title }, Some(open)) if title == open => Ok(vec![]),
            (SupportTicketCommand::Open { .. }, Some(_)) => Err(SupportTicketError::SupportTicketExists),
        }
    }
}

/// Returns the title if it is valid.
fn checked(title: &str) -> Result<String, SupportTicketError> {
    match title.chars().count() {
        1..=MAX_TITLE_LENGTH => Ok(title.to_owned()),
        length => Err(SupportTicketError::InvalidTitle(length)),
    }
}

// Answers.

/// The answer to callers: the state of a support ticket at one version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SupportTicketView {
    /// The support ticket.
    pub support_ticket_id: Uuid,
    /// The version of the last event included in this answer.
    pub version: u64,
    /// What it is about.
    pub title: String,
}

impl Answering for SupportTicket {
    const ID_FIELD: &'static str = "support_ticket_id";
    type View = SupportTicketView;

    fn view(&self, id: Uuid, version: u64) -> Result<SupportTicketView, SupportTicketError> {
        let title = self.title.clone().ok_or(SupportTicketError::SupportTicketNotFound)?;
        Ok(SupportTicketView { support_ticket_id: id, version, title })
    }

    fn rule(error: &SupportTicketError) -> (RefusalKind, &'static str) {
        match error {
            SupportTicketError::SupportTicketNotFound => (RefusalKind::NotFound, "SupportTicketNotFound"),
            SupportTicketError::SupportTicketExists => (RefusalKind::Forbidden, "SupportTicketExists"),
            SupportTicketError::InvalidTitle(_) => (RefusalKind::InvalidRequest, "InvalidTitle"),
        }
    }
}

#[cfg(test)]
mod tests {
    use eventsourcing::event::{decode, encode};
    use eventsourcing::testing::{Golden, given};

    use super::*;

    fn open(title: &str) -> SupportTicketCommand {
        SupportTicketCommand::Open { title: title.to_owned() }
    }

    fn opened(title: &str) -> SupportTicketEvent {
        SupportTicketEvent::SupportTicketOpened { title: title.to_owned() }
    }

    #[test]
    fn support_ticket_is_opened_once() {
        given::<SupportTicket>([]).when(&open("first")).then([opened("first")]);
        given::<SupportTicket>([opened("first")]).when(&open("first")).then_nothing();
        given::<SupportTicket>([opened("first")])
            .when(&open("second"))
            .then_refused(&SupportTicketError::SupportTicketExists);
    }

    #[test]
    fn empty_title_is_refused() {
        given::<SupportTicket>([]).when(&open("")).then_refused(&SupportTicketError::InvalidTitle(0));
    }

    /// Stored events never change. Add an event of each new type here: `GOLDEN_UPDATE=1 cargo test` writes its file.
    #[test]
    fn events_are_stored_as_in_their_golden_files() {
        let golden = Golden::of(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/support_ticket"));
        for event in [opened("first")] {
            let stored = encode(&event).unwrap();
            golden.assert_written(stored.event_type, stored.schema_version, &format!("{}\n", stored.data.as_str()));
            let read: SupportTicketEvent =
                decode(stored.event_type, stored.schema_version, &stored.data).unwrap();
            assert_eq!(read, event);
        }
        golden.assert_data_is_read::<SupportTicketEvent>();
    }
}
