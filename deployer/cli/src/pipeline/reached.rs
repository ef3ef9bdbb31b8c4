//! The parts of a pipeline in one environment, as clients of the crate `storage`.

use std::time::Duration;

use engine::resource::{Resource, ResourceId};
use engine::scope::Scope;
use engine::stack::Stack;
use storage::DynamoDbEventStore;
use storage::bucket::S3Bucket;
use storage::scan::EventsTable;
use storage::stream::KinesisStream;

use super::Pipeline;
use crate::exit::Problem;
use aws::composites::{EventPipeline, Stages};
use aws::resources::stream::Stream;
use aws::{Aws, AwsNames};

impl Pipeline {
    /// Returns the name of the events table.
    pub fn table_name(&self, scope: &Scope) -> String {
        scope.name(EventPipeline::TABLE)
    }

    /// Returns the name of the stream that events are published to.
    pub fn stream_name(&self, scope: &Scope) -> String {
        scope.name(EventPipeline::STREAM)
    }

    /// Returns the name of the archive's bucket.
    pub fn bucket_name(&self, scope: &Scope) -> String {
        scope.bucket_name(EventPipeline::BUCKET)
    }

    /// Checks that the events of a stack are published and archived.
    ///
    /// # Errors
    /// Fails if the stack has only the events table.
    pub(crate) fn archives(&self, stack: &Stack<Aws>) -> Result<(), Problem> {
        let archive = self.bucket_name(&stack.scope);
        if Stages::of(stack).buckets.contains(&archive) {
            return Ok(());
        }
        let message =
            format!("the stack `{}` has no archive: its events are only in a table", stack.scope.stack);
        Err(Problem::usage(message)
            .hint("add an `EventPipeline` to the stack to publish and archive its events"))
    }

    /// Returns the retention of the stream, or zero if it has no consumer. It is the maximum difference in age
    /// of two events in one archive object.
    pub fn retention(&self, stages: &Stages, scope: &Scope) -> Duration {
        let stream = ResourceId::new(Stream::KIND, self.stream_name(scope));
        stages.consumers_of(&stream).map(|consumer| consumer.retention).max().unwrap_or_default()
    }

    /// Returns the events table for reading and writing single aggregates.
    pub fn event_store(&self, aws: &Aws) -> DynamoDbEventStore {
        DynamoDbEventStore::new(aws.dynamodb.clone(), self.table_name(&aws.scope))
    }

    /// Returns the events table for scans.
    pub fn events_table(&self, aws: &Aws) -> EventsTable {
        EventsTable::new(aws.dynamodb.clone(), self.table_name(&aws.scope))
    }

    /// Returns the stream.
    pub fn event_stream(&self, aws: &Aws) -> KinesisStream {
        KinesisStream::new(aws.kinesis.clone(), self.stream_name(&aws.scope))
    }

    /// Returns the bucket of the archive.
    pub fn archive_bucket(&self, aws: &Aws) -> S3Bucket {
        S3Bucket::new(aws.s3.clone(), self.bucket_name(&aws.scope))
    }
}

#[cfg(test)]
mod tests {
    use storage::bucket::Objects;

    use aws::resources::bucket::Bucket;
    use aws::resources::kinds;
    use aws::testing::{Script, body, scope};

    use super::*;

    #[test]
    fn stack_with_only_a_table_has_no_archive() {
        let (pipeline, mut stack) = (Pipeline { aggregates: &[] }, Stack::new(scope(), kinds()));
        let refused = pipeline.archives(&stack).expect_err("there is no archive");
        assert!(refused.to_string().contains("the stack `demo` has no archive"), "{refused}");
        stack.add(Bucket::new(&scope(), EventPipeline::BUCKET));
        pipeline.archives(&stack).expect("there is an archive");
    }

    #[tokio::test]
    async fn listing_goes_on_after_an_empty_page() {
        let empty = "<ListBucketResult><IsTruncated>true</IsTruncated>\
                     <Contents><Key>events/</Key></Contents>\
                     <NextContinuationToken>on</NextContinuationToken></ListBucketResult>";
        let last = "<ListBucketResult><IsTruncated>false</IsTruncated>\
                    <Contents><Key>events/a</Key></Contents></ListBucketResult>";
        let script = Script::new().on("ListObjectsV2", body(empty)).on("ListObjectsV2", body(last));
        let bucket = storage::bucket::S3Bucket::new(script.aws().s3, "archive");
        assert_eq!(bucket.list("events/", None).await.expect("both pages are scripted"), ["events/a"]);
        assert!(script.asked()[1].uri.contains("continuation-token=on"));
    }
}
