//! The last part of a log.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

/// The last `bytes` of a file as text, from the start of a line; empty when it cannot be read.
pub(crate) fn tail(path: &Path, bytes: u64) -> String {
    let read = || -> std::io::Result<Vec<u8>> {
        let mut file = File::open(path)?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(bytes)))?;
        let mut last = Vec::new();
        file.take(bytes).read_to_end(&mut last)?;
        Ok(last)
    };
    last_lines(&read().unwrap_or_default(), bytes)
}

/// The last `bytes` of a text, from the start of a line.
pub(crate) fn last_lines(text: &[u8], bytes: u64) -> String {
    let kept = usize::try_from(bytes).unwrap_or(usize::MAX);
    let start = text.len().saturating_sub(kept);
    let last = String::from_utf8_lossy(&text[start..]).into_owned();
    let whole = text.len() < kept;
    match last.split_once('\n') {
        Some((_, rest)) if !whole && !rest.is_empty() => rest.to_owned(),
        _ => last,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_log_is_shown_whole() {
        assert_eq!(last_lines(b"one\ntwo\n", 100), "one\ntwo\n");
    }

    #[test]
    fn a_long_log_begins_with_a_whole_line() {
        assert_eq!(last_lines(b"first line\nsecond\nthird\n", 16), "second\nthird\n");
    }
}
