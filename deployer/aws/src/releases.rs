//! The release record as an SSM parameter of the environment, a version for each entry.

use std::io::{Read, Write};

use aws_sdk_ssm::types::{ParameterTier, ParameterType, Tag};
use base64::{Engine, engine::general_purpose::STANDARD};
use engine::error::{Class, Error, GoneIsNone};
use engine::release::{Recorded, Release, ReleaseRecord, SCHEMA, name};
use engine::scope::Scope;
use flate2::{Compression, read::ZlibDecoder, write::ZlibEncoder};
use jiff::Timestamp;

use super::names::AwsNames;
use super::{Aws, Called};
use crate::policy::Statement;

/// What a parameter of the standard tier holds, in bytes ("PutParameter", Systems Manager API
/// reference). A longer record is packed; one of the advanced tier holds twice as much.
const STANDARD_TIER: usize = 4096;
const ADVANCED_TIER: usize = 8192;
/// What a packed record begins with.
const PACKED: &str = "zlib:";
/// Stands for the prefix of our names, which no name has in it.
const PREFIX: &str = "~";

impl ReleaseRecord for Aws {
    const RECORD_KIND: &'static str = "ssm.parameter";

    async fn last_release(&self) -> Result<Option<Recorded>, Error> {
        const CALL: &str = "GetParameter";
        let answer = self.ssm.get_parameter().name(name(&self.scope)).send().await;
        let parameter = answer.called(CALL).gone_is_none()?.and_then(|answer| answer.parameter);
        let recorded = parameter.map(|parameter| {
            recorded(
                CALL,
                &self.scope,
                parameter.value(),
                parameter.version(),
                parameter.last_modified_date(),
            )
        });
        recorded.transpose()
    }

    async fn releases(&self) -> Result<Vec<Recorded>, Error> {
        const CALL: &str = "GetParameterHistory";
        let pages = self.ssm.get_parameter_history().name(name(&self.scope)).into_paginator().send();
        let pages = pages.try_collect().await.called(CALL).gone_is_none()?.unwrap_or_default();
        // What another version of this program wrote is history that this one cannot read.
        let mut entries: Vec<Recorded> = pages
            .iter()
            .flat_map(|page| page.parameters())
            .filter_map(|entry| {
                let at = entry.last_modified_date();
                recorded(CALL, &self.scope, entry.value(), entry.version(), at).ok()
            })
            .collect();
        entries.sort_by_key(|entry| entry.number);
        Ok(entries)
    }

    async fn record(&self, release: &Release, first: bool) -> Result<u64, Error> {
        const CALL: &str = "PutParameter";
        // Tags are taken only with a new parameter.
        let tags = self.scope.all_tags().into_iter();
        let tags = tags.map(|(key, value)| Tag::builder().key(key).value(value).build());
        let tags =
            tags.collect::<Result<Vec<_>, _>>().map_err(|error| Error::other(CALL, error.to_string()))?;
        let answer = self
            .ssm
            .put_parameter()
            .name(name(&self.scope))
            .description("What deployer has deployed here, and when; `deployer history` shows it")
            .r#type(ParameterType::String)
            .tier(ParameterTier::IntelligentTiering)
            .value(written(release, &self.scope)?)
            .overwrite(!first)
            .set_tags(first.then_some(tags))
            .send()
            .await
            .called(CALL)?;
        Ok(answer.version().try_into().unwrap_or_default())
    }

    async fn forget_releases(&self) -> Result<(), Error> {
        let call = self.ssm.delete_parameter().name(name(&self.scope));
        call.send().await.called("DeleteParameter").gone_is_none().map(drop)
    }
}

/// Returns what the caller has to be allowed on the record.
pub fn permissions(scope: &Scope) -> Vec<Statement> {
    // The name begins with a slash of its own.
    let arn = scope.arn("ssm", &format!("parameter{}", name(scope)));
    vec![
        Statement::new("ReleaseRead", ["ssm:GetParameter", "ssm:GetParameterHistory"], [arn.clone()]),
        Statement::new(
            "ReleaseWrite",
            ["ssm:PutParameter", "ssm:AddTagsToResource", "ssm:DeleteParameter"],
            [arn],
        ),
    ]
}

fn written(release: &Release, scope: &Scope) -> Result<String, Error> {
    let text = serde_json::to_string(release).expect("a release is plain data");
    let text = text.replace(&scope.prefix(), PREFIX);
    if text.len() <= STANDARD_TIER {
        return Ok(text);
    }
    let mut packer = ZlibEncoder::new(Vec::new(), Compression::best());
    let packed = packer.write_all(text.as_bytes()).and_then(|()| packer.finish());
    let packed = packed.expect("memory can be written");
    let packed = format!("{PACKED}{}", STANDARD.encode(packed));
    if packed.len() <= ADVANCED_TIER {
        return Ok(packed);
    }
    Err(Error::other("PutParameter", format!("the release record has {} bytes when packed", packed.len()))
        .hint(format!("AWS keeps at most {ADVANCED_TIER}: make two stacks of this one")))
}

fn recorded(
    call: &str,
    scope: &Scope,
    value: Option<&str>,
    version: i64,
    at: Option<&aws_smithy_types::DateTime>,
) -> Result<Recorded, Error> {
    let release = read(value.unwrap_or_default(), scope).filter(|release| release.schema == SCHEMA);
    let Some(release) = release else {
        let message = format!("{} holds no release record that this program knows", name(scope));
        return Err(Error::new(Class::Other, call, message).hint(
            "another version of the deployer wrote it, or something else has this name; if nobody needs it, \
                 delete the parameter (`aws ssm delete-parameter`): nothing but history is lost",
        ));
    };
    Ok(Recorded {
        release,
        number: version.try_into().unwrap_or_default(),
        at: at.and_then(|at| Timestamp::from_second(at.secs()).ok()),
    })
}

fn read(value: &str, scope: &Scope) -> Option<Release> {
    let text = match value.strip_prefix(PACKED) {
        None => value.to_owned(),
        Some(packed) => {
            let mut text = String::new();
            let packed = STANDARD.decode(packed).ok()?;
            ZlibDecoder::new(packed.as_slice()).read_to_string(&mut text).ok()?;
            text
        }
    };
    serde_json::from_str(&text.replace(PREFIX, &scope.prefix())).ok()
}

#[cfg(test)]
mod tests {
    use engine::release::State;

    use super::*;
    use crate::testing::scope;

    fn release(resources: usize) -> Release {
        let ids = (0..resources).map(|n| format!("logs.log-group//aws/lambda/demo-dev-function-{n}"));
        Release {
            schema: SCHEMA,
            run: "0a1b2c3d".into(),
            state: State::Begun,
            release: Some("4b5b545-dirty".into()),
            by: "arn:aws:sts::111111111111:assumed-role/deployer/me@example.com".into(),
            changes: Default::default(),
            deployed: ids.collect(),
            making: Default::default(),
            changing: Default::default(),
        }
    }

    #[test]
    fn what_is_written_reads_back_the_same_whatever_its_size() {
        for resources in [0, 33, 120, 500] {
            let release = release(resources);
            let text = written(&release, &scope()).expect("it fits");
            assert!(text.len() <= ADVANCED_TIER);
            assert_eq!(read(&text, &scope()), Some(release));
        }
    }

    #[test]
    fn a_record_of_a_release_stays_readable_for_people() {
        let text = written(&release(33), &scope()).expect("it fits");
        assert!(text.contains("~function-7"), "{text}");
    }

    #[test]
    fn one_that_cannot_be_kept_says_so() {
        let mut release = release(0);
        // Nothing packs a hash.
        release.deployed =
            (0..1200u64).map(|n| format!("{:016x}", n.wrapping_mul(0x9e37_79b9_7f4a_7c15))).collect();
        let error = written(&release, &scope()).expect_err("it is too long");
        assert!(error.to_string().contains("bytes when packed"), "{error}");
    }

    #[test]
    fn what_is_no_record_is_not_taken_for_one() {
        for value in [None, Some(""), Some("hello"), Some("zlib:!"), Some("{}")] {
            assert!(recorded("GetParameter", &scope(), value, 1, None).is_err(), "{value:?}");
        }
    }
}
