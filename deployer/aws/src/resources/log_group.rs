//! A CloudWatch log group. It is created before its function, because Lambda would create one that keeps log
//! lines forever and has no tags.

use aws_sdk_cloudwatchlogs::types::LogGroup as Listed;
use engine::error::{Class, Error, GoneIsNone};
use engine::resource::{
    Changed, Effect, ImportId, KindInfo, LeftOut, Live, Neighbours, Resource, Risk, Tags,
};
use engine::scope::Scope;
use serde::{Deserialize, Serialize};
use struct_to_enum::FieldName;

use crate::policy::Statement;
use crate::resources::lint;
use crate::{Aws, AwsNames, Called};

/// The retention periods in days that `PutRetentionPolicy` accepts (CloudWatch Logs API reference).
pub const RETENTION_DAYS: [i32; 22] =
    [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653];

/// The class of a log group that names none ("CreateLogGroup", CloudWatch Logs API reference).
const STANDARD: &str = "STANDARD";

/// The log group of one function.
#[derive(Debug, Clone, Serialize, FieldName)]
#[stem_name_derive(PartialOrd, Ord, Deserialize)]
#[stem_name_attr(serde(rename_all = "snake_case"))]
#[stem_name_attr(expect(missing_docs, reason = "the fields have them"))]
pub struct LogGroup {
    name: String,
    #[serde(skip)]
    #[stem_name(skip)]
    arn: String,
    /// Retention in days; nothing means forever.
    retention_days: Option<i32>,
    /// `STANDARD`, or a cheaper class; fixed at creation.
    class: String,
    /// The KMS key; nothing means CloudWatch's own key.
    kms_key: Option<String>,
    /// Whether deletion protection is on.
    deletion_protection: bool,
}

impl LogGroup {
    /// Returns the log group of this function.
    pub fn of_function(scope: &Scope, function: &str, retention_days: i32) -> Self {
        let name = format!("/aws/lambda/{function}");
        Self {
            arn: arn(scope, &name),
            name,
            retention_days: Some(retention_days),
            class: STANDARD.into(),
            kms_key: None,
            deletion_protection: false,
        }
    }

    /// Returns the log group encrypted with the KMS key of this ARN. The key's policy has to let the service
    /// use it; the writer of log lines needs no permission ("Encrypt log data in CloudWatch Logs using AWS
    /// Key Management Service", CloudWatch Logs user guide).
    pub fn encrypted_with(mut self, key: Option<String>) -> Self {
        self.kms_key = key;
        self
    }

    /// Returns the log group whose lines are kept this many days.
    pub fn retention_days(mut self, days: i32) -> Self {
        self.retention_days = Some(days);
        self
    }

    /// Returns the permission to write the function's log lines. It does not allow creating the group, which
    /// would have no retention.
    pub fn writing(&self) -> Statement {
        Statement::new(
            "WriteLogs",
            ["logs:CreateLogStream", "logs:PutLogEvents"],
            [format!("{}:log-stream:*", self.arn)],
        )
    }
}

impl Resource for LogGroup {
    type Cloud = Aws;
    type Field = LogGroupFieldName;
    const INFO: KindInfo = KindInfo {
        stateful: true,
        left_out: &[
            LeftOut {
                what: "subscription and metric filters, resource policies, data protection",
                why: "one more call each per group, for settings that belong to the readers of the logs",
            },
            LeftOut {
                what: "retention that a policy of the account sets",
                why: "it is managed elsewhere, and would be set again after each change",
            },
        ],
        ..KindInfo::new("logs.log-group")
    };

    fn name(&self) -> &str {
        &self.name
    }

    fn arn(&self) -> Option<&str> {
        Some(&self.arn)
    }

    fn import_ids(&self) -> Vec<ImportId> {
        vec![ImportId::new("aws_cloudwatch_log_group", &self.name)]
    }

    fn effect(&self, field: LogGroupFieldName, live: &Self) -> Effect {
        use LogGroupFieldName as Field;
        // Nothing means forever.
        let days = |group: &Self| group.retention_days.unwrap_or(i32::MAX);
        match field {
            Field::Class => {
                Effect::Refuse("a log group's class cannot be changed: delete the group, then run `up`")
            }
            Field::RetentionDays if days(self) < days(live) => Effect::InPlace(Risk::LosesData),
            Field::Name | Field::RetentionDays | Field::KmsKey | Field::DeletionProtection => {
                Effect::InPlace(Risk::Safe)
            }
        }
    }

    fn mistakes(&self, _stack: &Neighbours<'_>) -> Vec<String> {
        let mut mistakes: Vec<String> = lint::name(&self.name, 1..=512, ".-_/#").collect();
        if self.name.starts_with("aws/") {
            mistakes.push("names that begin with `aws/` are reserved for AWS".into());
        }
        let allowed = RETENTION_DAYS;
        let days = self.retention_days.filter(|days| !allowed.contains(days));
        mistakes.extend(
            days.map(|days| format!("the retention in days must be one of {allowed:?}, but is {days}")),
        );
        mistakes.extend(lint::key_arn(self.kms_key.as_deref()));
        mistakes
    }

    // With a KMS key, the policy of the key has to let the service use it. The permissions that the caller
    // needs are not documented ("AssociateKmsKey", CloudWatch Logs API reference).
    fn permissions(scope: &Scope) -> Vec<Statement> {
        let groups = arn(scope, &format!("/aws/lambda/{}*", scope.prefix()));
        vec![
            // AWS supports no resource for it ("Actions, resources, and condition keys for Amazon
            // CloudWatch Logs", Service Authorization Reference).
            Statement::new("LogGroupsList", ["logs:DescribeLogGroups"], ["*".to_owned()]),
            Statement::new("LogGroupsRead", ["logs:ListTagsForResource"], [groups.clone()]),
            Statement::new(
                "LogGroupsWrite",
                [
                    "logs:AssociateKmsKey",
                    "logs:CreateLogGroup",
                    "logs:DeleteLogGroup",
                    "logs:DeleteRetentionPolicy",
                    "logs:DisassociateKmsKey",
                    "logs:PutLogGroupDeletionProtection",
                    "logs:PutRetentionPolicy",
                    "logs:TagResource",
                ],
                [groups],
            ),
        ]
    }

    async fn read(&self, aws: &Aws) -> Result<Option<Live<Self>>, Error> {
        let groups = aws.log_groups().await?;
        let Some(group) = groups.iter().find(|group| group.log_group_name() == Some(&self.name)) else {
            return Ok(None);
        };
        let Some(tags) = Self::tags(&self.name, aws).await? else {
            return Ok(None);
        };
        let identity = group.creation_time().map(|time| time.to_string());
        Ok(Some(Live { resource: self.live(group), tags: Some(tags), identity }))
    }

    async fn create(&self, tags: &Tags, aws: &Aws) -> Result<(), Error> {
        let created = aws
            .logs
            .create_log_group()
            .log_group_name(&self.name)
            .set_kms_key_id(self.kms_key.clone())
            .set_log_group_class((self.class != STANDARD).then(|| self.class.as_str().into()))
            .set_deletion_protection_enabled(self.deletion_protection.then_some(true))
            .set_tags(Some(tags.clone().into_iter().collect()))
            .send()
            .await
            .called();
        match created {
            Err(error) if error.class == Class::Exists => {
                let live = Self::tags(&self.name, aws).await?;
                // A group without tags was created by Lambda, which creates a group that is missing.
                if live.as_ref().is_none_or(|tags| !tags.is_empty()) {
                    aws.adopt(error, live.as_ref())?;
                }
            }
            other => other.map(drop)?,
        }
        self.keep_for(aws).await
    }

    async fn update(&self, _live: &Self, changed: &Changed<Self>, aws: &Aws) -> Result<(), Error> {
        use LogGroupFieldName as Field;
        for field in changed {
            match field {
                Field::RetentionDays => self.keep_for(aws).await?,
                Field::KmsKey => self.change_encryption(aws).await?,
                Field::DeletionProtection => protect(&self.name, self.deletion_protection, aws).await?,
                Field::Name | Field::Class => {}
            }
        }
        Ok(())
    }

    async fn tag(&self, tags: &Tags, aws: &Aws) -> Result<(), Error> {
        aws.logs
            .tag_resource()
            .resource_arn(&self.arn)
            .set_tags(Some(tags.clone().into_iter().collect()))
            .send()
            .await
            .called()
            .map(drop)
    }

    async fn delete(name: &str, aws: &Aws) -> Result<(), Error> {
        let groups = aws.log_groups().await?.iter();
        let mut protected = groups.filter(|group| group.deletion_protection_enabled() == Some(true));
        if protected.any(|group| group.log_group_name() == Some(name)) {
            protect(name, false, aws).await.gone_is_none()?;
        }
        let call = aws.logs.delete_log_group().log_group_name(name);
        call.send().await.called().gone_is_none().map(drop)
    }

    async fn list(_scope: &Scope, aws: &Aws) -> Result<Vec<String>, Error> {
        let groups = aws.log_groups().await?;
        Ok(groups.iter().filter_map(|group| group.log_group_name.clone()).collect())
    }

    async fn tags(name: &str, aws: &Aws) -> Result<Option<Tags>, Error> {
        let call = aws.logs.list_tags_for_resource().resource_arn(arn(&aws.scope, name));
        let answer = call.send().await.called().gone_is_none()?;
        Ok(answer.map(|answer| answer.tags.unwrap_or_default().into_iter().collect()))
    }
}

impl LogGroup {
    /// Returns the group from its entry in the listing of all groups.
    fn live(&self, group: &Listed) -> Self {
        Self {
            name: self.name.clone(),
            arn: self.arn.clone(),
            retention_days: match group.retention_policy_name() {
                // A policy of the account set it, and would set it again.
                Some(_) => self.retention_days,
                None => group.retention_in_days(),
            },
            class: group
                .log_group_class()
                .map_or_else(|| "STANDARD".into(), |class| class.as_str().to_owned()),
            kms_key: group.kms_key_id().map(str::to_owned),
            deletion_protection: group.deletion_protection_enabled().unwrap_or_default(),
        }
    }

    async fn change_encryption(&self, aws: &Aws) -> Result<(), Error> {
        match &self.kms_key {
            Some(key) => {
                let call = aws.logs.associate_kms_key().log_group_name(&self.name).kms_key_id(key);
                call.send().await.called().map(drop)
            }
            None => {
                let call = aws.logs.disassociate_kms_key().log_group_name(&self.name);
                call.send().await.called().map(drop)
            }
        }
    }

    async fn keep_for(&self, aws: &Aws) -> Result<(), Error> {
        match self.retention_days {
            Some(days) => {
                let call = aws.logs.put_retention_policy().log_group_name(&self.name);
                call.retention_in_days(days).send().await.called()?;
            }
            None => {
                let call = aws.logs.delete_retention_policy().log_group_name(&self.name);
                call.send().await.called()?;
            }
        }
        Ok(())
    }
}

async fn protect(name: &str, on: bool, aws: &Aws) -> Result<(), Error> {
    let call = aws.logs.put_log_group_deletion_protection().log_group_identifier(name);
    let call = call.deletion_protection_enabled(on);
    call.send().await.called().map(drop)
}

/// Returns the ARN in the form for tagging, without the `:*` that it ends with in policies ("TagResource",
/// CloudWatch Logs API reference).
fn arn(scope: &Scope, name: &str) -> String {
    scope.arn("logs", &format!("log-group:{name}"))
}

#[cfg(test)]
mod tests;
