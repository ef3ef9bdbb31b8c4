//! The names and ARNs of a scope's resources, by AWS's rules.

use engine::scope::Scope;

/// The suffix of bucket names in the namespace of an account and region.
pub(crate) const OWN_NAMESPACE: &str = "-an";
/// The regions where accounts have no namespace for buckets ("Namespaces for general purpose
/// buckets", S3 user guide).
const WITHOUT_OWN_NAMESPACE: [&str; 2] = ["me-central-1", "me-south-1"];

/// The region prefixes of each partition except the default one (botocore, partitions.json).
const PARTITIONS: [(&str, &str); 7] = [
    ("cn-", "aws-cn"),
    ("eu-isoe-", "aws-iso-e"),
    ("eusc-", "aws-eusc"),
    ("us-gov-", "aws-us-gov"),
    ("us-iso-", "aws-iso"),
    ("us-isob-", "aws-iso-b"),
    ("us-isof-", "aws-iso-f"),
];

/// Returns a part of an ARN, from 0: `arn:partition:service:region:account:resource`.
pub fn arn_part(arn: &str, number: usize) -> Option<&str> {
    arn.splitn(6, ':').nth(number)
}

/// Names and ARNs of resources in a scope. The names are unique outside of the scope too.
pub trait AwsNames {
    /// Returns the name of a bucket, which is unique in the whole partition. A name that ends with `-an` is
    /// in the namespace of its account and region, where no other account can take it ("Namespaces for
    /// general purpose buckets", S3 user guide).
    fn bucket_name(&self, thing: &str) -> String;

    /// Returns the name of a role, which is unique in the account: `demo-dev-capture-eu-central-1`.
    fn role_name(&self, thing: &str) -> String;

    /// Returns the IAM path of the environment's roles: `/demo/dev/eu-central-1/`.
    fn role_path(&self) -> String;

    /// Returns the ARN of the role with this name in code.
    fn role_arn(&self, thing: &str) -> String;

    /// Returns the name in code of the resource with this name: without stack and environment, and without
    /// the parts that make it unique outside of the scope.
    fn thing(&self, name: &str) -> String;

    /// Returns the partition of the region, the second part of every ARN.
    fn partition(&self) -> &'static str;

    /// Returns the ARN of a regional resource.
    fn arn(&self, service: &str, resource: &str) -> String;

    /// Returns the ARN of an IAM resource, which has no region.
    fn iam_arn(&self, resource: &str) -> String;
}

impl AwsNames for Scope {
    fn bucket_name(&self, thing: &str) -> String {
        let everywhere = format!("{}-{}-{}", self.name(thing), self.account, self.region);
        if WITHOUT_OWN_NAMESPACE.contains(&self.region.as_str()) {
            everywhere
        } else {
            format!("{everywhere}{OWN_NAMESPACE}")
        }
    }

    fn role_name(&self, thing: &str) -> String {
        format!("{}-{}", self.name(thing), self.region)
    }

    fn role_path(&self) -> String {
        format!("/{}/{}/{}/", self.stack, self.environment, self.region)
    }

    fn role_arn(&self, thing: &str) -> String {
        self.iam_arn(&format!("role{}{}", self.role_path(), self.role_name(thing)))
    }

    fn thing(&self, name: &str) -> String {
        let thing = name.replace(&self.prefix(), "");
        let bucket = self.bucket_name("").replace(&self.prefix(), "");
        let unique = [bucket, format!("-{}", self.region)];
        let short = unique.iter().find_map(|end| thing.strip_suffix(end.as_str()));
        short.map(str::to_owned).unwrap_or(thing)
    }

    fn partition(&self) -> &'static str {
        let special = PARTITIONS.iter().find(|(prefix, _)| self.region.starts_with(prefix));
        special.map_or("aws", |(_, partition)| partition)
    }

    fn arn(&self, service: &str, resource: &str) -> String {
        let (partition, region, account) = (self.partition(), &self.region, &self.account);
        format!("arn:{partition}:{service}:{region}:{account}:{resource}")
    }

    fn iam_arn(&self, resource: &str) -> String {
        format!("arn:{}:iam::{}:{resource}", self.partition(), self.account)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope(region: &str) -> Scope {
        Scope { region: region.into(), ..engine::testing::scope() }
    }

    #[test]
    fn names_are_derived() {
        let scope = scope("eu-central-1");
        assert_eq!(scope.bucket_name("archive"), "demo-dev-archive-111111111111-eu-central-1-an");
        let bahrain = self::scope("me-south-1").bucket_name("archive");
        assert_eq!(bahrain, "demo-dev-archive-111111111111-me-south-1", "the region has no such namespace");
        let role = "arn:aws:iam::111111111111:role/demo/dev/eu-central-1/demo-dev-capture-eu-central-1";
        assert_eq!(scope.role_arn("capture"), role);
        assert_eq!(
            scope.arn("dynamodb", "table/demo-dev-events"),
            "arn:aws:dynamodb:eu-central-1:111111111111:table/demo-dev-events",
        );
    }

    #[test]
    fn thing_is_what_names_are_derived_from() {
        for region in ["eu-central-1", "me-south-1"] {
            let scope = scope(region);
            let dashboard = format!("{}-{region}", scope.name("overview"));
            let names = [
                (scope.name("events"), "events"),
                (scope.bucket_name("archive"), "archive"),
                (scope.role_name("capture"), "capture"),
                (dashboard, "overview"),
                (format!("/aws/lambda/{}", scope.name("capture")), "/aws/lambda/capture"),
                (format!("{0}capture/kinesis/{0}events", scope.prefix()), "capture/kinesis/events"),
            ];
            for (name, thing) in names {
                assert_eq!(scope.thing(&name), thing, "{name}");
            }
        }
    }

    #[test]
    fn partition_follows_the_region() {
        for (region, partition) in [
            ("ap-southeast-7", "aws"),
            ("eu-central-1", "aws"),
            ("il-central-1", "aws"),
            ("us-east-1", "aws"),
            ("cn-north-1", "aws-cn"),
            ("eusc-de-east-1", "aws-eusc"),
            ("us-iso-east-1", "aws-iso"),
            ("us-isob-east-1", "aws-iso-b"),
            ("eu-isoe-west-1", "aws-iso-e"),
            ("us-isof-south-1", "aws-iso-f"),
            ("us-gov-west-1", "aws-us-gov"),
        ] {
            assert_eq!(scope(region).partition(), partition, "{region}");
        }
    }
}
