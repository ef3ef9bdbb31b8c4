//! Cross-origin resource sharing of a function URL, which shows only if it was set by others.

use std::collections::BTreeSet;

use aws_sdk_lambda::types::Cors as LiveCors;
use serde::Serialize;

/// The settings of cross-origin resource sharing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(super) struct Cors {
    allow_credentials: bool,
    /// In lower case: names of headers have no case.
    allow_headers: BTreeSet<String>,
    allow_methods: BTreeSet<String>,
    allow_origins: BTreeSet<String>,
    expose_headers: BTreeSet<String>,
    max_age_s: i32,
}

impl Cors {
    /// Returns the settings, or nothing if they allow nothing.
    pub(super) fn from_live(live: LiveCors) -> Option<Self> {
        let set = |list: Option<Vec<String>>| list.unwrap_or_default().into_iter().collect();
        let headers = |list: Option<Vec<String>>| {
            list.unwrap_or_default().into_iter().map(|name| name.to_lowercase()).collect()
        };
        let cors = Self {
            allow_credentials: live.allow_credentials.unwrap_or_default(),
            allow_headers: headers(live.allow_headers),
            allow_methods: set(live.allow_methods),
            allow_origins: set(live.allow_origins),
            expose_headers: headers(live.expose_headers),
            max_age_s: live.max_age.unwrap_or_default(),
        };
        (cors != Self::default()).then_some(cors)
    }

    /// Returns the settings that remove all others.
    pub(super) fn none() -> LiveCors {
        LiveCors::builder().build()
    }
}
