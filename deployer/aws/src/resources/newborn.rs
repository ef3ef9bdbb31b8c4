//! What was made a moment ago, and is not known everywhere yet.

use std::time::Duration;

use engine::error::{Class, Error};
use engine::resource::{Resource, Tags, changed};

use crate::{Aws, wait_until};

/// A new bucket is known everywhere after two minutes at the latest
/// (terraform-provider-aws, internal/service/s3). A table and a stream are at once as a rule.
const KNOWN: Duration = Duration::from_secs(120);

/// Waits until a thing that was just made is known, and gives it what its creation did not take,
/// or what an attempt cut short left undone.
pub(super) async fn finish<R>(newborn: &R, tags: &Tags, aws: &Aws) -> Result<(), Error>
where
    R: Resource<Cloud = Aws>,
{
    let what = format!("{} to be known", newborn.name());
    let live = wait_until(&what, KNOWN, || async {
        match newborn.read(aws).await {
            Err(error) if error.class == Class::Propagating => Ok(None),
            other => other,
        }
    })
    .await?;
    let tagged = live.tags.unwrap_or_default();
    if !tags.iter().all(|(key, value)| tagged.get(key) == Some(value)) {
        newborn.tag(tags, aws).await.map_err(not_known_yet)?;
    }
    newborn.update(&live.resource, &changed(&live.resource, newborn), aws).await.map_err(not_known_yet)
}

/// Turns "there is no such thing" into what passes by itself: a thing that was just made can be
/// missing for a moment in any answer.
pub(super) fn not_known_yet(error: Error) -> Error {
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

    /// Tags are the last that a new thing gets, and what a thing is made of may be as new.
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
            let error = node.create(&scope().tags(), &script.aws()).await.expect_err("not now");
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
            let error = node.tag(&scope().tags(), &script.aws()).await.expect_err("not now");
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
        retried(async || Node::create(&group, &tags, &aws).await).await.expect("it is known in the end");
        assert!(started.elapsed() < Duration::from_secs(1));
        assert_eq!(script.sent("PutRetentionPolicy").len(), 2);
    }
}
