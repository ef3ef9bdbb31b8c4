//! A replay as text: one line of progress, and its complete status.

#[cfg(test)]
mod fixture;

#[cfg(test)]
pub(crate) use fixture::replayed;

use std::time::Duration;

use eventsourcing::replay::{HandlerKind, Only, Order, ReplayState, ReplayStatus, Source};

use super::style::{count, duration, thousands};
use super::table::columns;
use super::text::printable;

/// The width of the progress bar, in characters.
const BAR: u64 = 20;

/// Returns the progress of a replay as one line, with its rate in events per second if known.
pub fn replay_progress(status: &ReplayStatus, rate: Option<f64>) -> String {
    let mut line = format!("{} ", status.order.handler);
    if let Some(total) = status.reading.total.filter(|&total| total > 0) {
        let done = status.reading.done.min(total);
        let full = done * BAR / total;
        let bar: String = (0..BAR).map(|place| if place < full { '█' } else { '░' }).collect();
        line.push_str(&format!("{bar} {} % read, ", done * 100 / total));
    } else if let Some(hour) = status.reading.last.as_deref().and_then(hour) {
        line.push_str(&format!("at {hour}, "));
    }
    let goes = if status.order.dry_run { "counted" } else { "delivered" };
    line.push_str(&format!("{} {goes}", events(status.counts.delivered)));
    if let Some(rate) = rate {
        line.push_str(&format!(", {rate:.0}/s"));
    }
    if status.counts.waiting > 0 {
        line.push_str(&format!(", {} waiting", thousands(status.counts.waiting)));
    }
    if let Some(catching_up) = catching_up(status) {
        line.push_str(&format!(", {catching_up}"));
    }
    if status.reading.pass > 1 {
        line.push_str(&format!(", reading again (pass {})", status.reading.pass));
    }
    if let Some(problem) = &status.problem {
        line.push_str(&format!(", {}", printable(problem)));
    }
    line
}

/// Returns the hour in the key of an archived object: `2026-11-21 19h`.
fn hour(key: &str) -> Option<String> {
    let (_, rest) = key.split_once("/dt=")?;
    let (date, rest) = rest.split_once("/hour=")?;
    let (hour, _) = rest.split_once('/')?;
    Some(format!("{} {}h", printable(date), printable(hour)))
}

/// Returns what a replay waits for while it reads nothing.
fn catching_up(status: &ReplayStatus) -> Option<String> {
    let waits_s = Some(status.reading.waits_s).filter(|&waits_s| waits_s > 0)?;
    Some(format!("waiting {waits_s} s for the archive to catch up"))
}

/// Returns the status of a replay: the order, the numbers of events, and what is missing.
pub fn replay_text(status: &ReplayStatus) -> String {
    let Order { handler, dry_run, .. } = &status.order;
    let what = if *dry_run { "dry run of a replay" } else { "replay" };
    let saved = match status.state {
        ReplayState::Running => format!(", last saved {} ago", duration(Duration::from_secs(status.idle_s))),
        _ => String::new(),
    };
    let mut lines = vec![format!("{what} to {handler}: {}{saved}", state(status.state))];
    let facts = facts(status).map(|(name, fact)| [format!("  {name}"), fact]).collect::<Vec<_>>();
    lines.push(columns(&facts));
    let counts = &status.counts;
    lines.extend(listed("quarantined", counts.quarantined, &status.quarantined, |kept| {
        let (of, id) = (printable(&kept.aggregate_type), kept.aggregate_id);
        format!("{of}#{id} version {}: {}", kept.version, printable(&kept.reason))
    }));
    lines.extend(listed("gaps", counts.gaps, &status.gaps, |gap| {
        let of = format!("{}#{}", printable(&gap.aggregate_type), gap.aggregate_id);
        format!("{of}: version {} is missing; later ones up to {} were not delivered", gap.missing, gap.last)
    }));
    lines.extend(listed("unreadable", counts.unreadable, &status.unreadable, |unreadable| {
        format!("{}: {}", printable(&unreadable.key), printable(&unreadable.reason))
    }));
    lines.extend(listed("contradictions", counts.contradictions, &status.contradictions, |other| {
        let of = format!("{}#{}", printable(&other.aggregate_type), other.aggregate_id);
        format!("{of} version {}: another event came first; {} was not delivered", other.version, other.id)
    }));
    lines.join("\n")
}

fn facts(status: &ReplayStatus) -> impl Iterator<Item = (&'static str, String)> {
    let (order, counts, reading) = (&status.order, &status.counts, &status.reading);
    let source = match order.from {
        Source::Archive => "object",
        Source::Table => "page",
    };
    let units = match reading.total {
        Some(total) => format!("{} of {}", thousands(reading.done), count(total, source)),
        None => count(reading.done, source),
    };
    let pass = if reading.pass > 1 { format!(", pass {}", reading.pass) } else { String::new() };
    let aggregates = count(counts.aggregates, "aggregate");
    let duplicates = count(counts.duplicates, "duplicate");
    // The number of aggregates is that of the selected ones.
    let (read, selected) = if order.only.selects_aggregates() {
        let selected = status.read_by_type.values().sum();
        (events(counts.read), format!("{} of {aggregates}", events(selected)))
    } else {
        (format!("{} of {aggregates}", events(counts.read)), String::new())
    };
    let read = format!("{units}{pass}; {read}, {duplicates}");
    let (goes, delivered) = if order.dry_run {
        ("to deliver", events(counts.delivered))
    } else {
        ("delivered", format!("{} in {}", events(counts.delivered), batches(counts.batches)))
    };
    let types = status.by_type.iter().map(|(name, many)| format!("{} {}", printable(name), thousands(*many)));
    let types = types.collect::<Vec<_>>().join(", ");
    let at = status.started_at.strftime("%Y-%m-%d %H:%M:%SZ");
    let facts = [
        ("started", format!("by {}, {at}, max {} events/s", printable(&order.by), order.rate)),
        ("id", order.id.to_string()),
        ("handler", status.handler_kind.map(handler_kind_text).unwrap_or_default().to_owned()),
        ("only", only(&order.only)),
        ("read", read),
        ("selected", selected),
        (goes, delivered),
        ("types", types),
        (
            "filtered out",
            if counts.skipped == 0 {
                String::new()
            } else {
                format!("{} by type or time", events(counts.skipped))
            },
        ),
        (if status.state == ReplayState::Running { "waiting" } else { "left out" }, some(counts.waiting)),
        ("now", catching_up(status).unwrap_or_default()),
        ("problem", status.problem.as_deref().map(printable).unwrap_or_default()),
    ];
    facts.into_iter().filter(|(_, fact)| !fact.is_empty())
}

fn handler_kind_text(kind: HandlerKind) -> &'static str {
    match kind {
        HandlerKind::Reactor => "reactor (has side effects)",
        HandlerKind::Projection => "projection (builds state)",
    }
}

/// Returns a line about a running replay, for output without a progress bar.
pub fn replay_begins(order: &Order) -> String {
    let Order { handler, id, rate, .. } = order;
    let what = if order.dry_run { "dry run of replay" } else { "replay" };
    let from = match order.from {
        Source::Archive => "archive",
        Source::Table => "table",
    };
    let only = match only(&order.only) {
        only if only.is_empty() => only,
        only => format!(", only {only}"),
    };
    format!("{what} {id}: {from} → {handler}, max {rate} events/s{only}")
}

/// Returns which part of the filter matched no event, once all events are read.
pub fn replay_unmatched(status: &ReplayStatus) -> Option<String> {
    let Only { types, .. } = &status.order.only;
    let known = &status.read_by_type;
    let unknown: Vec<_> =
        types.iter().filter(|name| !known.contains_key(*name)).map(|name| printable(name)).collect();
    if known.is_empty() && status.order.only.selects_aggregates() {
        return Some("no event belongs to these aggregates".to_owned());
    }
    if !unknown.is_empty() && !known.is_empty() {
        let known = known.keys().map(|name| printable(name)).collect::<Vec<_>>().join(", ");
        let of = if status.order.only.selects_aggregates() { " of the selected aggregates" } else { "" };
        return Some(format!("no event{of} has type {}; the types are {known}", unknown.join(", ")));
    }
    let nothing = status.counts.delivered == 0 && status.order.only != Only::default();
    nothing.then(|| format!("no event matches the filter ({})", only(&status.order.only)))
}

fn only(only: &Only) -> String {
    let Only { types, aggregate_types, aggregates, since, until } = only;
    let mut wanted: Vec<String> = types.iter().map(|name| printable(name)).collect();
    wanted.extend(aggregate_types.iter().map(|name| format!("{}#…", printable(name))));
    wanted.extend(aggregates.iter().map(ToString::to_string));
    wanted.extend(since.map(|since| format!("since {since}")));
    wanted.extend(until.map(|until| format!("before {until}")));
    wanted.join(", ")
}

/// Returns a heading and a line for each item, then the number of the others if not all are known.
fn listed<T>(heading: &str, all: u64, known: &[T], line: impl Fn(&T) -> String) -> Vec<String> {
    if all == 0 {
        return Vec::new();
    }
    let more = all.saturating_sub(known.len() as u64);
    let lines = known.iter().map(|item| format!("    {}", line(item)));
    let more = (more > 0).then(|| format!("    and {} more", thousands(more)));
    std::iter::once(format!("  {heading} ({})", thousands(all))).chain(lines).chain(more).collect()
}

fn state(state: ReplayState) -> &'static str {
    match state {
        ReplayState::Running => "running",
        ReplayState::Complete => "complete",
        ReplayState::Incomplete => "incomplete",
        ReplayState::Cancelled => "cancelled",
        ReplayState::Failed => "failed",
    }
}

fn events(many: u64) -> String {
    count(many, "event")
}

fn batches(many: u64) -> String {
    if many == 1 { "1 batch".to_owned() } else { format!("{} batches", thousands(many)) }
}

/// Returns a number of events, or nothing for zero.
fn some(many: u64) -> String {
    if many == 0 { String::new() } else { events(many) }
}

#[cfg(test)]
mod tests {
    use eventsourcing::replay::{Contradiction, QuarantinedEvent, ReplayGap, Unreadable};
    use uuid::Uuid;

    use super::*;

    #[test]
    fn replay_text_shows_its_status() {
        let running = replayed(ReplayState::Running);
        insta::assert_snapshot!("running", replay_text(&running));
        insta::assert_snapshot!("progress", replay_progress(&running, Some(412.4)));

        let mut early = running;
        early.reading.waits_s = 18;
        insta::assert_snapshot!("waiting", replay_text(&early));
        insta::assert_snapshot!("progress_while_waiting", replay_progress(&early, None));

        let mut bad = replayed(ReplayState::Incomplete);
        let (aggregate_type, aggregate_id) = ("demo".to_owned(), Uuid::from_u128(2));
        bad.order.only.types.insert("ItemAdded".into());
        bad.order.only.since = "2026-11-21T00:00:00Z".parse().ok();
        bad.reading.pass = 2;
        (bad.counts.quarantined, bad.counts.gaps, bad.counts.unreadable) = (1, 3, 1);
        (bad.counts.skipped, bad.counts.waiting) = (35, 9);
        let reason = "quantity is\nnegative".to_owned();
        bad.quarantined = vec![QuarantinedEvent {
            aggregate_type: aggregate_type.clone(),
            aggregate_id,
            version: 3,
            reason,
        }];
        bad.counts.contradictions = 1;
        let (of, id) = (aggregate_type.clone(), Uuid::from_u128(3));
        bad.contradictions = vec![Contradiction { aggregate_type: of, aggregate_id, version: 5, id }];
        bad.gaps = vec![ReplayGap { aggregate_type, aggregate_id, missing: 4, last: 9 }];
        bad.unreadable = vec![Unreadable { key: "events/a".into(), reason: "it is not gzip".into() }];
        bad.problem = Some("log-events is out of reach".into());
        insta::assert_snapshot!("incomplete", replay_text(&bad));
        insta::assert_snapshot!("progress_with_trouble", replay_progress(&bad, None));

        bad.reading.total = None;
        bad.reading.last = Some("events/dt=2026-11-21/hour=19/shardId-000000000003-1-2.ndjson.gz".into());
        insta::assert_snapshot!("progress_without_an_end", replay_progress(&bad, None));

        let mut dry = replayed(ReplayState::Complete);
        dry.order.dry_run = true;
        dry.order.from = Source::Table;
        dry.reading.total = None;
        insta::assert_snapshot!("dry_run", replay_text(&dry));
    }

    /// The selected events are those that are delivered, and those that are filtered out.
    #[test]
    fn replay_of_one_aggregate_has_numbers_that_add_up() {
        let mut one = replayed(ReplayState::Complete);
        one.order.only.aggregates.insert(Uuid::from_u128(2));
        one.order.only.types.insert("ItemAdded".into());
        one.read_by_type = [("DemoOpened".to_owned(), 1), ("ItemAdded".to_owned(), 2)].into();
        one.by_type = [("ItemAdded".to_owned(), 2)].into();
        (one.counts.read, one.counts.aggregates, one.counts.duplicates) = (8, 1, 0);
        (one.counts.delivered, one.counts.batches, one.counts.skipped) = (2, 1, 1);
        insta::assert_snapshot!("one_aggregate", replay_text(&one));
    }

    #[test]
    fn unmatched_replay_filter_is_named() {
        let mut status = replayed(ReplayState::Complete);
        assert_eq!(replay_unmatched(&status), None);
        status.order.only.types.insert("ItemAded".into());
        let mistyped = "no event has type ItemAded; the types are DemoOpened, ItemAdded";
        assert_eq!(replay_unmatched(&status).as_deref(), Some(mistyped));
        status.order.only.types = ["ItemAdded".to_owned()].into();
        assert_eq!(replay_unmatched(&status), None);
        // There are events of the type, but none since that time.
        status.counts.delivered = 0;
        status.order.only.since = "2026-11-22T00:00:00Z".parse().ok();
        let none = "no event matches the filter (ItemAdded, since 2026-11-22T00:00:00Z)";
        assert_eq!(replay_unmatched(&status).as_deref(), Some(none));
        status.order.only.aggregates.insert(Uuid::from_u128(9));
        status.read_by_type.clear();
        assert_eq!(replay_unmatched(&status).as_deref(), Some("no event belongs to these aggregates"));
        // Without a filter, an empty history is normal: a new environment has no events.
        status.order.only = Only::default();
        assert_eq!(replay_unmatched(&status), None);
    }

    #[test]
    fn replay_start_is_reported_in_one_line() {
        let mut order = replayed(ReplayState::Running).order;
        order.only.types.insert("ItemAdded".into());
        let id = order.id;
        let line = format!("replay {id}: archive → log-events, max 1000 events/s, only ItemAdded");
        assert_eq!(replay_begins(&order), line);
    }
}
