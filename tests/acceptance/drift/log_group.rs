//! Manual changes to a log group.
//!
//! MiniStack cannot set the key of a group: [`super::complete`] names the unit test that covers it.

use aws::Aws;
use engine::scope::Scope;

use super::row::{GONE, Row, sent};

pub(super) fn first(scope: &Scope) -> Vec<Row> {
    vec![
        Row::new("another retention", id(scope, "capture"), &["retention_days"], |aws| {
            let call = aws.logs.put_retention_policy().log_group_name(name(aws, "capture"));
            sent(call.retention_in_days(3).send())
        }),
        Row::new("no retention", id(scope, "archive"), &["retention_days"], |aws| {
            let call = aws.logs.delete_retention_policy().log_group_name(name(aws, "archive"));
            sent(call.send())
        }),
    ]
}

pub(super) fn gone(scope: &Scope) -> Vec<Row> {
    vec![Row::new("log group deleted", id(scope, "get-cart"), GONE, |aws| {
        let call = aws.logs.delete_log_group().log_group_name(name(aws, "get-cart"));
        sent(call.send())
    })]
}

fn id(scope: &Scope, thing: &str) -> String {
    format!("logs.log-group//aws/lambda/{}", scope.name(thing))
}

fn name(aws: &Aws, thing: &str) -> String {
    format!("/aws/lambda/{}", aws.scope.name(thing))
}
