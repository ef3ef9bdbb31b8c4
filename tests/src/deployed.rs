//! A deployed environment, seen through AWS's SDK clients.

use std::io::Read;

use aws::{Aws, AwsNames};
use aws_sdk_kinesis::types::ShardIteratorType;
use aws_sdk_lambda::primitives::Blob;
use flate2::read::GzDecoder;
use serde_json::Value;

use crate::place::{Place, was_failed_by_cloud};

/// The environment `local` of a place, once it is deployed.
pub struct Deployed<'a> {
    /// Clients with the credentials of the account's root.
    pub aws: Aws,
    place: &'a Place<'a>,
}

/// A record of the stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The partition key.
    pub key: String,
    /// The data.
    pub data: String,
}

impl<'a> Deployed<'a> {
    /// Deploys the environment.
    pub fn local(place: &'a Place<'a>) -> Self {
        place.deploys(&["up", "local"]);
        Self::of(place)
    }

    /// Returns an environment that is already deployed.
    pub fn of(place: &'a Place<'a>) -> Self {
        Self { aws: place.aws("local"), place }
    }

    /// Runs a future to completion.
    pub fn wait<T>(&self, future: impl Future<Output = T>) -> T {
        self.place.cloud.wait(future)
    }

    /// Calls a function. Returns its answer, or the error that Lambda returned for its fault.
    ///
    /// When a function is changed, the local cloud ends the processes of all functions with the same name,
    /// even in other accounts, and reports that they exited. Under many calls, it can also fail itself. Such a call is
    /// repeated a few times; if a function really exits, every attempt fails.
    ///
    /// # Errors
    /// Returns the error if the function failed.
    pub async fn call(&self, function: &str, request: &Value) -> Result<Value, String> {
        let mut answer = self.call_once(function, request).await;
        for _ in 0..3 {
            match &answer {
                Err(fault) if was_failed_by_cloud(fault) => {
                    answer = self.call_once(function, request).await;
                }
                _ => break,
            }
        }
        answer
    }

    /// Calls a function once, without retries.
    pub(crate) async fn call_once(&self, function: &str, request: &Value) -> Result<Value, String> {
        let invoke = self.aws.lambda.invoke().function_name(self.aws.scope.name(function));
        let answer = invoke.payload(Blob::new(request.to_string())).send().await;
        let answer = answer.expect("a deployed function can be called");
        let payload = answer.payload().map_or(&[][..], |payload| payload.as_ref());
        if answer.function_error().is_some() {
            return Err(String::from_utf8_lossy(payload).into_owned());
        }
        Ok(serde_json::from_slice(payload).expect("a function answers with JSON"))
    }

    /// Calls a function and panics if it fails.
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
            read.unwrap_or_else(|error| panic!("{key} is not compressed text: {error}"));
            text
        });
        unpacked.collect::<String>().lines().map(str::to_owned).collect()
    }

    /// Returns the JSON lines of a function's log, in their order.
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
                let body = object.expect("no objects are deleted").body.collect().await;
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
        for shard in shards.expect("the stream exists").shards() {
            let call = kinesis.get_shard_iterator().stream_name(&stream).shard_id(shard.shard_id());
            let oldest = call.shard_iterator_type(ShardIteratorType::TrimHorizon).send().await;
            let mut next = oldest.expect("the shard exists").shard_iterator;
            while let Some(iterator) = next {
                let page = kinesis.get_records().shard_iterator(iterator).send().await;
                let page = page.expect("the iterator has not expired");
                // The iterators of an open shard never end, so an empty page at its tip ends the reading.
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
