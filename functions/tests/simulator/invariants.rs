//! The invariants: what must hold once everything is at rest, after any history.

use std::collections::{BTreeMap, BTreeSet};

use domain::cart::CartEvent;
use eventsourcing::{
    Envelope,
    contract::{EVENTS_PREFIX, FAILED_PREFIX, attribute},
    replay::{Reason, ReplayState},
};
use storage::{archive, table::from_item};
use uuid::Uuid;

use crate::{
    consumers::{MAILER, PROJECTION},
    observed::{Aside, Handled, Replayed},
    planted::Planted,
    world::{World, lock},
};

/// A violated invariant, with evidence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Broken {
    /// The name of the invariant.
    pub(crate) invariant: &'static str,
    /// The evidence.
    pub(crate) because: String,
}

/// An event of the table.
#[derive(Debug, Clone)]
pub(crate) struct Event {
    /// The event.
    pub(crate) envelope: Envelope,
    /// The version of its commit.
    pub(crate) commit: u64,
    /// Whether the commit was restored from an archive.
    pub(crate) restored: bool,
}

/// The events of the table, by aggregate and in order, with which everything is compared.
pub(crate) type Truth = BTreeMap<Uuid, Vec<Event>>;

/// Checks an invariant; the error is the evidence of a violation.
type Check = fn(&World, &Truth) -> Result<(), String>;

/// Returns the first violated invariant.
pub(crate) fn check(world: &World) -> Result<(), Broken> {
    let truth = truth(world);
    let checks: [(&'static str, Check); 7] = [
        ("the table", the_table_is_gapless_and_nothing_acknowledged_is_lost),
        ("commands", a_command_has_one_effect),
        ("restored", restored_commits_are_not_published),
        ("handlers", handlers_see_what_the_table_has),
        ("quarantine", what_cannot_be_handled_is_kept_with_its_reason),
        ("the archive", the_archive_has_what_the_table_has),
        ("replays", replays_deliver_all_in_order_to_whom_they_may),
    ];
    for (invariant, check) in checks {
        check(world, &truth).map_err(|because| Broken { invariant, because })?;
    }
    Ok(())
}

/// Returns the events of the table.
pub(crate) fn truth(world: &World) -> Truth {
    let mut truth = Truth::new();
    for item in lock(&world.table).all() {
        let restored = item.inner().contains_key(attribute::RESTORED);
        let Ok(commit) = from_item(item.clone()) else { continue };
        let of_aggregate = truth.entry(commit.aggregate_id.uuid()).or_default();
        let version = commit.version;
        let event = |envelope| Event { envelope, commit: version, restored };
        of_aggregate.extend(commit.into_envelopes().map(event));
    }
    truth
}

/// Returns why a handler cannot handle an event, if it cannot.
pub(crate) fn poison(handler: &str, envelope: &Envelope) -> Option<&'static str> {
    match envelope.event::<CartEvent>() {
        Err(_) => Some("is unknown"),
        Ok(CartEvent::ItemAdded { item, .. }) => match (handler, item.as_str()) {
            (PROJECTION, "boom") => Some("went off"),
            (MAILER, "never") => Some("never, ever"),
            _ => None,
        },
        Ok(_) => None,
    }
}

fn the_table_is_gapless_and_nothing_acknowledged_is_lost(world: &World, truth: &Truth) -> Result<(), String> {
    for (aggregate, events) in truth {
        let versions: Vec<_> = events.iter().map(|event| event.envelope.version).collect();
        if versions.iter().copied().ne(1..=versions.len() as u64) {
            return Err(format!("{aggregate} has versions {versions:?}"));
        }
    }
    let commands: BTreeSet<_> = truth
        .values()
        .flatten()
        .map(|event| (event.envelope.aggregate_id, event.envelope.command_id))
        .collect();
    match lock(&world.observed).acknowledged.difference(&commands).next() {
        Some((cart, command)) => Err(format!("command {command} was acknowledged but is not in cart {cart}")),
        None => Ok(()),
    }
}

fn a_command_has_one_effect(_: &World, truth: &Truth) -> Result<(), String> {
    for (aggregate, events) in truth {
        let mut commits = BTreeMap::new();
        for Event { envelope, commit, .. } in events {
            let first = *commits.entry(envelope.command_id).or_insert(*commit);
            if first != *commit {
                let command = envelope.command_id;
                return Err(format!("{command} has effects at versions {first} and {commit} of {aggregate}"));
            }
        }
    }
    Ok(())
}

fn restored_commits_are_not_published(world: &World, truth: &Truth) -> Result<(), String> {
    let restored: BTreeSet<_> =
        truth.values().flatten().filter(|event| event.restored).map(|event| event.envelope.id).collect();
    if restored.is_empty() {
        return Ok(());
    }
    let kinesis = lock(&world.kinesis);
    let records = kinesis.all().iter().flat_map(|shard| &shard.records);
    let published = records.filter_map(|record| Envelope::from_bytes(&record.kinesis.data).ok());
    match published.into_iter().find(|envelope| restored.contains(&envelope.id)) {
        Some(envelope) => Err(format!("{} {} was published", envelope.aggregate_id, envelope.version)),
        None => Ok(()),
    }
}

fn handlers_see_what_the_table_has(world: &World, truth: &Truth) -> Result<(), String> {
    for handler in [PROJECTION, MAILER] {
        let wanted = |event: &Event| !event.restored && poison(handler, &event.envelope).is_none();
        for (aggregate, seen) in first_seen(world, truth, handler, None) {
            let expected = of_table(truth, aggregate, wanted);
            if seen != expected {
                return Err(mismatch(handler, aggregate, &seen, &expected));
            }
        }
    }
    Ok(())
}

/// An event in comparisons: its version and its id.
type Place = (u64, Uuid);

/// Returns the events of each aggregate that a handler got, in a replay or live, without repetitions.
fn first_seen(
    world: &World,
    truth: &Truth,
    handler: &str,
    replay: Option<Uuid>,
) -> BTreeMap<Uuid, Vec<Place>> {
    let mut all: BTreeMap<_, Vec<Place>> = truth.keys().map(|aggregate| (*aggregate, Vec::new())).collect();
    for ((name, aggregate), handled) in &lock(&world.observed).handled {
        if *name != handler {
            continue;
        }
        let seen = all.entry(*aggregate).or_default();
        for Handled { version, id, .. } in handled.iter().filter(|handled| handled.replay == replay) {
            if !seen.contains(&(*version, *id)) {
                seen.push((*version, *id));
            }
        }
    }
    all
}

/// Returns the wanted events of an aggregate.
fn of_table(truth: &Truth, aggregate: Uuid, wanted: impl Fn(&Event) -> bool) -> Vec<Place> {
    let events = truth.get(&aggregate).into_iter().flatten().filter(|event| wanted(event));
    events.map(|event| (event.envelope.version, event.envelope.id)).collect()
}

fn mismatch(handler: &str, aggregate: Uuid, seen: &[Place], expected: &[Place]) -> String {
    let versions = |events: &[Place]| events.iter().map(|event| event.0).collect::<Vec<_>>();
    let (seen, expected) = (versions(seen), versions(expected));
    format!("{handler} has seen {seen:?} of {aggregate}, but {expected:?} was expected")
}

fn what_cannot_be_handled_is_kept_with_its_reason(world: &World, truth: &Truth) -> Result<(), String> {
    let mut asides = lock(&world.observed).asides.clone();
    for handler in [PROJECTION, MAILER] {
        for Event { envelope, .. } in truth.values().flatten().filter(|event| !event.restored) {
            let Some(reason) = poison(handler, envelope) else { continue };
            let Envelope { aggregate_type, aggregate_id, version, .. } = envelope;
            let prefix = format!("{FAILED_PREFIX}{handler}/{aggregate_type}-{aggregate_id}-{version}.json");
            asides.insert(Aside { prefix, says: vec![reason.to_owned(), envelope.id.to_string()] });
        }
    }
    let bucket = lock(&world.bucket);
    for Aside { prefix, says } in &asides {
        let mut kept = bucket.range(prefix.clone()..).take_while(|(key, _)| key.starts_with(prefix));
        let Some((_, object)) = kept.next() else { return Err(format!("{prefix} does not exist")) };
        let text = String::from_utf8_lossy(&object.body);
        if let Some(missing) = says.iter().find(|says| !text.contains(*says)) {
            return Err(format!("{prefix} does not contain {missing:?}: {text}"));
        }
    }
    let known = |key: &str| asides.iter().any(|aside| key.starts_with(&aside.prefix));
    match bucket.keys().find(|key| key.starts_with(FAILED_PREFIX) && !known(key)) {
        Some(key) => Err(format!("{key} was quarantined without a reason")),
        None => Ok(()),
    }
}

fn the_archive_has_what_the_table_has(world: &World, truth: &Truth) -> Result<(), String> {
    let mut archived = BTreeMap::new();
    for (key, object) in lock(&world.bucket).iter().filter(|(key, _)| key.starts_with(EVENTS_PREFIX)) {
        let events = archive::events(&object.body).map_err(|error| format!("{key}: {error}"))?;
        for event in events {
            let place = (event.aggregate_id, event.version);
            if let Some(other) = archived.insert(place, event.clone())
                && other != event
            {
                return Err(format!("{place:?} is archived with different contents"));
            }
        }
    }
    for event in truth.values().flatten() {
        let Event { envelope, .. } = event;
        match archived.remove(&(envelope.aggregate_id, envelope.version)) {
            None => return Err(format!("{} {} is missing", envelope.aggregate_id, envelope.version)),
            Some(archived) if archived != *envelope => {
                return Err(format!("{} {} differs", envelope.aggregate_id, envelope.version));
            }
            Some(_) => {}
        }
    }
    match archived.pop_first() {
        Some((place, _)) => Err(format!("{place:?} is archived, but not in the table")),
        None => Ok(()),
    }
}

fn replays_deliver_all_in_order_to_whom_they_may(world: &World, truth: &Truth) -> Result<(), String> {
    let replays = lock(&world.observed).replays.clone();
    let mended = lock(&world.observed).mended;
    let owed = lock(&world.observed).owed.clone();
    let permitted =
        |id: Uuid| replays.iter().any(|replay| replay.order.id == id && replay.order.repeat_side_effects);
    for ((handler, aggregate), handled) in &lock(&world.observed).handled {
        let mut replayed = handled.iter().filter_map(|handled| handled.replay);
        if *handler == MAILER && replayed.any(|id| !permitted(id)) {
            return Err(format!("{handler} has side effects, but events of {aggregate} were replayed to it"));
        }
    }
    for Replayed { order, early, ended, refused } in &replays {
        let handler = order.handler.as_str();
        let acts = handler == MAILER && !order.repeat_side_effects;
        match (ended, refused) {
            (None, Some(Reason::HandlerHasSideEffects)) if acts => {}
            (None, Some(Reason::AlreadyRunning)) if order.by == "a rival" => {}
            // It had ended when the rival's replay replaced it.
            (None, None) if !acts && replays.iter().any(|other| other.order.by == "a rival") => {}
            // A replay with this planted bug was not followed.
            (None, None) if world.planted == Some(Planted::HoldsNothingBack) => {}
            // The handler failed for too long, so nothing was started.
            (None, Some(Reason::HandlerFailed)) => {}
            (Some(ReplayState::Complete | ReplayState::Cancelled), None) if !acts => {}
            (Some(ReplayState::Incomplete), None) if *early => {}
            other => return Err(format!("replay {} of {handler} ended as {other:?}", order.id)),
        }
        // Events that an early replay delivered before the handlers were repaired were poison at that time.
        let can = |event: &Event| mended && !early || poison(handler, &event.envelope).is_none();
        let wanted = |event: &Event| {
            order.only.has(&event.envelope) && event.envelope.event::<CartEvent>().is_ok() && can(event)
        };
        for (aggregate, seen) in first_seen(world, truth, handler, Some(order.id)) {
            let expected = of_table(truth, aggregate, wanted);
            // An early replay need not have events that arrived too late for it.
            let is_owed = |place: &Place| {
                !early || owed.get(&order.id).is_some_and(|owed| owed.contains(&(aggregate, place.0)))
            };
            let complete = *ended == Some(ReplayState::Complete);
            let missing = expected.strip_prefix(seen.as_slice());
            if missing.is_none_or(|missing| complete && missing.iter().any(is_owed)) {
                return Err(mismatch(handler, aggregate, &seen, &expected));
            }
        }
    }
    Ok(())
}
