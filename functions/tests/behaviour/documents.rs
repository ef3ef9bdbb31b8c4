//! The event that `docs/pipeline.md` shows in every form is exactly what the code produces.

use std::time::Duration;

use aws_lambda_events::event::{dynamodb, kinesis::KinesisEvent};
use eventsourcing::contract::ARCHIVE;
use flate2::read::GzDecoder;
use runtime::archive::archive;
use runtime::testing::failed;
use serde_json::{Value, json};
use storage::{
    patience::Patience,
    table::{from_item, to_item},
};

const PAGE: &str = include_str!("../../../docs/pipeline.md");
const GOLDEN: &str = include_str!("../../../domain/tests/golden/cart/ItemAdded.v1.json");

/// The forms of the event that the page shows.
struct Forms {
    item: Value,
    table_record: &'static str,
    envelope: &'static str,
    stream_record: &'static str,
    key: &'static str,
}

impl Forms {
    fn of_the_page() -> Self {
        let (_, section) = PAGE.split_once("\n## From DynamoDB to JSON").expect("the page has the section");
        let (section, _) = section.split_once("\n## ").expect("the section is not the last one");
        // The text between fences, without the first line and the last line feed.
        let blocks = section.split("```").skip(1).step_by(2);
        let blocks: Vec<_> = blocks.filter_map(|block| block.split_once('\n')).collect();
        let [_, item, table_record, envelope, stream_record, key] =
            blocks.try_into().expect("the section has six blocks");
        Self {
            item: serde_json::from_str(item.1).expect("the item is JSON"),
            table_record: table_record.1,
            envelope: envelope.1.trim_end(),
            stream_record: stream_record.1,
            key: key.1.trim_end(),
        }
    }
}

#[test]
fn documented_item_is_stored_and_streamed_unchanged() {
    let forms = Forms::of_the_page();
    let batch: dynamodb::Event =
        serde_json::from_str(forms.table_record).expect("the record is a valid batch");
    let image = batch.records[0].change.new_image.clone();
    assert_eq!(json!(image), forms.item);
    let commit = from_item(image).expect("the item is a commit");
    let stored: serde_dynamo::Item = to_item(&commit).expect("a commit can be converted to an item").into();
    assert_eq!(json!(stored), forms.item);
}

#[test]
fn documented_commit_yields_the_golden_envelope() {
    let forms = Forms::of_the_page();
    let batch: dynamodb::Event =
        serde_json::from_str(forms.table_record).expect("the record is a valid batch");
    let commit = from_item(batch.records[0].change.new_image.clone()).expect("the item is a commit");
    let envelopes: Vec<_> = commit.into_envelopes().map(|envelope| envelope.to_bytes()).collect();
    assert_eq!(envelopes, [forms.envelope.as_bytes()]);
    assert_eq!(forms.envelope, GOLDEN.trim_end());
}

#[tokio::test]
async fn archive_has_the_documented_line_and_key() {
    let forms = Forms::of_the_page();
    let batch: KinesisEvent = serde_json::from_str(forms.stream_record).expect("the record is a valid batch");
    assert_eq!(batch.records[0].kinesis.data.as_slice(), forms.envelope.as_bytes());
    let failed = failed(ARCHIVE);
    archive(batch, &failed, &Patience::lasting(Duration::from_secs(5))).await.expect("the batch is archived");
    assert_eq!(failed.bucket().keys(), [forms.key]);
    let object = failed.bucket().object(forms.key);
    let lines = std::io::read_to_string(GzDecoder::new(object.as_slice())).expect("the object is gzip");
    assert_eq!(lines, format!("{}\n", forms.envelope));
}
