//! Finds where a request ends, and reads no more of it than that.
//!
//! The main type is [`RequestReader`]. It takes what arrived piece by piece and keeps nothing of
//! a body but its length.

use memchr::memmem;

/// A longer head is no head of a load generator.
const HEAD_LIMIT: usize = 64 * 1024;

/// Where one connection is in its current request.
#[derive(Debug, Default)]
pub(crate) struct RequestReader {
    head: Vec<u8>,
    body_left: Option<u64>,
    body: u64,
}

/// What a piece of input led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Read {
    /// The request goes on.
    More,
    /// The request has ended after so many bytes of this piece, and its body had this length.
    Ended { used: usize, body: u64 },
    /// This is no request.
    Wrong,
}

impl RequestReader {
    pub(crate) fn read(&mut self, input: &[u8]) -> Read {
        let mut used = 0;
        let left = if let Some(left) = self.body_left {
            left
        } else {
            let before = self.head.len();
            self.head.extend_from_slice(&input[..input.len().min(HEAD_LIMIT)]);
            // The end may lie across the seam of two pieces.
            let from = before.saturating_sub(3);
            let Some(end) = memmem::find(&self.head[from..], b"\r\n\r\n") else {
                return if self.head.len() > HEAD_LIMIT { Read::Wrong } else { Read::More };
            };
            let end = from + end + 4;
            used = end - before;
            let Some(length) = content_length(&self.head[..end]) else { return Read::Wrong };
            self.head.clear();
            self.body = length;
            length
        };
        let here = (input.len() - used) as u64;
        if here < left {
            self.body_left = Some(left - here);
            return Read::More;
        }
        self.body_left = None;
        used += usize::try_from(left).expect("no more than the piece has");
        Read::Ended { used, body: self.body }
    }
}

/// The length of the body; none if the head says something that is not understood.
fn content_length(head: &[u8]) -> Option<u64> {
    let mut length = 0;
    for line in head.split(|byte| *byte == b'\n').skip(1) {
        let Some(colon) = memchr::memchr(b':', line) else { continue };
        let (name, value) = (&line[..colon], &line[colon + 1..]);
        if name.eq_ignore_ascii_case(b"transfer-encoding") {
            return None;
        }
        if name.eq_ignore_ascii_case(b"content-length") {
            length = std::str::from_utf8(value).ok()?.trim().parse().ok()?;
        }
    }
    Some(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_ends_at_the_same_byte_however_it_is_cut() {
        let text = b"POST / HTTP/1.1\r\nHost: a\r\ncontent-LENGTH: 5\r\n\r\nhelloGET";
        for cut in 0..text.len() {
            let mut reader = RequestReader::default();
            let end = match reader.read(&text[..cut]) {
                Read::Ended { used, body } => (used, body),
                Read::More => match reader.read(&text[cut..]) {
                    Read::Ended { used, body } => (cut + used, body),
                    other => panic!("{other:?} at {cut}"),
                },
                Read::Wrong => panic!("wrong at {cut}"),
            };
            assert_eq!(end, (text.len() - 3, 5), "cut at {cut}");
        }
    }

    #[test]
    fn a_request_without_a_length_has_no_body() {
        let text = b"GET / HTTP/1.1\r\n\r\n";
        let read = RequestReader::default().read(text);
        assert_eq!(read, Read::Ended { used: text.len(), body: 0 });
    }

    #[test]
    fn a_body_of_unknown_length_is_refused() {
        let text = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n";
        assert_eq!(RequestReader::default().read(text), Read::Wrong);
    }
}
