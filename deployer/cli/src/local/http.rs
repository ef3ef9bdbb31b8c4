//! A minimal HTTP client for MiniStack's own endpoints: loopback only, no request body, limited time.
//! HTTP/1.0 keeps it small: the response ends when the connection closes.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// A response.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: String,
}

/// Sends a request without a body to a port of this machine.
pub(super) async fn request(port: u16, method: &str, path: &str, within: Duration) -> io::Result<Answer> {
    let exchange = async {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
        let head = format!("{method} {path} HTTP/1.0\r\nHost: 127.0.0.1:{port}\r\nContent-Length: 0\r\n\r\n");
        stream.write_all(head.as_bytes()).await?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await?;
        parse(&String::from_utf8_lossy(&answer))
    };
    match timeout(within, exchange).await {
        Ok(answer) => answer,
        Err(_) => Err(io::ErrorKind::TimedOut.into()),
    }
}

/// Returns whether a program accepts connections on a port of this machine.
pub(super) async fn is_taken(port: u16) -> bool {
    let connect = TcpStream::connect(("127.0.0.1", port));
    matches!(timeout(Duration::from_secs(2), connect).await, Ok(Ok(_)))
}

fn parse(answer: &str) -> io::Result<Answer> {
    let not_http = || io::Error::new(io::ErrorKind::InvalidData, "the answer is not HTTP");
    let (head, body) = answer.split_once("\r\n\r\n").ok_or_else(not_http)?;
    let mut start = head.split(' ');
    let protocol = start.next().filter(|protocol| protocol.starts_with("HTTP/"));
    let status = protocol.and(start.next()).and_then(|status| status.parse().ok());
    Ok(Answer { status: status.ok_or_else(not_http)?, body: body.to_owned() })
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    /// Answers one connection and returns its port.
    async fn serve(answer: &'static str) -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = [0; 1024];
            let _ = stream.read(&mut request).await.unwrap();
            stream.write_all(answer.as_bytes()).await.unwrap();
        });
        port
    }

    #[tokio::test]
    async fn http_answer_has_status_and_body() {
        let port = serve("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n{}").await;
        let answer = request(port, "GET", "/health", Duration::from_secs(5)).await.unwrap();
        assert_eq!((answer.status, answer.body.as_str()), (200, "{}"));
    }

    #[tokio::test]
    async fn answer_that_is_not_http_is_an_error() {
        let port = serve("SSH-2.0-OpenSSH_9.2\r\n").await;
        let error = request(port, "GET", "/", Duration::from_secs(5)).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
    }

    #[tokio::test]
    async fn silent_port_times_out() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let error = request(port, "GET", "/", Duration::from_millis(50)).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert!(is_taken(port).await);
        drop(listener);
        assert!(!is_taken(port).await);
    }
}
