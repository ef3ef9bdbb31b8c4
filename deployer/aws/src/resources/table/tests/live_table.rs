//! A live table that changes its global indexes by AWS's rules: a wrong request is rejected, and a change
//! takes some reads.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard};

use serde_json::{Value, json};

use super::{bare, description};
use crate::testing::{Script, ScriptedAnswer, body, fault};

/// After a change, this many reads show the table before it: DescribeTable is eventually consistent.
const STALE_READS: u32 = 1;

/// After that, this many reads show an index as unfinished.
const BUILDING_READS: u32 = 4;

/// A live table with global indexes.
#[derive(Clone)]
pub(super) struct LiveTable(Arc<Mutex<State>>);

struct State {
    table: Value,
    /// The table before the latest change, and how often it is still read.
    earlier: Value,
    stale_reads: u32,
    /// How often unfinished indexes are still read as such.
    building_reads: u32,
    /// The number of calls until calls are denied, as if the run was killed.
    calls_left: Option<u32>,
}

impl LiveTable {
    /// Returns the table with these fields in addition to those of the events table.
    pub(super) fn with(extra: Value) -> Self {
        let table = description("ACTIVE", extra)["Table"].take();
        let state = State {
            earlier: table.clone(),
            table,
            stale_reads: 0,
            building_reads: BUILDING_READS,
            calls_left: None,
        };
        Self(Arc::new(Mutex::new(state)))
    }

    /// Returns a script in which AWS has this table.
    pub(super) fn script(&self) -> Script {
        let (read, changed) = (self.clone(), self.clone());
        bare(Script::new())
            .by("DescribeTable", move |_| read.called(|state| Ok(json!({"Table": state.read()}))))
            .by("UpdateTable", move |asked| {
                let request: Value = serde_json::from_str(&asked.body).expect("the body is JSON");
                changed.called(|state| state.update(&request))
            })
    }

    /// Denies all calls after this number of calls; nothing allows all.
    pub(super) fn end_after(&self, calls: Option<u32>) {
        self.state().calls_left = calls;
    }

    /// Returns the table as it is.
    pub(super) fn now(&self) -> Value {
        self.state().table.clone()
    }

    fn called(
        &self,
        answer: impl FnOnce(&mut State) -> Result<Value, (&'static str, String)>,
    ) -> ScriptedAnswer {
        let mut state = self.state();
        if state.calls_left == Some(0) {
            return fault(400, "AccessDeniedException", "the run ends here");
        }
        state.calls_left = state.calls_left.map(|left| left - 1);
        match answer(&mut state) {
            Ok(answer) => body(answer),
            Err((code, message)) => fault(400, code, &message),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().expect("no lock is poisoned")
    }
}

impl State {
    /// Returns the description, and lets changes progress.
    fn read(&mut self) -> Value {
        if self.stale_reads > 0 {
            self.stale_reads -= 1;
            return self.earlier.clone();
        }
        let shown = self.table.clone();
        if self.building_reads > 0 {
            self.building_reads -= 1;
            let created = self.indexes().iter_mut().filter(|index| index["IndexStatus"] == json!("CREATING"));
            created.for_each(|index| index["Backfilling"] = json!(true));
            return shown;
        }
        let indexes = self.indexes();
        indexes.retain(|index| index["IndexStatus"] != json!("DELETING"));
        indexes.iter_mut().for_each(|index| index["IndexStatus"] = json!("ACTIVE"));
        self.forget_unused_definitions();
        shown
    }

    fn update(&mut self, request: &Value) -> Result<Value, (&'static str, String)> {
        let before = self.table.clone();
        let updates = request["GlobalSecondaryIndexUpdates"].as_array().cloned().unwrap_or_default();
        let online = updates.iter().filter(|update| update["Update"].is_null()).count();
        if online > 1 || (online == 1 && updates.len() > 1) {
            return invalid("One online index can be created or deleted");
        }
        let is_busy = self.indexes().iter().any(|index| index["IndexStatus"] != json!("ACTIVE"));
        if is_busy && request.get("BillingMode").is_some() {
            return Err(("ResourceInUseException", "an index is being changed".to_owned()));
        }
        let mode_before = self.mode();
        if let Some(mode) = request.get("BillingMode") {
            self.table["BillingModeSummary"] = json!({"BillingMode": mode});
            self.table["ProvisionedThroughput"] = request["ProvisionedThroughput"].clone();
            if *mode == json!("PAY_PER_REQUEST") {
                self.indexes().iter_mut().for_each(|index| index["ProvisionedThroughput"] = Value::Null);
            } else if mode_before != self.mode() && updates.len() < self.indexes().len() {
                self.table = before;
                return invalid("ProvisionedThroughput must be specified for index");
            }
        }
        for update in &updates {
            let changed = self.change_index(update, request);
            if let Err(error) = changed {
                self.table = before;
                return Err(error);
            }
        }
        if request.get("OnDemandThroughput").is_some() {
            self.table["OnDemandThroughput"] = request["OnDemandThroughput"].clone();
        }
        (self.earlier, self.stale_reads, self.building_reads) = (before, STALE_READS, BUILDING_READS);
        Ok(json!({}))
    }

    fn change_index(&mut self, update: &Value, request: &Value) -> Result<(), (&'static str, String)> {
        let is_provisioned = self.mode() == json!("PROVISIONED");
        let busy = self.indexes().iter().any(|index| index["IndexStatus"] != json!("ACTIVE"));
        let at =
            |indexes: &[Value], name: &Value| indexes.iter().position(|index| index["IndexName"] == *name);
        if let Some(create) = update.get("Create") {
            if at(self.indexes(), &create["IndexName"]).is_some() {
                return invalid("Attempting to create an index which already exists");
            }
            if busy {
                return Err(("LimitExceededException", ONE.to_owned()));
            }
            if is_provisioned == create["ProvisionedThroughput"].is_null() {
                return invalid("ProvisionedThroughput fits the billing mode of the table");
            }
            let mut index = create.clone();
            index["IndexStatus"] = json!("CREATING");
            index["Backfilling"] = json!(false);
            self.indexes().push(index);
            self.table["AttributeDefinitions"] = request["AttributeDefinitions"].clone();
            let (defined, used) = (self.defined(), self.used());
            return if defined == used { Ok(()) } else { invalid("Some AttributeDefinitions are not used") };
        }
        if let Some(delete) = update.get("Delete") {
            let Some(at) = at(self.indexes(), &delete["IndexName"]) else {
                return Err(("ResourceNotFoundException", "Requested resource not found".to_owned()));
            };
            let index = &mut self.indexes()[at];
            if busy && index["Backfilling"] != json!(true) {
                return Err(("LimitExceededException", ONE.to_owned()));
            }
            index["IndexStatus"] = json!("DELETING");
            return Ok(());
        }
        let update = &update["Update"];
        let Some(at) = at(self.indexes(), &update["IndexName"]) else {
            return Err(("ResourceNotFoundException", "Requested resource not found".to_owned()));
        };
        let index = &mut self.indexes()[at];
        for field in ["ProvisionedThroughput", "OnDemandThroughput"] {
            if update[field].is_object() && index[field] == update[field] {
                return invalid("The provisioned throughput for the index will not change");
            }
            if update[field].is_object() {
                index[field] = update[field].clone();
            }
        }
        Ok(())
    }

    fn mode(&self) -> Value {
        self.table["BillingModeSummary"]["BillingMode"].clone()
    }

    fn indexes(&mut self) -> &mut Vec<Value> {
        let indexes = &mut self.table["GlobalSecondaryIndexes"];
        if indexes.is_null() {
            *indexes = json!([]);
        }
        indexes.as_array_mut().expect("the indexes are a list")
    }

    fn defined(&self) -> BTreeSet<String> {
        names(&self.table["AttributeDefinitions"])
    }

    /// Returns the attributes of all keys.
    fn used(&mut self) -> BTreeSet<String> {
        let mut used = names(&self.table["KeySchema"]);
        used.extend(self.indexes().iter().flat_map(|index| names(&index["KeySchema"])));
        used
    }

    fn forget_unused_definitions(&mut self) {
        let used = self.used();
        let definitions = self.table["AttributeDefinitions"].as_array_mut().expect("a list");
        definitions
            .retain(|definition| used.contains(definition["AttributeName"].as_str().unwrap_or_default()));
    }
}

const ONE: &str = "Subscriber limit exceeded: Only 1 online index can be created or deleted \
                   simultaneously per table";

fn names(attributes: &Value) -> BTreeSet<String> {
    let attributes = attributes.as_array().expect("the attributes are a list").iter();
    attributes.map(|attribute| attribute["AttributeName"].as_str().unwrap_or_default().to_owned()).collect()
}

fn invalid<T>(message: &str) -> Result<T, (&'static str, String)> {
    Err(("ValidationException", message.to_owned()))
}
