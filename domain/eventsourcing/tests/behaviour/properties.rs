//! Properties of any sequence of commands, and of any envelope.

use eventsourcing::{
    Aggregate, AggregateId, Envelope, JsonText, OccurredAt, RequestHash,
    envelope::More,
    event::{decode, encode},
    testing::{
        assert_repeats_change_nothing,
        tally::{Tally, TallyCommand, TallyEvent},
    },
};
use jiff::Timestamp;
use proptest::{collection::vec, option, prelude::*};
use uuid::Uuid;

/// Few names and few values out of range, so that commands interact.
fn command() -> impl Strategy<Value = TallyCommand> {
    prop_oneof![
        2 => Just(TallyCommand::Open),
        8 => ("[abc]{0,2}", -1..1001_i64).prop_map(|(what, times)| TallyCommand::Count { what, times }),
        1 => Just(TallyCommand::Close),
    ]
}

fn uuid() -> impl Strategy<Value = Uuid> {
    any::<u128>().prop_map(Uuid::from_u128)
}

pub(crate) fn envelope() -> impl Strategy<Value = Envelope> {
    let ids = (uuid(), uuid(), uuid(), option::of(uuid()), uuid());
    let time = -62_135_596_800_000_000..253_402_207_200_000_000_i64;
    let event = (".{1,200}", 1..=999_u32);
    let rest = (option::of(".{0,50}"), time, event, 1..1_u64 << 53);
    (ids, rest).prop_map(|(ids, (actor, time, (what, times), version))| {
        let event = encode(&TallyEvent::Counted { what, times }).unwrap();
        Envelope {
            actor,
            aggregate_id: ids.0,
            aggregate_type: Tally::TYPE.to_owned(),
            causation_id: ids.3,
            command_id: ids.1,
            correlation_id: ids.2,
            data: event.data.clone(),
            id: ids.4,
            occurred_at: OccurredAt::new(Timestamp::from_microsecond(time).unwrap()),
            request_hash: RequestHash::try_from(ids.0.simple().to_string()).unwrap(),
            schema_version: event.schema_version,
            event_type: event.event_type.to_owned(),
            version,
            more: if (time & 3) == 0 { [("added".to_owned(), event.data)].into() } else { More::new() },
        }
    })
}

proptest! {
    /// A repeated command adds no event and gets the same answer, even after later commands.
    #[test]
    fn repeated_command_changes_nothing(commands in vec(command(), 1..40)) {
        assert_repeats_change_nothing::<Tally>(commands);
    }

    /// The writer sorts nothing and escapes text itself; the result must be the same as with RFC 8785.
    #[test]
    fn envelope_is_written_in_canonical_json(envelope in envelope()) {
        let bytes = envelope.to_bytes();
        let value: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
        let canonical = serde_json_canonicalizer::to_vec(&value).unwrap();
        prop_assert_eq!(String::from_utf8(bytes), String::from_utf8(canonical));
    }

    #[test]
    fn envelope_is_read_as_it_was_written(envelope in envelope()) {
        prop_assert_eq!(Envelope::from_bytes(&envelope.to_bytes()).unwrap(), envelope);
    }

    #[test]
    fn event_is_read_as_it_was_written(what in ".{0,300}", times: u32) {
        let event = TallyEvent::Counted { what, times };
        let encoded = encode(&event).unwrap();
        let read = decode::<TallyEvent>(encoded.event_type, encoded.schema_version, &encoded.data);
        prop_assert_eq!(read.unwrap(), event);
    }

    /// A request may have any text; none of it may cause a panic.
    #[test]
    fn text_is_read_or_refused_without_panic(text in ".{0,80}") {
        let _ = text.parse::<AggregateId>();
        let _ = text.parse::<OccurredAt>();
        let _ = eventsourcing::id::parse("tally_id", &text);
        let _ = JsonText::parse(text.clone());
        let _ = Envelope::from_bytes(text.as_bytes());
    }
}
