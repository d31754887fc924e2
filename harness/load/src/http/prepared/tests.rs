//! Tests of the bytes that are sent.

use std::io::Read as _;
use std::sync::Arc;

use cutover_model::Secret;
use flate2::read::GzDecoder;

use super::super::plan::{BodyRule, Header};
use super::*;

fn endpoint(host: &str) -> Endpoint {
    Endpoint { host: host.into(), port: 8086, tls: None }
}

fn post(body: Body, gzip: Option<u32>) -> HttpRequest {
    HttpRequest {
        method: Method::Post,
        path: "/api/v2/write?org=o".into(),
        headers: vec![Header { name: "Authorization".into(), value: Secret::new("Token t") }],
        body,
        gzip,
        answer: Answer { status: 204, body: BodyRule::Any },
    }
}

fn made(request: &HttpRequest, k: u64) -> (Vec<u8>, u64) {
    let plan = [Prepared::new(request, &endpoint("db")).unwrap()];
    let (mut outgoing, mut press) = (Outgoing::default(), Press::default());
    // Once for the same buffers to have been used before.
    plan[0].make(0, k + 1, &mut outgoing, &mut press);
    let work = plan[0].make(0, k, &mut outgoing, &mut press);
    (outgoing.rest(&plan).to_vec(), work)
}

fn text(request: &HttpRequest, k: u64) -> String {
    String::from_utf8(made(request, k).0).unwrap()
}

fn written() -> Body {
    Body::Written(Arc::new(|k, buffer| {
        buffer.extend(std::iter::repeat_n(b'x', usize::try_from(k).unwrap()));
        k * 2
    }))
}

fn payload(bytes: &[u8], work: u64) -> Payload {
    Payload { bytes: bytes.to_vec(), work }
}

#[test]
fn a_fixed_body_is_sent_behind_its_length() {
    assert_eq!(
        text(&post(Body::Fixed(payload(b"m v=1", 1)), None), 7),
        "POST /api/v2/write?org=o HTTP/1.1\r\nHost: db:8086\r\nAuthorization: Token t\r\n\
         Content-Length: 5\r\n\r\nm v=1",
    );
}

#[test]
fn a_request_without_a_body_says_so_only_where_one_is_expected() {
    let post = post(Body::Empty { work: 1 }, None);
    assert!(text(&post, 0).ends_with("\r\nContent-Length: 0\r\n\r\n"));
    let get = HttpRequest { method: Method::Get, headers: vec![], ..post };
    assert_eq!(text(&get, 0), "GET /api/v2/write?org=o HTTP/1.1\r\nHost: db:8086\r\n\r\n");
}

#[test]
fn bodies_come_in_turn_with_their_work() {
    let request = post(Body::InTurn(vec![payload(b"a", 1), payload(b"bb", 2)]), None);
    assert!(text(&request, 5).ends_with("Content-Length: 2\r\n\r\nbb"));
    assert_eq!(made(&request, 5).1, 2);
    assert_eq!(made(&request, 8).1, 1);
}

#[test]
fn a_written_body_of_any_length_is_sent_behind_its_length() {
    for k in [0, 9, 10, 99_999, 100_000] {
        let (bytes, work) = made(&post(written(), None), k);
        let text = String::from_utf8(bytes).unwrap();
        assert!(text.starts_with("POST /api"), "{k}");
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(head.ends_with(&format!("\r\nContent-Length: {k}")), "{head}");
        assert_eq!((body.len() as u64, work), (k, k * 2));
    }
}

#[test]
fn a_compressed_body_is_the_body_again_at_every_level() {
    let plain = vec![b'x'; 50_000];
    for body in [written(), Body::Fixed(payload(&plain, 100_000))] {
        for level in 0..=9 {
            let (bytes, _) = made(&post(body.clone(), Some(level)), 50_000);
            let end = bytes.windows(4).position(|part| part == b"\r\n\r\n").unwrap();
            let head = std::str::from_utf8(&bytes[..end]).unwrap();
            let packed = &bytes[end + 4..];
            assert!(head.contains("\r\nContent-Encoding: gzip\r\n"), "{head}");
            assert!(head.ends_with(&format!("Content-Length: {}", packed.len())), "{head}");
            let mut unpacked = Vec::new();
            GzDecoder::new(packed).read_to_end(&mut unpacked).unwrap();
            assert_eq!(unpacked, plain, "level {level}");
        }
    }
}

#[test]
fn a_request_that_is_sent_again_is_sent_whole() {
    for body in [written(), Body::Fixed(payload(b"abc", 1))] {
        let plan = [Prepared::new(&post(body, None), &endpoint("db")).unwrap()];
        let mut outgoing = Outgoing::default();
        plan[0].make(0, 3, &mut outgoing, &mut Press::default());
        let first = outgoing.rest(&plan).to_vec();
        outgoing.wrote(first.len());
        assert!(outgoing.rest(&plan).is_empty());
        outgoing.rewind();
        assert_eq!(outgoing.rest(&plan), first);
    }
}

#[test]
fn an_address_of_the_sixth_version_is_bracketed() {
    let request = HttpRequest { method: Method::Get, ..post(Body::Empty { work: 1 }, None) };
    let head = head(&request, &endpoint("::1")).unwrap();
    assert!(String::from_utf8(head).unwrap().contains("\r\nHost: [::1]:8086\r\n"));
}

#[test]
fn nothing_can_be_smuggled_into_a_head() {
    let fine = post(Body::Empty { work: 1 }, None);
    let header = |name: &str, value: &str| Header { name: name.into(), value: Secret::new(value) };
    let wrong = [
        HttpRequest { path: "/a b".into(), ..fine.clone() },
        HttpRequest { path: "/a\r\nX: y".into(), ..fine.clone() },
        HttpRequest { path: "a".into(), ..fine.clone() },
        HttpRequest { headers: vec![header("X", "1\r\nY: 2")], ..fine.clone() },
        HttpRequest { headers: vec![header("X: 1\r\nY", "2")], ..fine.clone() },
        HttpRequest { headers: vec![header("", "2")], ..fine.clone() },
    ];
    for request in wrong {
        let refused = Prepared::new(&request, &endpoint("db")).err().expect("refused");
        assert!(matches!(refused, RunError::NotHttp(_)), "{refused}");
    }
    assert!(Prepared::new(&fine, &endpoint("d b")).is_err());
}

#[test]
fn a_refused_header_does_not_show_its_value() {
    let headers = vec![Header { name: "A".into(), value: Secret::new("s3cr3t\n") }];
    let request = HttpRequest { headers, ..post(Body::Empty { work: 1 }, None) };
    let refused = Prepared::new(&request, &endpoint("db")).err().expect("refused");
    assert!(!refused.to_string().contains("s3cr3t"));
    assert!(!format!("{request:?}").contains("s3cr3t"));
}
