//! Resources of others: functions may use them, and a stack never creates, changes or deletes them.

use std::collections::BTreeSet;
use std::fmt::Display;

use engine::error::Error;
use futures::future::join_all;

use crate::policy::Statement;
use crate::resources::sid::sid;
use crate::resources::{Grant, GrantedOn};
use crate::{Aws, Called, arn_part};

/// A resource outside the stack, known by its ARN.
///
/// Tables, streams, buckets and functions are looked up before a deployment ([`not_found`]). For others, such as
/// queues, topics and secrets, the deployer has no client: only their ARNs are checked.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Existing {
    arn: String,
    variable: Option<String>,
}

/// What can be looked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LookedUp {
    Table,
    Stream,
    Function,
    Bucket,
}

impl Existing {
    /// Returns the resource with this ARN.
    pub fn new(arn: impl Display) -> Self {
        Self { arn: arn.to_string(), variable: None }
    }

    /// Returns the resource whose ARN functions read from this environment variable.
    pub fn known_as(mut self, variable: impl Display) -> Self {
        self.variable = Some(variable.to_string());
        self
    }

    /// Grants these actions on the resource.
    pub fn allow(&self, actions: &[&'static str]) -> Grant {
        self.grant(self.arn.clone(), actions)
    }

    /// Grants these actions on something in the resource: `index/by-owner` of a table, `*` for all objects of a
    /// bucket.
    pub fn allow_in(&self, inside: &str, actions: &[&'static str]) -> Grant {
        self.grant(format!("{}/{inside}", self.arn), actions)
    }

    fn grant(&self, resource: String, actions: &[&'static str]) -> Grant {
        let mut words = vec!["use", self.part(2)];
        words.extend(actions.iter().filter_map(|action| action.split(':').nth(1)));
        words.push(arn_part(&resource, 5).unwrap_or_default());
        let statement = Statement::new(sid(&words), actions, [resource]);
        Grant {
            variable: self.variable.clone().map(|variable| (variable, self.arn.clone())),
            mistake: self.mistake(actions),
            ..Grant::of(GrantedOn::Existing(self.clone()), statement)
        }
    }

    fn mistake(&self, actions: &[&str]) -> Option<String> {
        let (arn, service) = (&self.arn, self.part(2));
        let is_arn = self.part(0) == "arn" && !service.is_empty() && !self.part(5).is_empty();
        if !is_arn || arn.contains(|c: char| c.is_whitespace() || "*?".contains(c)) {
            return Some(format!("`{arn}` is not the ARN of one resource"));
        }
        // Another form would be granted without being looked up.
        if ["dynamodb", "kinesis", "lambda", "s3"].contains(&service) && self.looked_up().is_none() {
            return Some(format!("`{arn}` is not the ARN of a table, stream, function or bucket"));
        }
        let wrong = actions.iter().find(|action| action.split(':').next() != Some(service))?;
        Some(format!("`{wrong}` is not an action on `{arn}`"))
    }

    /// See [`arn_part`].
    fn part(&self, number: usize) -> &str {
        arn_part(&self.arn, number).unwrap_or_default()
    }

    /// Returns what the resource is, if the deployer can look it up.
    fn looked_up(&self) -> Option<LookedUp> {
        let of_type = |kind, separator| self.part(5).strip_prefix(kind)?.strip_prefix(separator);
        let (name, kind) = match self.part(2) {
            "dynamodb" => (of_type("table", '/')?, LookedUp::Table),
            "kinesis" => (of_type("stream", '/')?, LookedUp::Stream),
            "lambda" => (of_type("function", ':')?, LookedUp::Function),
            "s3" => (self.part(5), LookedUp::Bucket),
            _ => return None,
        };
        (!name.is_empty() && !name.contains('/')).then_some(kind)
    }

    /// Returns the permission that [`not_found`] needs for this resource, if it is looked up.
    pub(crate) fn looking(&self) -> Option<Statement> {
        let action = match self.looked_up()? {
            LookedUp::Table => "dynamodb:DescribeTable",
            LookedUp::Stream => "kinesis:DescribeStreamSummary",
            LookedUp::Function => "lambda:GetFunction",
            // For HeadBucket.
            LookedUp::Bucket => "s3:ListBucket",
        };
        let words = ["look at", self.part(2), self.part(5)];
        Some(Statement::new(sid(&words), [action], [self.arn.clone()]))
    }

    /// Asks AWS for the resource.
    async fn look(&self, aws: &Aws) -> Result<(), Error> {
        // In place of a name, these calls accept an ARN, also that of another account.
        match self.looked_up() {
            #[cfg(feature = "sources")]
            Some(LookedUp::Table) => {
                aws.dynamodb.describe_table().table_name(&self.arn).send().await.called().map(drop)
            }
            #[cfg(feature = "sources")]
            Some(LookedUp::Stream) => {
                aws.kinesis.describe_stream_summary().stream_arn(&self.arn).send().await.called().map(drop)
            }
            Some(LookedUp::Function) => {
                aws.lambda.get_function().function_name(&self.arn).send().await.called().map(drop)
            }
            Some(LookedUp::Bucket) => {
                aws.s3.head_bucket().bucket(self.part(5)).send().await.called().map(drop)
            }
            // A program without these services cannot look them up.
            #[cfg(not(feature = "sources"))]
            Some(LookedUp::Table | LookedUp::Stream) => Ok(()),
            None => Ok(()),
        }
    }
}

/// Looks up these resources. Returns the ARNs of those that AWS does not show, with its answers.
pub async fn not_found(all: &BTreeSet<Existing>, aws: &Aws) -> Vec<(String, Error)> {
    let answers = join_all(all.iter().map(|existing| existing.look(aws))).await;
    let answers = all.iter().zip(answers);
    answers.filter_map(|(existing, answer)| Some((existing.arn.clone(), answer.err()?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Script, body, fault};

    const TABLE: &str = "arn:aws:dynamodb:eu-central-1:222222222222:table/prices";

    #[test]
    fn existing_grant_names_actions_and_resource() {
        let table = Existing::new(TABLE).known_as("PRICES");
        let grant = table.allow_in("index/by-day", &["dynamodb:Query"]);
        assert_eq!(grant.statement.sid, "UseDynamodbQueryTablePricesIndexByDay");
        assert_eq!(grant.statement.actions, ["dynamodb:Query"]);
        assert_eq!(grant.statement.resources, [format!("{TABLE}/index/by-day")]);
        assert_eq!(grant.variable, Some(("PRICES".to_owned(), TABLE.to_owned())));
    }

    #[test]
    fn impossible_grants_on_existing_resources_are_mistakes() {
        let mistake = |arn: &str, action| Existing::new(arn).allow(&[action]).mistake;
        assert_eq!(mistake(TABLE, "dynamodb:GetItem"), None);
        for wrong in ["prices", "arn:aws:dynamodb:eu-central-1:222222222222:table/*", "arn:aws:sqs:::"] {
            let message = format!("`{wrong}` is not the ARN of one resource");
            assert_eq!(mistake(wrong, "dynamodb:GetItem"), Some(message));
        }
        for wrong in ["prices", "table/", "table/prices/stream/2026", "index/prices"] {
            let wrong = format!("arn:aws:dynamodb:eu-central-1:222222222222:{wrong}");
            let mistake = mistake(&wrong, "dynamodb:GetItem").expect("it is no table");
            assert!(mistake.contains("is not the ARN of a table"), "{mistake}");
        }
        let other = format!("`sqs:SendMessage` is not an action on `{TABLE}`");
        assert_eq!(mistake(TABLE, "sqs:SendMessage"), Some(other));
    }

    #[tokio::test]
    async fn existing_resource_that_is_missing_is_named() {
        let table = Existing::new(TABLE);
        let stream = Existing::new("arn:aws:kinesis:eu-central-1:222222222222:stream/clicks");
        let queue = Existing::new("arn:aws:sqs:eu-central-1:222222222222:orders");
        let gone = fault(400, "ResourceNotFoundException", "Requested resource not found");
        let summary = r#"{"StreamDescriptionSummary":{"StreamName":"clicks","StreamARN":"a","StreamStatus":"ACTIVE",
            "RetentionPeriodHours":24,"StreamCreationTimestamp":1,"EnhancedMonitoring":[],"OpenShardCount":1}}"#;
        let script = Script::new().on("DescribeTable", gone).on("DescribeStreamSummary", body(summary));
        let missing = not_found(&[table, stream, queue].into(), &script.aws()).await;
        let arns: Vec<&str> = missing.iter().map(|(arn, _)| arn.as_str()).collect();
        assert_eq!((arns, script.asked().len()), (vec![TABLE], 2));
        assert_eq!(script.sent("DescribeTable")[0]["TableName"], TABLE);
    }
}
