//! Checks that the table is complete: every compared field has a row, or a unit test of the reader.

use std::collections::BTreeSet;
use std::path::Path;

use aws::policy::Policy;
use aws::resources::alarm::Alarm;
use aws::resources::bucket::Bucket;
use aws::resources::dashboard::Dashboard;
use aws::resources::function::Function;
use aws::resources::function_url::FunctionUrl;
use aws::resources::kinds;
use aws::resources::log_group::LogGroup;
use aws::resources::mapping::{Mapping, MappingSettings};
use aws::resources::role::Role;
use aws::resources::stream::Stream;
use aws::resources::table::{KeyType, PrimaryKey, Table};
use engine::resource::Described;
use engine::scope::Scope;

/// The fields that the local cloud cannot show, by kind and field, and the test that covers each: file and
/// name.
const ELSEWHERE: &[(&str, &str, &str, &str)] = &[
    ("cloudwatch.alarm", "expressions", "alarm/tests.rs", "alarm_drift_names_the_field"),
    ("cloudwatch.alarm", "extended_statistic", "alarm/tests.rs", "alarm_fields_left_out_have_defaults"),
    ("cloudwatch.alarm", "low_sample_percentile", "alarm/tests.rs", "alarm_drift_names_the_field"),
    // Fixed when a table is created: another key is another table.
    ("dynamodb.table", "key", "table/live.rs", "table_fields_left_out_have_defaults"),
    ("dynamodb.table", "local_indexes", "table/tests/indexes.rs", "local_index_drift_names_index_and_field"),
    ("dynamodb.table", "replicas", "table/live.rs", "table_backups_and_replicas_are_read"),
    ("dynamodb.table", "unusable", "table/tests.rs", "unusable_table_shows_as_a_difference"),
    // Fixed when a role is created.
    ("iam.role", "path", "role/tests.rs", "role_drift_names_the_field"),
    ("kinesis.stream", "capacity.mode", "stream/live.rs", "stream_drift_names_the_field"),
    ("kinesis.stream", "distribution", "stream/live.rs", "stream_drift_names_the_field"),
    ("kinesis.stream", "max_record_kib", "stream/live.rs", "stream_drift_names_the_field"),
    ("kinesis.stream", "shard_metrics", "stream/live.rs", "stream_drift_names_the_field"),
    ("lambda.event-source-mapping", "failure", "mapping/health.rs", "mapping_problem_is_a_failure"),
    ("lambda.event-source-mapping", "settings.kms_key", "mapping/tests.rs", "mapping_drift_names_the_field"),
    (
        "lambda.event-source-mapping",
        "settings.maximum_concurrency",
        "mapping/tests.rs",
        "mapping_drift_names_the_field",
    ),
    ("lambda.event-source-mapping", "settings.metrics", "mapping/tests.rs", "mapping_drift_names_the_field"),
    (
        "lambda.event-source-mapping",
        "settings.tumbling_window_s",
        "mapping/tests.rs",
        "mapping_drift_names_the_field",
    ),
    ("lambda.function", "failure", "function/tests.rs", "function_drift_names_the_field"),
    // Fixed when a function is created.
    ("lambda.function", "package_type", "function/tests.rs", "function_drift_names_the_field"),
    // Fixed when a group is created.
    ("logs.log-group", "class", "log_group/tests.rs", "log_group_settings_by_hand_are_reset"),
    (
        "logs.log-group",
        "deletion_protection",
        "log_group/tests.rs",
        "log_group_protection_by_hand_is_removed",
    ),
    ("logs.log-group", "kms_key", "log_group/tests.rs", "log_group_settings_by_hand_are_reset"),
];

/// Fields whose parts are compared one by one; all others are compared as a whole or by their own keys.
const PARTS: [&str; 6] = ["billing", "capacity", "encryption", "logging", "public_access_block", "settings"];

/// Checks that each field has a row or a test, and that no unknown field has one.
pub(super) fn insist(scope: &Scope, rows: &[(String, String)], resources: &Path) {
    let mut missing = Vec::new();
    let mut known = BTreeSet::new();
    for (kind, field) in fields(scope) {
        let shown = rows.iter().any(|(id, path)| {
            id.starts_with(&format!("{kind}/")) && (*path == field || path.starts_with(&format!("{field}.")))
        });
        let elsewhere = ELSEWHERE.iter().any(|(of, name, ..)| (*of, *name) == (kind, field.as_str()));
        if shown == elsewhere {
            missing.push(format!("{kind} {field}: a row {shown}, a test elsewhere {elsewhere}"));
        }
        known.insert((kind, field));
    }
    assert_eq!(missing, [""; 0]);
    for (kind, field, file, test) in ELSEWHERE {
        assert!(known.contains(&(*kind, (*field).to_owned())), "{kind} has no {field}");
        let text = std::fs::read_to_string(resources.join(file)).expect("the file is committed");
        assert!(text.contains(&format!("fn {test}()")), "{file} has no test {test}");
    }
}

/// Returns all compared fields, by kind, except for names.
fn fields(scope: &Scope) -> Vec<(&'static str, String)> {
    let role = Role::for_service(scope, "x", "lambda.amazonaws.com", Policy::allowing(&[]));
    let all: [Box<dyn Described>; 10] = [
        Box::new(Alarm::errors(scope, "x", "x")),
        Box::new(Bucket::new(scope, "x")),
        Box::new(Dashboard::new(scope, serde_json::json!({}))),
        Box::new(Function::new(scope, "x", "arn", Vec::new())),
        Box::new(FunctionUrl::of("x")),
        Box::new(LogGroup::of_function(scope, "x", 1)),
        Box::new(Mapping::table("x", "x", MappingSettings::default())),
        Box::new(role),
        Box::new(Stream::new(scope, "x")),
        Box::new(Table::new(scope, "x", PrimaryKey::hash("x", KeyType::String))),
    ];
    let known: BTreeSet<&str> = kinds().iter().map(|kind| kind.info.name).collect();
    assert_eq!(all.iter().map(|resource| resource.id().kind()).collect::<BTreeSet<_>>(), known);
    let fields = all.iter().flat_map(|resource| {
        let (kind, state) = (resource.id().kind(), resource.state());
        let fields = state.as_object().expect("a resource has fields").clone().into_iter();
        fields.filter(|(field, _)| field != "name").flat_map(move |(field, value)| match value.as_object() {
            Some(part) if PARTS.contains(&field.as_str()) => {
                part.keys().map(|key| (kind, format!("{field}.{key}"))).collect::<Vec<_>>()
            }
            _ => vec![(kind, field)],
        })
    });
    fields.collect()
}
