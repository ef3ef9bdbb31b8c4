//! S3: objects by key, strongly consistent, with conditional puts ("Amazon S3 data consistency
//! model" and "Conditional requests", S3 user guide).

use std::{collections::BTreeMap, sync::Arc};

use storage::bucket::{Bucket, Expected, Object, Objects};
use uuid::Uuid;

use super::{
    World, lock,
    process::{OutOfReach, Process},
};

/// The objects of the bucket, by key.
pub(crate) type Kept = BTreeMap<String, Object>;

/// The bucket, as one process sees it.
#[derive(Debug, Clone)]
pub(crate) struct BucketOf(pub(crate) Process);

impl World {
    /// Stores an object, and returns its entity tag.
    pub(crate) fn put_object(&self, key: &str, body: &[u8]) -> String {
        // Derived from the content, as in S3: equal objects have equal tags.
        let etag = Uuid::new_v5(&Uuid::NAMESPACE_OID, body).simple().to_string();
        let object = Object { body: body.to_vec(), etag: etag.clone() };
        lock(&self.bucket).insert(key.to_owned(), object);
        self.change();
        etag
    }

    fn put_object_if(&self, key: &str, body: &[u8], expected: &Expected) -> Option<String> {
        let state = lock(&self.bucket).get(key).map(|object| object.etag.clone());
        let as_expected = match (expected, state) {
            (Expected::Nothing, state) => state.is_none(),
            (Expected::State(expected), Some(state)) => *expected == state,
            (Expected::State(_), None) => false,
        };
        as_expected.then(|| self.put_object(key, body))
    }
}

impl Objects for BucketOf {
    type Error = OutOfReach;

    async fn get(&self, key: &str) -> Result<Option<Object>, OutOfReach> {
        let of = key.to_owned();
        let get = move |world: &World| lock(&world.bucket).get(&of).cloned();
        self.0.call(|| format!("GetObject {key}"), get).await
    }

    async fn list(&self, prefix: &str, after: Option<&str>) -> Result<Vec<String>, OutOfReach> {
        let (start, behind) = (prefix.to_owned(), after.map(str::to_owned));
        let list = move |world: &World| {
            let page = 1 + world.chance.mostly_small(20);
            let bucket = lock(&world.bucket);
            let keys = bucket.keys().filter(|key| key.starts_with(&start));
            let keys = keys.filter(|key| behind.as_ref().is_none_or(|behind| *key > behind));
            keys.take(page).cloned().collect()
        };
        self.0.call(|| format!("ListObjectsV2 {prefix} after {after:?}"), list).await
    }
}

impl Bucket for BucketOf {
    async fn put(&self, key: &str, _: &str, body: Vec<u8>) -> Result<(), OutOfReach> {
        let (of, body) = (key.to_owned(), Arc::new(body));
        let put = move |world: &World| drop(world.put_object(&of, &body));
        self.0.call(|| format!("PutObject {key}"), put).await
    }

    async fn put_if(
        &self,
        key: &str,
        _: &str,
        body: Vec<u8>,
        expected: &Expected,
    ) -> Result<Option<String>, OutOfReach> {
        let (of, body, expects) = (key.to_owned(), Arc::new(body), expected.clone());
        let put = move |world: &World| world.put_object_if(&of, &body, &expects);
        self.0.call(|| format!("PutObject {key} in place of {expected:?}"), put).await
    }
}
