//! Reading what is archived: the keys of all of it or from an hour on, and an object.

use std::error::Error;

use domain::{Envelope, contract::EVENTS_PREFIX};
use futures::{Stream, stream};
use thiserror::Error;

use crate::{
    archive::{self, BrokenObject},
    bucket::Bucket,
};

/// Why it is not known what is in an object.
#[derive(Debug, Error)]
pub enum Unread<E: Error + 'static> {
    /// The call failed.
    #[error(transparent)]
    Call(E),
    /// It was there a moment ago.
    #[error("{0} was listed, and is gone")]
    Gone(String),
    /// It holds something other than events.
    #[error(transparent)]
    Broken(BrokenObject),
}

/// Returns the keys of the archive behind a key, or behind what keys begin with, in pages.
pub fn keys<B: Bucket>(
    bucket: &B,
    after: Option<String>,
) -> impl Stream<Item = Result<Vec<String>, B::Error>> {
    stream::try_unfold(Some(after), move |after| async move {
        let Some(after) = after else {
            return Ok(None);
        };
        let page = bucket.list(EVENTS_PREFIX, after.as_deref()).await?;
        // None only when there are none, so the page behind the last has to be asked for.
        let next = page.last().cloned().map(Some);
        Ok(Some((page, next)))
    })
}

/// Reads one object.
///
/// # Errors
/// The call failed, or something in the object is not an event.
pub async fn object<B: Bucket>(bucket: &B, key: &str) -> Result<Vec<Envelope>, Unread<B::Error>> {
    match bucket.get(key).await.map_err(Unread::Call)? {
        Some(object) => archive::events(key, &object.body).map_err(Unread::Broken),
        None => Err(Unread::Gone(key.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, convert::Infallible, pin::pin};

    use futures::StreamExt;

    use super::*;
    use crate::bucket::{Expected, Object};

    /// A bucket that lists two keys at a time.
    struct Shelf(BTreeMap<String, Vec<u8>>);

    impl Bucket for Shelf {
        type Error = Infallible;

        async fn put(&self, _: &str, _: &str, _: Vec<u8>) -> Result<(), Infallible> {
            unreachable!("nothing is put while the archive is read")
        }

        async fn put_if(
            &self,
            _: &str,
            _: &str,
            _: Vec<u8>,
            _: &Expected,
        ) -> Result<Option<String>, Infallible> {
            unreachable!("nothing is put while the archive is read")
        }

        async fn get(&self, key: &str) -> Result<Option<Object>, Infallible> {
            let object = |body: &Vec<u8>| Object { body: body.clone(), etag: String::new() };
            Ok(self.0.get(key).filter(|body| *body != b"gone").map(object))
        }

        async fn list(&self, prefix: &str, after: Option<&str>) -> Result<Vec<String>, Infallible> {
            let behind = self.0.keys().filter(|key| key.starts_with(prefix));
            let behind = behind.filter(|key| after.is_none_or(|after| key.as_str() > after));
            Ok(behind.take(2).cloned().collect())
        }
    }

    const EVENT: &[u8] = br#"{"aggregate_id":"00000000-0000-0000-0000-000000000001","aggregate_type":"cart",
        "command_id":"00000000-0000-0000-0000-000000000002","correlation_id":"00000000-0000-0000-0000-000000000002",
        "data":{},"id":"00000000-0000-0000-0000-000000000003","occurred_at":"2026-11-21T19:02:03.123456Z",
        "schema_version":1,"type":"CartOpened","version":1}"#;

    fn shelf() -> Shelf {
        let line: Vec<u8> = EVENT.iter().copied().filter(|byte| *byte != b'\n').collect();
        let whole = archive::compress([line.as_slice()]).expect("it can be compressed");
        let objects = [
            ("events/dt=2026-11-21/hour=08/a", whole.clone()),
            ("events/dt=2026-11-21/hour=09/a", b"{}".to_vec()),
            ("events/dt=2026-11-21/hour=09/b", b"gone".to_vec()),
            ("events/dt=2026-11-21/hour=10/a", whole),
            ("failed/capture/x.json", Vec::new()),
        ];
        Shelf(objects.map(|(key, body)| (key.to_owned(), body)).into())
    }

    async fn read(after: Option<&str>) -> Vec<String> {
        let shelf = shelf();
        let mut pages = pin!(keys(&shelf, after.map(str::to_owned)));
        let mut read = Vec::new();
        while let Some(Ok(page)) = pages.next().await {
            for key in page {
                let told = match object(&shelf, &key).await {
                    Ok(events) => events.len().to_string(),
                    Err(error) => error.to_string(),
                };
                read.push(format!("{}: {told}", key.trim_start_matches("events/dt=2026-11-21/")));
            }
        }
        read
    }

    #[tokio::test]
    async fn every_object_is_read_or_named_with_the_reason() {
        let broken = "hour=09/a: events/dt=2026-11-21/hour=09/a is not gzip";
        let gone = "hour=09/b: events/dt=2026-11-21/hour=09/b was listed, and is gone";
        assert_eq!(read(None).await, ["hour=08/a: 1", broken, gone, "hour=10/a: 1"]);
    }

    #[tokio::test]
    async fn a_part_of_the_archive_begins_behind_what_its_keys_begin_with() {
        assert_eq!(read(Some("events/dt=2026-11-21/hour=10/")).await, ["hour=10/a: 1"]);
    }
}
