//! A CloudWatch log group: made before its function, or Lambda makes one that keeps
//! everything for ever and is nobody's.

use serde::Serialize;

use crate::aws::{Aws, Called};
use crate::diff::Change;
use crate::error::{Class, Error, GoneIsNone};
use crate::policy::Statement;
use crate::resource::{Effect, Live, Resource, Risk, Tags};
use crate::scope::Scope;

/// The log group of one function.
#[derive(Debug, Clone, Serialize)]
pub struct LogGroup {
    name: String,
    #[serde(skip)]
    arn: String,
    /// Days that lines are kept; nothing means for ever.
    retention_days: Option<i32>,
    /// `STANDARD`, or a cheaper class; fixed at creation.
    class: String,
    /// The KMS key; nothing means CloudWatch's own.
    kms_key: Option<String>,
}

impl LogGroup {
    /// Returns the log group of this function.
    pub fn of_function(scope: &Scope, function: &str, retention_days: i32) -> Self {
        let name = format!("/aws/lambda/{function}");
        Self {
            arn: arn(scope, &name),
            name,
            retention_days: Some(retention_days),
            class: "STANDARD".into(),
            kms_key: None,
        }
    }

    /// Returns the log group encrypted with the KMS key of this ARN. The key's policy has to
    /// let the service use it; whoever writes lines needs nothing ("Encrypt log data in
    /// CloudWatch Logs using AWS Key Management Service", CloudWatch Logs user guide).
    pub fn encrypted_with(mut self, key: Option<String>) -> Self {
        self.kms_key = key;
        self
    }
}

impl LogGroup {
    /// Returns what Lambda has to be allowed on behalf of the function: its own lines, and
    /// not making the group, which would have no retention.
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
    const KIND: &'static str = "logs.log-group";
    const STANDS_ON: &'static [&'static str] = &[];
    const STATEFUL: bool = true;

    fn name(&self) -> &str {
        &self.name
    }

    fn arn(&self) -> Option<&str> {
        Some(&self.arn)
    }

    fn effect(&self, change: &Change) -> Effect {
        match change.path.as_str() {
            "class" => Effect::Refuse("a log group's class is fixed: delete the group, then run `up`"),
            "retention_days" if shorter(change) => Effect::InPlace(Risk::LosesData),
            _ => Effect::InPlace(Risk::Safe),
        }
    }

    fn permissions(_scope: &Scope) -> Vec<Statement> {
        Vec::new()
    }

    async fn read(&self, aws: &Aws) -> Result<Option<Live<Self>>, Error> {
        let groups = aws.log_groups().await?;
        let Some(group) = groups.iter().find(|group| group.log_group_name() == Some(&self.name)) else {
            return Ok(None);
        };
        let Some(tags) = Self::tags(&self.name, aws).await? else {
            return Ok(None);
        };
        Ok(Some(Live {
            resource: Self {
                name: self.name.clone(),
                arn: self.arn.clone(),
                retention_days: group.retention_in_days(),
                class: group
                    .log_group_class()
                    .map_or_else(|| "STANDARD".into(), |class| class.as_str().to_owned()),
                kms_key: group.kms_key_id().map(str::to_owned),
            },
            tags: Some(tags),
        }))
    }

    async fn create(&self, tags: &Tags, aws: &Aws) -> Result<(), Error> {
        let created = aws
            .logs
            .create_log_group()
            .log_group_name(&self.name)
            .set_kms_key_id(self.kms_key.clone())
            .set_tags(Some(tags.clone().into_iter().collect()))
            .send()
            .await
            .called("CreateLogGroup");
        match created {
            Err(error) if error.class == Class::Exists => {
                aws.adopt(error, Self::tags(&self.name, aws).await?.as_ref())?;
            }
            other => other.map(drop)?,
        }
        self.keep_for(aws).await
    }

    async fn update(&self, live: &Self, aws: &Aws) -> Result<(), Error> {
        if live.retention_days != self.retention_days {
            self.keep_for(aws).await?;
        }
        match (&live.kms_key, &self.kms_key) {
            (live, desired) if live == desired => {}
            (_, Some(key)) => {
                let call = aws.logs.associate_kms_key().log_group_name(&self.name).kms_key_id(key);
                call.send().await.called("AssociateKmsKey")?;
            }
            (_, None) => {
                let call = aws.logs.disassociate_kms_key().log_group_name(&self.name);
                call.send().await.called("DisassociateKmsKey")?;
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
            .called("TagResource")
            .map(drop)
    }

    async fn delete(name: &str, aws: &Aws) -> Result<(), Error> {
        let call = aws.logs.delete_log_group().log_group_name(name);
        call.send().await.called("DeleteLogGroup").gone_is_none().map(drop)
    }

    async fn list(_scope: &Scope, aws: &Aws) -> Result<Vec<String>, Error> {
        let groups = aws.log_groups().await?;
        Ok(groups.iter().filter_map(|group| group.log_group_name.clone()).collect())
    }

    async fn tags(name: &str, aws: &Aws) -> Result<Option<Tags>, Error> {
        let call = aws.logs.list_tags_for_resource().resource_arn(arn(&aws.scope, name));
        let answer = call.send().await.called("ListTagsForResource").gone_is_none()?;
        Ok(answer.map(|answer| answer.tags.unwrap_or_default().into_iter().collect()))
    }
}

impl LogGroup {
    async fn keep_for(&self, aws: &Aws) -> Result<(), Error> {
        match self.retention_days {
            Some(days) => {
                let call = aws.logs.put_retention_policy().log_group_name(&self.name);
                call.retention_in_days(days).send().await.called("PutRetentionPolicy")?;
            }
            None => {
                let call = aws.logs.delete_retention_policy().log_group_name(&self.name);
                call.send().await.called("DeleteRetentionPolicy")?;
            }
        }
        Ok(())
    }
}

/// Returns the form that tagging takes, without the `:*` that policies end it with
/// ("TagResource", CloudWatch Logs API reference).
fn arn(scope: &Scope, name: &str) -> String {
    scope.arn("logs", &format!("log-group:{name}"))
}

/// Tells whether a change of days removes lines. Nothing means for ever.
fn shorter(change: &Change) -> bool {
    let days = |value: &serde_json::Value| value.as_i64().unwrap_or(i64::MAX);
    days(&change.desired) < days(&change.live)
}
