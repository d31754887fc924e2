//! The network as its users see it: bytes, latency, cuts, resets and crashes, in virtual time.
//!
//! HTTP over it is tested in `http.rs` beside this.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use std::io;
use std::time::Duration;

use cutover_net::{Dial, Link, Network, Stream};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Instant, sleep, timeout};

const MINUTE: Duration = Duration::from_mins(1);

fn link() -> Link {
    Link::between("client", "server")
}

/// A server that sends back what it reads.
fn echo(network: &Network) {
    let mut listener = network.listen("server", 1).unwrap();
    let dial = Dial::new(network, "server", MINUTE);
    network.spawn("server", async move {
        while let Ok(stream) = listener.accept().await {
            dial.spawn(async move {
                let (mut reader, mut writer) = tokio::io::split(stream);
                drop(tokio::io::copy(&mut reader, &mut writer).await);
                drop(writer.shutdown().await);
            });
        }
    });
}

async fn connected(network: &Network) -> Stream {
    network.connect("client", "server", 1).await.unwrap()
}

async fn exchange(stream: &mut Stream, text: &[u8]) -> io::Result<Vec<u8>> {
    stream.write_all(text).await?;
    let mut answer = vec![0; text.len()];
    stream.read_exact(&mut answer).await?;
    Ok(answer)
}

#[tokio::test(start_paused = true)]
async fn what_is_written_is_read_in_order() {
    let network = Network::default();
    echo(&network);
    let mut stream = connected(&network).await;
    assert_eq!(exchange(&mut stream, b"one").await.unwrap(), b"one");
    assert_eq!(exchange(&mut stream, b"two").await.unwrap(), b"two");
}

#[tokio::test(start_paused = true)]
async fn each_hop_takes_one_latency() {
    let network = Network::new(Duration::from_millis(30));
    echo(&network);
    let start = Instant::now();
    let mut stream = connected(&network).await;
    assert_eq!(start.elapsed().as_millis(), 60, "connecting is one round trip");
    exchange(&mut stream, b"x").await.unwrap();
    assert_eq!(start.elapsed().as_millis(), 120, "an exchange is another");
}

/// Would run for two hours if latency took real time.
#[tokio::test(start_paused = true)]
async fn an_hour_of_latency_takes_no_real_time() {
    let network = Network::default();
    echo(&network);
    network.set_latency(&link(), Duration::from_mins(30));
    let start = Instant::now();
    exchange(&mut connected(&network).await, b"x").await.unwrap();
    assert_eq!(start.elapsed().as_secs(), 7200);
}

#[tokio::test(start_paused = true)]
async fn a_latency_set_later_holds_for_open_connections() {
    let network = Network::default();
    echo(&network);
    let mut stream = connected(&network).await;
    network.set_latency(&link(), Duration::from_millis(300));
    let start = Instant::now();
    exchange(&mut stream, b"x").await.unwrap();
    assert_eq!(start.elapsed().as_millis(), 600);
}

#[tokio::test(start_paused = true)]
async fn bytes_sent_under_a_lower_latency_do_not_overtake() {
    let network = Network::new(Duration::from_millis(500));
    echo(&network);
    let mut stream = connected(&network).await;
    stream.write_all(b"slow").await.unwrap();
    network.set_latency(&link(), Duration::ZERO);
    stream.write_all(b"fast").await.unwrap();
    let mut answer = [0; 8];
    stream.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"slowfast");
}

#[tokio::test(start_paused = true)]
async fn more_than_the_window_still_arrives_whole() {
    let network = Network::new(Duration::from_millis(1));
    echo(&network);
    let (mut reader, mut writer) = tokio::io::split(connected(&network).await);
    let sent: Vec<u8> = (0..1_000_000_u32).map(|n| n.to_le_bytes()[n as usize % 3]).collect();
    let copy = sent.clone();
    let writing = tokio::spawn(async move {
        writer.write_all(&copy).await.unwrap();
        writer.shutdown().await.unwrap();
    });
    let mut received = Vec::new();
    reader.read_to_end(&mut received).await.unwrap();
    writing.await.unwrap();
    assert!(received == sent);
}

#[tokio::test(start_paused = true)]
async fn a_writer_waits_while_nobody_reads() {
    let network = Network::default();
    let mut listener = network.listen("server", 1).unwrap();
    let mut stream = connected(&network).await;
    let _silent = listener.accept().await.unwrap();
    let flood = vec![0; 10_000_000];
    assert!(timeout(MINUTE, stream.write_all(&flood)).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_finished_peer_is_read_as_an_end() {
    let network = Network::default();
    echo(&network);
    let mut stream = connected(&network).await;
    stream.write_all(b"last").await.unwrap();
    stream.shutdown().await.unwrap();
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).await.unwrap();
    assert_eq!(rest, b"last");
}

#[tokio::test(start_paused = true)]
async fn a_port_that_nobody_listens_on_refuses_after_a_round_trip() {
    let network = Network::new(Duration::from_millis(30));
    let start = Instant::now();
    let refused = network.connect("client", "server", 1).await.unwrap_err();
    assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused);
    assert_eq!(start.elapsed().as_millis(), 60);
}

#[tokio::test(start_paused = true)]
async fn a_port_is_bound_once_and_again_after_its_listener() {
    let network = Network::default();
    let first = network.listen("server", 1).unwrap();
    assert_eq!(network.listen("server", 1).unwrap_err().kind(), io::ErrorKind::AddrInUse);
    drop(first);
    assert!(network.listen("server", 1).is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_cut_holds_bytes_back_and_a_heal_delivers_them() {
    let network = Network::new(Duration::from_millis(10));
    echo(&network);
    let mut stream = connected(&network).await;
    let cut = network.cut(&link());
    stream.write_all(b"held").await.unwrap();
    let mut answer = [0; 4];
    assert!(timeout(MINUTE, stream.read_exact(&mut answer)).await.is_err());
    cut.heal();
    stream.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"held");
}

#[tokio::test(start_paused = true)]
async fn a_cut_holds_back_what_was_under_way_already() {
    let network = Network::new(Duration::from_millis(10));
    echo(&network);
    let mut stream = connected(&network).await;
    stream.write_all(b"late").await.unwrap();
    let start = Instant::now();
    let cut = network.cut(&link());
    sleep(Duration::from_millis(100)).await;
    cut.heal();
    let mut answer = [0; 4];
    stream.read_exact(&mut answer).await.unwrap();
    assert_eq!(start.elapsed().as_millis(), 120, "both hops begin at the heal");
}

#[tokio::test(start_paused = true)]
async fn a_connect_waits_for_the_heal() {
    let network = Network::default();
    echo(&network);
    let cut = network.cut(&link());
    let dial = Dial::new(&network, "client", 2 * MINUTE);
    let connecting = tokio::spawn(async move { dial.connect("server", 1).await });
    sleep(MINUTE).await;
    assert!(!connecting.is_finished());
    cut.heal();
    connecting.await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_connect_does_not_outlast_its_limit() {
    let network = Network::default();
    let _cut = network.cut(&link());
    let start = Instant::now();
    let failed = Dial::new(&network, "client", MINUTE).connect("server", 1).await.unwrap_err();
    assert_eq!(failed.kind(), io::ErrorKind::TimedOut);
    assert_eq!(start.elapsed(), MINUTE);
}

#[tokio::test(start_paused = true)]
async fn a_link_is_healed_only_after_the_last_of_its_cuts() {
    let network = Network::default();
    echo(&network);
    let (first, second) = (network.cut(&link()), network.cut(&link()));
    drop(first);
    assert!(timeout(MINUTE, connected(&network)).await.is_err());
    drop(second);
    connected(&network).await;
}

#[tokio::test(start_paused = true)]
async fn a_cut_leaves_other_links_alone() {
    let network = Network::default();
    echo(&network);
    let _cut = network.cut(&Link::between("server", "somebody"));
    exchange(&mut connected(&network).await, b"x").await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_reset_breaks_open_connections_and_not_later_ones() {
    let network = Network::default();
    echo(&network);
    let mut stream = connected(&network).await;
    exchange(&mut stream, b"x").await.unwrap();
    assert_eq!(network.reset(&link()), 1);
    let broken = exchange(&mut stream, b"x").await.unwrap_err();
    assert_eq!(broken.kind(), io::ErrorKind::ConnectionReset);
    exchange(&mut connected(&network).await, b"x").await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_reset_wakes_a_reader_that_waits() {
    let network = Network::default();
    echo(&network);
    let mut stream = connected(&network).await;
    let reading = tokio::spawn(async move { stream.read_u8().await });
    sleep(MINUTE).await;
    network.reset(&link());
    let broken = timeout(MINUTE, reading).await.expect("the reader is woken").unwrap();
    assert_eq!(broken.unwrap_err().kind(), io::ErrorKind::ConnectionReset);
}

#[tokio::test(start_paused = true)]
async fn a_crash_refuses_connects_until_somebody_listens_again() {
    let network = Network::default();
    echo(&network);
    let mut stream = connected(&network).await;
    network.crash("server");
    let broken = exchange(&mut stream, b"x").await.unwrap_err();
    assert_eq!(broken.kind(), io::ErrorKind::ConnectionReset);
    let refused = network.connect("client", "server", 1).await.unwrap_err();
    assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused);
    echo(&network);
    exchange(&mut connected(&network).await, b"x").await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn behind_a_cut_nobody_learns_of_a_crash() {
    let network = Network::default();
    echo(&network);
    let mut stream = connected(&network).await;
    let cut = network.cut(&link());
    network.crash("server");
    assert!(timeout(MINUTE, stream.read_u8()).await.is_err());
    cut.heal();
    assert_eq!(stream.read_u8().await.unwrap_err().kind(), io::ErrorKind::ConnectionReset);
}

#[tokio::test(start_paused = true)]
async fn dropping_the_network_ends_its_tasks() {
    let network = Network::default();
    let (alive, ended) = tokio::sync::oneshot::channel::<()>();
    network.spawn("server", async move {
        let _alive = alive;
        std::future::pending::<()>().await;
    });
    sleep(MINUTE).await;
    drop(network);
    assert!(timeout(MINUTE, ended).await.expect("the task is dropped").is_err());
}

#[tokio::test(start_paused = true)]
async fn dropping_the_network_resets_what_others_still_hold() {
    let network = Network::default();
    echo(&network);
    let mut stream = connected(&network).await;
    let reading = tokio::spawn(async move { stream.read_u8().await });
    sleep(MINUTE).await;
    drop(network);
    let broken = timeout(MINUTE, reading).await.expect("the reader is woken").unwrap();
    assert_eq!(broken.unwrap_err().kind(), io::ErrorKind::ConnectionReset);
}

/// Ten clients that write at their own pace through latency, a cut and a reset.
async fn drill(pause_ms: u64) -> u64 {
    let network = Network::new(Duration::from_millis(7));
    echo(&network);
    let clients: Vec<_> = (0..10_u64)
        .map(|client| {
            let dial = Dial::new(&network, "client", MINUTE);
            tokio::spawn(async move {
                for n in 0..20 {
                    sleep(Duration::from_millis(client * 13 % 29 + pause_ms)).await;
                    let Ok(mut stream) = dial.connect("server", 1).await else { continue };
                    drop(exchange(&mut stream, format!("{client}.{n}").as_bytes()).await);
                }
            })
        })
        .collect();
    sleep(Duration::from_millis(200)).await;
    let cut = network.cut(&link());
    sleep(Duration::from_millis(150)).await;
    cut.heal();
    sleep(Duration::from_millis(50)).await;
    network.reset(&link());
    for client in clients {
        client.await.unwrap();
    }
    network.traffic_hash()
}

fn run_drill(pause_ms: u64) -> u64 {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(drill(pause_ms))
}

#[test]
fn two_runs_send_the_same_bytes_at_the_same_instants() {
    assert_eq!(run_drill(3), run_drill(3));
}

#[test]
fn another_timing_gives_another_hash() {
    assert_ne!(run_drill(3), run_drill(4));
}
