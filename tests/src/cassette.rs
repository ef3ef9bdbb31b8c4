//! Recordings of a deployer's requests, to be sent again to another cloud. With them, a deployment of an
//! earlier release exists without that release.

use std::fs::File;
use std::io::{self, BufReader, BufWriter};
use std::path::Path;
use std::sync::{Arc, Mutex};

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use serde::{Deserialize, Serialize};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};

use crate::hollow::Hollow;
use crate::place::{Place, Run};
use crate::request::Request;

/// The requests of a run that may have changed something, in the order of their answers.
#[derive(Debug, Serialize, Deserialize)]
pub struct Cassette {
    /// The account of the recording.
    account: String,
    /// The text of the environment file.
    pub environment: String,
    requests: Vec<Request>,
}

impl Cassette {
    /// Deploys an environment with this text and with functions that do nothing, and records the requests.
    ///
    /// # Errors
    /// Fails if no port is free, or the deployer cannot be started.
    pub fn record(place: &Place<'_>, hollow: &Hollow, environment: &str) -> io::Result<(Self, Run)> {
        place.environment("local", environment);
        let requests_seen: Arc<Mutex<Vec<Request>>> = Arc::default();
        let cloud = place.cloud;
        let target = cloud.endpoint().trim_start_matches("http://").to_owned();
        let listener = cloud.wait(TcpListener::bind("127.0.0.1:0"))?;
        let endpoint = format!("http://{}", listener.local_addr()?);
        let heard = Arc::clone(&requests_seen);
        let accepting = cloud.spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                // An error here also fails the deployer, which reports it.
                tokio::spawn(carry(near, target.clone(), Arc::clone(&heard)));
            }
        });
        let run = Run::of(hollow.command(place, &["up", "local"]).env("AWS_ENDPOINT_URL", endpoint));
        accepting.abort();
        let mut requests = std::mem::take(&mut *requests_seen.lock().expect("the lock is never poisoned"));
        requests.iter_mut().for_each(Request::without_code);
        let (account, environment) = (place.account.clone(), environment.to_owned());
        Ok((Self { account, environment, requests }, run))
    }

    /// Sends the recorded requests to the place's cloud, for the place's account.
    ///
    /// # Errors
    /// Fails if the cloud does not answer.
    ///
    /// # Panics
    /// Panics if the cloud refuses a request that succeeded when it was recorded.
    pub fn play(&self, place: &Place<'_>) -> io::Result<()> {
        let target = place.cloud.endpoint().trim_start_matches("http://").to_owned();
        place.cloud.wait(async {
            for request in &self.requests {
                let mut request = request.saying(&self.account, &place.account);
                // The label of a table's stream is the time at which the stream was created.
                if let Some(label) = request.stream_label() {
                    request = request.saying(&label, &stream_label(place).await);
                }
                let answer = request.send(&target).await?;
                let first = String::from_utf8_lossy(&answer).lines().next().unwrap_or_default().to_owned();
                assert!(first.contains(" 2"), "{first}: {request:?}");
            }
            Ok(())
        })
    }

    /// Reads a stored recording.
    ///
    /// # Errors
    /// Fails if the file does not exist, or is not a recording.
    pub fn read(path: &Path) -> io::Result<Self> {
        let file = GzDecoder::new(BufReader::new(File::open(path)?));
        serde_json::from_reader(file).map_err(io::Error::other)
    }

    /// Stores the recording.
    ///
    /// # Errors
    /// Fails if the file cannot be written.
    pub fn write(&self, path: &Path) -> io::Result<()> {
        let mut file = GzEncoder::new(BufWriter::new(File::create(path)?), Compression::best());
        serde_json::to_writer(&mut file, self).map_err(io::Error::other)?;
        file.finish().map(drop)
    }
}

async fn stream_label(place: &Place<'_>) -> String {
    let aws = place.connect(place.cloud.endpoint(), "local").await;
    let table = aws.dynamodb.describe_table().table_name(aws.scope.name("events")).send().await;
    let table = table.expect("the table was created before the functions that read its stream").table;
    table.and_then(|table| table.latest_stream_label).expect("the table has a stream")
}

/// Forwards one connection, which ends after its first answer.
async fn carry(
    mut near: TcpStream,
    target: String,
    requests_seen: Arc<Mutex<Vec<Request>>>,
) -> io::Result<()> {
    let Some(request) = Request::read(&mut near).await? else {
        return Ok(());
    };
    let answer = request.send(&target).await?;
    // A refused request that is retried is recorded once.
    let accepted = answer.starts_with(b"HTTP/1.1 2");
    if request.mutates() && accepted {
        requests_seen.lock().expect("the lock is never poisoned").push(request);
    }
    near.write_all(&answer).await
}
