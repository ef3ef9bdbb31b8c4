//! What holds for any sequence of commands, and for any envelope.

use std::collections::BTreeMap;

use domain::{
    Aggregate, AggregateId, Commit, Context, Envelope, History, JsonText, OccurredAt,
    cart::{CartCommand, CartEvent, ShoppingCart, Status},
    event::{decode, encode},
};
use jiff::Timestamp;
use proptest::{collection::vec, option, prelude::*};
use uuid::Uuid;

/// Few items and few out-of-range values, so that commands meet each other.
pub(crate) fn command() -> impl Strategy<Value = CartCommand> {
    prop_oneof![
        2 => Just(CartCommand::Open),
        8 => ("[abc]{0,2}", -1..1001_i64).prop_map(|(item, quantity)| CartCommand::AddItem { item, quantity }),
        1 => Just(CartCommand::Close),
    ]
}

fn at_noon(command: usize) -> Context {
    let noon = OccurredAt::new(Timestamp::from_second(1_795_262_400).unwrap());
    Context::new(Uuid::from_u128(command as u128), noon)
}

fn uuid() -> impl Strategy<Value = Uuid> {
    any::<u128>().prop_map(Uuid::from_u128)
}

pub(crate) fn envelope() -> impl Strategy<Value = Envelope> {
    let ids = (uuid(), uuid(), uuid(), option::of(uuid()), uuid());
    let time = -62_135_596_800_000_000..253_402_207_200_000_000_i64;
    let event = (".{1,200}", 1..=999_u32);
    let rest = (option::of(".{0,50}"), time, event, 1..1_u64 << 53);
    (ids, rest).prop_map(|(ids, (actor, time, (item, quantity), version))| {
        let event = encode(&CartEvent::ItemAdded { item, quantity }).unwrap();
        Envelope {
            actor,
            aggregate_id: ids.0,
            aggregate_type: ShoppingCart::TYPE.to_owned(),
            causation_id: ids.3,
            command_id: ids.1,
            correlation_id: ids.2,
            data: event.data,
            id: ids.4,
            occurred_at: OccurredAt::new(Timestamp::from_microsecond(time).unwrap()),
            schema_version: event.schema_version,
            event_type: event.event_type.to_owned(),
            version,
        }
    })
}

proptest! {
    /// The cart against a simpler telling of the same rules.
    #[test]
    fn folding_decisions_gives_what_was_asked_for(commands in vec(command(), 0..60)) {
        let mut cart = ShoppingCart::default();
        let mut status = None;
        let mut totals = BTreeMap::<String, u64>::new();
        for command in commands {
            let before = cart.clone();
            let decided = cart.decide(&command);
            prop_assert_eq!(&cart, &before, "deciding changes nothing");
            let allowed = match &command {
                CartCommand::Open => status != Some(Status::Closed),
                CartCommand::Close => status.is_some(),
                CartCommand::AddItem { item, quantity } =>
                    status == Some(Status::Open) && !item.is_empty() && (1..=999).contains(quantity),
            };
            prop_assert_eq!(decided.is_ok(), allowed, "{:?}", command);
            for event in decided.into_iter().flatten() {
                cart.apply(&event);
                match event {
                    CartEvent::CartOpened {} => status = Some(Status::Open),
                    CartEvent::ItemAdded { item, quantity } =>
                        *totals.entry(item).or_default() += u64::from(quantity),
                    CartEvent::CartClosed {} => status = Some(Status::Closed),
                }
            }
            let lines = cart.lines().iter().map(|line| (line.item.clone(), line.quantity));
            prop_assert_eq!(lines.collect::<BTreeMap<_, _>>(), totals.clone());
            prop_assert_eq!(cart.status(), status);
        }
    }

    /// Whatever happened since: a repeat adds nothing and is answered as the first was.
    #[test]
    fn repeating_any_command_changes_nothing(commands in vec(command(), 1..40)) {
        let id = AggregateId::of::<ShoppingCart>(Uuid::nil());
        let mut history = History::<ShoppingCart>::new(id.clone());
        let mut committed = Vec::new();
        for (n, command) in commands.into_iter().enumerate() {
            let context = at_noon(n);
            let Ok(decision) = history.decide(context.command_id, &command) else { continue };
            if decision.events.is_empty() { continue }
            let commit = Commit::of(id.clone(), history.version(), &decision.events, context.clone(), Uuid::nil);
            history.fold(&commit.unwrap()).unwrap();
            committed.push((context.command_id, command, decision));

            for (command_id, command, first) in &committed {
                let again = history.decide(*command_id, command).unwrap();
                prop_assert!(again.events.is_empty());
                prop_assert_eq!((&again.state, again.version), (&first.state, first.version));
            }
        }
    }

    /// The writer sorts nothing and escapes by itself; RFC 8785 must not see a difference.
    #[test]
    fn an_envelope_is_written_in_canonical_json(envelope in envelope()) {
        let bytes = envelope.to_bytes();
        let value: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
        let canonical = serde_json_canonicalizer::to_vec(&value).unwrap();
        prop_assert_eq!(String::from_utf8(bytes), String::from_utf8(canonical));
    }

    #[test]
    fn an_envelope_is_read_as_it_was_written(envelope in envelope()) {
        prop_assert_eq!(Envelope::from_bytes(&envelope.to_bytes()).unwrap(), envelope);
    }

    #[test]
    fn an_event_is_read_as_it_was_written(item in ".{0,300}", quantity: u32) {
        let event = CartEvent::ItemAdded { item, quantity };
        let encoded = encode(&event).unwrap();
        let read = decode::<CartEvent>(encoded.event_type, encoded.schema_version, &encoded.data);
        prop_assert_eq!(read.unwrap(), event);
    }

    /// Anything can stand in a request; none of it may end in a panic.
    #[test]
    fn any_text_is_read_or_refused(text in ".{0,80}") {
        let _ = text.parse::<AggregateId>();
        let _ = text.parse::<OccurredAt>();
        let _ = domain::id::parse("cart_id", &text);
        let _ = JsonText::parse(text.clone());
        let _ = Envelope::from_bytes(text.as_bytes());
    }
}
