//! The time of an event, in its only stored format.

use std::{fmt, str::FromStr};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// A point in time with microsecond precision, written in UTC with six decimal digits and a `Z`.
///
/// One format per instant keeps canonical JSON canonical and makes the text sortable by time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct OccurredAt(Timestamp);

/// The text is not a time in the stored format.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0:?} is not a time like 2026-11-21T19:02:03.123456Z")]
pub struct InvalidTime(String);

impl OccurredAt {
    /// Returns the time truncated to microseconds.
    pub fn new(time: Timestamp) -> Self {
        let micros = Timestamp::from_microsecond(time.as_microsecond());
        Self(micros.expect("a truncated time is in range"))
    }

    /// Returns the time.
    pub fn timestamp(self) -> Timestamp {
        self.0
    }
}

impl fmt::Display for OccurredAt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.6}", self.0)
    }
}

impl FromStr for OccurredAt {
    type Err = InvalidTime;

    fn from_str(text: &str) -> Result<Self, InvalidTime> {
        text.parse()
            .map(Self::new)
            .ok()
            .filter(|time| time.to_string() == text)
            .ok_or_else(|| InvalidTime(text.to_owned()))
    }
}

impl From<OccurredAt> for String {
    fn from(time: OccurredAt) -> Self {
        time.to_string()
    }
}

impl TryFrom<String> for OccurredAt {
    type Error = InvalidTime;

    fn try_from(text: String) -> Result<Self, InvalidTime> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_has_exactly_six_digits() {
        let cut = |text: &str| OccurredAt::new(text.parse().unwrap()).to_string();
        assert_eq!(cut("2026-11-21T19:02:03.123456789Z"), "2026-11-21T19:02:03.123456Z");
        assert_eq!(cut("2026-11-21T19:02:03Z"), "2026-11-21T19:02:03.000000Z");
    }

    #[test]
    fn time_is_read_only_in_its_stored_spelling() {
        for text in [
            "2026-11-21T19:02:03Z",
            "2026-11-21T19:02:03.123Z",
            "2026-11-21T20:02:03.123456+01:00",
            "yesterday",
        ] {
            assert_eq!(text.parse::<OccurredAt>(), Err(InvalidTime(text.to_owned())), "{text}");
        }
        let stored = "2026-11-21T19:02:03.120000Z";
        assert_eq!(stored.parse::<OccurredAt>().unwrap().to_string(), stored);
    }
}
