//! Tests that need no MiniStack; the acceptance tests start one.

use tokio::net::TcpListener;

use super::*;

#[tokio::test]
async fn local_cloud_stop_without_start_writes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let cloud = LocalCloud::new(dir.path().join("local"), 1);
    assert_eq!(cloud.stop().await.unwrap(), Stopped::NothingRan);
    assert!(!dir.path().join("local").exists());
    assert_eq!(cloud.status().await.unwrap(), LocalStatus::Stopped);
    let error = cloud.reset().await.unwrap_err();
    assert_eq!(error.to_string(), "no local cloud runs on port 1");
}

#[tokio::test]
async fn unmanaged_port_is_refused_before_installation() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    // Closing the connection at once makes the health request fail fast.
    let server = tokio::spawn(async move {
        loop {
            drop(listener.accept().await.unwrap());
        }
    });
    let dir = tempfile::tempdir().unwrap();
    let cloud = LocalCloud::new(dir.path().to_owned(), port);
    let error = cloud.start(&|_| ()).await.unwrap_err();
    assert!(matches!(error, LocalError::PortTaken { .. }), "{error}");
    assert!(!dir.path().join(format!("ministack-{VERSION}")).exists());
    let holder = "another program".to_owned();
    assert_eq!(cloud.status().await.unwrap(), LocalStatus::PortInUse { holder });
    server.abort();
}

#[tokio::test]
async fn stale_local_cloud_process_counts_as_stopped() {
    let dir = tempfile::tempdir().unwrap();
    let cloud = LocalCloud::new(dir.path().to_owned(), 1);
    fs::create_dir_all(cloud.instance()).unwrap();
    let me = i32::try_from(std::process::id()).unwrap();
    for pid in [me, i32::MAX] {
        let state = State { pid, port: 1, version: VERSION.to_owned(), started_at: Timestamp::UNIX_EPOCH };
        state.write(&cloud.state_file()).unwrap();
        assert_eq!(cloud.status().await.unwrap(), LocalStatus::Stopped);
        assert_eq!(cloud.stop().await.unwrap(), Stopped::NothingRan);
        assert!(!cloud.state_file().exists());
    }
}

#[test]
fn log_tail_is_the_end_of_the_log() {
    let dir = tempfile::tempdir().unwrap();
    let log = dir.path().join("log");
    assert_eq!(tail(&log), "");
    let lines: Vec<_> = (0..50).map(|line| line.to_string()).collect();
    fs::write(&log, lines.join("\n")).unwrap();
    assert!(tail(&log).starts_with("30\n"));
}
