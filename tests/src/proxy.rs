//! Network latency between the deployer and the cloud: each request arrives later, and none waits for
//! another.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until};

use crate::cloud::Cloud;

/// A port of loopback that adds latency to a cloud, until the value is dropped.
#[derive(Debug)]
pub struct Proxy {
    endpoint: String,
    accepting: JoinHandle<()>,
}

impl Proxy {
    /// Starts a proxy that adds this round-trip time to each request.
    ///
    /// # Errors
    /// Fails if no port is free.
    pub fn start(cloud: &Cloud, latency: Duration) -> io::Result<Self> {
        let listener = cloud.wait(TcpListener::bind("127.0.0.1:0"))?;
        let endpoint = format!("http://{}", listener.local_addr()?);
        let target = cloud.endpoint().trim_start_matches("http://").to_owned();
        let accepting = cloud.spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                tokio::spawn(carry(near, target.clone(), latency));
            }
        });
        Ok(Self { endpoint, accepting })
    }

    /// Returns the endpoint of AWS's APIs with latency.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// Forwards one connection: requests are delayed, answers are not.
async fn carry(near: TcpStream, target: String, latency: Duration) -> io::Result<()> {
    let far = TcpStream::connect(target).await?;
    // Small writes that are combined would add further delay.
    near.set_nodelay(true)?;
    far.set_nodelay(true)?;
    let (mut from_near, mut to_near) = near.into_split();
    let (mut from_far, mut to_far) = far.into_split();
    let (late, mut due) = mpsc::unbounded_channel::<(Instant, Vec<u8>)>();
    let there = async {
        // The queue of bytes in flight: all of them are delayed equally.
        while let Some((at, bytes)) = due.recv().await {
            sleep_until(at).await;
            to_far.write_all(&bytes).await?;
        }
        to_far.shutdown().await
    };
    let sent = async {
        let mut buffer = vec![0; 64 * 1024];
        loop {
            let read = from_near.read(&mut buffer).await?;
            let bytes = buffer[..read].to_vec();
            if read == 0 || late.send((Instant::now() + latency, bytes)).is_err() {
                drop(late);
                return Ok(());
            }
        }
    };
    let back = async {
        tokio::io::copy(&mut from_far, &mut to_near).await?;
        to_near.shutdown().await
    };
    tokio::try_join!(there, sent, back).map(drop)
}
