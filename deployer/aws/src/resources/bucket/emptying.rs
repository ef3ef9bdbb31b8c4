//! Emptying a bucket: every version, every delete marker, every unfinished upload.

use aws_sdk_s3::types::{Delete, EncodingType, ObjectIdentifier};
use engine::error::{Class, Error};

use super::changes::incomplete;
use crate::{Aws, Called};

/// A version of an object, or a delete marker.
struct Version {
    key: String,
    id: Option<String>,
}

/// Deletes the current content of the bucket. DeleteBucket fails if there is more.
pub(super) async fn empty(bucket: &str, aws: &Aws) -> Result<(), Error> {
    let (mut key, mut id) = (None, None);
    loop {
        let call = aws.s3.list_object_versions().bucket(bucket).encoding_type(EncodingType::Url);
        let call = call.set_key_marker(key).set_version_id_marker(id);
        let page = call.send().await.called()?;
        let encoding = page.encoding_type.as_ref();
        let versions = page.versions.unwrap_or_default().into_iter().map(|it| (it.key, it.version_id));
        let markers = page.delete_markers.unwrap_or_default().into_iter().map(|it| (it.key, it.version_id));
        let listed = versions.chain(markers).filter_map(|(key, id)| {
            let key = decoded(&key?, encoding);
            Some(Version { key, id })
        });
        let (plain, odd): (Vec<_>, Vec<_>) = listed.partition(|version| fits_xml(&version.key));
        delete_together(bucket, &plain, aws).await?;
        for version in odd {
            let call = aws.s3.delete_object().bucket(bucket).key(version.key).set_version_id(version.id);
            call.send().await.called()?;
        }
        if page.is_truncated != Some(true) {
            break;
        }
        (key, id) = (page.next_key_marker.map(|key| decoded(&key, encoding)), page.next_version_id_marker);
    }
    abort_uploads(bucket, aws).await
}

/// Deletes one page of versions, which is the most that one call accepts.
async fn delete_together(bucket: &str, versions: &[Version], aws: &Aws) -> Result<(), Error> {
    if versions.is_empty() {
        return Ok(());
    }
    let objects = versions.iter().map(|version| {
        let object = ObjectIdentifier::builder().key(&version.key);
        object.set_version_id(version.id.clone()).build()
    });
    let objects = objects.collect::<Result<_, _>>().map_err(incomplete)?;
    let delete = Delete::builder().set_objects(Some(objects)).quiet(true).build().map_err(incomplete)?;
    let call = aws.s3.delete_objects().bucket(bucket).delete(delete);
    let answer = call.send().await.called()?;
    match answer.errors() {
        [] => Ok(()),
        // An answer with status 200 can contain failures.
        [first, ..] => {
            let (failed, of) = (answer.errors().len(), versions.len());
            let key = first.key().unwrap_or_default();
            let why = first.message().unwrap_or_default();
            let class = match first.code() {
                Some("InternalError" | "ServiceUnavailable" | "SlowDown") => Class::Throttled,
                Some("AccessDenied") => Class::Denied,
                _ => Class::Other,
            };
            let message = format!("cannot delete {failed} of {of} versions, the first is `{key}`: {why}");
            let code = first.code().map(str::to_owned);
            let error = Error::new(class, "DeleteObjects", message);
            Err(Error { code, ..error })
        }
    }
}

async fn abort_uploads(bucket: &str, aws: &Aws) -> Result<(), Error> {
    let (mut key, mut id) = (None, None);
    loop {
        let call = aws.s3.list_multipart_uploads().bucket(bucket).encoding_type(EncodingType::Url);
        let call = call.set_key_marker(key).set_upload_id_marker(id);
        let page = call.send().await.called()?;
        let encoding = page.encoding_type.as_ref();
        for upload in page.uploads() {
            let call = aws.s3.abort_multipart_upload().bucket(bucket);
            let call = call.key(decoded(upload.key().unwrap_or_default(), encoding));
            let call = call.set_upload_id(upload.upload_id.clone());
            match call.send().await.called() {
                // The upload was finished or aborted in the meantime.
                Err(error) if error.code.as_deref() == Some("NoSuchUpload") => {}
                other => other.map(drop)?,
            }
        }
        if page.is_truncated != Some(true) {
            return Ok(());
        }
        (key, id) = (page.next_key_marker.map(|key| decoded(&key, encoding)), page.next_upload_id_marker);
    }
}

/// Decodes a listed key. A key can contain characters that XML cannot, so listings are requested in URL
/// encoding, where a space is a plus. The answer says whether it is encoded.
fn decoded(key: &str, encoding: Option<&EncodingType>) -> String {
    if encoding != Some(&EncodingType::Url) {
        return key.to_owned();
    }
    let key = key.replace('+', " ");
    percent_encoding::percent_decode_str(&key).decode_utf8_lossy().into_owned()
}

/// Returns whether XML 1.0 can contain a key: DeleteObjects sends keys in XML.
fn fits_xml(key: &str) -> bool {
    key.chars().all(|c| c >= ' ' && c != '\u{fffe}' && c != '\u{ffff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_decoded() {
        let listed = "events/dt%3D2026-11-21/a+b%2Bc%01";
        assert_eq!(decoded(listed, Some(&EncodingType::Url)), "events/dt=2026-11-21/a b+c\u{1}");
        assert_eq!(decoded("a+b%2B", None), "a+b%2B");
    }

    #[test]
    fn control_characters_do_not_fit_xml() {
        assert!(fits_xml("events/dt=2026-11-21/é"));
        assert!(!fits_xml("a\u{1}"));
    }
}
