//! The CloudWatch dashboard of an environment. Each environment has one.
//!
//! Its owner and its stamp are in a note that the dashboard shows (`note` says why), so they are read and
//! written together with its content.

mod note;

use aws_sdk_cloudwatch::error::SdkError;
use aws_sdk_cloudwatch::operation::put_dashboard::PutDashboardError;
use aws_sdk_cloudwatch::types::{DashboardValidationMessage, Tag};
use engine::error::{Class, Error, GoneIsNone};
use engine::resource::{Changed, ImportId, KindInfo, LeftOut, Live, Neighbours, Resource, Tags};
use engine::scope::Scope;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use struct_to_enum::FieldName;

use crate::policy::Statement;
use crate::resources::lint;
use crate::{Aws, AwsNames, Called};

/// The most widgets that a dashboard can have ("Dashboard body structure and syntax", CloudWatch user guide).
const MOST_WIDGETS: usize = 500;

/// The part of every dashboard's name before the Region.
const THING: &str = "overview";

/// A dashboard.
#[derive(Debug, Clone, Serialize, FieldName)]
#[stem_name_derive(PartialOrd, Ord, Deserialize)]
#[stem_name_attr(serde(rename_all = "snake_case"))]
#[stem_name_attr(expect(missing_docs, reason = "the fields have them"))]
pub struct Dashboard {
    name: String,
    #[serde(skip)]
    #[stem_name(skip)]
    arn: String,
    /// The tags in the note of the live dashboard.
    #[serde(skip)]
    #[stem_name(skip)]
    noted: Tags,
    /// The content as CloudWatch keeps it, without the tags in the note.
    body: Value,
}

impl Dashboard {
    /// Returns the dashboard of the environment with this body, whose first text widget is the note.
    pub fn new(scope: &Scope, body: Value) -> Self {
        let name = name(scope);
        Self { arn: arn(scope, &name), name, noted: Tags::new(), body }
    }
}

impl Resource for Dashboard {
    type Cloud = Aws;
    type Field = DashboardFieldName;
    const INFO: KindInfo = KindInfo {
        depends_on: &["cloudwatch.alarm"],
        left_out: &[
            LeftOut { what: "sharing", why: "it is a role and a user pool next to the dashboard" },
            LeftOut {
                what: "its tags in CloudWatch",
                why: "the note on the dashboard names the owner, also where tags are not supported",
            },
        ],
        ..KindInfo::new("cloudwatch.dashboard")
    };

    fn name(&self) -> &str {
        &self.name
    }

    fn arn(&self) -> Option<&str> {
        Some(&self.arn)
    }

    fn import_ids(&self) -> Vec<ImportId> {
        vec![ImportId::new("aws_cloudwatch_dashboard", &self.name)]
    }

    /// The limits are those of "PutDashboard" (CloudWatch API reference).
    fn mistakes(&self, _stack: &Neighbours<'_>) -> Vec<String> {
        let mut mistakes: Vec<String> = lint::name(&self.name, 1..=255, "-_").collect();
        let widgets = self.body["widgets"].as_array().map_or(0, Vec::len);
        if widgets > MOST_WIDGETS {
            mistakes.push(format!("a dashboard can have at most {MOST_WIDGETS} widgets, but has {widgets}"));
        }
        if !note::has_room(&self.body) {
            mistakes.push("a dashboard needs a text widget, for the note that names its owner".into());
        }
        mistakes
    }

    /// "Actions, resources, and condition keys for Amazon CloudWatch" (Service Authorization
    /// Reference).
    fn permissions(scope: &Scope) -> Vec<Statement> {
        let dashboard = arn(scope, &name(scope));
        vec![
            Statement::new("DashboardsRead", ["cloudwatch:GetDashboard"], [dashboard.clone()]),
            Statement::new(
                "DashboardsWrite",
                ["cloudwatch:DeleteDashboards", "cloudwatch:PutDashboard", "cloudwatch:TagResource"],
                [dashboard],
            ),
        ]
    }

    async fn read(&self, aws: &Aws) -> Result<Option<Live<Self>>, Error> {
        let Some(body) = body(&self.name, aws).await? else {
            return Ok(None);
        };
        let (body, noted) = note::taken(body);
        let tags = Some(noted.clone());
        Ok(Some(Live { resource: Self { body, noted, ..self.clone() }, tags, identity: None }))
    }

    async fn create(&self, tags: &Tags, aws: &Aws) -> Result<(), Error> {
        // PutDashboard also succeeds for an unmanaged dashboard of this name, and replaces it.
        if let Some(live) = Self::tags(&self.name, aws).await? {
            let text = format!("the dashboard {} was created in the meantime", self.name);
            aws.adopt(Error::new(Class::Exists, "PutDashboard", text), Some(&live))?;
        }
        self.put(tags, aws).await
    }

    async fn update(&self, live: &Self, _changed: &Changed<Self>, aws: &Aws) -> Result<(), Error> {
        self.put(&live.noted, aws).await
    }

    async fn tag(&self, tags: &Tags, aws: &Aws) -> Result<(), Error> {
        // Only the deployer writes the note, so it contains no tags of others to keep.
        self.put(tags, aws).await
    }

    async fn delete(name: &str, aws: &Aws) -> Result<(), Error> {
        let call = aws.cloudwatch.delete_dashboards().dashboard_names(name);
        call.send().await.called().gone_is_none().map(drop)
    }

    /// Returns the one name that an environment's dashboard can have. A listing would find no other, and
    /// would need a permission.
    async fn list(scope: &Scope, _aws: &Aws) -> Result<Vec<String>, Error> {
        Ok(vec![name(scope)])
    }

    async fn tags(name: &str, aws: &Aws) -> Result<Option<Tags>, Error> {
        let body = body(name, aws).await?;
        Ok(body.map(|body| note::taken(body).1))
    }
}

impl Dashboard {
    /// Writes the whole dashboard, with these tags in its note. CloudWatch accepts its own tags only when the
    /// dashboard is created ("PutDashboard", CloudWatch API reference): they are for an organisation's bills,
    /// and the deployer does not read them.
    async fn put(&self, tags: &Tags, aws: &Aws) -> Result<(), Error> {
        let body = note::written(&self.body, tags).to_string();
        let call = aws.cloudwatch.put_dashboard().dashboard_name(&self.name).dashboard_body(body);
        let sent = call.set_tags(Some(to_sdk(tags))).send().await;
        let refused = sent.as_ref().err().and_then(refused);
        let answer = sent.called();
        let answer = answer.map_err(|error| match refused {
            Some(why) => Error { message: format!("{}: {why}", error.message), ..error },
            None => error,
        })?;
        // CloudWatch has stored the dashboard, but does not show all of it.
        match answer.dashboard_validation_messages() {
            [] => Ok(()),
            messages => {
                let text = format!("CloudWatch does not show all of {}: {}", self.name, said(messages));
                Err(Error::other("PutDashboard", text))
            }
        }
    }
}

/// Returns the name. It contains the Region, because all Regions of an account share the names of dashboards
/// ("PutDashboard", CloudWatch API reference).
fn name(scope: &Scope) -> String {
    format!("{}-{}", scope.name(THING), scope.region)
}

/// Returns the content of a dashboard, if it exists; as text if it is not JSON.
async fn body(name: &str, aws: &Aws) -> Result<Option<Value>, Error> {
    let call = aws.cloudwatch.get_dashboard().dashboard_name(name);
    let answer = call.send().await.called().gone_is_none()?;
    let body = answer.map(|answer| answer.dashboard_body.unwrap_or_default());
    Ok(body.map(|body| serde_json::from_str(&body).unwrap_or(Value::String(body))))
}

/// Returns the problems that CloudWatch reports with a rejected body.
fn refused<R>(error: &SdkError<PutDashboardError, R>) -> Option<String> {
    match error.as_service_error()? {
        PutDashboardError::DashboardInvalidInputError(invalid) => {
            let messages = invalid.dashboard_validation_messages();
            (!messages.is_empty()).then(|| said(messages))
        }
        _ => None,
    }
}

fn said(messages: &[DashboardValidationMessage]) -> String {
    let one = |message: &DashboardValidationMessage| {
        format!("{} {}", message.data_path().unwrap_or_default(), message.message().unwrap_or_default())
    };
    messages.iter().map(one).map(|said| said.trim().to_owned()).collect::<Vec<_>>().join("; ")
}

/// Returns the ARN, which has no Region ("TagResource", CloudWatch API reference).
fn arn(scope: &Scope, name: &str) -> String {
    format!("arn:{}:cloudwatch::{}:dashboard/{name}", scope.partition(), scope.account)
}

fn to_sdk(tags: &Tags) -> Vec<Tag> {
    tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect()
}

#[cfg(test)]
mod tests;
