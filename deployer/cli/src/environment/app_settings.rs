//! The table `[app]` of environment files: settings of the application's own, in a type that it chooses.

use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::Environment;
use super::mistakes::{self, Mistake};

/// The type of an application's own settings.
#[derive(Debug, Clone, Copy)]
pub struct AppSettings {
    /// Returns the mistakes in the table.
    mistakes: fn(&Spanned<DeTable<'_>>) -> Vec<Mistake>,
}

impl AppSettings {
    /// An application without settings of its own: `[app]` has no keys.
    pub const NONE: Self = Self { mistakes: needless };

    /// Returns settings of the type `S`. Let it refuse unknown keys (`serde(deny_unknown_fields)`), so that a
    /// misspelt key is reported.
    pub const fn of<S: DeserializeOwned>() -> Self {
        Self { mistakes: read_as::<S> }
    }

    /// Returns the mistakes in the table `[app]` of an environment's merged tables.
    pub(super) fn mistakes(self, tables: &Spanned<DeTable<'_>>) -> Vec<Mistake> {
        match tables.get_ref().get("app").map(|app| (app.span(), app.get_ref())) {
            Some((span, DeValue::Table(app))) => (self.mistakes)(&Spanned::new(span, app.clone())),
            // Another mistake, which is found with those of all keys.
            Some(_) => Vec::new(),
            None => {
                let mut mistakes = (self.mistakes)(&Spanned::new(tables.span(), DeTable::new()));
                for mistake in &mut mistakes {
                    mistake.message = format!("there is no table [app]: {}", mistake.message);
                }
                mistakes
            }
        }
    }
}

fn needless(app: &Spanned<DeTable<'_>>) -> Vec<Mistake> {
    let message = |key: &str| format!("`{key}` is not a key here: this program has no settings of its own");
    app.get_ref().keys().map(|key| Mistake::new(key.span(), message(key.get_ref()))).collect()
}

fn read_as<S: DeserializeOwned>(app: &Spanned<DeTable<'_>>) -> Vec<Mistake> {
    mistakes::deserialize::<S>(app, Vec::new()).err().unwrap_or_default()
}

impl Environment {
    /// Returns the application's own settings.
    ///
    /// # Panics
    /// Panics if `S` is not the type that the program declares with `App::settings`, which its files were
    /// checked with.
    pub fn app<S: DeserializeOwned>(&self) -> S {
        self.app.clone().try_into().expect("`App::settings` declares this type")
    }
}
