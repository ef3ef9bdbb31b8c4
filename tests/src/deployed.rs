//! An environment that is up, seen through the raw clients of AWS.

use std::io::Read;

use aws::{Aws, AwsNames};
use aws_sdk_kinesis::types::ShardIteratorType;
use aws_sdk_lambda::primitives::Blob;
use flate2::read::GzDecoder;
use serde_json::Value;

use crate::place::{Place, was_ended};

/// The environment `local` of a place, just deployed.
pub struct Deployed<'a> {
    /// Clients of the account's root.
    pub aws: Aws,
    place: &'a Place<'a>,
}

/// What came out of the stream: who it belongs to, and its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The partition key.
    pub key: String,
    /// The data.
    pub data: String,
}

impl<'a> Deployed<'a> {
    /// Brings the environment up.
    pub fn local(place: &'a Place<'a>) -> Self {
        place.deploys(&["up", "local"]);
        Self::of(place)
    }

    /// Looks at the environment that somebody brought up.
    pub fn of(place: &'a Place<'a>) -> Self {
        Self { aws: place.aws("local"), place }
    }

    /// Runs a future to its end.
    pub fn wait<T>(&self, future: impl Future<Output = T>) -> T {
        self.place.cloud.wait(future)
    }

    /// Calls a function: its answer, or the error that Lambda made of its fault.
    ///
    /// The local cloud ends the processes of a function when one of the same name is changed, be
    /// it in another account, and says that they exited. Such a call is made again, a few times:
    /// of a function that really exits, every one fails.
    ///
    /// # Errors
    /// The function failed.
    pub async fn call(&self, function: &str, request: &Value) -> Result<Value, String> {
        let mut answer = self.call_once(function, request).await;
        for _ in 0..3 {
            match &answer {
                Err(fault) if was_ended(fault) => {
                    answer = self.call_once(function, request).await;
                }
                _ => break,
            }
        }
        answer
    }

    /// Calls a function once, whatever comes of it.
    pub(crate) async fn call_once(&self, function: &str, request: &Value) -> Result<Value, String> {
        let invoke = self.aws.lambda.invoke().function_name(self.aws.scope.name(function));
        let answer = invoke.payload(Blob::new(request.to_string())).send().await;
        let answer = answer.expect("a deployed function can be called");
        let payload = answer.payload().map_or(&[][..], |payload| payload.as_ref());
        if answer.function_error().is_some() {
            return Err(String::from_utf8_lossy(payload).into_owned());
        }
        Ok(serde_json::from_slice(payload).expect("a function answers JSON"))
    }

    /// Calls a function and insists on an answer.
    pub fn answer(&self, function: &str, request: &Value) -> Value {
        let answer = self.wait(self.call(function, request));
        answer.unwrap_or_else(|fault| panic!("{function} failed on {request}: {fault}"))
    }

    /// Returns all records of the event stream, in the order of each shard.
    pub fn records(&self) -> Vec<Record> {
        self.wait(self.read_stream())
    }

    /// Returns the lines of all objects of the archive, in the order of their keys.
    pub fn archived(&self) -> Vec<String> {
        let objects = self.objects("events/");
        let unpacked = objects.into_iter().map(|(key, body)| {
            let mut text = String::new();
            let read = GzDecoder::new(&*body).read_to_string(&mut text);
            read.unwrap_or_else(|error| panic!("{key} is no compressed text: {error}"));
            text
        });
        unpacked.collect::<String>().lines().map(str::to_owned).collect()
    }

    /// Returns the lines of a function's log that are JSON, in their order.
    pub fn logged(&self, function: &str) -> Vec<Value> {
        let group = format!("/aws/lambda/{}", self.aws.scope.name(function));
        let call = self.aws.logs.filter_log_events().log_group_name(group).into_paginator();
        let pages = self.wait(async { call.send().try_collect().await });
        let pages: Vec<_> = pages.expect("a deployed function has a log group");
        let lines = pages.iter().flat_map(|page| page.events());
        lines.filter_map(|line| serde_json::from_str(line.message()?).ok()).collect()
    }

    /// Returns the keys and contents of the archive bucket's objects under this prefix.
    pub fn objects(&self, prefix: &str) -> Vec<(String, Vec<u8>)> {
        self.wait(async {
            let bucket = self.aws.scope.bucket_name("archive");
            let call = self.aws.s3.list_objects_v2().bucket(&bucket).prefix(prefix);
            let pages = call.into_paginator().send().try_collect().await;
            let pages = pages.expect("the bucket can be listed");
            let mut objects = Vec::new();
            for key in pages.iter().flat_map(|page| page.contents()).filter_map(|object| object.key()) {
                let object = self.aws.s3.get_object().bucket(&bucket).key(key).send().await;
                let body = object.expect("nothing removes objects").body.collect().await;
                objects.push((key.to_owned(), body.expect("an object can be read").to_vec()));
            }
            objects
        })
    }

    async fn read_stream(&self) -> Vec<Record> {
        let kinesis = &self.aws.kinesis;
        let stream = self.aws.scope.name("events");
        let shards = kinesis.list_shards().stream_name(&stream).send().await;
        let mut records = Vec::new();
        for shard in shards.expect("the stream is there").shards() {
            let call = kinesis.get_shard_iterator().stream_name(&stream).shard_id(shard.shard_id());
            let oldest = call.shard_iterator_type(ShardIteratorType::TrimHorizon).send().await;
            let mut next = oldest.expect("the shard is there").shard_iterator;
            while let Some(iterator) = next {
                let page = kinesis.get_records().shard_iterator(iterator).send().await;
                let page = page.expect("the iterator is fresh");
                // The iterator of an open shard never ends, but an empty page at its tip does.
                next = page.next_shard_iterator.filter(|_| !page.records.is_empty());
                records.extend(page.records.into_iter().map(|record| Record {
                    key: record.partition_key.unwrap_or_default(),
                    data: String::from_utf8_lossy(record.data.as_ref()).into_owned(),
                }));
            }
        }
        records
    }
}
