//! Handling of Lambda's answers about mappings, and requests to Lambda.

use engine::diff::diff;
use engine::resource::{Described, changed};
use serde_json::{Value, json};

use super::*;
use crate::resources::stream::Stream;
use crate::testing::{Script, body, fault, scope, update};

const FUNCTION: &str = "arn:aws:lambda:eu-central-1:111111111111:function:demo-dev-capture";
const STREAM: &str = "arn:aws:kinesis:eu-central-1:111111111111:stream/demo-dev-events";
const TABLE: &str = "arn:aws:dynamodb:eu-central-1:111111111111:table/demo-dev-events";
const A: &str = "aaaaaaaa-0000-4000-8000-000000000000";
const B: &str = "bbbbbbbb-0000-4000-8000-000000000000";

fn bounded() -> MappingSettings {
    MappingSettings { maximum_retry_attempts: 10, ..MappingSettings::default() }
}

fn mapping() -> Mapping {
    Mapping::stream("demo-dev-capture", STREAM, bounded())
}

fn stream_of(time: &str) -> String {
    format!("{TABLE}/stream/{time}")
}

/// Returns Lambda's answer for a mapping with the desired settings.
fn live(uuid: &str, source: &str, more: Value) -> Value {
    let mut live = json!({
        "UUID": uuid,
        "EventSourceArn": source,
        "FunctionArn": FUNCTION,
        "EventSourceMappingArn": format!("arn:aws:lambda:eu-central-1:111111111111:event-source-mapping:{uuid}"),
        "State": "Enabled",
        "StateTransitionReason": "USER_INITIATED",
        "LastProcessingResult": "No records processed",
        "BatchSize": 100,
        "MaximumRetryAttempts": 10,
        "StartingPosition": "LATEST",
        "DestinationConfig": {"OnFailure": {}},
    });
    let fields = live.as_object_mut().expect("the value is an object");
    fields.extend(more.as_object().expect("the value is an object").clone());
    live
}

fn listed(script: Script, mappings: &[Value]) -> Script {
    script.on("ListEventSourceMappings", body(json!({"EventSourceMappings": mappings})))
}

async fn read(script: Script) -> Option<Mapping> {
    let live = Resource::read(&mapping(), &script.aws()).await.expect("the read succeeds");
    live.map(|live| live.resource)
}

#[tokio::test]
async fn mapping_drift_names_the_field() {
    let same = read(listed(Script::new(), &[live(A, STREAM, json!({}))])).await.expect("the mapping exists");
    assert_eq!(diff(&same.state(), &mapping().state()), []);
    let cases = [
        (json!({"State": "Disabled"}), vec!["enabled"]),
        (json!({"State": "Disabling"}), vec!["enabled"]),
        (
            json!({"State": "Disabled", "StateTransitionReason": "Lambda initiated"}),
            vec!["enabled", "failure"],
        ),
        (json!({"LastProcessingResult": "PROBLEM: Function call failed"}), vec!["failure"]),
        (json!({"BatchSize": 10}), vec!["settings.batch_size"]),
        (json!({"MaximumBatchingWindowInSeconds": 5}), vec!["settings.batching_window_s"]),
        (json!({"ParallelizationFactor": 2}), vec!["settings.parallelization_factor"]),
        (json!({"BisectBatchOnFunctionError": true}), vec!["settings.bisect_on_error"]),
        (json!({"MaximumRetryAttempts": 0}), vec!["settings.maximum_retry_attempts"]),
        (json!({"MaximumRecordAgeInSeconds": 60}), vec!["settings.maximum_record_age_s"]),
        (json!({"DestinationConfig": {"OnFailure": {"Destination": "arn:q"}}}), vec!["settings.on_failure"]),
        (json!({"FilterCriteria": {"Filters": [{"Pattern": "{}"}]}}), vec!["settings.filters"]),
        (
            json!({"FunctionResponseTypes": ["ReportBatchItemFailures"]}),
            vec!["settings.function_response_types"],
        ),
        (json!({"TumblingWindowInSeconds": 30}), vec!["settings.tumbling_window_s"]),
        (json!({"ScalingConfig": {"MaximumConcurrency": 2}}), vec!["settings.maximum_concurrency"]),
        (json!({"MetricsConfig": {"Metrics": ["EventCount"]}}), vec!["settings.metrics"]),
    ];
    for (more, paths) in cases {
        let found =
            read(listed(Script::new(), &[live(A, STREAM, more.clone())])).await.expect("the mapping exists");
        let changes = diff(&found.state(), &mapping().state());
        assert_eq!(changes.into_iter().map(|change| change.path).collect::<Vec<_>>(), paths, "{more}");
    }
    let twice = [live(B, STREAM, json!({})), live(A, STREAM, json!({}))];
    assert_eq!(read(listed(Script::new(), &twice)).await.expect("the mapping exists").duplicates, 1);
    assert!(read(listed(Script::new(), &[live(A, STREAM, json!({"State": "Deleting"}))])).await.is_none());
}

#[tokio::test]
async fn filters_that_a_listing_leaves_out_are_asked_for() {
    let key = json!({"KMSKeyArn": "arn:k"});
    let filters = json!({"KMSKeyArn": "arn:k", "FilterCriteria": {"Filters": [{"Pattern": "{\"a\":[1]}"}]}});
    let script = listed(Script::new(), &[live(A, STREAM, key.clone())])
        .on("GetEventSourceMapping", body(live(A, STREAM, filters)));
    assert_eq!(read(script).await.expect("the mapping exists").settings.filters, [json!({"a": [1]})]);
    let error = json!({"KMSKeyArn": "arn:k", "FilterCriteriaError": {"ErrorCode": "e", "Message": "denied"}});
    let script = listed(Script::new(), &[live(A, STREAM, key)])
        .on("GetEventSourceMapping", body(live(A, STREAM, error)));
    assert!(Resource::read(&mapping(), &script.aws()).await.is_err(), "unreadable filters are an error");
}

#[tokio::test]
async fn mapping_of_a_recreated_table_stream_is_replaced() {
    let table = json!({"Table": {
        "TableStatus": "ACTIVE",
        "LatestStreamArn": stream_of("2026-02-02"),
        "StreamSpecification": {"StreamEnabled": true, "StreamViewType": "NEW_IMAGE"},
    }});
    let of_table = Mapping::table("demo-dev-capture", "demo-dev-events", bounded());
    let (old, new) =
        (live(A, &stream_of("2026-01-01"), json!({})), live(B, &stream_of("2026-02-02"), json!({})));
    let script = listed(Script::new(), std::slice::from_ref(&old)).on("DescribeTable", body(&table));
    let found = Resource::read(&of_table, &script.aws())
        .await
        .expect("the read succeeds")
        .expect("the mapping exists")
        .resource;
    let field = MappingFieldName::ReadsCurrentStream;
    assert_eq!(changed(&found, &of_table), [field].into());
    assert_eq!(Resource::effect(&of_table, field, &found), Effect::Recreate(Risk::LosesPosition));
    // Once the new mapping exists, it is the managed one, and the old one is a duplicate.
    let script = listed(Script::new(), &[old, new]).on("DescribeTable", body(&table));
    let found = Resource::read(&of_table, &script.aws())
        .await
        .expect("the read succeeds")
        .expect("the mapping exists")
        .resource;
    assert!(found.reads_current_stream && found.duplicates == 1);
}

#[tokio::test(start_paused = true)]
async fn mapping_starts_at_oldest_record_and_is_waited_for() {
    let made = |state: &str| body(live(A, STREAM, json!({"State": state})));
    let script = listed(Script::new(), &[])
        .on("CreateEventSourceMapping", made("Creating"))
        .on("GetEventSourceMapping", made("Creating"))
        .on("GetEventSourceMapping", made("Enabling"))
        .on("GetEventSourceMapping", made("Enabled"));
    mapping().create(&scope().tags(), &script.aws()).await.expect("the mapping is created");
    let sent = &script.sent("CreateEventSourceMapping")[0];
    assert_eq!(sent["StartingPosition"], "TRIM_HORIZON");
    assert_eq!(sent["Enabled"], true);
    assert_eq!(sent["Tags"]["deployer:stack"], "demo");
    assert_eq!(sent.get("DestinationConfig"), None);
    assert_eq!(script.calls().iter().filter(|call| *call == "GetEventSourceMapping").count(), 3);
}

#[tokio::test]
async fn mapping_of_a_table_without_stream_is_retried() {
    let of_table = Mapping::table("demo-dev-capture", "demo-dev-events", bounded());
    let script = Script::new().on("DescribeTable", body(json!({"Table": {"TableStatus": "ACTIVE"}})));
    let error = of_table.create(&scope().tags(), &script.aws()).await.expect_err("the table has no stream");
    assert_eq!(error.class, Class::InProgress);
}

#[tokio::test]
async fn mapping_deleted_as_duplicate_is_retried() {
    let script = listed(Script::new(), &[live(A, STREAM, json!({}))])
        .on("CreateEventSourceMapping", body(live(B, STREAM, json!({"State": "Creating"}))))
        .on("GetEventSourceMapping", fault(404, "ResourceNotFoundException", "gone"));
    let error = mapping().create(&scope().tags(), &script.aws()).await.expect_err("the resource was deleted");
    assert_eq!(error.class, Class::InProgress);
}

#[tokio::test(start_paused = true)]
async fn tags_are_left_out_where_they_are_refused() {
    let refusals = [
        fault(400, "InvalidParameterValueException", "Unsupported resource type for tagging"),
        fault(403, "AccessDeniedException", "not authorized to perform: lambda:TagResource on resource: arn"),
    ];
    for refusal in refusals {
        let script = listed(Script::new(), &[])
            .on("CreateEventSourceMapping", refusal)
            .on("CreateEventSourceMapping", body(live(A, STREAM, json!({}))))
            .on("GetEventSourceMapping", body(live(A, STREAM, json!({}))));
        mapping().create(&scope().tags(), &script.aws()).await.expect("the mapping is created");
        assert_eq!(script.sent("CreateEventSourceMapping")[1].get("Tags"), None);
    }
}

#[tokio::test]
async fn existing_mapping_is_adopted_by_its_uuid() {
    let exists =
        format!("An event source mapping already exists. Please update the existing mapping with UUID {A}");
    let script = listed(Script::new(), &[])
        .on("CreateEventSourceMapping", fault(409, "ResourceConflictException", &exists))
        .on("GetEventSourceMapping", body(live(A, STREAM, json!({"State": "Disabled", "BatchSize": 7}))))
        .on("GetEventSourceMapping", body(live(A, STREAM, json!({}))))
        .on("TagResource", body(""))
        .on("UpdateEventSourceMapping", body(live(A, STREAM, json!({"State": "Updating"}))));
    mapping().create(&scope().tags(), &script.aws()).await.expect("the mapping is adopted");
    assert_eq!(script.sent("UpdateEventSourceMapping"), [json!({"Enabled": true, "BatchSize": 100})]);
}

/// An adopted mapping can have other tags, or none.
#[tokio::test]
async fn mapping_update_sets_its_tags() {
    let unsupported = "Unsupported resource type for tagging";
    let answers = [body(""), fault(400, "InvalidParameterValueException", unsupported)];
    for answer in answers {
        let script = listed(Script::new(), &[live(A, STREAM, json!({"BatchSize": 7}))])
            .on("UpdateEventSourceMapping", body(live(A, STREAM, json!({}))))
            .on("GetEventSourceMapping", body(live(A, STREAM, json!({}))))
            .on("TagResource", answer);
        let scope = Scope { extra_tags: [("team".to_owned(), "checkout".to_owned())].into(), ..scope() };
        update(&mapping(), &mapping(), &script.aws_of(scope)).await.expect("the update succeeds");
        let tags = &script.sent("TagResource")[0]["Tags"];
        assert_eq!((&tags["team"], &tags["deployer:stack"]), (&json!("checkout"), &json!("demo")));
    }
}

#[tokio::test]
async fn concurrent_mapping_creates_keep_the_same_one() {
    for mine in [A, B] {
        let script = listed(Script::new(), &[live(B, STREAM, json!({})), live(A, STREAM, json!({}))])
            .on("CreateEventSourceMapping", body(live(mine, STREAM, json!({}))))
            .on("DeleteEventSourceMapping", body(live(B, STREAM, json!({"State": "Deleting"}))))
            .on("GetEventSourceMapping", body(live(A, STREAM, json!({}))));
        mapping().create(&scope().tags(), &script.aws()).await.expect("one mapping is kept");
        let deleted: Vec<_> = script
            .asked()
            .into_iter()
            .filter(|asked| asked.operation == "DeleteEventSourceMapping")
            .collect();
        assert!(deleted.len() == 1 && deleted[0].uri.contains(B), "{deleted:?}");
    }
}

#[tokio::test]
async fn mapping_does_not_wait_for_ungranted_permission() {
    let cannot = format!(
        "Cannot access stream {STREAM}. Please ensure the role can perform the GetRecords, GetShardIterator, \
         DescribeStream, ListShards, and ListStreams Actions on your stream in IAM."
    );
    let refused = |granted: &Policy| {
        let granted = granted.clone();
        let script = listed(Script::new(), &[])
            .on("CreateEventSourceMapping", fault(400, "InvalidParameterValueException", &cannot));
        async move {
            mapping()
                .granted(&granted)
                .create(&scope().tags(), &script.aws())
                .await
                .expect_err("Lambda rejects the call")
        }
    };
    let polling = Policy::allowing(&Stream::new(&scope(), "events").polling());
    assert_eq!(refused(&polling).await.class, Class::Propagating);
    let nothing = refused(&Policy::allowing(&[])).await;
    assert_eq!(nothing.class, Class::Denied);
    assert!(nothing.message.contains("kinesis:GetRecords"), "{nothing}");
}

#[tokio::test]
async fn mapping_settings_to_clear_are_sent_empty() {
    let more = json!({
        "DestinationConfig": {"OnFailure": {"Destination": "arn:q"}},
        "FilterCriteria": {"Filters": [{"Pattern": "{}"}]},
        "FunctionResponseTypes": ["ReportBatchItemFailures"],
        "ScalingConfig": {"MaximumConcurrency": 2},
        "MetricsConfig": {"Metrics": ["EventCount"]},
    });
    let script = listed(Script::new(), &[live(A, STREAM, more)])
        .on("TagResource", body(""))
        .on("UpdateEventSourceMapping", body(live(A, STREAM, json!({}))))
        .on("GetEventSourceMapping", body(live(A, STREAM, json!({}))));
    update(&mapping(), &mapping(), &script.aws()).await.expect("the update succeeds");
    let expected = json!({
        "Enabled": true,
        "DestinationConfig": {},
        "FilterCriteria": {},
        "FunctionResponseTypes": [],
        "ScalingConfig": {},
        "MetricsConfig": {"Metrics": []},
    });
    assert_eq!(script.sent("UpdateEventSourceMapping"), [expected]);
}

#[tokio::test(start_paused = true)]
async fn mapping_disabled_again_is_not_waited_for() {
    let off = json!({"State": "Disabled", "StateTransitionReason": "PROBLEM: the stream is gone"});
    let script = listed(Script::new(), &[live(A, STREAM, json!({"State": "Disabled"}))])
        .on("TagResource", body(""))
        .on("UpdateEventSourceMapping", body(live(A, STREAM, json!({}))))
        .on("GetEventSourceMapping", body(live(A, STREAM, off)));
    let error = update(&mapping(), &mapping(), &script.aws()).await.expect_err("the mapping does not work");
    assert!(error.message.contains("the stream is gone") && !error.class.passes(), "{error}");
}

#[tokio::test(start_paused = true)]
async fn reenabled_mapping_may_look_disabled_at_first() {
    let off = json!({"State": "Disabled", "StateTransitionReason": "Lambda initiated"});
    let script = listed(Script::new(), &[live(A, STREAM, off.clone())])
        .on("TagResource", body(""))
        .on("UpdateEventSourceMapping", body(live(A, STREAM, json!({"State": "Enabling"}))))
        .on("GetEventSourceMapping", body(live(A, STREAM, off)))
        .on("GetEventSourceMapping", body(live(A, STREAM, json!({"State": "Enabling"}))))
        .on("GetEventSourceMapping", body(live(A, STREAM, json!({}))));
    update(&mapping(), &mapping(), &script.aws()).await.expect("the mapping becomes enabled");
    assert_eq!(script.sent("UpdateEventSourceMapping"), [json!({"Enabled": true})]);
}

#[tokio::test]
async fn mapping_delete_waits_and_is_retried_when_busy() {
    let script = listed(Script::new(), &[live(A, STREAM, json!({}))])
        .on("DeleteEventSourceMapping", fault(400, "ResourceInUseException", "it is being updated"))
        .on("DeleteEventSourceMapping", body(live(A, STREAM, json!({"State": "Deleting"}))))
        .on("GetEventSourceMapping", fault(404, "ResourceNotFoundException", "gone"));
    let aws = script.aws();
    let busy = Mapping::delete("demo-dev-capture/kinesis/demo-dev-events", &aws)
        .await
        .expect_err("the mapping is busy");
    assert_eq!(busy.class, Class::InProgress);
    Mapping::delete("demo-dev-capture/kinesis/demo-dev-events", &aws).await.expect("the deletion succeeds");
}

#[tokio::test]
async fn mapping_is_listed_by_function_or_source() {
    let of = |function: &str, source: &str| {
        let function = format!("arn:aws:lambda:eu-central-1:111111111111:function:{function}");
        live(A, source, json!({"FunctionArn": function}))
    };
    let other = "arn:aws:kinesis:eu-central-1:111111111111:stream/other";
    let script = listed(
        Script::new(),
        &[of("demo-dev-capture", other), of("unmanaged", STREAM), of("unmanaged", other)],
    );
    let found = Mapping::list(&scope(), &script.aws()).await.expect("the listing succeeds");
    assert_eq!(found, ["demo-dev-capture/kinesis/other", "unmanaged/kinesis/demo-dev-events"]);
}

/// The deployer has no permission to read unmanaged functions, and needs none.
#[tokio::test]
async fn mapping_of_a_unmanaged_function_is_unmanaged() {
    let unmanaged = "arn:aws:lambda:eu-central-1:111111111111:function:unmanaged";
    let script = listed(Script::new(), &[live(A, STREAM, json!({"FunctionArn": unmanaged}))])
        .on("ListTags", body(json!({"Tags": {}})))
        .on(
            "GetFunction",
            fault(403, "AccessDeniedException", "not authorized to perform: lambda:GetFunction"),
        );
    let tags = Mapping::tags("unmanaged/kinesis/demo-dev-events", &script.aws())
        .await
        .expect("the tags can be read");
    assert!(!scope().owns(&tags.expect("the resource exists")));
    assert!(!script.calls().contains(&"GetFunction".to_owned()));
}

#[tokio::test]
async fn mapping_without_function_belongs_to_source_owner() {
    let name = "demo-dev-capture/kinesis/demo-dev-events";
    let tags: Vec<Value> =
        scope().tags().iter().map(|(key, value)| json!({"Key": key, "Value": value})).collect();
    let gone = || fault(404, "ResourceNotFoundException", "gone");
    let left_over = || {
        listed(Script::new(), &[live(A, STREAM, json!({}))])
            .on(
                "ListTags",
                fault(400, "InvalidParameterValueException", "Unsupported resource type for tagging"),
            )
            .on("GetFunction", gone())
    };
    let ours = left_over().on("ListTagsForStream", body(json!({"Tags": tags, "HasMoreTags": false})));
    let found =
        Mapping::tags(name, &ours.aws()).await.expect("the tags can be read").expect("the mapping exists");
    assert!(scope().owns(&found));
    let theirs = left_over().on("ListTagsForStream", body(json!({"Tags": [], "HasMoreTags": false})));
    assert!(!scope().owns(
        &Mapping::tags(name, &theirs.aws()).await.expect("the tags can be read").expect("the mapping exists")
    ));
    let both_gone = left_over().on("ListTagsForStream", gone());
    assert!(
        !scope().owns(
            &Mapping::tags(name, &both_gone.aws())
                .await
                .expect("the tags can be read")
                .expect("the mapping exists")
        )
    );
}

#[tokio::test]
async fn unreadable_mapping_tags_are_an_error() {
    let name = "demo-dev-capture/kinesis/demo-dev-events";
    let script = listed(Script::new(), &[live(A, STREAM, json!({}))])
        .on("ListTags", fault(429, "TooManyRequestsException", "Rate exceeded"))
        .on("GetFunction", fault(404, "ResourceNotFoundException", "gone"))
        .on("ListTagsForStream", fault(400, "ResourceNotFoundException", "gone"));
    assert!(Mapping::tags(name, &script.aws()).await.is_err());
}

#[test]
fn mapping_mistakes_are_found_without_a_call() {
    let stream = Stream::new(&scope(), "events").retention_hours(24);
    let stack = Neighbours::new([&stream as &dyn Described]);
    let of_stream = |settings| Resource::mistakes(&Mapping::stream("f", STREAM, settings), &stack);
    let of_table = |settings| Resource::mistakes(&Mapping::table("f", "demo-dev-events", settings), &stack);
    let to = || MappingSettings { on_failure: Some("arn:b".into()), ..bounded() };
    assert_eq!(of_stream(bounded()), Vec::<String>::new());
    assert_eq!(of_table(to()), Vec::<String>::new());
    assert_eq!(of_table(MappingSettings { maximum_record_age_s: 82_800, ..to() }), Vec::<String>::new());
    let filter = |length: usize| json!({"data": ["x".repeat(length)]});
    let wrong_anywhere = [
        MappingSettings { batch_size: 0, ..to() },
        MappingSettings { batch_size: 10_001, ..to() },
        MappingSettings { batching_window_s: 301, ..to() },
        MappingSettings { parallelization_factor: 11, ..to() },
        MappingSettings { maximum_retry_attempts: 10_001, ..to() },
        MappingSettings { tumbling_window_s: 901, ..to() },
        MappingSettings { maximum_record_age_s: 59, ..to() },
        MappingSettings { maximum_record_age_s: 86_400, ..to() },
        MappingSettings { maximum_retry_attempts: -1, ..to() },
        MappingSettings { filters: (0..6).map(filter).collect(), ..to() },
        MappingSettings { filters: vec![filter(4096)], ..to() },
    ];
    for settings in wrong_anywhere {
        assert_eq!(of_stream(settings.clone()).len(), 1, "{settings:?}: {:?}", of_stream(settings.clone()));
    }
    assert_eq!(of_table(MappingSettings { parallelization_factor: 2, ..to() }).len(), 1);
    assert_eq!(of_stream(MappingSettings { parallelization_factor: 2, ..to() }).len(), 0);
    assert_eq!(of_table(bounded()).len(), 1, "discarded batches need a destination");
    assert_eq!(of_table(MappingSettings { maximum_record_age_s: 86_400, ..to() }).len(), 1);
}

#[test]
fn mapping_permissions_end_at_own_functions() {
    for statement in Mapping::permissions(&scope()) {
        let guarded = statement.conditions.iter().any(|(_, key, _)| key == "lambda:FunctionArn");
        let free = ["MappingsList", "MappingsTags"].contains(&statement.sid.as_str());
        assert_eq!(guarded, !free, "{statement:?}");
    }
}

const NAME: &str = "demo-dev-capture/kinesis/demo-dev-events";

#[tokio::test]
async fn orphan_reads_until_it_is_disabled() {
    let activity = async |state: &str| {
        let script = listed(Script::new(), &[live(A, STREAM, json!({"State": state}))]);
        Mapping::activity(NAME, &script.aws()).await.expect("the listing succeeds")
    };
    for reads in ["Creating", "Enabling", "Enabled", "Updating"] {
        assert_eq!(activity(reads).await, Some("still reads its stream and invokes its function"), "{reads}");
    }
    for idle in ["Disabling", "Disabled", "Deleting"] {
        assert_eq!(activity(idle).await, None, "{idle}");
    }
    assert_eq!(
        Mapping::activity("demo-dev-other/kinesis/x", &listed(Script::new(), &[]).aws()).await,
        Ok(None)
    );
}

#[tokio::test(start_paused = true)]
async fn mapping_disable_waits_until_reading_stops() {
    let states =
        ["Enabled", "Disabling", "Disabled"].map(|state| body(live(A, STREAM, json!({"State": state}))));
    let mappings = [live(A, STREAM, json!({})), live(B, STREAM, json!({"State": "Disabled"}))];
    let script = listed(Script::new(), &mappings)
        .on("TagResource", body(json!({})))
        .on("UpdateEventSourceMapping", body(live(A, STREAM, json!({"State": "Disabling"}))));
    let script = states.into_iter().fold(script, |script, state| script.on("GetEventSourceMapping", state));
    let tags = Tags::from([("deployer:stamp:1".to_owned(), "disabled".to_owned())]);
    Mapping::disable(NAME, &tags, &script.aws()).await.expect("the mapping is disabled");
    assert_eq!(script.writes(), ["TagResource", "UpdateEventSourceMapping"]);
    assert_eq!(script.sent("UpdateEventSourceMapping"), [json!({"Enabled": false})]);
    let polls = script.calls().iter().filter(|call| *call == "GetEventSourceMapping").count();
    assert_eq!(polls, 3);
    assert_eq!(script.sent("TagResource"), [json!({"Tags": tags})]);
}

#[tokio::test]
async fn mapping_disable_succeeds_if_absent() {
    let script = listed(Script::new(), &[]).on("TagResource", fault(404, "ResourceNotFoundException", "no"));
    Mapping::disable(NAME, &Tags::new(), &script.aws()).await.expect("there is no mapping to disable");
}

#[test]
fn reserved_concurrency_below_shard_count_is_a_mistake() {
    let stream = Stream::new(&scope(), "events").shards(4);
    let settings = MappingSettings { parallelization_factor: 2, ..bounded() };
    let mapping = Mapping::stream("demo-dev-capture", stream.arn(), settings);
    let mistakes = |executions| {
        let function =
            Function::new(&scope(), "capture", "role", Vec::new()).reserved_concurrency(executions);
        let stack: [&dyn Described; 3] = [&stream, &function, &mapping];
        Resource::mistakes(&mapping, &Neighbours::new(stack)).len()
    };
    assert_eq!([None, Some(0), Some(8), Some(7)].map(mistakes), [0, 0, 0, 1]);
}

#[test]
fn reserved_concurrency_below_on_demand_shards_is_a_mistake() {
    let stream = Stream::new(&scope(), "events").shards(None);
    let mapping = Mapping::stream("demo-dev-capture", stream.arn(), bounded());
    let mistakes = |executions| {
        let function =
            Function::new(&scope(), "capture", "role", Vec::new()).reserved_concurrency(executions);
        let stack: [&dyn Described; 3] = [&stream, &function, &mapping];
        Resource::mistakes(&mapping, &Neighbours::new(stack)).len()
    };
    let least = bounded().parallelization_factor * 4;
    assert_eq!([None, Some(0), Some(least), Some(least - 1)].map(mistakes), [0, 0, 0, 1]);
}

#[tokio::test]
async fn mapping_is_imported_by_its_live_uuid() {
    assert!(Resource::import_ids(&mapping()).is_empty(), "a desired mapping has no UUID");
    let live = read(listed(Script::new(), &[live(B, STREAM, json!({})), live(A, STREAM, json!({}))])).await;
    let live = live.expect("the mapping exists");
    assert_eq!(Resource::import_ids(&live), [ImportId::new("aws_lambda_event_source_mapping", A)]);
}
