//! Tests of reading answers: the same whatever the pieces, and never a panic.

use std::time::Duration;

use proptest::prelude::*;

use super::*;

/// What a reader made of an answer.
#[derive(Debug, PartialEq, Eq)]
struct Seen {
    status: u16,
    body: Vec<u8>,
    used: usize,
    keep_alive: bool,
    retry_after: Option<Duration>,
}

/// Feeds an answer in pieces, as a connection does: what is left of one is offered again.
fn read(pieces: &[&[u8]]) -> Result<Option<Seen>, Malformed> {
    let mut reader = ResponseReader::new();
    let mut body = Vec::new();
    let mut input = Vec::new();
    let mut done = 0;
    for piece in pieces {
        input.extend_from_slice(piece);
        loop {
            let step = reader.advance(&input)?;
            body.extend_from_slice(step.body);
            let (used, ended) = (step.used, step.ended);
            input.drain(..used);
            done += used;
            if ended {
                let (keep_alive, retry_after) = (reader.keep_alive(), reader.retry_after());
                let status = reader.status();
                return Ok(Some(Seen { status, body, used: done, keep_alive, retry_after }));
            }
            if used == 0 || input.is_empty() {
                break;
            }
        }
    }
    Ok(None)
}

fn whole(text: &str) -> Seen {
    read(&[text.as_bytes()]).unwrap().expect("a whole answer")
}

fn refused(text: &str) -> bool {
    read(&[text.as_bytes()]) == Err(Malformed::Syntax)
}

#[test]
fn a_body_of_known_length_ends_where_it_says() {
    let seen = whole("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhelloHTTP");
    assert_eq!((seen.body.as_slice(), seen.used), (&b"hello"[..], 43));
}

#[test]
fn chunks_are_put_together_without_their_frames() {
    let seen = whole(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n\
         5;a=b\r\nhello\r\n00A\r\n, everyone\r\n0\r\nTrailer: 1\r\n\r\n",
    );
    assert_eq!(seen.body, b"hello, everyone");
    assert!(seen.keep_alive);
}

#[test]
fn answers_without_a_body_end_with_their_head() {
    for status in [204, 304] {
        let seen = whole(&format!("HTTP/1.1 {status} x\r\nContent-Length: 9\r\n\r\n"));
        assert_eq!((seen.status, seen.body.len()), (status, 0));
    }
}

#[test]
fn interim_answers_are_passed_over() {
    let seen = whole(
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nContent-Length: 3\r\n\r\n\
         HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n",
    );
    assert_eq!((seen.status, seen.body.len()), (201, 0));
}

#[test]
fn a_service_that_closes_is_believed_in_any_spelling() {
    let close = |head: &str| !whole(&format!("{head}\r\nContent-Length: 0\r\n\r\n")).keep_alive;
    assert!(close("HTTP/1.1 200 OK\r\nconnection: Upgrade, CLOSE"));
    assert!(close("HTTP/1.0 200 OK"));
    assert!(!close("HTTP/1.0 200 OK\r\nConnection: keep-alive"));
    assert!(!close("HTTP/1.1 200"));
}

#[test]
fn a_body_without_a_length_lasts_as_long_as_its_connection() {
    let mut reader = ResponseReader::new();
    let head = b"HTTP/1.1 200 OK\r\n\r\n";
    assert_eq!(reader.advance(head).unwrap().used, head.len());
    let step = reader.advance(b"and so on").unwrap();
    assert_eq!((step.body, step.ended), (&b"and so on"[..], false));
    assert!(reader.ends_with_connection() && !reader.keep_alive());
}

#[test]
fn seconds_to_come_back_after_are_understood_and_dates_are_not() {
    let after = |value: &str| {
        let text = format!("HTTP/1.1 503 x\r\nRetry-After: {value}\r\nContent-Length: 0\r\n\r\n");
        whole(&text).retry_after
    };
    assert_eq!(after("120"), Some(Duration::from_mins(2)));
    assert_eq!(after("Fri, 31 Dec 1999 23:59:59 GMT"), None);
    assert_eq!(after("-1"), None);
    assert_eq!(after("99999999999999999999999"), None);
}

#[test]
fn what_could_be_read_in_two_ways_is_refused() {
    let with = |header: &str| format!("HTTP/1.1 200 OK\r\n{header}\r\n\r\nabcdef");
    for header in [
        "Content-Length: 3\r\nContent-Length: 4",
        "Content-Length: 3\r\nTransfer-Encoding: chunked",
        "Content-Length: +3",
        "Content-Length: 3, 3",
        "Content-Length:",
        "Content-Length : 3",
        "Content-Length: 99999999999999999999999",
        "Transfer-Encoding: gzip, chunked",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
        "X: 1\r\n folded",
        "no colon",
        ": no name",
    ] {
        assert!(refused(&with(header)), "{header}");
    }
}

#[test]
fn what_does_not_begin_like_an_answer_is_refused() {
    for line in [
        "SSH-2.0-x",
        "HTTP/2 200",
        "HTTP/1.2 200 OK",
        "HTTP/1.1 20",
        "HTTP/1.1 2000 x",
        "HTTP/1.1 099 x",
        "HTTP/1.1 2x0 x",
        "HTTP/1.1 101 Switching",
        "",
    ] {
        assert!(refused(&format!("{line}\r\n\r\n")), "{line}");
    }
}

#[test]
fn chunks_that_lie_about_their_size_are_refused() {
    let with = |chunks: &str| {
        refused(&format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}"))
    };
    assert!(with("3\r\nabcd\r\n0\r\n\r\n"));
    assert!(with("x\r\n"));
    assert!(with("\r\n"));
    assert!(with("11111111111111111\r\n"));
    assert!(with("-1\r\n"));
}

#[test]
fn a_head_without_end_is_given_up() {
    let lines = format!("HTTP/1.1 200 OK\r\n{}", "x: y\r\n".repeat(HEAD_LIMIT));
    assert_eq!(read(&[lines.as_bytes()]), Err(Malformed::TooLong));
    let one = format!("HTTP/1.1 200 OK\r\nx: {}", "y".repeat(HEAD_LIMIT));
    assert_eq!(read(&[one.as_bytes()]), Err(Malformed::TooLong));
    let interim = "HTTP/1.1 100 x\r\n\r\n".repeat(HEAD_LIMIT / 10);
    assert_eq!(read(&[interim.as_bytes()]), Err(Malformed::TooLong));
}

#[test]
fn a_body_in_many_small_chunks_is_no_head_without_end() {
    let chunks = "1\r\nx\r\n".repeat(HEAD_LIMIT);
    let text = format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}0\r\n\r\n");
    assert_eq!(whole(&text).body.len(), HEAD_LIMIT);
}

#[test]
fn trailers_without_end_are_given_up() {
    let trailers = "x: y\r\n".repeat(HEAD_LIMIT);
    let text = format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n{trailers}");
    assert_eq!(read(&[text.as_bytes()]), Err(Malformed::TooLong));
}

/// Answers as services give them, in every framing.
fn answer() -> impl Strategy<Value = Vec<u8>> {
    let body = proptest::collection::vec(any::<u8>(), 0..60);
    (200_u16..600, body, 0_u8..3, any::<bool>(), 1_usize..20).prop_map(
        |(status, body, framing, interim, chunk)| {
            let mut text = Vec::new();
            if interim {
                text.extend_from_slice(b"HTTP/1.1 102 Busy\r\nX: y\r\n\r\n");
            }
            text.extend_from_slice(format!("HTTP/1.1 {status} As Is\r\n").as_bytes());
            if matches!(status, 204 | 304) || framing == 0 {
                let length = if matches!(status, 204 | 304) { 0 } else { body.len() };
                text.extend_from_slice(format!("Content-Length: {length}\r\n\r\n").as_bytes());
                text.extend_from_slice(&body[..length]);
                return text;
            }
            text.extend_from_slice(b"retry-after: 3\nTransfer-Encoding: chunked\r\n\r\n");
            for part in body.chunks(chunk) {
                text.extend_from_slice(format!("{:X}\r\n", part.len()).as_bytes());
                text.extend_from_slice(part);
                text.extend_from_slice(b"\r\n");
            }
            text.extend_from_slice(b"0\r\n\r\n");
            text
        },
    )
}

proptest! {
    #[test]
    fn an_answer_is_the_same_wherever_it_is_cut(text in answer()) {
        let at_once = read(&[&text]).unwrap();
        prop_assert!(at_once.is_some());
        prop_assert_eq!(at_once.as_ref().unwrap().used, text.len());
        for cut in 0..=text.len() {
            let (first, second) = text.split_at(cut);
            prop_assert_eq!(&read(&[first, second]).unwrap(), &at_once, "cut at {}", cut);
        }
        let bytes: Vec<&[u8]> = text.chunks(1).collect();
        prop_assert_eq!(&read(&bytes).unwrap(), &at_once);
    }

    #[test]
    fn nothing_that_arrives_is_a_panic(
        noise in proptest::collection::vec(any::<u8>(), 0..200), cut: prop::sample::Index,
    ) {
        let (first, second) = noise.split_at(cut.index(noise.len() + 1));
        drop(read(&[first, second]));
    }

    #[test]
    fn an_answer_with_one_byte_changed_is_no_panic_and_cut_alike(
        text in answer(), place: prop::sample::Index, byte: u8, cut: prop::sample::Index,
    ) {
        let mut text = text;
        let place = place.index(text.len());
        text[place] = byte;
        let (first, second) = text.split_at(cut.index(text.len() + 1));
        prop_assert_eq!(read(&[first, second]), read(&[&text]));
    }
}
