//! The URL of a function: an HTTPS address that invokes it. Only callers with IAM credentials and permission
//! can use it; there is no setting for a public one.
//!
//! AWS cannot tag a URL, and a function has at most one, so it has the name of its function and belongs to the
//! owner of its function. AWS chooses the address when it creates the URL, so the address is not a setting.

mod cors;

use aws_sdk_lambda::operation::get_function_url_config::GetFunctionUrlConfigOutput;
use engine::error::{Class, Error, GoneIsNone};
use engine::resource::{Changed, ImportId, KindInfo, LeftOut, Live, Resource, ResourceId, Tags};
use engine::scope::Scope;
use futures::{StreamExt, TryStreamExt, stream};
use serde::{Deserialize, Serialize};
use struct_to_enum::FieldName;

use self::cors::Cors;
use super::function::Function;
use super::grant::Grant;
use super::sid::sid;
use crate::policy::Statement;
use crate::{Aws, AwsNames, Called};

/// How many functions are asked for their URL at a time: no call lists the URLs of several functions. Lambda
/// allows 15 calls a second for almost all of its operations together ("Lambda quotas", Lambda developer
/// guide).
const ASKED_AT_A_TIME: usize = 15;

/// The URL of a function.
#[derive(Debug, Clone, Serialize, FieldName)]
#[stem_name_derive(PartialOrd, Ord, Deserialize)]
#[stem_name_attr(serde(rename_all = "snake_case"))]
#[stem_name_attr(expect(missing_docs, reason = "the fields have them"))]
pub struct FunctionUrl {
    /// The name of the function.
    name: String,
    /// `AWS_IAM`, or `NONE`, which is never desired: callers need no credentials then.
    auth_type: String,
    /// `BUFFERED` or `RESPONSE_STREAM`.
    invoke_mode: String,
    /// What browsers allow other web pages; never desired, because browsers have no IAM credentials.
    cors: Option<Cors>,
}

impl FunctionUrl {
    /// Returns the URL of the function of this name, for callers with IAM credentials.
    pub fn of(function: impl Into<String>) -> Self {
        Self {
            name: function.into(),
            auth_type: "AWS_IAM".into(),
            invoke_mode: "BUFFERED".into(),
            cors: None,
        }
    }

    /// Returns the address of the URL of this function, which AWS chose, or nothing if it has no URL.
    ///
    /// # Errors
    /// Returns an error if the URL cannot be read.
    pub async fn address(function: &str, aws: &Aws) -> Result<Option<String>, Error> {
        Ok(configuration(function, aws).await?.map(|answer| answer.function_url))
    }

    /// Grants calling a function by its URL, and in no other way. The address is known only after the URL was
    /// created, so no variable holds it. Callers need both permissions ("Control access to Lambda function
    /// URLs", Lambda developer guide).
    pub fn call(function: &Function) -> Grant {
        let statement = |verb, action, operator, key, value| {
            let name = sid(&[verb, function.binary()]);
            Statement::new(name, [action], [function.arn().to_owned()]).when(operator, key, value)
        };
        let auth_type = "lambda:FunctionUrlAuthType";
        let via_url = "lambda:InvokedViaFunctionUrl";
        let call = statement("call", "lambda:InvokeFunctionUrl", "StringEquals", auth_type, "AWS_IAM");
        Grant {
            also: Some(statement("invoke by url", "lambda:InvokeFunction", "Bool", via_url, "true")),
            ..Grant::own::<Self>(Resource::name(function), call)
        }
    }

    async fn put(&self, aws: &Aws) -> Result<(), Error> {
        // An omitted setting does not change; empty settings remove CORS.
        let call = aws.lambda.update_function_url_config().function_name(&self.name);
        let call = call.auth_type(self.auth_type.as_str().into());
        let call = call.invoke_mode(self.invoke_mode.as_str().into()).cors(Cors::none());
        call.send().await.called().map(drop)
    }
}

impl Resource for FunctionUrl {
    type Cloud = Aws;
    type Field = FunctionUrlFieldName;
    const INFO: KindInfo = KindInfo {
        depends_on: &["lambda.function"],
        left_out: &[
            LeftOut { what: "address", why: "AWS chooses it when it creates the URL" },
            LeftOut { what: "URLs of aliases", why: "aliases are not compared" },
        ],
        ..KindInfo::new("lambda.url")
    };

    fn name(&self) -> &str {
        &self.name
    }

    fn needs(&self) -> Vec<ResourceId> {
        vec![ResourceId::new(Function::KIND, &self.name)]
    }

    // A URL cannot be tagged.
    fn parent(&self) -> Option<ResourceId> {
        Some(ResourceId::new(Function::KIND, &self.name))
    }

    fn import_ids(&self) -> Vec<ImportId> {
        vec![ImportId::new("aws_lambda_function_url", &self.name)]
    }

    /// "Actions, resources, and condition keys for AWS Lambda" (Service Authorization Reference).
    fn permissions(scope: &Scope) -> Vec<Statement> {
        let functions = scope.arn("lambda", &format!("function:{}*", scope.prefix()));
        vec![
            // A listing is not about a single function.
            Statement::new("FunctionsList", ["lambda:ListFunctions"], ["*".to_owned()]),
            Statement::new(
                "FunctionsRead",
                // The tags of the function say who owns the URL.
                ["lambda:GetFunction", "lambda:GetFunctionUrlConfig", "lambda:ListTags"],
                [functions.clone()],
            ),
            Statement::new(
                "FunctionsWrite",
                [
                    "lambda:CreateFunctionUrlConfig",
                    "lambda:DeleteFunctionUrlConfig",
                    "lambda:UpdateFunctionUrlConfig",
                ],
                [functions],
            ),
        ]
    }

    async fn read(&self, aws: &Aws) -> Result<Option<Live<Self>>, Error> {
        let live = configuration(&self.name, aws).await?.map(|answer| Self {
            name: self.name.clone(),
            auth_type: answer.auth_type.as_str().to_owned(),
            invoke_mode: answer
                .invoke_mode
                .map_or_else(|| "BUFFERED".into(), |mode| mode.as_str().to_owned()),
            cors: answer.cors.and_then(Cors::from_live),
        });
        Ok(live.map(|resource| Live { resource, tags: None, identity: None }))
    }

    async fn create(&self, _tags: &Tags, aws: &Aws) -> Result<(), Error> {
        let call = aws.lambda.create_function_url_config().function_name(&self.name);
        let call = call.auth_type(self.auth_type.as_str().into());
        let call = call.invoke_mode(self.invoke_mode.as_str().into());
        match call.send().await.called() {
            // An interrupted attempt created it. A function has one URL, which belongs to its owner.
            Err(error) if error.class == Class::Exists => self.put(aws).await,
            created => created.map(drop),
        }
    }

    async fn update(&self, _live: &Self, _changed: &Changed<Self>, aws: &Aws) -> Result<(), Error> {
        self.put(aws).await
    }

    /// Not called: the owner and the stamp are in the tags of the function.
    async fn tag(&self, _tags: &Tags, _aws: &Aws) -> Result<(), Error> {
        Ok(())
    }

    async fn delete(name: &str, aws: &Aws) -> Result<(), Error> {
        let call = aws.lambda.delete_function_url_config().function_name(name);
        call.send().await.called().gone_is_none().map(drop)
    }

    async fn activity(_name: &str, _aws: &Aws) -> Result<Option<&'static str>, Error> {
        Ok(Some("still invokes its function"))
    }

    async fn list(scope: &Scope, aws: &Aws) -> Result<Vec<String>, Error> {
        let with_url = async |name: String| Ok(Self::address(&name, aws).await?.map(|_| name));
        let functions = Function::list(scope, aws).await?;
        let asked = stream::iter(functions).map(with_url).buffered(ASKED_AT_A_TIME);
        asked.try_filter_map(async |name| Ok(name)).try_collect().await
    }

    async fn tags(name: &str, aws: &Aws) -> Result<Option<Tags>, Error> {
        Function::tags(name, aws).await
    }
}

/// Returns the URL of a function, or nothing if it has none.
async fn configuration(function: &str, aws: &Aws) -> Result<Option<GetFunctionUrlConfigOutput>, Error> {
    let call = aws.lambda.get_function_url_config().function_name(function);
    call.send().await.called().gone_is_none()
}

#[cfg(test)]
mod tests;
