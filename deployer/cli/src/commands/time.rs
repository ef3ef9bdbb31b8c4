//! Parses times (a timestamp, a day, or how long ago) and durations of the command line.

use jiff::{SignedDuration, Span, SpanRelativeTo};
#[cfg(feature = "pipeline")]
use jiff::{Timestamp, civil::Date, tz::TimeZone};

/// Parses `2026-11-21T19:00:00Z`, `2026-11-21` (midnight, UTC) or `24h` (24 hours ago).
#[cfg(feature = "pipeline")]
pub(super) fn time(text: &str) -> Result<Timestamp, String> {
    time_at(text, Timestamp::now())
}

#[cfg(feature = "pipeline")]
fn time_at(text: &str, now: Timestamp) -> Result<Timestamp, String> {
    if let Ok(time) = text.parse::<Timestamp>() {
        return Ok(time);
    }
    if let Ok(date) = text.parse::<Date>()
        && let Ok(midnight) = date.to_zoned_datetime(TimeZone::UTC)
    {
        // A date with a time but no zone also parses as a date; its time must not be ignored.
        return if text.len() == "2026-11-21".len() {
            Ok(midnight.timestamp())
        } else {
            Err("the time has no time zone; add a Z for UTC".to_owned())
        };
    }
    let usage = "use 2026-11-21T19:00:00Z, 2026-11-21, or how long ago: 90s, 10m, 24h, 7d";
    let ago = text.parse::<Span>().and_then(|span| span.to_duration(SpanRelativeTo::days_are_24_hours()));
    let ago = ago.map_err(|_| usage.to_owned())?;
    if ago.is_negative() {
        return Err(format!("that is in the future; {usage}"));
    }
    now.checked_sub(ago).map_err(|_| "that time is out of range".to_owned())
}

/// Parses `90s`, `10m`, `2h`, `7d`. A day is 24 hours.
pub(super) fn duration(text: &str) -> Result<SignedDuration, String> {
    let usage = "examples: 90s, 10m, 2h, 7d";
    let wrong = |_: jiff::Error| format!("`{text}` is not a duration; {usage}");
    let span: Span = text.parse().map_err(wrong)?;
    let long = span.to_duration(SpanRelativeTo::days_are_24_hours()).map_err(wrong)?;
    if long.is_negative() { Err(format!("`{text}` is negative; {usage}")) } else { Ok(long) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_is_parsed_in_three_forms() {
        let now: Timestamp = "2026-11-22T04:00:00Z".parse().expect("it is a time");
        let at = |text: &str| time_at(text, now).map(|time| time.to_string());
        assert_eq!(at("2026-11-21T19:00:00Z").as_deref(), Ok("2026-11-21T19:00:00Z"));
        assert_eq!(at("2026-11-21T19:00:00+02:00").as_deref(), Ok("2026-11-21T17:00:00Z"));
        assert_eq!(at("2026-11-21").as_deref(), Ok("2026-11-21T00:00:00Z"));
        assert_eq!(at("24h").as_deref(), Ok("2026-11-21T04:00:00Z"));
        assert_eq!(at("7d").as_deref(), Ok("2026-11-15T04:00:00Z"));
        for wrong in ["yesterday", "2026-13-01", "-1h", "2026-11-21T19:00", "10", ""] {
            assert!(at(wrong).is_err(), "{wrong}: {:?}", at(wrong));
        }
    }

    #[test]
    fn duration_may_be_days() {
        assert_eq!(duration("7d"), Ok(SignedDuration::from_hours(7 * 24)));
        assert_eq!(duration("90s"), Ok(SignedDuration::from_secs(90)));
        for wrong in ["soon", "yesterday", "10"] {
            let said = format!("`{wrong}` is not a duration; examples: 90s, 10m, 2h, 7d");
            assert_eq!(duration(wrong), Err(said));
        }
        assert_eq!(duration("-1h"), Err("`-1h` is negative; examples: 90s, 10m, 2h, 7d".to_owned()));
    }
}
