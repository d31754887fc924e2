//! Data files, as far as validation looks into them: that they exist, and the columns of a header.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::Path;

use csv_core::{ReadRecordResult, ReaderBuilder};
use cutover_model::scenario::DataFormat;

use crate::diagnostic::{excerpt, shown_path};
use crate::suggest::suggest;

/// A header line is this long at most.
const MAX_HEADER: usize = 64 * 1024;

/// Why a data file cannot be used.
pub(crate) struct FileMistake {
    pub(crate) message: String,
    pub(crate) help: String,
}

/// The columns of the file, or `None` for a format whose columns stand elsewhere than at its start.
pub(crate) fn columns(path: &Path, format: DataFormat) -> Result<Option<Vec<String>>, FileMistake> {
    let shown = shown_path(path);
    let mistake = |message: String, help: &str| FileMistake { message, help: help.to_owned() };
    let metadata = std::fs::metadata(path).map_err(|error| match error.kind() {
        ErrorKind::NotFound => mistake(format!("there is no file `{shown}`"), &similar(path)),
        _ => mistake(format!("cannot read the file `{shown}`: {error}"), "look at its rights"),
    })?;
    if !metadata.is_file() {
        return Err(mistake(format!("`{shown}` is no file"), "name a file with rows"));
    }
    let start = read_start(path).map_err(|error| {
        mistake(format!("cannot read the file `{shown}`: {error}"), "look at its rights")
    })?;
    match format {
        DataFormat::Parquet if start.starts_with(b"PAR1") => Ok(None),
        DataFormat::Parquet => {
            Err(mistake(format!("`{shown}` is no Parquet file"), "is it meant as `csv`?"))
        }
        DataFormat::Csv { delimiter } => match header(&start, delimiter) {
            Some(header) => Ok(Some(header)),
            None => Err(mistake(
                format!("`{shown}` does not start with a header line"),
                "the first line names the columns, in UTF-8",
            )),
        },
    }
}

fn read_start(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut start = Vec::new();
    File::open(path)?.take(MAX_HEADER as u64).read_to_end(&mut start)?;
    Ok(start)
}

/// The cells of the first line.
fn header(start: &[u8], delimiter: u8) -> Option<Vec<String>> {
    let start = start.strip_prefix("\u{feff}".as_bytes()).unwrap_or(start);
    let mut reader = ReaderBuilder::new().delimiter(delimiter).build();
    let mut text = vec![0; start.len() + 1];
    let mut ends = vec![0; start.len() + 2];
    let (first, read, written, cells) = reader.read_record(start, &mut text, &mut ends);
    let cells = match first {
        ReadRecordResult::Record => cells,
        // A file that is all header ends without a line break; the reader asks once more.
        ReadRecordResult::InputEmpty if start.len() < MAX_HEADER => {
            let rest = &start[read..];
            let (last, .., more) =
                reader.read_record(rest, &mut text[written..], &mut ends[cells..]);
            (last == ReadRecordResult::Record).then_some(cells + more)?
        }
        _ => return None,
    };
    let mut begin = 0;
    let mut columns = Vec::new();
    for end in &ends[..cells] {
        columns.push(String::from_utf8(text.get(begin..*end)?.to_vec()).ok()?);
        begin = *end;
    }
    let named = columns.iter().any(|column| !column.is_empty());
    named.then_some(columns)
}

/// A file beside the missing one with a similar name, as help.
fn similar(path: &Path) -> String {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    let wanted = path.file_name().unwrap_or_default().to_string_lossy();
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .take(1_000)
        .collect();
    names.sort();
    match suggest(&wanted, names.iter().map(String::as_str)) {
        Some(meant) => format!("did you mean `{}`?", excerpt(meant)),
        None => "paths start from the folder of the file that names them".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_keeps_quoted_delimiters_and_loses_the_byte_order_mark() {
        let columns = header("\u{feff}\"a;b\";c\n1;2\n".as_bytes(), b';').unwrap();
        assert_eq!(columns, ["a;b", "c"]);
    }

    #[test]
    fn a_file_that_is_all_header_has_columns() {
        assert_eq!(header(b"a,b", b',').unwrap(), ["a", "b"]);
    }

    #[test]
    fn an_empty_file_has_no_header() {
        assert_eq!(header(b"", b','), None);
        assert_eq!(header(b"\n\n", b','), None);
    }

    #[test]
    fn a_header_in_another_encoding_is_refused() {
        assert_eq!(header(b"a,\xe9\n", b','), None);
    }
}
