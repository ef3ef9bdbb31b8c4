//! The trace of a schedule: what happened, line by line, for debugging.

use std::{
    fmt,
    sync::{Mutex, PoisonError},
};

use tokio::time::Instant;

/// What happened in a schedule. Writing a trace takes time, so it is written only on request.
#[derive(Debug)]
pub(crate) struct Trace {
    start: Instant,
    lines: Option<Mutex<Vec<String>>>,
}

impl Trace {
    /// Returns an empty trace, to which lines are added only if `wanted`.
    pub(crate) fn new(wanted: bool) -> Self {
        Self { start: Instant::now(), lines: wanted.then(Mutex::default) }
    }

    /// Adds a line about an action.
    pub(crate) fn note(&self, who: &str, what: impl FnOnce() -> String) {
        let Some(lines) = &self.lines else { return };
        let line = Line { at: self.start.elapsed().as_millis(), who, what: what() };
        lines.lock().unwrap_or_else(PoisonError::into_inner).push(line.to_string());
    }

    /// Returns all lines.
    pub(crate) fn lines(&self) -> Vec<String> {
        let lines = self.lines.as_ref();
        lines.map(|lines| lines.lock().unwrap_or_else(PoisonError::into_inner).clone()).unwrap_or_default()
    }
}

struct Line<'a> {
    at: u128,
    who: &'a str,
    what: String,
}

impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { at, who, what } = self;
        write!(f, "{:>5}.{:03}s  {who:<24} {what}", at / 1000, at % 1000)
    }
}
