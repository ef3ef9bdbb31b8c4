//! Permissions that the caller needs for functions ("Actions, resources, and condition keys for AWS Lambda",
//! Service Authorization Reference; "GetFunction", Lambda API reference, for the tags in its answer).

use engine::scope::Scope;

use crate::AwsNames;
use crate::policy::Statement;

/// Returns the permissions for all calls about the scope's functions.
pub(super) fn permissions(scope: &Scope) -> Vec<Statement> {
    let functions = scope.arn("lambda", &format!("function:{}*", scope.prefix()));
    let roles = scope.iam_arn(&format!("role{}*", scope.role_path()));
    vec![
        // A listing is not about a single function.
        Statement::new("FunctionsList", ["lambda:ListFunctions"], ["*".to_owned()]),
        Statement::new(
            "FunctionsRead",
            [
                "lambda:GetFunction",
                "lambda:GetFunctionRecursionConfig",
                "lambda:GetPolicy",
                "lambda:ListTags",
            ],
            [functions.clone()],
        ),
        Statement::new(
            "FunctionsWrite",
            [
                "lambda:CreateFunction",
                "lambda:DeleteFunction",
                "lambda:DeleteFunctionConcurrency",
                "lambda:PutFunctionConcurrency",
                "lambda:PutFunctionRecursionConfig",
                "lambda:RemovePermission",
                "lambda:TagResource",
                "lambda:UpdateFunctionCode",
                "lambda:UpdateFunctionConfiguration",
            ],
            [functions],
        ),
        Statement::new("RolesPass", ["iam:PassRole"], [roles]).when(
            "StringEquals",
            "iam:PassedToService",
            "lambda.amazonaws.com",
        ),
    ]
}
