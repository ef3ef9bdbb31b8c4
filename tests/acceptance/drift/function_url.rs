//! Manual changes to the URL of a function.

use aws_sdk_lambda::types::{Cors, FunctionUrlAuthType, InvokeMode};
use engine::scope::Scope;

use super::row::{GONE, Row, sent};

pub(super) fn first(scope: &Scope) -> Vec<Row> {
    vec![
        Row::new("access without credentials", id(scope), &["auth_type"], |aws| {
            let call = aws.lambda.update_function_url_config().function_name(aws.scope.name("get-cart"));
            sent(call.auth_type(FunctionUrlAuthType::None).send())
        }),
        Row::new("answers in a stream", id(scope), &["invoke_mode"], |aws| {
            let call = aws.lambda.update_function_url_config().function_name(aws.scope.name("get-cart"));
            sent(call.invoke_mode(InvokeMode::ResponseStream).send())
        }),
        Row::new("access from web pages", id(scope), &["cors"], |aws| {
            let call = aws.lambda.update_function_url_config().function_name(aws.scope.name("get-cart"));
            sent(call.cors(Cors::builder().allow_origins("*").build()).send())
        }),
    ]
}

pub(super) fn gone(scope: &Scope) -> Vec<Row> {
    vec![Row::new("URL deleted", id(scope), GONE, |aws| {
        let call = aws.lambda.delete_function_url_config().function_name(aws.scope.name("get-cart"));
        sent(call.send())
    })]
}

fn id(scope: &Scope) -> String {
    format!("lambda.url/{}", scope.name("get-cart"))
}
