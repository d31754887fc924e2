//! The texts of names, paths and formats: read, or refused with the rule that they break.

use std::path::{Component, Path, PathBuf};

use jiff::fmt::strtime;

use crate::diagnostic::excerpt;
use crate::shape::Complaint;

/// A name that files choose: a scenario, a data set, a tag to select by, a parameter.
pub(crate) fn slug(text: &str) -> Result<String, Complaint> {
    let letters = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let sound = text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(letters)
        && text.len() <= 64;
    sound.then(|| text.to_owned()).ok_or_else(|| {
        Complaint::new(format!("is no name: `{}`", excerpt(text))).with_help(
            "a name starts with a letter, goes on with letters, digits, `-` or `_`, and has at \
             most 64 of them",
        )
    })
}

/// One line of text.
pub(crate) fn line(text: &str) -> Result<String, Complaint> {
    if text.trim().is_empty() {
        return Err(Complaint::new("is empty"));
    }
    if text.chars().any(char::is_control) {
        return Err(Complaint::new("must be one line without control characters"));
    }
    if text.chars().count() > 300 {
        return Err(Complaint::new("is longer than 300 characters"));
    }
    Ok(text.to_owned())
}

/// Text over any number of lines.
pub(crate) fn block(text: &str) -> Result<String, Complaint> {
    if text.trim().is_empty() {
        return Err(Complaint::new("is empty"));
    }
    Ok(text.to_owned())
}

/// The name of a bucket, which is also the name of a Timestream database.
pub(crate) fn bucket(text: &str) -> Result<String, Complaint> {
    store_name(text, 2, 64)
}

/// The name of a measurement, which is also the name of a Timestream table.
pub(crate) fn measurement(text: &str) -> Result<String, Complaint> {
    store_name(text, 1, 256)
}

/// A name that both stores take.
fn store_name(text: &str, least: usize, most: usize) -> Result<String, Complaint> {
    let shown = excerpt(text);
    if text.starts_with('_') {
        return Err(Complaint::new(format!("must not start with `_`: `{shown}`"))
            .with_help("InfluxDB keeps such names for itself"));
    }
    if !(least..=most).contains(&text.chars().count()) {
        return Err(Complaint::new(format!("must have {least} to {most} characters: `{shown}`")));
    }
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    if let Some(other) = text.chars().find(|c| !allowed(*c)) {
        return Err(Complaint::new(format!("must not hold {}: `{shown}`", shown_char(other)))
            .with_help("both stores take letters, digits, `_`, `-` and `.`"));
    }
    Ok(text.to_owned())
}

/// The key of a tag or a field.
pub(crate) fn series_key(text: &str) -> Result<String, Complaint> {
    let shown = excerpt(text);
    let reserved = ["time", "measure_name", "measure_value", "measurement", "ts_non_existent_col"];
    if reserved.contains(&text) {
        return Err(Complaint::new(format!("is a reserved name: `{shown}`"))
            .with_help("one of the stores uses it itself: choose another key"));
    }
    if text.starts_with('_') {
        return Err(Complaint::new(format!("must not start with `_`: `{shown}`"))
            .with_help("InfluxDB keeps such names for itself"));
    }
    let allowed = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.');
    if let Some(other) = text.chars().find(|c| !allowed(*c)) {
        return Err(Complaint::new(format!("must not hold {}: `{shown}`", shown_char(other)))
            .with_help("both stores take letters, digits, `_`, `-` and `.`"));
    }
    if !text.starts_with(char::is_alphabetic) || text.chars().count() > 60 {
        return Err(Complaint::new(format!("is no key: `{shown}`"))
            .with_help("a key starts with a letter and has at most 60 characters"));
    }
    Ok(text.to_owned())
}

/// A path from the folder of the file that names it.
pub(crate) fn path(text: &str) -> Result<PathBuf, Complaint> {
    if text.is_empty() || text.chars().any(char::is_control) {
        return Err(Complaint::new(format!("is no path: `{}`", excerpt(text))));
    }
    Ok(PathBuf::from(text))
}

/// The name of a query file: `queries/NAME`.
pub(crate) fn query_name(text: &str) -> Result<String, Complaint> {
    let sound = |part: &str| part.split('/').all(|part| slug(part).is_ok());
    if sound(text) {
        return Ok(text.to_owned());
    }
    let complaint = Complaint::new(format!("is no query: `{}`", excerpt(text)));
    Err(match text.strip_suffix(".yaml").filter(|stem| sound(stem)) {
        Some(stem) => complaint.with_help(format!("leave out the `.yaml`: `{stem}`")),
        None => complaint.with_help("write the file's path without `.yaml`: `queries/NAME`"),
    })
}

/// The byte between two cells of a separated file.
pub(crate) fn delimiter(text: &str) -> Result<u8, Complaint> {
    match text.as_bytes() {
        b"\\t" => Ok(b'\t'),
        [byte] if !byte.is_ascii_alphanumeric() && !b"\"\n\r.-+:".contains(byte) => Ok(*byte),
        _ => Err(Complaint::new(format!("must be one character, and is `{}`", excerpt(text)))
            .with_help("write `\",\"`, `\";\"`, `\"|\"` or `\"\\t\"`")),
    }
}

/// A `strftime` format from which at least a date can be read back.
pub(crate) fn time_format(text: &str) -> Result<String, Complaint> {
    let complaint = |what: &str| {
        Complaint::new(format!("{what}: `{}`", excerpt(text)))
            .with_help("write such as `\"%Y-%m-%d %H:%M:%S\"`")
    };
    // An afternoon, so that a 12-hour format without `%p` does not pass.
    let sample = jiff::civil::date(2023, 11, 25).at(13, 47, 58, 0);
    let sample = jiff::tz::TimeZone::UTC.to_zoned(sample).map_err(|_| complaint("has no use"))?;
    let written = strtime::format(text, &sample)
        .map_err(|error| complaint(&format!("is no time format ({error})")))?;
    let read = strtime::parse(text, &written)
        .map_err(|error| complaint(&format!("cannot be read back ({error})")))?;
    if read.to_timestamp().is_ok_and(|instant| instant == sample.timestamp()) {
        return Ok(text.to_owned());
    }
    let date = read.to_date().ok().filter(|date| *date == sample.date());
    let same = |part: Option<i8>, whole: i8| part.is_none_or(|part| part == whole);
    if date.is_none() {
        return Err(complaint("does not tell the day"));
    }
    let whole = same(read.hour(), sample.hour())
        && same(read.minute(), sample.minute())
        && same(read.second(), sample.second());
    // `%d` alone is midnight, but minutes without an hour are a slip.
    if !whole || (read.hour().is_none() && (read.minute().is_some() || read.second().is_some())) {
        return Err(complaint("does not tell the time of day"));
    }
    Ok(text.to_owned())
}

/// A value that stands for `${name}` in a query, between quotes or as a name.
pub(crate) fn parameter_value(text: &str) -> Result<String, Complaint> {
    let harmful = |c: char| c.is_control() || matches!(c, '\'' | '"' | '`' | '\\' | '$' | ';');
    if text.is_empty() || text.chars().count() > 200 {
        return Err(Complaint::new("must have 1 to 200 characters"));
    }
    match text.chars().find(|c| harmful(*c)) {
        Some(c) => {
            Err(Complaint::new(format!("must not hold {}: `{}`", shown_char(c), excerpt(text)))
                .with_help("it stands within a query, which it could change"))
        }
        None => Ok(text.to_owned()),
    }
}

fn shown_char(c: char) -> String {
    match c {
        ' ' => "a space".to_owned(),
        '\n' => "a line break".to_owned(),
        '`' => "a backtick".to_owned(),
        c if c.is_control() => "a control character".to_owned(),
        c => format!("`{c}`"),
    }
}

/// `folder` and `path` as one path, without the `..` that can be taken back.
pub(crate) fn joined(folder: &Path, path: &Path) -> PathBuf {
    let mut joined = PathBuf::new();
    for component in folder.join(path).components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir
                if matches!(joined.components().next_back(), Some(Component::Normal(_))) =>
            {
                joined.pop();
            }
            other => joined.push(other),
        }
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_twelve_hour_format_without_a_half_of_the_day_is_refused() {
        let complaint = time_format("%Y-%m-%d %I:%M").unwrap_err();
        assert!(complaint.what.starts_with("does not tell the time of day"), "{complaint:?}");
        assert!(time_format("%Y-%m-%d %I:%M %p").is_ok());
    }

    #[test]
    fn a_format_without_a_day_is_refused() {
        assert!(time_format("%H:%M:%S").is_err());
        assert!(time_format("%Y-%m").is_err());
    }

    #[test]
    fn formats_of_days_hours_fractions_and_epochs_are_taken() {
        for format in ["%Y-%m-%d", "%Y-%m-%d %H", "%FT%T%.f", "%s", "%d/%m/%Y %H:%M"] {
            assert!(time_format(format).is_ok(), "{format}: {:?}", time_format(format));
        }
    }

    #[test]
    fn a_quote_in_a_parameter_is_refused() {
        for text in ["SE'", "a\"b", "a\\b", "a\nb", "${x}"] {
            assert!(parameter_value(text).is_err(), "{text}");
        }
        assert!(parameter_value("SE").is_ok());
    }

    #[test]
    fn a_path_is_shown_without_detours() {
        assert_eq!(joined(Path::new("a/b"), Path::new("../d.csv")), Path::new("a/d.csv"));
        assert_eq!(joined(Path::new("../b"), Path::new("../../c")), Path::new("../../c"));
    }
}
