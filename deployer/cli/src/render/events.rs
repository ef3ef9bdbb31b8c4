//! The history of one aggregate, as a table and as JSON, and its state at one moment.

use eventsourcing::{Envelope, OccurredAt};
use serde::Serialize;
use serde_json::Value;

use super::style::count;
use super::table::columns;
use super::text::printable;

/// How many characters of an event's data are shown even on a narrow terminal.
const LEAST_DATA: usize = 20;
/// How many characters of an actor are shown on a terminal.
const ACTOR: usize = 16;
/// How many digits of a command's id are shown: the last ones, which are random in every version of UUID.
const SHOWN_DIGITS: usize = 12;

/// All events of one aggregate.
#[derive(Debug, Serialize)]
pub struct TimeLine<'a> {
    /// The version of this format.
    pub schema: u8,
    /// The environment.
    pub environment: &'a str,
    /// The events table.
    pub table: &'a str,
    /// The aggregate, as `type#uuid`.
    pub aggregate: String,
    /// The events as they are published, in order.
    pub events: Vec<Envelope>,
}

/// The state of an aggregate at one moment.
#[derive(Debug, Serialize)]
pub struct Moment<'a> {
    /// The version of this format.
    pub schema: u8,
    /// The environment.
    pub environment: &'a str,
    /// The aggregate, as `type#uuid`.
    pub aggregate: String,
    /// The version of the last event in the state.
    pub version: u64,
    /// The version of the aggregate's last event.
    pub of_versions: u64,
    /// When the last event in the state occurred.
    pub occurred_at: OccurredAt,
    /// The state.
    pub state: Value,
}

impl TimeLine<'_> {
    /// Returns a table with a line for each event, cut to the width of the terminal if there is one.
    pub fn text(&self, width: Option<usize>) -> String {
        let head = ["version", "time", "event", "who", "command"].map(str::to_owned);
        let rows = self.events.iter().map(|event| {
            let command = event.command_id.to_string();
            [
                event.version.to_string(),
                event.occurred_at.timestamp().strftime("%Y-%m-%d %H:%M:%S%.6fZ").to_string(),
                printable(&event.event_type),
                fitting(
                    &event.actor.as_deref().map_or_else(|| "-".to_owned(), printable),
                    width.map(|_| ACTOR),
                ),
                format!("…{}", &command[command.len() - SHOWN_DIGITS..]),
            ]
        });
        let rows: Vec<[String; 5]> = std::iter::once(head).chain(rows).collect();
        let table = columns(&rows);
        // The data are the last column and take the remaining width.
        let left = table.lines().map(|line| line.chars().count()).max().unwrap_or_default() + 2;
        let room = width.map(|width| width.saturating_sub(left).max(LEAST_DATA));
        let data = self.events.iter().map(|event| fitting(&printable(event.data.as_str()), room));
        let data = std::iter::once("data".to_owned()).chain(data);
        let lines = table.lines().zip(data).map(|(line, data)| {
            let padding = " ".repeat(left - line.chars().count());
            format!("{line}{padding}{data}").trim_end().to_owned()
        });
        lines.collect::<Vec<_>>().join("\n")
    }

    /// Returns a sentence for each gap in the versions.
    pub fn gaps(&self) -> Vec<String> {
        let versions = std::iter::once(0).chain(self.events.iter().map(|event| event.version));
        let pairs = versions.zip(self.events.iter().map(|event| event.version));
        let gaps = pairs.filter(|(before, behind)| before + 1 < *behind);
        gaps.map(|(before, behind)| match behind - before - 1 {
            1 => format!("version {} is missing", before + 1),
            _ => format!("versions {} to {} are missing", before + 1, behind - 1),
        })
        .collect()
    }
}

impl Moment<'_> {
    /// Returns a heading with the version and time of this moment.
    pub fn heading(&self) -> String {
        let Self { aggregate, version, of_versions, occurred_at, .. } = self;
        let of = match of_versions - version {
            0 => "the latest".to_owned(),
            later => format!("{} came later", count(later, "event")),
        };
        format!("{aggregate} at version {version} of {occurred_at} ({of})")
    }
}

fn fitting(text: &str, room: Option<usize>) -> String {
    match room {
        Some(room) if text.chars().count() > room => {
            text.chars().take(room.saturating_sub(1)).chain(['…']).collect()
        }
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(version: u64, event_type: &str, actor: Option<&str>, data: &str) -> Envelope {
        let ids = |n: u64| format!("01a1ff7c-ac50-7c11-b2aa-{n:012}");
        let event = serde_json::json!({
            "actor": actor, "aggregate_id": ids(0), "aggregate_type": "demo",
            "command_id": ids(version / 2 * 100), "correlation_id": ids(1), "id": ids(version),
            "data": serde_json::from_str::<Value>(data).expect("it is JSON"),
            "occurred_at": format!("2026-11-21T19:02:0{version}.123456Z"), "request_hash": "00000000000000000000000000000000",
            "schema_version": 1, "type": event_type, "version": version,
        });
        Envelope::from_bytes(event.to_string().as_bytes()).expect("it is an event")
    }

    fn time_line() -> TimeLine<'static> {
        TimeLine {
            schema: 1,
            environment: "dev",
            table: "demo-dev-events",
            aggregate: "demo#01a1ff7c-ac50-7c11-b2aa-000000000000".to_owned(),
            events: vec![
                event(1, "DemoOpened", None, "{}"),
                event(2, "ItemAdded", Some("customer-4711"), r#"{"item":"tea","quantity":2}"#),
                event(3, "ItemAdded", Some("zoë"), r#"{"item":"a \u001b[2J","quantity":1}"#),
                event(6, "DemoClosed", None, "{}"),
            ],
        }
    }

    #[test]
    fn aggregate_time_line_is_a_table() {
        insta::assert_snapshot!(time_line().text(None));
    }

    #[test]
    fn time_line_fits_the_terminal() {
        let text = time_line().text(Some(100));
        assert!(text.contains("{\"item\":\"tea\",\"quan…"), "{text}");
        assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
    }

    #[test]
    fn time_line_names_missing_versions() {
        assert_eq!(time_line().gaps(), ["versions 4 to 5 are missing"]);
        let mut headless = time_line();
        headless.events.remove(0);
        assert_eq!(headless.gaps()[0], "version 1 is missing");
    }

    #[test]
    fn time_line_json_contains_everything() {
        let mut short = time_line();
        short.events.truncate(2);
        insta::assert_snapshot!(super::super::json(&short));
    }

    #[test]
    fn moment_heading_identifies_the_moment() {
        let moment = |version| Moment {
            schema: 1,
            environment: "dev",
            aggregate: "demo#1".to_owned(),
            version,
            of_versions: 5,
            occurred_at: "2026-11-21T19:02:03.123456Z".parse().expect("it is a time"),
            state: Value::Null,
        };
        let said = [5, 4, 3].map(|version| moment(version).heading());
        insta::assert_snapshot!(said.join("\n"));
    }
}
