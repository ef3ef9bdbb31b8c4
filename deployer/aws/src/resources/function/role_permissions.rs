//! What else a function's settings require: permissions of its role, because Lambda makes calls with the role,
//! and permissions of the principal that deploys the function.

use super::Function;
use crate::arn_part;
use crate::policy::Statement;
use crate::resources::existing::Existing;
use crate::resources::key;

impl Function {
    /// Returns the permissions of the role that Lambda needs to start and run the function with its settings.
    pub fn starting(&self) -> Vec<Statement> {
        [self.decrypting(), self.networking(), self.sending_traces(), self.sending_dead_letters()]
            .into_iter()
            .flatten()
            .collect()
    }

    /// Lambda also creates a grant for the role, but it is void after the role is deleted and created again;
    /// a policy is not ("Securing Lambda environment variables", Lambda developer guide).
    fn decrypting(&self) -> Option<Statement> {
        let encrypted = self.kms_key.as_ref().filter(|_| !self.environment.is_empty());
        key::through("lambda", "kms:Decrypt", encrypted, &["environment"])
    }

    /// "Giving Lambda functions access to resources in an Amazon VPC" (Lambda developer guide). These actions
    /// are for Lambda, not for the function's code, whose calls have the key `lambda:SourceFunctionArn`: the
    /// guide denies them to the code by that key. A negated condition is also met by calls without the key
    /// ("IAM JSON policy elements: Condition operators", IAM user guide).
    fn networking(&self) -> Option<Statement> {
        let actions = [
            "ec2:AssignPrivateIpAddresses",
            "ec2:CreateNetworkInterface",
            "ec2:DeleteNetworkInterface",
            "ec2:DescribeNetworkInterfaces",
            "ec2:DescribeSubnets",
            "ec2:UnassignPrivateIpAddresses",
        ];
        self.vpc.as_ref()?;
        let statement = Statement::new("ManageNetworkInterfaces", actions, ["*".to_owned()]);
        Some(statement.when("ArnNotEquals", "lambda:SourceFunctionArn", &self.arn))
    }

    /// "Visualize Lambda function invocations using AWS X-Ray" (Lambda developer guide). Neither action
    /// supports a resource ("Actions, resources, and condition keys for AWS X-Ray", Service Authorization
    /// Reference).
    fn sending_traces(&self) -> Option<Statement> {
        let actions = ["xray:PutTelemetryRecords", "xray:PutTraceSegments"];
        (self.tracing == "Active").then(|| Statement::new("SendTraces", actions, ["*".to_owned()]))
    }

    /// "Adding a dead-letter queue" (Lambda developer guide).
    fn sending_dead_letters(&self) -> Option<Statement> {
        let target = self.dead_letter_target.as_deref()?;
        let action = if is_of(target, "sns") { "sns:Publish" } else { "sqs:SendMessage" };
        Some(Statement::new("SendDeadLetters", [action], [target.to_owned()]))
    }

    /// Returns what the principal that deploys this function needs in addition to the permissions of the
    /// kind: the deployer looks up the resources of others that the function uses, and Lambda checks that the
    /// principal may see the network and the layers that it gives to a function ("AWS::Lambda::Function",
    /// permissions of its handlers, CloudFormation resource schemas).
    pub fn deploying(&self) -> Vec<Statement> {
        let network = self.vpc.as_ref().map(|_| {
            let actions = ["ec2:DescribeSecurityGroups", "ec2:DescribeSubnets", "ec2:DescribeVpcs"];
            // None of them supports a resource.
            Statement::new("FunctionsNetwork", actions, ["*".to_owned()])
        });
        let layers = (!self.layers.is_empty())
            .then(|| Statement::new("FunctionsLayers", ["lambda:GetLayerVersion"], self.layers.clone()));
        let others = self.existing().iter().filter_map(Existing::looking);
        network.into_iter().chain(layers).chain(others).collect()
    }
}

/// Returns whether an ARN belongs to this service.
pub(super) fn is_of(arn: &str, service: &str) -> bool {
    arn.starts_with("arn:") && arn_part(arn, 2) == Some(service)
}
