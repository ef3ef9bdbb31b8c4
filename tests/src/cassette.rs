//! What a deployer told a cloud, to be told another cloud once more: so what an earlier release deployed is
//! there again, without that release.

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

/// The requests of a run that may have changed something, in the order in which they were answered.
#[derive(Debug, Serialize, Deserialize)]
pub struct Cassette {
    /// The account that they were about.
    account: String,
    /// What the environment file said.
    pub environment: String,
    requests: Vec<Request>,
}

impl Cassette {
    /// Deploys an environment of this text with functions that do nothing, and records how.
    ///
    /// # Errors
    /// There is no port, or the deployer cannot be started.
    pub fn record(place: &Place<'_>, hollow: &Hollow, environment: &str) -> io::Result<(Self, Run)> {
        place.environment("local", environment);
        let told: Arc<Mutex<Vec<Request>>> = Arc::default();
        let cloud = place.cloud;
        let target = cloud.endpoint().trim_start_matches("http://").to_owned();
        let listener = cloud.wait(TcpListener::bind("127.0.0.1:0"))?;
        let endpoint = format!("http://{}", listener.local_addr()?);
        let heard = Arc::clone(&told);
        let accepting = cloud.spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                // What fails here fails in the deployer, which tells.
                tokio::spawn(carry(near, target.clone(), Arc::clone(&heard)));
            }
        });
        let run = Run::of(hollow.command(place, &["up", "local"]).env("AWS_ENDPOINT_URL", endpoint));
        accepting.abort();
        let mut requests = std::mem::take(&mut *told.lock().expect("nobody panics while holding it"));
        requests.iter_mut().for_each(Request::without_code);
        let (account, environment) = (place.account.clone(), environment.to_owned());
        Ok((Self { account, environment, requests }, run))
    }

    /// Tells the cloud the same about the account of a place.
    ///
    /// # Errors
    /// The cloud does not answer.
    ///
    /// # Panics
    /// The cloud refuses what it did not refuse when it was recorded.
    pub fn play(&self, place: &Place<'_>) -> io::Result<()> {
        let target = place.cloud.endpoint().trim_start_matches("http://").to_owned();
        place.cloud.wait(async {
            for request in &self.requests {
                let mut request = request.saying(&self.account, &place.account);
                // A stream of a table is called by the time at which it was made.
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

    /// Reads one that was kept.
    ///
    /// # Errors
    /// It is not there, or is none.
    pub fn read(path: &Path) -> io::Result<Self> {
        let file = GzDecoder::new(BufReader::new(File::open(path)?));
        serde_json::from_reader(file).map_err(io::Error::other)
    }

    /// Keeps it.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write(&self, path: &Path) -> io::Result<()> {
        let mut file = GzEncoder::new(BufWriter::new(File::create(path)?), Compression::best());
        serde_json::to_writer(&mut file, self).map_err(io::Error::other)?;
        file.finish().map(drop)
    }
}

async fn stream_label(place: &Place<'_>) -> String {
    let aws = place.connect(place.cloud.endpoint(), "local").await;
    let table = aws.dynamodb.describe_table().table_name(aws.scope.name("events")).send().await;
    let table = table.expect("it was made before what reads it").table;
    table.and_then(|table| table.latest_stream_label).expect("it has a stream")
}

/// Carries one connection, which ends with its first answer.
async fn carry(mut near: TcpStream, target: String, told: Arc<Mutex<Vec<Request>>>) -> io::Result<()> {
    let Some(request) = Request::read(&mut near).await? else {
        return Ok(());
    };
    let answer = request.send(&target).await?;
    // What is refused and tried again is told once.
    let accepted = answer.starts_with(b"HTTP/1.1 2");
    if request.mutates() && accepted {
        told.lock().expect("nobody panics while holding it").push(request);
    }
    near.write_all(&answer).await
}
