//! One request of an AWS client, read from its connection: it parses only as much of HTTP and of AWS's
//! protocols as is needed to identify the request.

use std::collections::BTreeSet;
use std::io;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::percent_decode_str;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::calls::is_read;

/// More headers than the SDK sends.
const HEADERS: usize = 64;

/// A zip without files in base64, and the SHA-256 of the zip.
const EMPTY: (&str, &str) =
    ("UEsFBgAAAAAAAAAAAAAAAAAAAAAAAA==", "hznHbmgfkAkjuQDJ3w73XPQh05yrtUZQxLmtGbanbYU=");

/// A complete request.
#[derive(Debug, Default, Clone, Serialize, Deserialize)]
pub(crate) struct Request {
    method: String,
    /// The path with the query.
    path: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Request {
    /// Reads the next request of a connection; `None` if the connection was closed.
    pub(crate) async fn read(near: &mut TcpStream) -> io::Result<Option<Self>> {
        let mut bytes = Vec::new();
        let (mut request, length) = loop {
            if near.read_buf(&mut bytes).await? == 0 {
                return Ok(None);
            }
            if let Some(found) = Self::parse(&bytes)? {
                break found;
            }
        };
        request.body = bytes.split_off(length);
        let whole: usize = match (request.header("content-length"), request.header("transfer-encoding")) {
            (Some(length), _) => length.parse().map_err(invalid)?,
            (None, None) => 0,
            (None, Some(encoding)) => return Err(invalid(format!("a body that is {encoding}"))),
        };
        while request.body.len() < whole {
            if near.read_buf(&mut request.body).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        Ok(Some(request))
    }

    /// Parses the head of a request. Returns the head and its length, once it is complete.
    fn parse(bytes: &[u8]) -> io::Result<Option<(Self, usize)>> {
        let mut headers = [httparse::EMPTY_HEADER; HEADERS];
        let mut parsed = httparse::Request::new(&mut headers);
        let httparse::Status::Complete(length) = parsed.parse(bytes).map_err(invalid)? else {
            return Ok(None);
        };
        let headers = parsed.headers.iter().map(|header| {
            let value = String::from_utf8_lossy(header.value).into_owned();
            (header.name.to_ascii_lowercase(), value)
        });
        let request = Self {
            method: parsed.method.unwrap_or_default().to_owned(),
            path: parsed.path.unwrap_or_default().to_owned(),
            headers: headers.collect(),
            body: Vec::new(),
        };
        Ok(Some((request, length)))
    }

    /// Sends the request. Returns the complete answer unchanged.
    pub(crate) async fn send(&self, target: &str) -> io::Result<Vec<u8>> {
        let mut far = TcpStream::connect(target).await?;
        far.set_nodelay(true)?;
        let mut head = format!("{} {} HTTP/1.1\r\n", self.method, self.path);
        for (name, value) in self.headers.iter().filter(|(name, _)| name != "connection") {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        // With one answer for each connection, the answer ends where the connection ends.
        head.push_str("connection: close\r\n\r\n");
        far.write_all(head.as_bytes()).await?;
        far.write_all(&self.body).await?;
        let mut answer = Vec::new();
        far.read_to_end(&mut answer).await?;
        Ok(answer)
    }

    /// Returns the request with one text replaced by another everywhere.
    pub(crate) fn saying(&self, words: &str, others: &str) -> Self {
        // The checksums are those of the original text.
        let checksum = |name: &str| name.contains("checksum") || name == "content-md5";
        let headers = self.headers.iter().filter(|(name, _)| !checksum(name));
        let headers = headers.map(|(name, value)| (name.clone(), value.replace(words, others)));
        let body = replaced(&self.body, words.as_bytes(), others.as_bytes());
        let length = body.len().to_string();
        let headers = headers.map(|(name, value)| match &*name {
            "content-length" => (name, length.clone()),
            _ => (name, value),
        });
        let (method, path) = (self.method.clone(), self.path.replace(words, others));
        Self { method, path, headers: headers.collect(), body }
    }

    /// Replaces the package in an upload by an empty zip with the same key, and sets the digest of a
    /// function's code accordingly.
    pub(crate) fn without_code(&mut self) {
        if self.method == "PUT" && self.path.contains("/packages/") {
            self.body = STANDARD.decode(EMPTY.0).expect("the constant is base64");
        } else if let Ok(mut body) = serde_json::from_slice::<Value>(&self.body)
            && let Some(digest) = body.pointer_mut("/Tags/deployer:code-sha256")
        {
            *digest = EMPTY.1.into();
            self.body = body.to_string().into_bytes();
        }
    }

    /// Returns the label of the table's stream that the request contains. The label is the time at which the
    /// stream was created.
    pub(crate) fn stream_label(&self) -> Option<String> {
        let text = String::from_utf8_lossy(&self.body);
        let (_, label) = text.split_once("/stream/")?;
        label.split('"').next().map(str::to_owned)
    }

    fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        headers.find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Returns whether the request may change something.
    pub(crate) fn mutates(&self) -> bool {
        match self.named() {
            Some(operation) => !is_read(&operation),
            None => !["GET", "HEAD"].contains(&&*self.method),
        }
    }

    /// Returns the operation, if the protocol names it: in a header (JSON), a field of the body (query) or at
    /// the end of the path (CBOR). REST has no names.
    fn named(&self) -> Option<String> {
        let last = |text: &str, mark| text.rsplit(mark).next().map(str::to_owned);
        if let Some(target) = self.header("x-amz-target") {
            return last(target, '.');
        }
        if self.header("smithy-protocol").is_some() {
            return last(&self.path, '/');
        }
        let form = self.header("content-type").is_some_and(|kind| kind.ends_with("x-www-form-urlencoded"));
        let fields = form.then(|| String::from_utf8_lossy(&self.body));
        fields?.split('&').find_map(|field| field.strip_prefix("Action=").map(str::to_owned))
    }

    /// Returns the operation without its resource. For REST, which does not name operations, this is the path
    /// without the names that start with the prefix.
    pub(crate) fn operation(&self, prefix: &str) -> String {
        if let Some(target) = self.header("x-amz-target") {
            return target.to_owned();
        }
        self.named().unwrap_or_else(|| {
            let path = percent_decode_str(&self.path).decode_utf8_lossy();
            let mut parts = path.split(prefix);
            let first = parts.next().unwrap_or_default().to_owned();
            let in_name = |next: char| next.is_ascii_alphanumeric() || next == '-';
            let path = parts.fold(first, |path, part| path + part.trim_start_matches(in_name));
            format!("{} {path}", self.method)
        })
    }

    /// Returns a description that is unique within a run: the operation, and the resources with this prefix
    /// that the request mentions.
    pub(crate) fn describe(&self, prefix: &str) -> String {
        let Some(operation) = self.named() else {
            let path = percent_decode_str(&self.path).decode_utf8_lossy();
            return format!("{} {path}", self.method);
        };
        let text = String::from_utf8_lossy(&self.body);
        let names: BTreeSet<String> = text.match_indices(prefix).map(|(at, _)| name(&text[at..])).collect();
        names.into_iter().fold(operation, |all, name| all + " " + &name)
    }
}

/// Returns the bytes with `these` replaced by `others`.
fn replaced(bytes: &[u8], these: &[u8], others: &[u8]) -> Vec<u8> {
    let mut replaced = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some(at) = rest.windows(these.len()).position(|window| window == these) {
        replaced.extend_from_slice(&rest[..at]);
        replaced.extend_from_slice(others);
        rest = &rest[at + these.len()..];
    }
    replaced.extend_from_slice(rest);
    replaced
}

/// Returns the name at the start of a text.
fn name(text: &str) -> String {
    let end = text.find(|next: char| !next.is_ascii_lowercase() && next != '-').unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    // In CBOR, the next key follows: one character for its length, and its first character, a capital.
    let length = rest.starts_with(|next: char| next.is_ascii_uppercase());
    name[..name.len() - usize::from(length)].trim_end_matches('-').to_owned()
}

fn invalid(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(head: &str, body: &str) -> Request {
        let (mut request, length) = Request::parse(head.as_bytes()).unwrap().unwrap();
        assert_eq!(length, head.len());
        request.body = body.into();
        request
    }

    #[test]
    fn request_is_described_in_every_protocol() {
        let json = "POST / HTTP/1.1\r\nX-Amz-Target: Logs_20140328.CreateLogGroup\r\n\r\n";
        let json = request(json, r#"{"logGroupName":"/aws/lambda/cart-local-add-item"}"#);
        assert_eq!(json.describe("cart-local-"), "CreateLogGroup cart-local-add-item");
        let form = "POST / HTTP/1.1\r\ncontent-type: application/x-www-form-urlencoded\r\n\r\n";
        let form = request(form, "Action=GetRole&Version=2010-05-08&RoleName=cart-local-archive");
        assert_eq!(form.describe("cart-local-"), "GetRole cart-local-archive");
        let cbor =
            "POST /service/G/operation/PutMetricAlarm HTTP/1.1\r\nsmithy-protocol: rpc-v2-cbor\r\n\r\n";
        let cbor = request(cbor, "iAlarmNamexcart-local-capture-failingiNamespace");
        assert_eq!(cbor.describe("cart-local-"), "PutMetricAlarm cart-local-capture-failing");
        let rest = request("PUT /cart-local-archive-1?versioning= HTTP/1.1\r\n\r\n", "");
        assert_eq!(rest.describe("cart-local-"), "PUT /cart-local-archive-1?versioning=");
        assert_eq!(
            [json, form, cbor, rest].map(|request| request.mutates()),
            [true, false, true, true],
            "an operation with the prefix of a read is a read"
        );
    }

    #[test]
    fn operation_is_named_without_the_resource() {
        let json = request("POST / HTTP/1.1\r\nX-Amz-Target: Logs_20140328.TagResource\r\n\r\n", "{}");
        assert_eq!(json.operation("cart-local-"), "Logs_20140328.TagResource");
        let rest = "PUT /2015-03-31/functions/cart-local-add-item/configuration HTTP/1.1\r\n\r\n";
        assert_eq!(request(rest, "").operation("cart-local-"), "PUT /2015-03-31/functions//configuration");
        let bucket = request("PUT /cart-local-archive-1?versioning= HTTP/1.1\r\n\r\n", "");
        assert_eq!(bucket.operation("cart-local-"), "PUT /?versioning=");
    }

    #[test]
    fn incomplete_request_head_is_waited_for() {
        assert!(Request::parse(b"GET /bucket HTTP/1.1\r\nhost: x\r\n").unwrap().is_none());
    }
}
