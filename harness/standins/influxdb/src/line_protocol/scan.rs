//! Lines, keys, tags and fields: where each begins and ends.
//!
//! [`parse`] is the entry; [`number`](super::number) reads the values that it finds.

use std::borrow::Cow;
use std::ops::Range;

use super::{
    Batch, Field, LineError, MAX_KEY_BYTES, ParseError, Point, Precision, Value, find_unescaped,
    number, shown, unescape,
};

/// Tag keys that would hide what a series is made of.
const RESERVED_TAG_KEYS: [&[u8]; 5] = [b"\xff", b"\x00", b"_field", b"_measurement", b"time"];

/// Bytes between series key and field key in the server's store, counted by its length limit.
const KEY_SEPARATOR_BYTES: usize = 4;

/// Reads a whole body. A line without a timestamp gets `now_ns`, cut to the precision.
pub(crate) fn parse(
    body: &[u8],
    precision: Precision,
    now_ns: i64,
) -> Result<Batch<'_>, ParseError> {
    let mut batch = Batch::default();
    let mut failed = ParseError { lines: Vec::new(), bytes: 0 };
    let now_ns = now_ns - now_ns.rem_euclid(precision.unit_ns());
    let mut tags = Vec::new();
    let mut at = 0;
    while at < body.len() {
        let end = line_end(body, at);
        let line = &body[skip_blank(&body[..end], at)..end];
        at = end + 1;
        if line.is_empty() || line[0] == b'#' {
            continue;
        }
        let fields_before = batch.fields.len();
        let mut reader = LineReader { line, tags: &mut tags, fields: &mut batch.fields };
        match reader.read() {
            Ok((key, time)) => {
                let fields = fields_before..batch.fields.len();
                match point_time(time, precision, now_ns) {
                    Ok(time_ns) => batch.points.push(Point { key, fields, time_ns }),
                    Err(error) => failed.push(line, &error),
                }
            }
            Err(error) => failed.push(line, &error),
        }
    }
    if failed.lines.is_empty() { Ok(batch) } else { Err(failed) }
}

fn point_time(text: &[u8], precision: Precision, now_ns: i64) -> Result<i64, LineError> {
    if text.is_empty() { Ok(now_ns) } else { number::timestamp(text, precision) }
}

/// Where the line that begins at `from` ends: at a newline outside quotes, or with the body.
fn line_end(body: &[u8], from: usize) -> usize {
    let rest = &body[from..];
    let newline = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
    if memchr::memchr2(b'\\', b'"', &rest[..newline]).is_none() {
        return from + newline;
    }
    quoted_line_end(body, from)
}

/// [`line_end`] for a line with quotes or escapes. Quotes count only in a field value.
fn quoted_line_end(body: &[u8], from: usize) -> usize {
    let (mut quoted, mut in_fields) = (false, false);
    let (mut equals, mut commas) = (0, 0);
    let mut at = from;
    while at < body.len() {
        match body[at] {
            b'\\' if at + 2 < body.len() => at += 1,
            b' ' => in_fields = true,
            b'=' if in_fields && !quoted => equals += 1,
            b',' if in_fields && !quoted => commas += 1,
            b'"' if in_fields && equals > commas => quoted = !quoted,
            b'\n' if !quoted => return at,
            _ => {}
        }
        at += 1;
    }
    body.len()
}

fn skip_blank(text: &[u8], from: usize) -> usize {
    let blank = text[from..].iter().take_while(|byte| matches!(byte, b' ' | b'\t' | 0)).count();
    from + blank
}

struct LineReader<'a, 's> {
    line: &'a [u8],
    /// Where each tag of the line stands; kept between lines to spare its allocation.
    tags: &'s mut Vec<Range<usize>>,
    fields: &'s mut Vec<Field<'a>>,
}

impl<'a> LineReader<'a, '_> {
    /// Reads key and fields; gives the key and the text of the timestamp, which may be empty.
    fn read(&mut self) -> Result<(Cow<'a, [u8]>, &'a [u8]), LineError> {
        let key_end = self.key_end()?;
        if key_end > MAX_KEY_BYTES {
            return Err(LineError::KeyTooLong(key_end));
        }
        let key = self.ordered_key(key_end)?;
        let first_field = self.fields.len();
        let fields_end = self.read_fields(skip_blank(self.line, key_end))?;
        for field in &self.fields[first_field..] {
            let bytes = key.len() + KEY_SEPARATOR_BYTES + field.key.len();
            if bytes > MAX_KEY_BYTES {
                return Err(LineError::KeyTooLong(bytes));
            }
        }
        Ok((key, self.time(fields_end)?))
    }

    /// Scans measurement and tags; gives the place of the space behind them.
    fn key_end(&mut self) -> Result<usize, LineError> {
        self.tags.clear();
        if self.line[0] == b',' {
            return Err(LineError::MissingMeasurement);
        }
        let mut at = 1;
        loop {
            let Some(&byte) = self.line.get(at) else { return Err(LineError::MissingFields) };
            if self.line[at - 1] != b'\\' {
                match byte {
                    b' ' => return Ok(at),
                    b',' => break,
                    _ => {}
                }
            }
            at += 1;
        }
        loop {
            let start = at + 1;
            at = self.tag_end(start)?;
            // A key beyond the limit is refused, so where its tags stand does not matter.
            if at <= MAX_KEY_BYTES {
                self.tags.push(start..at);
            }
            if self.line[at] == b' ' {
                return Ok(at);
            }
        }
    }

    /// Scans one tag; gives the place of the comma or space behind it.
    fn tag_end(&self, start: usize) -> Result<usize, LineError> {
        let line = self.line;
        if matches!(line.get(start), None | Some(b' ' | b',' | b'=')) {
            return Err(LineError::MissingTagKey);
        }
        let mut at = start + 1;
        loop {
            match line.get(at) {
                None => return Err(LineError::MissingTagValue),
                Some(b' ' | b',') if line[at - 1] != b'\\' => {
                    return Err(LineError::MissingTagValue);
                }
                Some(b'=') if line[at - 1] != b'\\' => break,
                Some(_) => at += 1,
            }
        }
        if matches!(line.get(at + 1), None | Some(b' ' | b',')) {
            return Err(LineError::MissingTagValue);
        }
        // The first byte of a value is taken as it is, an equals sign too.
        at += 2;
        loop {
            match line.get(at) {
                None => return Err(LineError::MissingFields),
                Some(b'=') if line[at - 1] != b'\\' => return Err(LineError::InvalidTagFormat),
                Some(b' ' | b',') if line[at - 1] != b'\\' => return Ok(at),
                Some(_) => at += 1,
            }
        }
    }

    /// The series key with its tags in order, which is the line's own text when they are.
    fn ordered_key(&mut self, key_end: usize) -> Result<Cow<'a, [u8]>, LineError> {
        let line = self.line;
        let tag_key = |tag: &Range<usize>| {
            let end = find_unescaped(&line[..tag.end], tag.start, b'=').unwrap_or(tag.end);
            &line[tag.start..end]
        };
        let mut ordered = true;
        for (index, tag) in self.tags.iter().enumerate() {
            let key = tag_key(tag);
            if RESERVED_TAG_KEYS.contains(&key) {
                let key = shown(key).into_owned();
                return Err(LineError::ReservedTagKey(key));
            }
            ordered &= index == 0 || tag_key(&self.tags[index - 1]) < key;
        }
        if ordered {
            return Ok(Cow::Borrowed(&line[..key_end]));
        }
        self.tags.sort_by(|left, right| tag_key(left).cmp(tag_key(right)));
        if self.tags.windows(2).any(|pair| tag_key(&pair[0]) == tag_key(&pair[1])) {
            return Err(LineError::DuplicateTags);
        }
        let first = self.tags.iter().map(|tag| tag.start).min().unwrap_or(key_end);
        let mut key = Vec::with_capacity(key_end);
        key.extend_from_slice(&line[..first - 1]);
        for tag in self.tags.iter() {
            key.push(b',');
            key.extend_from_slice(&line[tag.clone()]);
        }
        Ok(Cow::Owned(key))
    }

    /// Reads all fields from `at` on; gives the place behind them.
    fn read_fields(&mut self, mut at: usize) -> Result<usize, LineError> {
        let from = at;
        loop {
            let equals = self.field_key_end(at).map_err(|error| match error {
                LineError::InvalidFieldFormat => self.first_fault(from),
                other => other,
            })?;
            let key = field_key(&self.line[at..equals])?;
            let (value, end) = self.field_value(equals + 1)?;
            self.fields.push(Field { key, value });
            if self.line.get(end) != Some(&b',') {
                return Ok(end);
            }
            at = end + 1;
        }
    }

    fn field_key_end(&self, start: usize) -> Result<usize, LineError> {
        let mut at = start;
        loop {
            match self.line.get(at) {
                Some(b'=') if at == start => return Err(LineError::MissingFieldKey),
                Some(b'=') => return Ok(at),
                Some(b'\\') if at + 1 < self.line.len() => at += 2,
                None | Some(b' ' | b',') => return Err(LineError::InvalidFieldFormat),
                Some(_) => at += 1,
            }
        }
    }

    /// What the server says first about fields of which one has no value. It counts equals signs
    /// and commas to the end, so a bad value further on is what it complains of.
    fn first_fault(&self, from: usize) -> LineError {
        let line = self.line;
        let (mut quoted, mut equals, mut commas) = (false, 0, 0);
        let mut at = from;
        while at < line.len() {
            match line[at] {
                b'\\' if at + 1 < line.len() => at += 1,
                b'"' if equals > commas => quoted = !quoted,
                b'=' if !quoted => {
                    equals += 1;
                    if matches!(line[at - 1], b' ' | b',') && line[at - 2] != b'\\' {
                        return LineError::MissingFieldKey;
                    }
                    if line.get(at + 1) != Some(&b'"') {
                        match self.field_value(at + 1) {
                            Err(error) => return error,
                            Ok((_, end)) => at = end - 1,
                        }
                    }
                }
                b',' if !quoted => commas += 1,
                b' ' if !quoted => break,
                _ => {}
            }
            at += 1;
        }
        if quoted { LineError::UnbalancedQuotes } else { LineError::InvalidFieldFormat }
    }

    fn field_value(&self, start: usize) -> Result<(Value<'a>, usize), LineError> {
        match self.line.get(start) {
            None | Some(b',' | b' ') => Err(LineError::MissingFieldValue),
            Some(b'"') => self.text(start),
            Some(b'0'..=b'9' | b'.' | b'-' | b'N' | b'n') => {
                let end = self.plain_end(start);
                Ok((number::number(&self.line[start..end])?, end))
            }
            Some(_) => {
                let end = self.plain_end(start);
                Ok((number::boolean(&self.line[start..end])?, end))
            }
        }
    }

    fn plain_end(&self, start: usize) -> usize {
        let rest = &self.line[start..];
        start + rest.iter().position(|byte| matches!(byte, b',' | b' ')).unwrap_or(rest.len())
    }

    /// Reads a quoted value. As on the server, the value runs to the next comma or space outside
    /// quotes and its last byte is dropped, whatever it is.
    fn text(&self, start: usize) -> Result<(Value<'a>, usize), LineError> {
        let line = self.line;
        let mut quoted = true;
        let mut at = start + 1;
        while let Some(&byte) = line.get(at) {
            match byte {
                b'\\' if at + 1 < line.len() => at += 1,
                b'"' => quoted = !quoted,
                b',' | b' ' if !quoted => break,
                b'=' if !quoted => return Err(LineError::InvalidFieldFormat),
                _ => {}
            }
            at += 1;
        }
        if quoted {
            return Err(LineError::UnbalancedQuotes);
        }
        Ok((Value::Text(&line[start + 1..at - 1]), at))
    }

    /// The text of the timestamp behind the fields; empty when there is none.
    fn time(&self, from: usize) -> Result<&'a [u8], LineError> {
        let start = skip_blank(self.line, from);
        let rest = &self.line[start..];
        let length = rest.iter().position(|&byte| byte == b' ').unwrap_or(rest.len());
        let text = &rest[..length];
        let digits = text.strip_prefix(b"-").unwrap_or(text);
        if !digits.iter().all(u8::is_ascii_digit) {
            return Err(LineError::BadTimestamp);
        }
        if !text.is_empty() && rest[length..].iter().any(|&byte| byte != b' ') {
            return Err(LineError::InvalidPoint);
        }
        Ok(text)
    }
}

fn field_key(raw: &[u8]) -> Result<Cow<'_, [u8]>, LineError> {
    if memchr::memchr(b'\\', raw).is_none() {
        return Ok(Cow::Borrowed(raw));
    }
    if raw.last() == Some(&b'\\') {
        return Err(LineError::InvalidValue(shown(raw).into_owned()));
    }
    Ok(Cow::Owned(unescape(raw, b",\" =")))
}
