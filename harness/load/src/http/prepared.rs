//! Requests as bytes: what can be written once is written before the load begins.
//!
//! The main type is [`Prepared`], one request of the plan; [`Outgoing`] is what a connection is
//! about to send. A body that is made for each request goes into the connection's own buffer
//! behind room for its head, so that head and body leave in one piece.

use std::io::Write as _;

use flate2::{Compress, Compression, FlushCompress, Status};

use super::plan::{Answer, Body, BodyWriter, Endpoint, HttpRequest, Method, Payload};
use crate::options::RunError;

/// A length in decimal digits, and the two line ends that close a head.
const LENGTH_ROOM: usize = 20 + 4;

/// A request that is ready to be sent.
pub(crate) struct Prepared {
    pub(crate) answer: Answer,
    source: Source,
}

enum Source {
    /// Whole requests, with the work that each asks for.
    Whole(Vec<(Vec<u8>, u64)>),
    /// A head up to the length, and what makes the body.
    Made { head: Vec<u8>, write: BodyWriter, gzip: Option<u32> },
}

/// What a connection is sending. Its buffer is used again and again.
#[derive(Debug, Default)]
pub(crate) struct Outgoing {
    /// Which whole request, if it is one of those.
    whole: Option<(usize, usize)>,
    buffer: Vec<u8>,
    /// Where the head begins in the buffer.
    start: usize,
    written: usize,
}

/// What a thread needs to compress bodies.
#[derive(Default)]
pub(crate) struct Press {
    plain: Vec<u8>,
    /// Made on first use: a compressor takes 300 KB.
    compress: Option<(u32, Compress)>,
}

impl Prepared {
    pub(crate) fn new(request: &HttpRequest, endpoint: &Endpoint) -> Result<Self, RunError> {
        let head = head(request, endpoint)?;
        if request.gzip.is_some_and(|level| level > 9) {
            return Err(RunError::NotHttp("gzip level".into()));
        }
        let whole = |payload: &Payload| {
            let mut bytes = head.clone();
            let mut packed = Vec::new();
            let body = match request.gzip {
                Some(level) => {
                    Press::default().pack(level, &payload.bytes, &mut packed);
                    &packed
                }
                None => &payload.bytes,
            };
            bytes.extend_from_slice(format!("{}\r\n\r\n", body.len()).as_bytes());
            bytes.extend_from_slice(body);
            (bytes, payload.work)
        };
        let source = match &request.body {
            Body::Empty { work } => {
                let mut bytes = head.clone();
                bytes.extend_from_slice(b"\r\n");
                Source::Whole(vec![(bytes, *work)])
            }
            Body::Fixed(payload) => Source::Whole(vec![whole(payload)]),
            Body::InTurn(payloads) if payloads.is_empty() => {
                return Err(RunError::NotHttp("list of bodies".into()));
            }
            Body::InTurn(payloads) => Source::Whole(payloads.iter().map(whole).collect()),
            Body::Written(write) => Source::Made { head, write: write.clone(), gzip: request.gzip },
        };
        Ok(Self { answer: request.answer.clone(), source })
    }

    /// Makes request `k` ready in `outgoing` and returns the work that it asks for.
    /// `place` is this request's place in the plan.
    pub(crate) fn make(
        &self,
        place: usize,
        k: u64,
        outgoing: &mut Outgoing,
        press: &mut Press,
    ) -> u64 {
        match &self.source {
            Source::Whole(requests) => {
                let turn = in_turn(k, requests.len());
                outgoing.whole = Some((place, turn));
                outgoing.rewind();
                requests[turn].1
            }
            Source::Made { head, write, gzip } => {
                let room = head.len() + LENGTH_ROOM;
                outgoing.whole = None;
                outgoing.buffer.clear();
                outgoing.buffer.resize(room, b' ');
                let work = match gzip {
                    None => write(k, &mut outgoing.buffer),
                    Some(level) => {
                        let mut plain = std::mem::take(&mut press.plain);
                        plain.clear();
                        let work = write(k, &mut plain);
                        press.pack(*level, &plain, &mut outgoing.buffer);
                        press.plain = plain;
                        work
                    }
                };
                outgoing.close_head(head, room);
                work
            }
        }
    }

    fn whole(&self, turn: usize) -> &[u8] {
        match &self.source {
            Source::Whole(requests) => &requests[turn].0,
            Source::Made { .. } => unreachable!("only whole requests are named by their turn"),
        }
    }
}

/// The place of `k` in a list that is gone through again and again.
pub(crate) fn in_turn(k: u64, len: usize) -> usize {
    usize::try_from(k % len as u64).expect("a place below the length of a list")
}

impl Outgoing {
    /// What is still to be written.
    pub(crate) fn rest<'a>(&'a self, plan: &'a [Prepared]) -> &'a [u8] {
        let bytes = match self.whole {
            Some((place, turn)) => plan[place].whole(turn),
            None => &self.buffer,
        };
        &bytes[self.written..]
    }

    pub(crate) fn wrote(&mut self, bytes: usize) {
        self.written += bytes;
    }

    /// Sends the same once more.
    pub(crate) fn rewind(&mut self) {
        self.written = if self.whole.is_some() { 0 } else { self.start };
    }

    /// Writes the head in front of a body that begins at `room`.
    fn close_head(&mut self, head: &[u8], room: usize) {
        let length = self.buffer.len() - room;
        let mut digits = [0_u8; LENGTH_ROOM];
        let mut left = &mut digits[..];
        write!(left, "{length}\r\n\r\n").expect("room for any length");
        let unused = left.len();
        let digits = &digits[..LENGTH_ROOM - unused];
        self.buffer[unused..unused + head.len()].copy_from_slice(head);
        self.buffer[unused + head.len()..room].copy_from_slice(digits);
        self.start = unused;
        self.rewind();
    }
}

impl Press {
    /// Appends `plain` to `out` as one gzip stream.
    fn pack(&mut self, level: u32, plain: &[u8], out: &mut Vec<u8>) {
        let fits = self.compress.as_ref().is_some_and(|(of, _)| *of == level);
        if !fits {
            self.compress = Some((level, Compress::new_gzip(Compression::new(level), 15)));
        }
        let (_, compress) = self.compress.as_mut().expect("made above");
        compress.reset();
        loop {
            let used = usize::try_from(compress.total_in()).expect("no more than was given");
            out.reserve((plain.len() - used) / 4 + 64);
            let status = compress.compress_vec(&plain[used..], out, FlushCompress::Finish);
            match status.expect("a compressor that is fed in order has no error") {
                Status::StreamEnd => return,
                Status::Ok | Status::BufError => {}
            }
        }
    }
}

/// The head up to the value of the body's length, or to its last header if there is no body.
fn head(request: &HttpRequest, endpoint: &Endpoint) -> Result<Vec<u8>, RunError> {
    let HttpRequest { method, path, headers, body, gzip, answer: _ } = request;
    let method = match method {
        Method::Get => "GET",
        Method::Post => "POST",
    };
    let visible = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
    if !path.starts_with('/') || !visible(path) {
        return Err(RunError::NotHttp(format!("path `{path}`")));
    }
    let Endpoint { host, port, tls: _ } = endpoint;
    if !visible(host) {
        return Err(RunError::NotHttp(format!("host `{host}`")));
    }
    let mut head = format!("{method} {path} HTTP/1.1\r\nHost: {}:{port}\r\n", bracketed(host));
    for header in headers {
        let value = header.value.expose();
        let name_fits =
            header.name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        if header.name.is_empty() || !name_fits {
            return Err(RunError::NotHttp(format!("header name `{}`", header.name)));
        }
        if value.bytes().any(|byte| byte.is_ascii_control()) {
            return Err(RunError::NotHttp(format!("value of the header `{}`", header.name)));
        }
        head.extend([header.name.as_str(), ": ", value, "\r\n"]);
    }
    if gzip.is_some() && !matches!(body, Body::Empty { .. }) {
        head.push_str("Content-Encoding: gzip\r\n");
    }
    match body {
        Body::Empty { .. } if request.method == Method::Post => {
            head.push_str("Content-Length: 0\r\n");
        }
        Body::Empty { .. } => {}
        _ => head.push_str("Content-Length: "),
    }
    Ok(head.into_bytes())
}

/// An IPv6 address needs brackets where a port follows.
fn bracketed(host: &str) -> String {
    if host.contains(':') { format!("[{host}]") } else { host.to_owned() }
}

#[cfg(test)]
mod tests;
