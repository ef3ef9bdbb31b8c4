//! A log of the calls sent, one JSON line each, for tests and debugging.

use std::fs::File;
use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::{
    AfterDeserializationInterceptorContextRef, BeforeTransmitInterceptorContextRef,
};
use aws_smithy_runtime_api::client::orchestrator::Metadata;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::{ConfigBag, Layer, Storable, StoreReplace};
use serde_json::json;

/// Writes `{"service", "operation", "path", "start_ms", "end_ms", "ok"}` for each attempt of a call.
#[derive(Debug, Clone)]
pub struct CallLog {
    file: Arc<Mutex<File>>,
    opened: Instant,
}

#[derive(Debug)]
struct Started {
    at_ms: f64,
    path: String,
}

impl Storable for Started {
    type Storer = StoreReplace<Self>;
}

impl CallLog {
    /// Returns a log that writes to this file.
    pub fn to(file: File) -> Self {
        Self { file: Arc::new(Mutex::new(file)), opened: Instant::now() }
    }

    fn elapsed_ms(&self) -> f64 {
        self.opened.elapsed().as_secs_f64() * 1000.0
    }
}

impl Intercept for CallLog {
    fn name(&self) -> &'static str {
        "CallLog"
    }

    fn read_before_transmit(
        &self,
        context: &BeforeTransmitInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let mut layer = Layer::new("CallLog");
        layer.store_put(Started { at_ms: self.elapsed_ms(), path: path(context.request().uri()).to_owned() });
        config.push_layer(layer);
        Ok(())
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let metadata = config.load::<Metadata>();
        let started = config.load::<Started>();
        let line = json!({
            "service": metadata.map(Metadata::service),
            "operation": metadata.map(Metadata::name),
            "path": started.map(|started| &started.path),
            "start_ms": started.map(|started| started.at_ms),
            "end_ms": self.elapsed_ms(),
            "ok": context.output_or_error().is_ok(),
        });
        let mut file = self.file.lock().expect("no writer panics while it holds the file");
        writeln!(file, "{line}")?;
        Ok(())
    }
}

/// Returns the path of a URI. It names the resource if the service does not expect the name in the body.
fn path(uri: &str) -> &str {
    let rest = uri.split_once("://").map_or(uri, |(_, rest)| rest);
    let path = rest.find('/').map_or("/", |at| &rest[at..]);
    path.split_once('?').map_or(path, |(path, _)| path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn path_leaves_out_host_and_query() {
        assert_eq!(
            path("https://lambda.eu-central-1.amazonaws.com/2015/functions/f?Qualifier=1"),
            "/2015/functions/f"
        );
        assert_eq!(path("http://127.0.0.1:4566"), "/");
        assert_eq!(path("/bucket?versioning"), "/bucket");
    }
}
