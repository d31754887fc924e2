//! Reads an HTTP/1.1 answer piece by piece, trusting nothing in it.
//!
//! The main type is [`ResponseReader`]: a state machine that is fed whatever arrived and says how
//! much of it it used, which part of that is body, and whether the answer has ended. Lines are
//! used whole, so what it leaves is the beginning of a line and must be offered again. Bodies are
//! passed on and never kept. Anything that two readers could understand differently is malformed.

use std::time::Duration;

/// All lines of an answer together, trailers included.
pub(crate) const HEAD_LIMIT: usize = 16 * 1024;
/// A chunk's size line with its extensions.
const CHUNK_LINE_LIMIT: usize = 1024;

/// Why an answer is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Malformed {
    /// Something is not as HTTP/1.1 has it.
    Syntax,
    /// The head, or a line between chunks, is beyond all reason.
    TooLong,
}

/// What one step through the input led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Step<'a> {
    /// How much of the input is done with.
    pub(crate) used: usize,
    /// The part of it that belongs to the body.
    pub(crate) body: &'a [u8],
    /// Whether the answer is whole.
    pub(crate) ended: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Status,
    Headers,
    Sized { left: u64 },
    ChunkSize,
    Chunk { left: u64 },
    ChunkEnd,
    Trailers,
    UntilClose,
    Ended,
}

/// Where one connection is in its current answer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ResponseReader {
    stage: Stage,
    status: u16,
    length: Option<u64>,
    chunked: bool,
    keep_alive: bool,
    retry_after: Option<Duration>,
    /// How many bytes of lines have been seen.
    lines: usize,
}

impl ResponseReader {
    pub(crate) fn new() -> Self {
        Self {
            stage: Stage::Status,
            status: 0,
            length: None,
            chunked: false,
            keep_alive: true,
            retry_after: None,
            lines: 0,
        }
    }

    /// The status, once the head has been read.
    pub(crate) fn status(&self) -> u16 {
        self.status
    }

    /// Whether nothing of an answer has been used yet.
    pub(crate) fn untouched(&self) -> bool {
        self.stage == Stage::Status && self.lines == 0
    }

    /// Whether the connection may carry another request.
    pub(crate) fn keep_alive(&self) -> bool {
        self.keep_alive
    }

    /// How long the service asks to be left alone.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }

    /// Whether the end of the connection is the right end of this answer.
    pub(crate) fn ends_with_connection(&self) -> bool {
        self.stage == Stage::UntilClose
    }

    /// Goes one step on. A step that uses nothing and does not end needs more input.
    pub(crate) fn advance<'a>(&mut self, input: &'a [u8]) -> Result<Step<'a>, Malformed> {
        match self.stage {
            Stage::Ended => Ok(Step { used: 0, body: &[], ended: true }),
            Stage::UntilClose => Ok(Step { used: input.len(), body: input, ended: false }),
            Stage::Sized { left } => {
                let (body, left) = up_to(input, left);
                self.stage = if left == 0 { Stage::Ended } else { Stage::Sized { left } };
                Ok(Step { used: body.len(), body, ended: left == 0 })
            }
            Stage::Chunk { left } => {
                let (body, left) = up_to(input, left);
                self.stage = if left == 0 { Stage::ChunkEnd } else { Stage::Chunk { left } };
                Ok(Step { used: body.len(), body, ended: false })
            }
            _ => self.advance_by_lines(input),
        }
    }

    fn advance_by_lines<'a>(&mut self, input: &'a [u8]) -> Result<Step<'a>, Malformed> {
        let mut used = 0;
        while let Some(end) = memchr::memchr(b'\n', &input[used..]) {
            let line = &input[used..used + end];
            used += end + 1;
            self.lines += end + 1;
            if self.lines > HEAD_LIMIT {
                return Err(Malformed::TooLong);
            }
            self.line(line.strip_suffix(b"\r").unwrap_or(line))?;
            match self.stage {
                Stage::Ended => return Ok(Step { used, body: &[], ended: true }),
                Stage::Sized { .. } | Stage::Chunk { .. } | Stage::UntilClose => break,
                _ => {}
            }
        }
        let begun = input.len() - used;
        let in_body = matches!(self.stage, Stage::Sized { .. } | Stage::Chunk { .. });
        let in_body = in_body || self.stage == Stage::UntilClose;
        if !in_body && self.lines + begun > HEAD_LIMIT {
            return Err(Malformed::TooLong);
        }
        Ok(Step { used, body: &[], ended: false })
    }

    fn line(&mut self, line: &[u8]) -> Result<(), Malformed> {
        self.stage = match self.stage {
            Stage::Status => {
                self.status_line(line)?;
                Stage::Headers
            }
            Stage::Headers if line.is_empty() => self.end_of_head()?,
            Stage::Headers => {
                self.header(line)?;
                Stage::Headers
            }
            Stage::ChunkSize => {
                // The framing of a long body is no head and must not add up to one.
                self.lines = 0;
                match chunk_size(line)? {
                    0 => Stage::Trailers,
                    left => Stage::Chunk { left },
                }
            }
            Stage::ChunkEnd if line.is_empty() => Stage::ChunkSize,
            Stage::ChunkEnd => return Err(Malformed::Syntax),
            Stage::Trailers if line.is_empty() => Stage::Ended,
            Stage::Trailers => {
                split_header(line)?;
                Stage::Trailers
            }
            Stage::Sized { .. } | Stage::Chunk { .. } | Stage::UntilClose | Stage::Ended => {
                unreachable!("bodies have no lines")
            }
        };
        Ok(())
    }

    fn status_line(&mut self, line: &[u8]) -> Result<(), Malformed> {
        let [b'H', b'T', b'T', b'P', b'/', b'1', b'.', minor, b' ', rest @ ..] = line else {
            return Err(Malformed::Syntax);
        };
        self.keep_alive = match minor {
            b'1' => true,
            b'0' => false,
            _ => return Err(Malformed::Syntax),
        };
        let (code, reason) = rest.split_at_checked(3).ok_or(Malformed::Syntax)?;
        if !reason.is_empty() && reason[0] != b' ' {
            return Err(Malformed::Syntax);
        }
        let code = number(code, 10).ok_or(Malformed::Syntax)?;
        self.status = u16::try_from(code).expect("three digits");
        if self.status < 100 {
            return Err(Malformed::Syntax);
        }
        Ok(())
    }

    fn header(&mut self, line: &[u8]) -> Result<(), Malformed> {
        let (name, value) = split_header(line)?;
        // The lengths are told apart first: most headers are of no interest.
        match name.len() {
            10 if name.eq_ignore_ascii_case(b"connection") => {
                for token in value.split(|byte| *byte == b',').map(<[u8]>::trim_ascii) {
                    if token.eq_ignore_ascii_case(b"close") {
                        self.keep_alive = false;
                    } else if token.eq_ignore_ascii_case(b"keep-alive") {
                        self.keep_alive = true;
                    }
                }
            }
            11 if name.eq_ignore_ascii_case(b"retry-after") => {
                // The other form, a date, would need the service's clock: it is not honoured.
                self.retry_after = number(value, 10).map(Duration::from_secs);
            }
            14 if name.eq_ignore_ascii_case(b"content-length") => {
                let length = number(value, 10).ok_or(Malformed::Syntax)?;
                if self.length.is_some_and(|other| other != length) {
                    return Err(Malformed::Syntax);
                }
                self.length = Some(length);
            }
            17 if name.eq_ignore_ascii_case(b"transfer-encoding") => {
                if self.chunked || !value.eq_ignore_ascii_case(b"chunked") {
                    return Err(Malformed::Syntax);
                }
                self.chunked = true;
            }
            _ => {}
        }
        Ok(())
    }

    fn end_of_head(&mut self) -> Result<Stage, Malformed> {
        if self.chunked && self.length.is_some() {
            return Err(Malformed::Syntax);
        }
        Ok(match self.status {
            // Nobody asked to speak another protocol.
            101 => return Err(Malformed::Syntax),
            // The answer proper is still to come. Its lines count together with these.
            100..200 => {
                *self = Self { lines: self.lines, ..Self::new() };
                Stage::Status
            }
            204 | 304 => Stage::Ended,
            _ if self.chunked => Stage::ChunkSize,
            _ => match self.length {
                Some(0) => Stage::Ended,
                Some(left) => Stage::Sized { left },
                None => {
                    self.keep_alive = false;
                    Stage::UntilClose
                }
            },
        })
    }
}

fn up_to(input: &[u8], left: u64) -> (&[u8], u64) {
    let here = usize::try_from(left).unwrap_or(usize::MAX).min(input.len());
    (&input[..here], left - here as u64)
}

fn split_header(line: &[u8]) -> Result<(&[u8], &[u8]), Malformed> {
    let colon = memchr::memchr(b':', line).ok_or(Malformed::Syntax)?;
    let (name, value) = (&line[..colon], &line[colon + 1..]);
    // A blank would be a folded line, or a name that some read with it and some without.
    let blank = |byte: &u8| byte.is_ascii_whitespace() || byte.is_ascii_control();
    if name.is_empty() || name.iter().any(blank) {
        return Err(Malformed::Syntax);
    }
    Ok((name, value.trim_ascii()))
}

fn chunk_size(line: &[u8]) -> Result<u64, Malformed> {
    if line.len() > CHUNK_LINE_LIMIT {
        return Err(Malformed::TooLong);
    }
    let digits = line.split(|byte| *byte == b';').next().unwrap_or_default();
    number(digits.trim_ascii_end(), 16).ok_or(Malformed::Syntax)
}

/// A number of nothing but digits.
fn number(digits: &[u8], radix: u32) -> Option<u64> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0_u64, |number, byte| {
        let digit = char::from(*byte).to_digit(radix)?;
        number.checked_mul(radix.into())?.checked_add(digit.into())
    })
}

#[cfg(test)]
mod tests;
