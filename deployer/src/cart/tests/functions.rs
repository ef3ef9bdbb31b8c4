//! Each function has a binary, a line in the stack, and what follows from them: variables, order, alarm.

use std::collections::BTreeSet;

use aws::Aws;
use engine::resource::ResourceId;
use engine::stack::Stack;
use eventsourcing::contract::ARCHIVE;
use serde_json::Value;

use super::{dev, keys, root, statements, states};

/// Returns the deployed functions.
pub(super) fn functions(stack: &Stack<Aws>) -> BTreeSet<String> {
    states(stack, "lambda.function").into_keys().collect()
}

/// Returns the handlers: the consumers of the event stream, but for `archive`.
fn handlers(stack: &Stack<Aws>) -> BTreeSet<String> {
    consumers(stack).into_iter().filter(|consumer| consumer != ARCHIVE).collect()
}

/// Returns the consumers of the event stream.
pub(super) fn consumers(stack: &Stack<Aws>) -> BTreeSet<String> {
    let mappings = states(stack, "lambda.event-source-mapping").into_keys();
    mappings
        .filter_map(|name| name.split_once("/kinesis/").map(|(consumer, _)| consumer.to_owned()))
        .collect()
}

#[test]
fn functions_all_have_a_binary_and_stack_entry() {
    let folders = ["functions/src/bin", "functions/runtime/src/bin"];
    let files = folders.into_iter().flat_map(|folder| {
        std::fs::read_dir(root().join(folder)).expect("the folder of the functions exists")
    });
    let binaries: BTreeSet<String> = files
        .map(|file| file.expect("a readable folder").path())
        .map(|path| path.file_stem().expect("a file has a name").to_string_lossy().into_owned())
        .collect();
    assert_eq!(binaries, functions(&dev()), "{folders:?} against the stack");
}

#[test]
fn functions_get_exactly_the_variables_they_read() {
    let read = |name: &str| match name {
        "capture" => &["ARCHIVE_BUCKET", "EVENT_STREAM"][..],
        "archive" | "log-events" => &["ARCHIVE_BUCKET"],
        "replay" => &["ARCHIVE_BUCKET", "EVENTS_TABLE", "HANDLERS"],
        _ => &["EVENTS_TABLE"],
    };
    for (name, function) in states(&dev(), "lambda.function") {
        assert_eq!(
            keys(&function["environment"]),
            read(&name).iter().map(|name| (*name).to_owned()).collect(),
            "{name}"
        );
    }
}

/// An old reader must not get an event of a new type: a handler would quarantine it, and a query would fail.
#[test]
fn writers_are_deployed_after_all_readers() {
    let stack = dev();
    let may = |sid: &str| -> BTreeSet<String> {
        let of_sid = statements(&stack).into_iter().filter(|(_, of, _)| of == sid);
        of_sid.map(|(role, ..)| role).collect()
    };
    let writers = may("AppendEvents");
    assert!(!writers.is_empty(), "no function may append events");
    let readers: BTreeSet<String> =
        may("LoadEvents").difference(&writers).cloned().chain(handlers(&stack)).collect();
    for writer in writers {
        let id = ResourceId::new("lambda.function", stack.scope.name(&writer));
        let needs = stack.get(&id).expect("the function is in the stack").needs();
        for reader in &readers {
            let reader = ResourceId::new("lambda.function", stack.scope.name(reader));
            assert!(needs.contains(&reader), "{writer} does not wait for {reader}");
        }
    }
}

/// A handler needs only a file and a line in the stack; everything else is derived.
#[test]
fn handlers_get_mapping_quarantine_alarm_and_replay() {
    let stack = dev();
    let handlers = handlers(&stack);
    assert!(handlers.contains("log-events"), "{handlers:?}");
    let mappings = states(&stack, "lambda.event-source-mapping");
    let (granted, alarms) = (statements(&stack), states(&stack, "cloudwatch.alarm"));
    for handler in handlers {
        let settings = &mappings[&format!("{handler}/kinesis/cart-dev-events")]["settings"];
        assert_eq!(settings["on_failure"], "arn:aws:s3:::cart-dev-archive-111111111111-eu-central-1-an");
        let own: Vec<_> =
            granted.iter().filter(|(role, ..)| *role == handler).map(|(_, sid, _)| sid).collect();
        assert!(own.iter().any(|sid| *sid == "WriteArchiveFailed"), "{handler} has {own:?}");
        let arn =
            Value::from(format!("arn:aws:lambda:eu-central-1:111111111111:function:cart-dev-{handler}"));
        let replayed = granted.iter().filter(|(role, ..)| *role == "replay");
        let replayed: Vec<_> = replayed.map(|(.., statement)| &statement["Resource"]).collect();
        assert!(replayed.iter().any(|resources| resources[0] == arn), "{handler} of {replayed:?}");
        assert!(alarms.contains_key(&format!("{handler}-quarantining")), "{handler} has {:?}", alarms.keys());
    }
}
