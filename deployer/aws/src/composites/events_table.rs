//! The events table with the functions that write and read it, without stream and archive: for a system that needs no
//! handlers, no replay and no audit.

use engine::scope::Scope;
use engine::stack::Stack;
use eventsourcing::contract::{EVENTS_TABLE, attribute};

use super::{Composites, EventPipelineSettings, Lambda};
use crate::Aws;
use crate::resources::table::{KeyType, PrimaryKey, StreamView, Table};

/// The events table, and the application's commands and queries.
#[derive(Debug, Clone)]
pub struct EventsTable {
    pub(super) table: Table,
    pub(super) commands: Vec<Lambda>,
    pub(super) queries: Vec<Lambda>,
}

impl EventsTable {
    /// The table, by its name in the stack.
    pub const NAME: &'static str = "events";

    /// Returns a table without commands and queries. Of the settings, it needs those of the table.
    pub fn new(scope: &Scope, settings: &EventPipelineSettings) -> Self {
        let key = PrimaryKey::hash(attribute::AGGREGATE_ID, KeyType::String);
        let table = Table::new(scope, Self::NAME, key.range(attribute::VERSION, KeyType::Number))
            .point_in_time_recovery(settings.point_in_time_recovery_days)
            .deletion_protection(settings.deletion_protection)
            .encrypted_with(settings.table_keys.clone())
            .known_as(EVENTS_TABLE);
        Self { table, commands: Vec::new(), queries: Vec::new() }
    }

    /// Adds a function that changes aggregates: it may read their events, and append to them.
    pub fn command(&mut self, lambda: Lambda) -> &mut Self {
        self.commands.push(lambda.may(self.table.load()).may(self.table.append()));
        self
    }

    /// Adds a function that answers with the state of aggregates: it may read their events.
    pub fn query(&mut self, lambda: Lambda) -> &mut Self {
        self.queries.push(lambda.may(self.table.load()));
        self
    }

    /// Returns the same with a stream of the table, from which its commits are published.
    pub(super) fn streaming(self) -> Self {
        Self { table: self.table.stream(StreamView::NewImage), ..self }
    }

    /// Adds the table and its functions to a stack.
    pub(super) fn add_to(self, stack: &mut Stack<Aws>) {
        let Self { table, commands, queries } = self;
        stack.add(table);
        // Readers of events are updated first, so that no reader gets an event of a type that it does not know.
        let commands: Vec<Lambda> = commands.into_iter().map(|lambda| lambda.after(&queries)).collect();
        for lambda in commands.into_iter().chain(queries) {
            stack.lambda(lambda);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::composites::{LambdaDefaults, Stages};
    use crate::resources::Keys;
    use crate::resources::kinds;
    use crate::testing::scope;

    #[test]
    fn table_alone_has_no_stream_and_no_archive() {
        let settings = EventPipelineSettings {
            point_in_time_recovery_days: Some(35),
            deletion_protection: true,
            shards: None,
            retention_hours: 24,
            tls_only: true,
            table_keys: Keys::default(),
            stream_keys: Keys::default(),
            bucket_keys: Keys::default(),
        };
        let lambda = |name| Lambda::new(&scope(), name, &LambdaDefaults::default());
        let mut events = EventsTable::new(&scope(), &settings);
        events.command(lambda("open")).query(lambda("get"));
        let mut stack = Stack::new(scope(), kinds());
        stack.events_table(events).alarms(&[].into()).dashboard();
        let stages = Stages::of(&stack);
        assert_eq!(stages.tables, ["demo-dev-events"]);
        assert_eq!(stages.invoked_functions, ["demo-dev-open", "demo-dev-get"]);
        assert!(stages.streams.is_empty() && stages.buckets.is_empty() && stages.consumers.is_empty());
        assert!(stack.mistakes().is_empty());
    }
}
