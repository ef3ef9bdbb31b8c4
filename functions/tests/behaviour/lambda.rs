//! A handler's binary as Lambda runs it, with invocations from a fake of the runtime API ("Using the Lambda
//! runtime API for custom runtimes", Lambda developer guide). The fake also accepts the handler's objects.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    sync::{
        Arc, Mutex,
        mpsc::{Receiver, Sender, channel},
    },
    thread,
    time::{Duration, SystemTime},
};

use runtime::testing::{batch, envelope, tally};
use serde_json::{Value, json};
use uuid::Uuid;

/// A running function.
struct Running {
    process: Child,
    invocations: Sender<Value>,
    answers: Receiver<(String, Value)>,
    lines: Receiver<String>,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.process.kill().and_then(|()| self.process.wait()).expect("the function can be killed");
    }
}

/// Starts a binary as the function with this deployed name.
fn run(binary: &str, deployed: &str) -> Running {
    let listener = TcpListener::bind("127.0.0.1:0").expect("there is a free port");
    let address = listener.local_addr().expect("the listener has an address").to_string();
    let (invocations, next) = channel();
    let (answered, answers) = channel();
    let process = Command::new(binary)
        .env_clear()
        .envs([("AWS_LAMBDA_RUNTIME_API", address.as_str()), ("AWS_LAMBDA_FUNCTION_NAME", deployed)])
        .envs([("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"), ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128")])
        .envs([("AWS_LAMBDA_LOG_GROUP_NAME", "group"), ("AWS_LAMBDA_LOG_STREAM_NAME", "stream")])
        .envs([("AWS_ENDPOINT_URL", format!("http://{address}"))])
        .envs([("AWS_ACCESS_KEY_ID", "key"), ("AWS_SECRET_ACCESS_KEY", "secret")])
        .envs([("AWS_REGION", "eu-central-1"), ("ARCHIVE_BUCKET", "archive")])
        .stdout(Stdio::piped())
        .spawn();
    let mut process = process.expect("the binary can be run");
    let output = BufReader::new(process.stdout.take().expect("standard output is piped"));
    let (logged, lines) = channel();
    thread::spawn(move || {
        for line in output.lines().map_while(Result::ok) {
            logged.send(line).ok();
        }
    });
    let next = Arc::new(Mutex::new(next));
    thread::spawn(move || {
        for connection in listener.incoming() {
            let connection = connection.expect("the function connects");
            let (next, answered) = (next.clone(), answered.clone());
            thread::spawn(move || serve(connection, &next, &answered));
        }
    });
    Running { process, invocations, answers, lines }
}

/// Sends invocations and receives answers on a connection, until it is closed.
fn serve(mut connection: TcpStream, next: &Mutex<Receiver<Value>>, answered: &Sender<(String, Value)>) {
    while let Some((path, body)) = request(&mut connection) {
        if path.ends_with("/invocation/next") {
            let next = next.lock().expect("no test continues after a panic").recv();
            let Ok(payload) = next else { return };
            let payload = payload.to_string();
            let deadline = SystemTime::now() + Duration::from_secs(30);
            let deadline = deadline.duration_since(SystemTime::UNIX_EPOCH).expect("the clock is after 1970");
            let answer = write!(
                connection,
                "HTTP/1.1 200 OK\r\nLambda-Runtime-Aws-Request-Id: 1\r\nLambda-Runtime-Deadline-Ms: {}\r\n\
                     Lambda-Runtime-Invoked-Function-Arn: arn\r\nContent-Length: {}\r\n\r\n{payload}",
                deadline.as_millis(),
                payload.len(),
            );
            answer.expect("the function reads the invocation");
        } else {
            let (_, kind) = path.rsplit_once('/').expect("a path has parts");
            let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
            if answered.send((kind.to_owned(), body)).is_err() {
                return;
            }
            let taken = connection.write_all(b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n");
            taken.expect("the function reads the answer");
        }
    }
}

/// Returns path and body of the next request; `None` if the connection was closed.
fn request(connection: &mut TcpStream) -> Option<(String, Vec<u8>)> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        connection.read_exact(&mut byte).ok()?;
        head.extend(byte);
    }
    let head = String::from_utf8(head).expect("a head is text").to_lowercase();
    let path = head.split_whitespace().nth(1).expect("a request has a path").to_owned();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
    let mut body = vec![0; length.map_or(0, |length| length.trim().parse().expect("the length is a number"))];
    connection.read_exact(&mut body).ok()?;
    Some((path, body))
}

impl Running {
    /// Returns the result of an invocation: `response` or `error`, and the body.
    fn invoke(&self, payload: Value) -> (String, Value) {
        self.invocations.send(payload).expect("the function is running");
        self.sent()
    }

    /// Returns the next message of the function: the last part of the path, and the body.
    fn sent(&self) -> (String, Value) {
        self.answers.recv_timeout(Duration::from_secs(60)).expect("the function sends a message")
    }

    /// Returns the next log line with this message.
    fn logged(&self, message: &str) -> Value {
        loop {
            let line =
                self.lines.recv_timeout(Duration::from_secs(60)).expect("the function logs the message");
            let line: Value = serde_json::from_str(&line).expect("a line is JSON");
            if line["message"] == message {
                return line;
            }
        }
    }
}

#[test]
fn log_events_writes_a_line_and_refuses_replay() {
    let log_events = run(env!("CARGO_BIN_EXE_log-events"), "cart-dev-log-events");
    let mut event = envelope(tally(1), 4);
    event.actor = Some("zoë".to_owned());
    let mut expected = json!({
        "level": "INFO",
        "message": "event",
        "event_id": event.id,
        "event_type": "Counted",
        "schema_version": 1,
        "aggregate_type": "tally",
        "aggregate_id": tally(1),
        "version": 4,
        "occurred_at": "2026-11-21T19:02:03.123456Z",
        "command_id": event.command_id,
        "correlation_id": event.correlation_id,
        "actor": "zoë",
    });
    let line = || {
        let mut line = log_events.logged("event");
        let fields = line.as_object_mut().expect("a line is an object");
        // These depend on the time and the invocation.
        for field in ["timestamp", "span"] {
            fields.remove(field).expect("a line has these fields");
        }
        line
    };

    let answer = log_events.invoke(batch(&[event.to_bytes()]));
    assert_eq!(answer, ("response".to_owned(), Value::Null));
    assert_eq!(line(), expected, "the event's data is not logged");

    let id = Uuid::from_u128(0x4e9);
    let replay = |repeat_side_effects: bool| json!({"id": id, "repeat_side_effects": repeat_side_effects});
    let again = |repeat_side_effects| json!({"replay": replay(repeat_side_effects), "events": [event]});
    let mut answer = json!({
        "handler": "log-events", "handler_kind": "reactor", "handled": 0, "quarantined": [], "refused": true,
    });
    assert_eq!(log_events.invoke(again(false)), ("response".to_owned(), answer.clone()));
    (answer["handled"], answer["refused"]) = (json!(1), json!(false));
    assert_eq!(log_events.invoke(again(true)), ("response".to_owned(), answer));
    expected["replay"] = json!(id);
    assert_eq!(line(), expected, "the refused replay logs nothing");
}

#[test]
fn quarantined_record_is_counted_for_the_deployed_function() {
    let log_events = run(env!("CARGO_BIN_EXE_log-events"), "cart-dev-log-events");
    let (object, kept) = log_events.invoke(batch(&[b"trash".to_vec()]));
    assert!(object.starts_with("shardid-000000000003-49590.json"), "{object}");
    assert_eq!(kept["function"], "log-events");
    assert_eq!(log_events.sent(), ("response".to_owned(), Value::Null));
    let line = log_events.logged("quarantined");
    assert_eq!((&line["Quarantined"], &line["FunctionName"]), (&json!(1), &json!("cart-dev-log-events")));
    assert_eq!(line["_aws"]["CloudWatchMetrics"][0]["Dimensions"], json!([["FunctionName"]]));
}

#[test]
fn handler_error_names_the_accepted_input() {
    let log_events = run(env!("CARGO_BIN_EXE_log-events"), "cart-dev-log-events");
    for payload in [json!({}), json!({"events": []}), json!({"Records": [], "events": []})] {
        let (kind, error) = log_events.invoke(payload);
        let message = error["errorMessage"].as_str().unwrap_or_default();
        assert_eq!(kind, "error");
        assert!(message.contains("a handler takes either `Records` of the event stream, or"), "{error}");
    }
}
