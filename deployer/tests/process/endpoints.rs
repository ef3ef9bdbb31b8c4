//! Invalid endpoints, and endpoints where another program answers.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;

use crate::place::{Place, said};

const PAYLOAD: &str = r#"{"item":"secret-thing"}"#;

#[test]
fn endpoint_without_scheme_is_refused_without_the_payload() {
    let place = Place::new();
    for name in ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_LAMBDA"] {
        let mut command = place.command(&["invoke", "dev", "add-item", "--payload", PAYLOAD]);
        let output = command.env(name, "localhost:4610").output().expect("the deployer can be run");
        let expected = format!(
            "error: {name} is `localhost:4610`, which has no http:// or https://\n\
             hint: set {name} to http://localhost:4610, or unset it to call AWS\n"
        );
        assert_eq!(said(&output), (Some(64), expected));
    }
}

#[test]
fn endpoint_without_scheme_in_the_profile_is_refused() {
    let place = Place::new();
    place.write("aws-config", "[default]\nendpoint_url = localhost:4610\n");
    let output = place.command(&["invoke", "dev", "add-item", "--payload", PAYLOAD]).output();
    let expected = "error: `endpoint_url` of the AWS configuration file is `localhost:4610`, which has no http:// or \
                    https://\nhint: set `endpoint_url` of the AWS configuration file to http://localhost:4610, or \
                    unset it to call AWS\n";
    assert_eq!(said(&output.expect("the deployer can be run")), (Some(64), expected.to_owned()));
}

#[test]
fn page_in_place_of_an_answer_is_no_absence() {
    let place = Place::new();
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let address = listener.local_addr().expect("the socket is bound");
    // The thread ends with the test process.
    thread::spawn(move || listener.incoming().flatten().for_each(|stream| answer_with_page(&stream)));
    let mut command = place.command(&["history", "dev"]);
    let output = command.env("AWS_ENDPOINT_URL", format!("http://{address}")).output();
    let (code, stderr) = said(&output.expect("the deployer can be run"));
    assert!(stderr.contains("a web page answered instead of AWS (HTTP 404)"), "{stderr}");
    assert!(stderr.contains("hint: a proxy or web filter"), "{stderr}");
    assert_eq!(code, Some(1), "{stderr}");
}

/// The names of functions are known from the stack, so this needs no call.
#[test]
fn settings_of_an_unknown_function_are_refused_without_a_call() {
    let place = Place::new();
    let text =
        "region = \"eu-central-1\"\naccount = \"111111111111\"\n[functions.add-itme]\nmemory_mb = 512\n";
    place.write("environments/dev.toml", text);
    let mut command = place.command(&["plan", "dev"]);
    let (code, stderr) =
        said(&command.env("AWS_ENDPOINT_URL", "http://127.0.0.1:1").output().expect("it runs"));
    assert_eq!(code, Some(64), "{stderr}");
    assert!(
        stderr.contains("`add-itme` is not a function of the stack\n --> environments/dev.toml:3:12"),
        "{stderr}"
    );
    assert!(stderr.contains("did you mean `add-item`?"), "{stderr}");
}

/// A wrong confirmation is found before the environment is read.
#[test]
fn wrong_confirmation_is_refused_without_a_call() {
    let place = Place::new();
    let mut command = place.command(&["down", "dev", "--confirm", "prod"]);
    let (code, stderr) =
        said(&command.env("AWS_ENDPOINT_URL", "http://127.0.0.1:1").output().expect("it runs"));
    assert_eq!(code, Some(64), "{stderr}");
    assert!(stderr.contains("`--confirm prod` does not match environment `dev`"), "{stderr}");
}

/// Reads one request and answers with status 404 and a page.
fn answer_with_page(stream: &TcpStream) {
    let mut reader = BufReader::new(stream);
    let (mut line, mut length) = (String::new(), 0);
    while reader.read_line(&mut line).is_ok_and(|read| read > 2) {
        if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().expect("the length is a number");
        }
        line.clear();
    }
    // An answer that is sent before the request was read completely can be lost.
    let _ = reader.read_exact(&mut vec![0; length]);
    let page = "<!DOCTYPE html><html><body>blocked</body></html>";
    let head = format!("HTTP/1.1 404 Not Found\r\ncontent-length: {}\r\nconnection: close\r\n", page.len());
    let mut stream = stream;
    let _ = write!(stream, "{head}content-type: text/html\r\n\r\n{page}");
}
