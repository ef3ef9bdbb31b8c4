//! An operator who runs the deployer in a place, and all calls of these runs.

use std::cell::RefCell;

use acceptance::{Call, Place, Run};

/// A user who runs the deployer.
pub(crate) struct Operator<'a> {
    place: &'a Place<'a>,
    /// Access key and secret; `None` is the account's root.
    user: Option<(String, String)>,
    calls: RefCell<Vec<Call>>,
}

impl<'a> Operator<'a> {
    /// Returns the account's root.
    pub(crate) fn of_root(place: &'a Place<'a>) -> Self {
        Self { place, user: None, calls: RefCell::default() }
    }

    /// Returns the user with this access key and secret.
    pub(crate) fn of_user(place: &'a Place<'a>, key: &str, secret: &str) -> Self {
        Self { user: Some((key.to_owned(), secret.to_owned())), ..Self::of_root(place) }
    }

    /// Runs the deployer, and adds its calls.
    pub(crate) fn run(&self, arguments: &[&str]) -> Run {
        let record = self.place.folder().join("calls.jsonl");
        let mut command = self.place.command(arguments);
        if let Some((key, secret)) = &self.user {
            command.env("AWS_ACCESS_KEY_ID", key).env("AWS_SECRET_ACCESS_KEY", secret);
        }
        let run = Run::of(command.arg("--record-calls").arg(&record));
        self.calls.borrow_mut().extend(Call::recorded(&record));
        run
    }

    /// Returns all calls of all runs.
    pub(crate) fn calls(&self) -> Vec<Call> {
        self.calls.borrow().clone()
    }
}
