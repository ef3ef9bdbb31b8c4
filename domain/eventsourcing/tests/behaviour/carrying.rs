//! Fields that a later release adds to an envelope pass through this release unchanged.

use eventsourcing::{Commit, Envelope};

/// An envelope of a later release: with a tenant, and with a last field by name.
const LATER: &str = concat!(
    r#"{"aggregate_id":"00000000-0000-0000-0000-000000000001","aggregate_type":"tally","#,
    r#""command_id":"00000000-0000-0000-0000-000000000002","#,
    r#""correlation_id":"00000000-0000-0000-0000-000000000002","data":{"n":1e400},"#,
    r#""id":"00000000-0000-0000-0000-000000000003","occurred_at":"2026-11-21T19:02:03.123456Z","#,
    r#""request_hash":"00000000000000000000000000000000","schema_version":1,"#,
    r#""tenant":{"name":"zoë","since":1e400,"very":12345678901234567890123},"type":"TallyOpened","#,
    r#""version":1,"zone":null}"#,
);

fn later() -> Envelope {
    Envelope::from_bytes(LATER.as_bytes()).unwrap()
}

#[test]
fn fields_of_a_later_release_are_carried_to_the_byte() {
    assert_eq!(String::from_utf8(later().to_bytes()).unwrap(), LATER);
    let names: Vec<_> = later().more.into_keys().collect();
    assert_eq!(names, ["tenant", "zone"]);
    // Also inside of another value, as in the request of a replay.
    let many: Vec<Envelope> = serde_json::from_str(&format!("[{LATER},{LATER}]")).unwrap();
    assert_eq!(serde_json::to_string(&many).unwrap(), format!("[{LATER},{LATER}]"));
}

#[test]
fn fields_of_a_later_release_come_back_with_the_commit() {
    let [commit] = Commit::from_envelopes([later()]).unwrap().try_into().unwrap();
    let again: Vec<_> = commit.into_envelopes().map(|event| event.to_bytes()).collect();
    assert_eq!(again, [LATER.as_bytes()]);
}

#[test]
fn envelope_with_missing_or_duplicate_field_is_refused() {
    let refused = |text: &str| Envelope::from_bytes(text.as_bytes()).unwrap_err().to_string();
    let without = refused(&LATER.replace(r#""schema_version":1,"#, ""));
    assert!(without.starts_with("missing field `schema_version`"), "{without}");
    let twice = refused(&LATER.replace(r#""version":1"#, r#""version":1,"version":2"#));
    assert!(twice.starts_with("duplicate field `version`"), "{twice}");
    assert!(refused("[]").starts_with("invalid type: sequence, expected an envelope"));
}

/// Otherwise a known field would count as one of a later release.
#[test]
fn envelope_fields_of_this_release_are_all_known() {
    let full = Envelope { actor: Some("zoë".to_owned()), causation_id: Some(Default::default()), ..later() };
    let full = Envelope { more: Default::default(), ..full };
    let read = Envelope::from_bytes(&full.to_bytes()).unwrap();
    assert_eq!((&read, read.more.len()), (&full, 0));
}
