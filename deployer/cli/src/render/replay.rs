//! A replay for reading: one line while it runs, and how it stands as a whole.

#[cfg(test)]
mod fixture;

#[cfg(test)]
pub(crate) use fixture::replayed;

use std::time::Duration;

use eventsourcing::replay::{Does, Only, Order, ReplayState, ReplayStatus, Source};

use super::style::{count, duration, thousands};
use super::table::columns;
use super::text::printable;

/// How wide the bar is.
const BAR: u64 = 20;

/// Returns the line that tells how a replay gets on; with the events of a second, if known.
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
        line.push_str(&format!(", reading once more ({})", status.reading.pass));
    }
    if let Some(trouble) = &status.trouble {
        line.push_str(&format!(", {}", printable(trouble)));
    }
    line
}

/// Returns the hour that the key of an archived object is of: `2026-11-21 19h`.
fn hour(key: &str) -> Option<String> {
    let (_, rest) = key.split_once("/dt=")?;
    let (date, rest) = rest.split_once("/hour=")?;
    let (hour, _) = rest.split_once('/')?;
    Some(format!("{} {}h", printable(date), printable(hour)))
}

/// Returns what is waited for, while nothing is read.
fn catching_up(status: &ReplayStatus) -> Option<String> {
    let waits_s = Some(status.reading.waits_s).filter(|&waits_s| waits_s > 0)?;
    Some(format!("the archive is given {waits_s} s to catch up"))
}

/// Returns how a replay stands: what was ordered, how much has gone, and what is missing.
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
    lines.extend(listed("kept aside", counts.kept_aside, &status.kept_aside, |kept| {
        let (of, id) = (printable(&kept.aggregate_type), kept.aggregate_id);
        format!("{of}#{id} version {}: {}", kept.version, printable(&kept.reason))
    }));
    lines.extend(listed("gaps", counts.gaps, &status.gaps, |gap| {
        let of = format!("{}#{}", printable(&gap.aggregate_type), gap.aggregate_id);
        format!("{of}: version {} never came; nothing from there to {} was delivered", gap.missing, gap.last)
    }));
    lines.extend(listed("unreadable", counts.unreadable, &status.unreadable, |unreadable| {
        format!("{}: {}", printable(&unreadable.key), printable(&unreadable.reason))
    }));
    lines.extend(listed("contradictions", counts.contradictions, &status.contradictions, |other| {
        let of = format!("{}#{}", printable(&other.aggregate_type), other.aggregate_id);
        format!("{of} version {}: another event came before {}, which was left out", other.version, other.id)
    }));
    lines.join("\n")
}

fn facts(status: &ReplayStatus) -> impl Iterator<Item = (&'static str, String)> {
    let (order, counts, reading) = (&status.order, &status.counts, &status.reading);
    let source = match order.from {
        Source::Archive => "object",
        Source::Table => "page",
    };
    let of = reading.total.map(|total| format!(" of {}", thousands(total))).unwrap_or_default();
    let pass = if reading.pass > 1 { format!(", pass {}", reading.pass) } else { String::new() };
    let aggregates = count(counts.aggregates, "aggregate");
    let duplicates = count(counts.duplicates, "duplicate");
    let read = format!(
        "{}{of} {source}s{pass}; {} of {aggregates}, {duplicates}",
        thousands(reading.done),
        events(counts.read)
    );
    let (goes, delivered) = if order.dry_run {
        ("to deliver", events(counts.delivered))
    } else {
        ("delivered", format!("{} in {}", events(counts.delivered), batches(counts.batches)))
    };
    let types = status.by_type.iter().map(|(name, many)| format!("{} {}", printable(name), thousands(*many)));
    let types = types.collect::<Vec<_>>().join(", ");
    let at = status.started_at.strftime("%Y-%m-%d %H:%M:%SZ");
    let facts = [
        ("ordered", format!("by {}, {at}, at {}/s", printable(&order.by), order.rate)),
        ("id", order.id.to_string()),
        ("handler", status.does.map(does).unwrap_or_default().to_owned()),
        ("only", only(&order.only)),
        ("read", read),
        (goes, delivered),
        ("types", types),
        ("passed over", some(counts.passed_over)),
        (if status.state == ReplayState::Running { "waiting" } else { "left out" }, some(counts.waiting)),
        ("waits", catching_up(status).unwrap_or_default()),
        ("trouble", status.trouble.as_deref().map(printable).unwrap_or_default()),
    ];
    facts.into_iter().filter(|(_, fact)| !fact.is_empty())
}

fn does(does: Does) -> &'static str {
    match does {
        Does::Acts => "acts on the outside",
        Does::BuildsState => "builds state",
    }
}

/// Returns what is under way, for whoever sees nothing move.
pub fn replay_begins(order: &Order) -> String {
    let Order { handler, id, rate, .. } = order;
    let what = if order.dry_run { "a dry run of a replay" } else { "a replay" };
    let from = match order.from {
        Source::Archive => "the archive",
        Source::Table => "the table",
    };
    let only = match only(&order.only) {
        only if only.is_empty() => only,
        only => format!(", only {only}"),
    };
    format!("{what} of {from} to {handler} is under way: {id}, at {rate}/s at most{only}")
}

/// Returns what of the filter has matched nothing, once all is read.
pub fn replay_unmatched(status: &ReplayStatus) -> Option<String> {
    let Only { types, aggregates, .. } = &status.order.only;
    let known = &status.read_by_type;
    let unknown: Vec<_> =
        types.iter().filter(|name| !known.contains_key(*name)).map(|name| printable(name)).collect();
    if known.is_empty() && !aggregates.is_empty() {
        return Some("there is no event of such an aggregate".to_owned());
    }
    if !unknown.is_empty() && !known.is_empty() {
        let known = known.keys().map(|name| printable(name)).collect::<Vec<_>>().join(", ");
        return Some(format!("there is no event of type {}; there are {known}", unknown.join(", ")));
    }
    let nothing = status.counts.delivered == 0 && status.order.only != Only::default();
    nothing.then(|| format!("there is no event that is wanted ({})", only(&status.order.only)))
}

fn only(only: &Only) -> String {
    let Only { types, aggregates, since, until } = only;
    let mut wanted: Vec<String> = types.iter().map(|name| printable(name)).collect();
    wanted.extend(aggregates.iter().map(ToString::to_string));
    wanted.extend(since.map(|since| format!("since {since}")));
    wanted.extend(until.map(|until| format!("before {until}")));
    wanted.join(", ")
}

/// Returns a heading and a line each; how many more there are, where not all are known.
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

/// Returns a number where it is one to speak of.
fn some(many: u64) -> String {
    if many == 0 { String::new() } else { events(many) }
}

#[cfg(test)]
mod tests {
    use eventsourcing::replay::{Contradiction, KeptAside, ReplayGap, Unreadable};
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
        (bad.counts.kept_aside, bad.counts.gaps, bad.counts.unreadable) = (1, 3, 1);
        (bad.counts.passed_over, bad.counts.waiting) = (35, 9);
        let reason = "quantity is\nnegative".to_owned();
        bad.kept_aside =
            vec![KeptAside { aggregate_type: aggregate_type.clone(), aggregate_id, version: 3, reason }];
        bad.counts.contradictions = 1;
        let (of, id) = (aggregate_type.clone(), Uuid::from_u128(3));
        bad.contradictions = vec![Contradiction { aggregate_type: of, aggregate_id, version: 5, id }];
        bad.gaps = vec![ReplayGap { aggregate_type, aggregate_id, missing: 4, last: 9 }];
        bad.unreadable = vec![Unreadable { key: "events/a".into(), reason: "it is not gzip".into() }];
        bad.trouble = Some("log-events is out of reach".into());
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

    #[test]
    fn unmatched_replay_filter_is_named() {
        let mut status = replayed(ReplayState::Complete);
        assert_eq!(replay_unmatched(&status), None);
        status.order.only.types.insert("ItemAded".into());
        let mistyped = "there is no event of type ItemAded; there are DemoOpened, ItemAdded";
        assert_eq!(replay_unmatched(&status).as_deref(), Some(mistyped));
        status.order.only.types = ["ItemAdded".to_owned()].into();
        assert_eq!(replay_unmatched(&status), None);
        // Of its type there are some, but none since then.
        status.counts.delivered = 0;
        status.order.only.since = "2026-11-22T00:00:00Z".parse().ok();
        let none = "there is no event that is wanted (ItemAdded, since 2026-11-22T00:00:00Z)";
        assert_eq!(replay_unmatched(&status).as_deref(), Some(none));
        status.order.only.aggregates.insert(Uuid::from_u128(9));
        status.read_by_type.clear();
        assert_eq!(replay_unmatched(&status).as_deref(), Some("there is no event of such an aggregate"));
        // Nothing was asked for, and there is nothing: so it is on the first day.
        status.order.only = Only::default();
        assert_eq!(replay_unmatched(&status), None);
    }

    #[test]
    fn replay_start_is_reported_in_one_line() {
        let mut order = replayed(ReplayState::Running).order;
        order.only.types.insert("ItemAdded".into());
        let id = order.id;
        let line = format!(
            "a replay of the archive to log-events is under way: {id}, at 1000/s at most, only ItemAdded"
        );
        assert_eq!(replay_begins(&order), line);
    }
}
