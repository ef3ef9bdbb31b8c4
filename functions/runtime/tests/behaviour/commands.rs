//! Commands and queries for any aggregate, from request to answer, with races and faults.

use std::time::Duration;

use eventsourcing::{
    AggregateId, Answer, Commit, EventStore, InMemoryStore, Refusal, Repo, Request,
    store::AppendError,
    testing::tally::{Tally, TallyCommand},
};
use futures::{Stream, StreamExt, TryStreamExt, future::join_all, stream};
use runtime::{
    command, query,
    request::{Fields, Parse, missing},
    surroundings::Machine,
    testing::{invocation, tally},
};
use serde_json::{Value, json};
use thiserror::Error;
use tokio::time::{Instant, sleep};
use uuid::Uuid;

/// A store that takes as long as one on the network, or fails, or always reports a conflict.
#[derive(Default)]
struct FakeStore {
    inner: InMemoryStore,
    takes: Duration,
    out_of_reach: bool,
    always_late: bool,
}

#[derive(Debug, Error)]
#[error("out of reach")]
struct OutOfReach;

impl EventStore for FakeStore {
    type Error = OutOfReach;

    fn read_after(
        &self,
        id: &AggregateId,
        version: u64,
    ) -> impl Stream<Item = Result<Commit, OutOfReach>> + Send {
        let reading = async move {
            sleep(self.takes).await;
            if self.out_of_reach {
                return Err(OutOfReach);
            }
            Ok(self.inner.read_after(id, version).map(|Ok(commit)| Ok(commit)))
        };
        stream::once(reading).try_flatten()
    }

    async fn append(&self, commit: &Commit) -> Result<(), AppendError<OutOfReach>> {
        sleep(self.takes).await;
        if self.always_late {
            return Err(AppendError::Conflict);
        }
        self.inner.append(commit).await.map_err(|_| AppendError::Conflict)
    }
}

fn open(payload: Value, default_id: Uuid) -> Result<Request<TallyCommand>, Refusal> {
    let fields = Fields::of_command("open-tally", payload, &["tally_id"])?;
    let (id, command_id) = (fields.required_id("tally_id")?, fields.command_id(default_id)?);
    fields.request(id, TallyCommand::Open, command_id)
}

fn count(payload: Value, default_id: Uuid) -> Result<Request<TallyCommand>, Refusal> {
    let fields = Fields::of_command("count", payload, &["tally_id", "what", "times"])?;
    let (id, command_id) = (fields.required_id("tally_id")?, fields.command_id(default_id)?);
    let what = fields.text("what")?.ok_or_else(|| missing("what"))?.to_owned();
    let times = fields.integer("times")?.unwrap_or(1);
    fields.request(id, TallyCommand::Count { what, times }, command_id)
}

async fn send<S: EventStore>(repo: &Repo<Tally, S>, parse: Parse<TallyCommand>, payload: Value) -> Value {
    json!(command::answer(repo, parse, invocation(payload, 30), &Machine).await.expect("no fault"))
}

async fn ask<S: EventStore>(repo: &Repo<Tally, S>, payload: Value) -> Value {
    json!(query::answer(repo, invocation(payload, 30)).await.expect("no fault"))
}

#[tokio::test]
async fn command_and_query_are_answered_with_the_view() {
    let repo = Repo::new(InMemoryStore::new());
    let opened = json!({"tally_id": tally(1), "version": 1, "counts": {}});
    assert_eq!(send(&repo, open, json!({"tally_id": tally(1)})).await, opened);
    let counted = json!({"tally_id": tally(1), "version": 2, "counts": {"tea": 1}});
    assert_eq!(send(&repo, count, json!({"tally_id": tally(1), "what": "tea"})).await, counted);
    assert_eq!(ask(&repo, json!({"tally_id": tally(1)})).await, counted);
    assert_eq!(ask(&repo, json!({"tally_id": tally(2)})).await["error"], "NotOpened");
}

#[tokio::test]
async fn query_may_have_an_answer_of_its_own() {
    let repo = Repo::new(InMemoryStore::new());
    send(&repo, open, json!({"tally_id": tally(1)})).await;
    let exists = async |payload: Value| {
        let event = invocation(payload, 30);
        json!(
            query::answer_with(&repo, event, |tally| Answer::View(tally.version() > 0))
                .await
                .expect("no fault")
        )
    };
    assert_eq!(exists(json!({"tally_id": tally(1)})).await, true);
    assert_eq!(exists(json!({"tally_id": tally(2)})).await, false);
    assert_eq!(exists(json!({"tally": tally(1)})).await["error"], "InvalidRequest");
}

#[tokio::test]
async fn request_with_a_wrong_field_names_the_field() {
    let repo = Repo::new(InMemoryStore::new());
    let refused = async |payload: Value| {
        let answer = send(&repo, count, payload).await;
        (answer["error"].clone(), answer["message"].clone())
    };
    let invalid = |message: &str| (json!("InvalidRequest"), json!(message));
    let known = "allowed fields: tally_id, what, times, command_id, correlation_id, causation_id, actor";
    let with = |field: &str, value: Value| {
        let mut payload = json!({"tally_id": tally(1), "what": "tea"});
        payload[field] = value;
        payload
    };
    assert_eq!(refused(with("tims", json!(2))).await, invalid(&format!("unknown field \"tims\"; {known}")));
    assert_eq!(refused(json!([])).await, invalid(&format!("the request must be a JSON object; {known}")));
    assert_eq!(refused(with("what", json!(null))).await, invalid("what is missing"));
    assert_eq!(refused(with("what", json!(7))).await, invalid("what must be a string"));
    assert_eq!(refused(with("times", json!(1.5))).await, invalid("times must be a whole number"));
    assert_eq!(
        refused(with("actor", json!(""))).await,
        invalid("actor must have 1 to 200 characters, not 0")
    );
    for field in ["tally_id", "command_id", "correlation_id", "causation_id"] {
        assert_eq!(refused(with(field, json!(1))).await.0, "InvalidId");
    }
    let question = ask(&repo, json!({"tally_id": tally(1), "version": 3})).await;
    assert_eq!(question["message"], "unknown field \"version\"; allowed fields: tally_id");
}

/// 16 ms for each read and each append is what DynamoDB takes on a bad day.
#[tokio::test(start_paused = true)]
async fn concurrent_writers_all_succeed() {
    let store = FakeStore { takes: Duration::from_millis(16), ..FakeStore::default() };
    let repo = Repo::new(store);
    send(&repo, open, json!({"tally_id": tally(1)})).await;
    // Each command is sent twice at the same time, as an impatient caller would do.
    let send = |n: u128| {
        let what = format!("thing {}", n % 4);
        let payload = json!({"tally_id": tally(1), "what": what, "command_id": Uuid::from_u128(n % 32)});
        send(&repo, count, payload)
    };
    let answers = join_all((0..64).map(send)).await;
    for (first, second) in answers.iter().zip(&answers[32..]) {
        assert_eq!(first["error"], Value::Null);
        assert_eq!(first, second, "a repeat gets the same answer");
    }
    let all = ask(&repo, json!({"tally_id": tally(1)})).await;
    assert_eq!(all["version"], 33);
    assert!(all["counts"].as_object().expect("there are counts").values().all(|times| times == 8), "{all}");
}

#[tokio::test(start_paused = true)]
async fn lost_races_end_in_a_conflict_in_time() {
    let repo = Repo::<Tally, _>::new(FakeStore { always_late: true, ..FakeStore::default() });
    let event = invocation(json!({"tally_id": tally(1)}), 3);
    let start = Instant::now();
    let answer = command::answer(&repo, open, event, &Machine).await;
    let answer = json!(answer.expect("a conflict is no fault"));
    assert_eq!((&answer["error"], &answer["tally_id"]), (&json!("Conflict"), &json!(tally(1))));
    assert!(start.elapsed() < Duration::from_secs(2), "the answer comes before the timeout");
}

#[tokio::test]
async fn store_out_of_reach_is_a_fault() {
    let repo = Repo::<Tally, _>::new(FakeStore { out_of_reach: true, ..FakeStore::default() });
    let event = || invocation(json!({"tally_id": tally(1)}), 30);
    let fault = command::answer(&repo, open, event(), &Machine).await;
    let fault = fault.expect_err("the store is out of reach").to_string();
    assert_eq!(fault, "the event store failed: out of reach");
    let fault = query::answer(&repo, event()).await.map(|answer| json!(answer));
    let fault = fault.expect_err("the store is out of reach").to_string();
    assert_eq!(fault, "the event store failed: out of reach");
}

/// Lambda repeats an asynchronous invocation that ended without an answer, with the same request id.
#[tokio::test]
async fn attempts_of_one_invocation_are_one_command() {
    let repo = Repo::<Tally, _>::new(InMemoryStore::new());
    send(&repo, open, json!({"tally_id": tally(1)})).await;
    let event = invocation(json!({"tally_id": tally(1), "what": "tea"}), 30);
    for _ in 0..2 {
        let answer = command::answer(&repo, count, event.clone(), &Machine).await.expect("no fault");
        assert_eq!(json!(answer)["version"], 2);
    }
    let other = send(&repo, count, json!({"tally_id": tally(1), "what": "tea"})).await;
    assert_eq!(other["version"], 3, "another invocation is another command");
}
