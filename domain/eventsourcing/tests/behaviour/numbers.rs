//! Numbers in events: each is read back exactly as it was written, or the event is refused.

use std::collections::BTreeMap;

use eventsourcing::{
    Aggregate, Context, Decision, EventStore, InMemoryStore, JsonText, Moment, OccurredAt, Repo,
    commit::CommitError,
    event::{EncodeError, Event, Schema, decode, encode},
    repo::StoreError,
    testing::{Fixed, request},
};
use futures::{StreamExt, executor::block_on};
use proptest::{
    collection::{btree_map, vec},
    num, option,
    prelude::*,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

/// 2^53: doubles represent each integer up to this one exactly.
const LIMIT: i64 = 1 << 53;

/// Numbers of each type, alone and inside of every kind of value.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Count {
    signed: i64,
    unsigned: u64,
    wide: i128,
    unsigned_wide: u128,
    single: f32,
    double: f64,
    maybe: Option<f64>,
    list: Vec<Option<i64>>,
    by_name: BTreeMap<String, u64>,
    by_number: BTreeMap<i64, Vec<f32>>,
    kind: Option<Kind>,
    pair: (i128, f64),
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
enum Kind {
    One(u64),
    Two(f64, i64),
    Named { total: u64 },
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", content = "data")]
enum TillEvent {
    Counted(Count),
    Noted { note: Value },
}

impl Event for TillEvent {
    const SCHEMAS: &'static [Schema] = &[Schema::first("Counted"), Schema::first("Noted")];
}

/// An aggregate whose commands are the events to store.
#[derive(Debug, Clone, Default, PartialEq)]
struct Till;

impl Aggregate for Till {
    const TYPE: &'static str = "till";
    const MAX_EVENTS: u64 = 1_000;
    type Event = TillEvent;
    type Command = TillEvent;
    type Error = std::convert::Infallible;

    fn apply(&mut self, _: &TillEvent) {}

    fn is_final(&self) -> bool {
        false
    }

    fn decide(&self, command: &TillEvent, _: &Moment<'_>) -> Result<Vec<TillEvent>, Self::Error> {
        Ok(vec![command.clone()])
    }
}

fn counted(count: Count) -> TillEvent {
    TillEvent::Counted(count)
}

fn read_back(event: &TillEvent) -> TillEvent {
    let encoded = encode(event).unwrap_or_else(|error| panic!("{event:?}: {error}"));
    decode(encoded.event_type, encoded.schema_version, &encoded.data).unwrap()
}

fn refusal(count: Count) -> String {
    match encode(&counted(count.clone())) {
        Err(error @ EncodeError::Number(_)) => error.to_string(),
        other => panic!("{count:?} is encoded: {other:?}"),
    }
}

#[test]
fn encode_refuses_integers_beyond_2_pow_53() {
    for signed in [LIMIT + 1, LIMIT + 2, -LIMIT - 1, 1_000_000_000_000_000_001, i64::MAX, i64::MIN] {
        assert_eq!(
            refusal(Count { signed, ..Count::default() }),
            "field `data.signed` (i64) is beyond 2^53, so a JSON number would round it; store numbers \
             beyond 2^53 as strings"
        );
    }
    for unsigned in [LIMIT as u64 + 1, u64::MAX] {
        let error = refusal(Count { unsigned, ..Count::default() });
        assert!(error.starts_with("field `data.unsigned` (u64) is beyond 2^53"), "{error}");
    }
    for wide in [i128::from(LIMIT) + 1, i128::from(u64::MAX) + 1, i128::MIN, i128::MAX] {
        let error = refusal(Count { wide, ..Count::default() });
        assert!(error.starts_with("field `data.wide` (i128) is beyond 2^53"), "{error}");
    }
    let error = refusal(Count { unsigned_wide: u128::MAX, ..Count::default() });
    assert!(error.starts_with("field `data.unsigned_wide` (u128) is beyond 2^53"), "{error}");
}

#[test]
fn encode_keeps_integers_up_to_2_pow_53() {
    for signed in [LIMIT, LIMIT - 1, -LIMIT, -LIMIT + 1] {
        let (unsigned, wide) = (signed.unsigned_abs(), signed.into());
        let unsigned_wide = unsigned.into();
        let event = counted(Count { signed, unsigned, wide, unsigned_wide, ..Count::default() });
        assert_eq!(read_back(&event), event);
    }
}

#[test]
fn encode_refuses_floats_that_are_not_finite() {
    for double in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        assert_eq!(
            refusal(Count { double, ..Count::default() }),
            "field `data.double` (f64) is NaN or infinite, which JSON cannot express; store a finite \
             number, a string or nothing"
        );
        let error = refusal(Count { maybe: Some(double), ..Count::default() });
        assert!(error.starts_with("field `data.maybe` (f64) is NaN or infinite"), "{error}");
        let error = refusal(Count { single: double as f32, ..Count::default() });
        assert!(error.starts_with("field `data.single` (f32) is NaN or infinite"), "{error}");
    }
}

#[test]
fn encode_keeps_the_smallest_and_largest_floats() {
    for double in [f64::MAX, f64::MIN, f64::MIN_POSITIVE, f64::EPSILON, 5e-324, 1e21, 0.1, 9.3e18] {
        let event = counted(Count { double, maybe: Some(-double), ..Count::default() });
        assert_eq!(read_back(&event), event);
    }
    for single in [f32::MAX, f32::MIN, f32::MIN_POSITIVE, f32::EPSILON, 0.1] {
        let event = counted(Count { single, ..Count::default() });
        assert_eq!(read_back(&event), event);
    }
}

#[test]
fn encode_names_the_path_of_an_inexact_number() {
    let whole = Count::default;
    let path = |count| refusal(count).split('`').nth(1).unwrap().to_owned();
    let one = |key: &str| [(key.to_owned(), u64::MAX)].into();
    assert_eq!(path(Count { list: vec![Some(1), None, Some(i64::MAX)], ..whole() }), "data.list[2]");
    assert_eq!(path(Count { by_name: one("tea"), ..whole() }), "data.by_name.tea");
    let by_number = [(-7, vec![0.5, f32::INFINITY])].into();
    assert_eq!(path(Count { by_number, ..whole() }), "data.by_number.-7[1]");
    assert_eq!(path(Count { pair: (0, f64::NAN), ..whole() }), "data.pair[1]");
    let kind = |kind| path(Count { kind: Some(kind), ..whole() });
    assert_eq!(kind(Kind::One(u64::MAX)), "data.kind.One");
    assert_eq!(kind(Kind::Two(0.0, i64::MIN)), "data.kind.Two[1]");
    assert_eq!(kind(Kind::Named { total: u64::MAX }), "data.kind.Named.total");
}

/// Keys are strings in JSON, so they can be any integer.
#[test]
fn integers_as_keys_of_a_map_are_read_back() {
    let by_number = [i64::MIN, -1, 0, i64::MAX].map(|number| (number, vec![1.5])).into();
    let event = counted(Count { by_number, ..Count::default() });
    assert_eq!(read_back(&event), event);
}

/// These bytes are stored in tables and archives.
#[test]
fn exact_numbers_keep_their_stored_bytes() {
    let note = json!([0, -1, 2.50, 1e-7, 9_007_199_254_740_992_u64, 0.1, 1.5e300]);
    let encoded = encode(&TillEvent::Noted { note }).unwrap();
    assert_eq!(encoded.data.as_str(), r#"{"note":[0,-1,2.5,1e-7,9007199254740992,0.1,1.5e+300]}"#);
}

/// In a `Value`, 5.0 and 5 are different numbers, but canonical JSON has one text for both.
#[test]
fn encode_refuses_an_event_that_is_read_back_changed() {
    let error = encode(&TillEvent::Noted { note: json!({"cups": [1, 5.0]}) }).unwrap_err();
    assert_eq!(
        error.to_string(),
        "event type \"Noted\" would be read back with a different value in `data.note.cups[1]`"
    );
}

/// A type may write a form that it cannot read.
#[test]
fn encode_refuses_an_event_that_cannot_be_read_back() {
    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    #[serde(tag = "type", content = "data")]
    enum Odd {
        Written {
            #[serde(serialize_with = "as_text")]
            number: u32,
        },
    }
    impl Event for Odd {
        const SCHEMAS: &'static [Schema] = &[Schema::first("Written")];
    }
    fn as_text<S: serde::Serializer>(number: &u32, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(number)
    }
    let error = encode(&Odd::Written { number: 1 }).unwrap_err();
    assert_eq!(error.to_string(), "the stored form of the event cannot be read back");
}

#[test]
fn canonical_json_refuses_inexact_numbers() {
    for value in [json!({"total": LIMIT + 1}), json!({"total": u64::MAX})] {
        let error = JsonText::canonical(&value).unwrap_err().to_string();
        assert!(error.starts_with("field `total` ("), "{error}");
    }
    let error = JsonText::canonical(&[f64::NAN]).unwrap_err().to_string();
    assert!(error.starts_with("field `[0]` (f64) is NaN or infinite"), "{error}");
    let error = JsonText::canonical(&u64::MAX).unwrap_err().to_string();
    assert!(error.starts_with("the value (u64) is beyond 2^53"), "{error}");
}

#[test]
fn store_appends_nothing_when_a_number_is_inexact() {
    let store = InMemoryStore::new();
    let tills = Repo::<Till, _>::new(&store);
    let surroundings = Fixed::default();
    let moment = Moment::of(&surroundings);
    let error = block_on(async {
        let history = tills.fetch(Uuid::nil()).await.unwrap();
        let command = counted(Count { signed: LIMIT + 1, ..Count::default() });
        let request = request(Uuid::nil(), Uuid::nil(), command);
        let decision: Decision<Till> = history.decide(&request, &moment).unwrap();
        let context = Context::of(&request, OccurredAt::new(moment.now()));
        tills.store(&decision, context, Uuid::nil).await.unwrap_err()
    });
    assert!(matches!(error, StoreError::Commit(CommitError::Encode(EncodeError::Number(_)))), "{error:?}");
    let id = eventsourcing::AggregateId::of::<Till>(Uuid::nil());
    assert_eq!(block_on(store.read(&id).count()), 0);
}

/// Any integer, often one at a limit.
fn integer() -> impl Strategy<Value = i128> {
    let limit = i128::from(LIMIT);
    let edges = [0, 1, limit, i64::MAX.into(), u64::MAX.into(), i128::from(i64::MIN), i128::MAX - 1];
    let edge = proptest::sample::select(edges.to_vec()).prop_flat_map(|edge| {
        (-1..=1_i128, any::<bool>())
            .prop_map(move |(step, negative)| if negative { -(edge + step) } else { edge + step })
    });
    prop_oneof![4 => -limit..=limit, 1 => edge, 1 => any::<i128>(), 1 => any::<i64>().prop_map(Into::into)]
}

/// Integers that JSON can represent, or any. One of many random integers is nearly always too large, so both
/// cases are generated explicitly.
fn integers(exact: bool) -> BoxedStrategy<i128> {
    if exact { (-i128::from(LIMIT)..=i128::from(LIMIT)).boxed() } else { integer().boxed() }
}

fn doubles(exact: bool) -> BoxedStrategy<f64> {
    use num::f64::{ANY, NEGATIVE, NORMAL, POSITIVE, SUBNORMAL, ZERO};
    if exact { (POSITIVE | NEGATIVE | NORMAL | SUBNORMAL | ZERO).boxed() } else { ANY.boxed() }
}

fn singles(exact: bool) -> BoxedStrategy<f32> {
    use num::f32::{ANY, NEGATIVE, NORMAL, POSITIVE, SUBNORMAL, ZERO};
    if exact { (POSITIVE | NEGATIVE | NORMAL | SUBNORMAL | ZERO).boxed() } else { ANY.boxed() }
}

fn count(exact: bool) -> impl Strategy<Value = Count> {
    let i64s = move || integers(exact).prop_map(|number| number as i64);
    let u64s = move || integers(exact).prop_map(|number| number.unsigned_abs() as u64);
    let kind = prop_oneof![
        u64s().prop_map(Kind::One),
        (doubles(exact), i64s()).prop_map(|(double, signed)| Kind::Two(double, signed)),
        u64s().prop_map(|total| Kind::Named { total }),
    ];
    let plain = (i64s(), u64s(), integers(exact), integers(exact), singles(exact), doubles(exact));
    let nested = (
        option::of(doubles(exact)),
        vec(option::of(i64s()), 0..4),
        btree_map(".{0,3}", u64s(), 0..3),
        btree_map(any::<i64>(), vec(singles(exact), 0..3), 0..3),
        option::of(kind),
        (integers(exact), doubles(exact)),
    );
    (plain, nested).prop_map(|(plain, nested)| Count {
        signed: plain.0,
        unsigned: plain.1,
        wide: plain.2,
        unsigned_wide: plain.3.unsigned_abs(),
        single: plain.4,
        double: plain.5,
        maybe: nested.0,
        list: nested.1,
        by_name: nested.2,
        by_number: nested.3,
        kind: nested.4,
        pair: nested.5,
    })
}

/// Returns whether JSON can represent all of these numbers, by checking each.
fn is_exact(count: &Count) -> bool {
    let limit = LIMIT.unsigned_abs();
    let small = |number: i64| number.unsigned_abs() <= limit;
    let wide = |number: i128| number.unsigned_abs() <= limit.into();
    small(count.signed)
        && count.unsigned <= limit
        && wide(count.wide)
        && count.unsigned_wide <= limit.into()
        && count.single.is_finite()
        && count.double.is_finite()
        && count.maybe.is_none_or(|double| double.is_finite())
        && count.list.iter().flatten().all(|number| small(*number))
        && count.by_name.values().all(|number| *number <= limit)
        && count.by_number.values().flatten().all(|single| single.is_finite())
        && wide(count.pair.0)
        && count.pair.1.is_finite()
        && match &count.kind {
            None => true,
            Some(Kind::One(number) | Kind::Named { total: number }) => *number <= limit,
            Some(Kind::Two(double, signed)) => double.is_finite() && small(*signed),
        }
}

proptest! {
    #[test]
    fn events_are_read_back_exactly_or_refused(count in any::<bool>().prop_flat_map(count)) {
        let event = counted(count.clone());
        match encode(&event) {
            Ok(encoded) => {
                prop_assert!(is_exact(&count));
                let read = decode::<TillEvent>(encoded.event_type, encoded.schema_version, &encoded.data);
                // `-0.0 == 0.0`: canonical JSON has one zero.
                prop_assert_eq!(read.unwrap(), event);
            }
            Err(EncodeError::Number(_)) => prop_assert!(!is_exact(&count)),
            Err(error) => prop_assert!(false, "{}", error),
        }
    }
}
