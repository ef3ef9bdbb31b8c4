//! Reading what is archived.

use std::error::Error;

use eventsourcing::Envelope;
use thiserror::Error;

use crate::{
    archive::{self, BrokenObject},
    bucket::Objects,
};

/// Why it is not known what is in an object.
#[derive(Debug, Error)]
pub enum Unread<E: Error + 'static> {
    /// The call failed.
    #[error(transparent)]
    Call(E),
    /// It was there a moment ago.
    #[error("it was listed, and is gone")]
    Gone,
    /// It holds something other than events.
    #[error(transparent)]
    Broken(BrokenObject),
}

/// Reads one object.
///
/// # Errors
/// The call failed, or something in the object is not an event.
pub async fn object<B: Objects>(bucket: &B, key: &str) -> Result<Vec<Envelope>, Unread<B::Error>> {
    match bucket.get(key).await.map_err(Unread::Call)? {
        Some(object) => archive::events(&object.body).map_err(Unread::Broken),
        None => Err(Unread::Gone),
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, convert::Infallible};

    use super::*;
    use crate::bucket::Object;

    /// A bucket of two objects.
    struct Shelf(BTreeMap<String, Vec<u8>>);

    impl Objects for Shelf {
        type Error = Infallible;

        async fn get(&self, key: &str) -> Result<Option<Object>, Infallible> {
            let object = |body: &Vec<u8>| Object { body: body.clone(), etag: String::new() };
            Ok(self.0.get(key).map(object))
        }

        async fn list(&self, _: &str, _: Option<&str>) -> Result<Vec<String>, Infallible> {
            unreachable!("nothing is listed while an object is read")
        }
    }

    const EVENT: &[u8] = br#"{"aggregate_id":"00000000-0000-0000-0000-000000000001","aggregate_type":"tally",
        "command_id":"00000000-0000-0000-0000-000000000002","correlation_id":"00000000-0000-0000-0000-000000000002",
        "data":{},"id":"00000000-0000-0000-0000-000000000003","occurred_at":"2026-11-21T19:02:03.123456Z",
        "request_hash":"00000000000000000000000000000000","schema_version":1,"type":"TallyOpened","version":1}"#;

    fn shelf() -> Shelf {
        let line: Vec<u8> = EVENT.iter().copied().filter(|byte| *byte != b'\n').collect();
        let whole = archive::compress([line.as_slice()]).expect("it can be compressed");
        let objects = [("events/whole", whole), ("events/broken", b"{}".to_vec())];
        Shelf(objects.map(|(key, body)| (key.to_owned(), body)).into())
    }

    #[tokio::test]
    async fn archive_object_is_read_or_refused_with_reason() {
        let shelf = shelf();
        let read = async |key: &str| object(&shelf, key).await.map(|events| events.len());
        assert_eq!(read("events/whole").await.ok(), Some(1));
        let broken = read("events/broken").await.map_err(|error| error.to_string());
        assert_eq!(broken, Err("it is not gzip".to_owned()));
        let gone = read("events/gone").await.map_err(|error| error.to_string());
        assert_eq!(gone, Err("it was listed, and is gone".to_owned()));
    }
}
