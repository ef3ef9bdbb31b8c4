//! Resources that were created a moment ago, and have not propagated everywhere yet.

use std::time::Duration;

use engine::error::{Class, Error};
use engine::resource::{Resource, Tags, changed};

use crate::{Aws, wait_until};

/// How long a new resource may be unknown. A new bucket is known everywhere within two minutes
/// (terraform-provider-aws, internal/service/s3), a new table or stream usually at once.
const KNOWN: Duration = Duration::from_secs(120);

/// Waits until a new resource is known, then sets the tags and settings that the create call does not accept,
/// or that an interrupted attempt did not reach.
pub(super) async fn finish<R>(created: &R, tags: &Tags, aws: &Aws) -> Result<(), Error>
where
    R: Resource<Cloud = Aws>,
{
    let what = format!("{} to be known", created.name());
    let live = wait_until(&what, KNOWN, || async {
        match created.read(aws).await {
            Err(error) if error.class == Class::Propagating => Ok(None),
            other => other,
        }
    })
    .await?;
    let tagged = live.tags.unwrap_or_default();
    if !tags.iter().all(|(key, value)| tagged.get(key) == Some(value)) {
        created.tag(tags, aws).await.map_err(retry_not_found)?;
    }
    created.update(&live.resource, &changed(&live.resource, created), aws).await.map_err(retry_not_found)
}

/// Makes a "not found" error retryable: for a moment, any call may not find a new resource.
pub(super) fn retry_not_found(error: Error) -> Error {
    error.of_newborn()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use engine::resource::Node;
    use engine::retry::retried;

    use super::*;
    use crate::policy::Policy;
    use crate::resources::alarm::Alarm;
    use crate::resources::bucket::Bucket;
    use crate::resources::function::Function;
    use crate::resources::log_group::LogGroup;
    use crate::resources::mapping::{Mapping, MappingSettings};
    use crate::resources::role::Role;
    use crate::resources::stream::Stream;
    use crate::resources::table::Table;
    use crate::testing::{Script, body, events_key, fault, scope};

    fn role() -> Role {
        Role::for_service(&scope(), "capture", "lambda.amazonaws.com", Policy::allowing(&[]))
    }

    fn group() -> LogGroup {
        LogGroup::of_function(&scope(), "demo-dev-capture", 7)
    }

    fn mapping() -> Mapping {
        let stream = "arn:aws:kinesis:eu-central-1:111111111111:stream/demo-dev-events";
        Mapping::stream("demo-dev-archive", stream, MappingSettings::default())
    }

    /// The tags of a new resource are set soon after its creation. The resources that it refers to may be new,
    /// too.
    #[tokio::test]
    async fn new_resource_not_found_is_retried() {
        let gone = || fault(404, "ResourceNotFoundException", "not found");
        let made = "<CreateRoleResponse><CreateRoleResult></CreateRoleResult></CreateRoleResponse>";
        let creates: [(Box<dyn Node<Aws>>, Script); 3] = [
            (
                Box::new(role()),
                Script::new()
                    .on("CreateRole", body(made))
                    .on("PutRolePolicy", fault(404, "NoSuchEntity", "The role cannot be found.")),
            ),
            (
                Box::new(group()),
                Script::new().on("CreateLogGroup", body("")).on("PutRetentionPolicy", gone()),
            ),
            (Box::new(mapping()), Script::new().on("CreateEventSourceMapping", gone())),
        ];
        for (node, script) in creates {
            let error =
                node.create(&scope().tags(), &script.aws()).await.expect_err("the resource is not known yet");
            assert_eq!(error.class, Class::Propagating, "{}: {error}", node.id());
        }
        let tagged: [(Box<dyn Node<Aws>>, &'static str); 7] = [
            (Box::new(role()), "TagRole"),
            (Box::new(group()), "TagResource"),
            (Box::new(Alarm::errors(&scope(), "failing", "demo-dev-capture")), "TagResource"),
            (Box::new(Function::new(&scope(), "capture", "arn", Vec::new())), "TagResource"),
            (Box::new(Table::new(&scope(), "events", events_key())), "TagResource"),
            (Box::new(Stream::new(&scope(), "events")), "AddTagsToStream"),
            (Box::new(Bucket::new(&scope(), "archive")), "GetBucketTagging"),
        ];
        for (node, call) in tagged {
            let script = Script::new().on(call, fault(404, "ResourceNotFoundException", "not found"));
            let error =
                node.tag(&scope().tags(), &script.aws()).await.expect_err("the resource is not known yet");
            assert_eq!(error.class, Class::Propagating, "{}: {error}", node.id());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn new_log_group_not_found_is_retried_soon() {
        let exists = fault(400, "ResourceAlreadyExistsException", "it exists");
        let script = Script::new()
            .on("CreateLogGroup", body(""))
            .on("CreateLogGroup", exists)
            .on("ListTagsForResource", body(serde_json::json!({"tags": scope().tags()})))
            .on("PutRetentionPolicy", fault(400, "ResourceNotFoundException", "not found"))
            .on("PutRetentionPolicy", body(""));
        let (group, aws, tags) = (group(), script.aws(), scope().tags());
        let started = tokio::time::Instant::now();
        retried(async || Node::create(&group, &tags, &aws).await).await.expect("the log group becomes known");
        assert!(started.elapsed() < Duration::from_secs(1));
        assert_eq!(script.sent("PutRetentionPolicy").len(), 2);
    }
}
