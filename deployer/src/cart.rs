//! The cart's stack: all resources of an environment of the cart, on one screen.

mod mappings;

use std::time::Duration;

use aws::Aws;
use aws::composites::{Composites, Lambda};
use aws::resources::bucket::Bucket;
use aws::resources::kinds;
use aws::resources::stream::Stream;
use aws::resources::table::{KeyType, PrimaryKey, StreamView, Table};
use cli::environment::Environment;
use domain::functions::{ADD_ITEM, CLOSE_CART, GET_CART, OPEN_CART};
use engine::stack::Stack;
use eventsourcing::contract::{self, attribute, *};

/// The first part of every name.
pub(crate) const NAME: &str = "cart";

/// Returns the stack of an environment of the cart.
pub(crate) fn stack(environment: &Environment) -> Stack<Aws> {
    let scope = environment.scope(NAME);
    let keys = &environment.org.kms;
    let hours = environment.stream.retention_hours.get();

    let key = PrimaryKey::hash(attribute::AGGREGATE_ID, KeyType::String);
    let events = Table::new(&scope, "events", key.range(attribute::VERSION, KeyType::Number))
        .stream(StreamView::NewImage)
        .point_in_time_recovery(environment.table.point_in_time_recovery_days.map(|days| days.get()))
        .deletion_protection(environment.table.deletion_protection)
        .encrypted_with(keys.table())
        .known_as(EVENTS_TABLE);
    let stream = Stream::new(&scope, "events")
        .shards(environment.stream.shards.get())
        .retention_hours(hours)
        .encrypted_with(keys.stream())
        .known_as(EVENT_STREAM);
    let archive = Bucket::new(&scope, "archive")
        .tls_only(environment.local.is_none())
        .encrypted_with(keys.bucket())
        // A replay overwrites its progress every few seconds, and earlier versions are not needed.
        .expiring_versions(REPLAYS_PREFIX, 1)
        .known_as(ARCHIVE_BUCKET);

    let defaults = environment.lambda_defaults();
    let lambda = |f: contract::Function| Lambda::new(&scope, f.name, &defaults).description(f.description);
    let handler =
        |name: &'static str| {
            lambda(contract::Function::handler(name))
                .may(archive.write(FAILED_PREFIX))
                .consumes_discarding_to(&archive, &stream, mappings::handler(hours))
        };
    let handlers = [handler("log-events").description("Writes one log line for each published event")];
    // The longest timeout that Lambda allows: `replay` stops shortly before it, and has itself invoked again.
    let replay = lambda(REPLAY)
        .timeout(Duration::from_secs(15 * 60))
        .memory_at_least_mb(1024)
        .may(events.scan())
        .may(archive.browse())
        .may(archive.get(EVENTS_PREFIX))
        .may(archive.get(REPLAYS_PREFIX))
        .may(archive.write(REPLAYS_PREFIX))
        .calls(HANDLERS, &handlers);
    let get_cart = lambda(GET_CART).may(events.load());
    // Readers of events are updated first, so that no reader gets an event of a type that it does not know.
    let readers = || handlers.iter().chain([&get_cart]);
    let command = |f| lambda(f).may(events.load()).may(events.append()).after(readers());
    let lambdas = [
        command(OPEN_CART),
        command(ADD_ITEM),
        command(CLOSE_CART),
        lambda(CAPTURE)
            .timeout(CAPTURE_LASTS)
            .may(stream.publish())
            .may(archive.write(FAILED_PREFIX))
            .consumes_discarding_to(&archive, &events, mappings::capture()),
        lambda(ARCHIVE)
            .may(archive.write(EVENTS_PREFIX))
            .may(archive.write(FAILED_PREFIX))
            .consumes_discarding_to(&archive, &stream, mappings::archive(hours)),
        replay,
    ];

    let mut stack = Stack::new(scope.clone(), kinds());
    stack.add(events).add(stream).add(archive);
    for lambda in lambdas.into_iter().chain([get_cart]).chain(handlers) {
        stack.lambda(lambda);
    }
    stack.alarms(&environment.alarms.topics()).dashboard();
    stack
}

#[cfg(test)]
mod tests;
