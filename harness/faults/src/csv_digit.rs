//! One wrong digit in an answer of annotated CSV.
//!
//! The annotations are understood only as far as needed to find a number that is a value: not a
//! time, not a tag, not the number of a table.

use std::ops::Range;

/// Columns that hold no values, whatever their type.
const NOT_VALUES: [&[u8]; 6] = [b"", b"result", b"table", b"_start", b"_stop", b"_time"];

/// `csv` with one digit of one value altered, or `None` when it holds no number. Which value it
/// is depends on `chance`.
pub(crate) fn alter_digit(csv: &[u8], chance: u64) -> Option<Vec<u8>> {
    let digits = value_digits(csv);
    let place = usize::try_from(chance % (digits.len().max(1) as u64)).ok()?;
    let index = *digits.get(place)?;
    let mut altered = csv.to_vec();
    // Downwards, so that the largest number of a type stays one of that type.
    altered[index] = if altered[index] == b'0' { b'1' } else { altered[index] - 1 };
    Some(altered)
}

/// For each value that is a number, the place of its first digit: a wrong answer is far off, since
/// the last digits of a sum or a mean may differ between two right ones.
fn value_digits(csv: &[u8]) -> Vec<usize> {
    let mut digits = Vec::new();
    let mut types: Vec<&[u8]> = Vec::new();
    let mut header: Option<Vec<&[u8]>> = None;
    for record in records(csv) {
        let fields: Vec<&[u8]> = record.iter().map(|field| &csv[field.clone()]).collect();
        match (&header, fields.first()) {
            (_, None | Some(&b"")) if fields.len() <= 1 => {
                (types, header) = (Vec::new(), None);
            }
            (_, Some(first)) if first.starts_with(b"#") => {
                if *first == b"#datatype" {
                    types = fields;
                }
            }
            (None, _) => header = Some(fields),
            (Some(names), _) => {
                let values = (0..).zip(&record).filter(|(i, _)| is_value(names, &types, *i));
                digits.extend(values.filter_map(|(_, cell)| first_digit(csv, cell.clone())));
            }
        }
    }
    digits
}

fn is_value(names: &[&[u8]], types: &[&[u8]], column: usize) -> bool {
    let Some(name) = names.get(column) else { return false };
    if NOT_VALUES.contains(name) {
        return false;
    }
    // An answer to InfluxQL begins with these three.
    if names.starts_with(&[b"name", b"tags", b"time"]) {
        return column >= 3;
    }
    match types.get(column) {
        Some(kind) => [&b"long"[..], b"unsignedLong", b"double"].contains(kind),
        None => *name == b"_value" || !names.contains(&&b"_value"[..]),
    }
}

fn first_digit(csv: &[u8], cell: Range<usize>) -> Option<usize> {
    let text = std::str::from_utf8(&csv[cell.clone()]).ok()?;
    text.parse::<f64>().ok()?;
    let mantissa = text.split(['e', 'E']).next().unwrap_or(text);
    mantissa.find(|c: char| c.is_ascii_digit()).map(|place| cell.start + place)
}

/// The places of the fields of each record, without their quotes.
fn records(csv: &[u8]) -> Vec<Vec<Range<usize>>> {
    let mut records = Vec::new();
    let mut record = Vec::new();
    let mut start = 0;
    while start < csv.len() {
        let field = field_at(csv, start);
        let end = field.end + usize::from(csv.get(field.end) == Some(&b'"'));
        record.push(field);
        start = end + 1;
        if csv.get(end) != Some(&b',') {
            // A carriage return may stand before the line feed.
            start += usize::from(csv.get(end) == Some(&b'\r'));
            records.push(std::mem::take(&mut record));
        } else if start == csv.len() {
            record.push(start..start);
        }
    }
    if !record.is_empty() {
        records.push(record);
    }
    records
}

/// The field that begins at `start`, without its quotes.
fn field_at(csv: &[u8], start: usize) -> Range<usize> {
    if csv[start] != b'"' {
        let length = csv[start..].iter().position(|byte| b",\r\n".contains(byte));
        return start..length.map_or(csv.len(), |length| start + length);
    }
    let start = start + 1;
    let mut end = start;
    while end < csv.len() {
        match (csv[end], csv.get(end + 1)) {
            // A doubled quote stands for one.
            (b'"', Some(b'"')) => end += 2,
            (b'"', _) => break,
            _ => end += 1,
        }
    }
    start..end.min(csv.len())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ANNOTATED: &str = "#datatype,string,long,dateTime:RFC3339,double,string\r\n\
        #group,false,false,false,false,true\r\n\
        #default,_result,,,,\r\n\
        ,result,table,_time,_value,region\r\n\
        ,,0,2023-01-01T00:00:00Z,12.50,\"1, 2\"\r\n\
        \r\n";

    fn altered(csv: &str, chance: u64) -> Option<String> {
        alter_digit(csv.as_bytes(), chance).map(|bytes| String::from_utf8(bytes).unwrap())
    }

    #[test]
    fn the_first_digit_of_the_only_value_changes_and_nothing_else() {
        let expected = ANNOTATED.replace("12.50", "02.50");
        assert_eq!(altered(ANNOTATED, 3), Some(expected));
    }

    #[test]
    fn a_plain_answer_is_altered_in_its_value_column() {
        let plain = ",result,table,_time,_value,line\r\n,,0,2023-01-01T00:00:00Z,7,5\r\n";
        assert_eq!(altered(plain, 0), Some(plain.replace(",7,", ",6,")));
    }

    #[test]
    fn an_answer_to_influxql_keeps_its_times() {
        let csv = "name,tags,time,peak\nm,r=a,1700000000000000000,7.5\n";
        for chance in 0..4 {
            assert_eq!(altered(csv, chance), Some(csv.replace("7.5", "6.5")));
        }
    }

    #[test]
    fn a_second_block_has_columns_of_its_own() {
        let first = ANNOTATED.replace("12.50", "NaN");
        let second = "#datatype,string,long,double\r\n,result,table,max\r\n,,1,4.5\r\n";
        let both = format!("{first}{second}");
        assert_eq!(altered(&both, 0), Some(both.replace("4.5", "3.5")));
    }

    #[test]
    fn an_exponent_is_left_alone() {
        assert_eq!(altered("_value\n1e+06\n", 0).as_deref(), Some("_value\n0e+06\n"));
    }

    #[test]
    fn the_largest_integer_stays_one() {
        let max = format!("_value\n{}\n", i64::MAX);
        let altered = altered(&max, 0).unwrap();
        let value = altered.lines().nth(1).unwrap().parse::<i64>().unwrap();
        assert_eq!(value, i64::MAX - 1_000_000_000_000_000_000);
    }

    #[test]
    fn chance_picks_among_the_values() {
        let csv = "_value\n1\n2\n3\n";
        let all: Vec<_> = (0..3).map(|chance| altered(csv, chance).unwrap()).collect();
        assert_eq!(all, ["_value\n0\n2\n3\n", "_value\n1\n1\n3\n", "_value\n1\n2\n2\n"]);
    }

    #[test]
    fn an_answer_without_values_is_left_alone() {
        assert_eq!(altered("", 0), None);
        assert_eq!(altered(&ANNOTATED.replace("12.50", ""), 0), None);
    }

    proptest! {
        #[test]
        fn exactly_one_byte_changes_and_it_stays_a_digit(
            csv in "[-,\"\\r\\n_a-e0-9.]{0,80}",
            chance: u64,
        ) {
            if let Some(altered) = alter_digit(csv.as_bytes(), chance) {
                let pairs = csv.bytes().zip(altered.iter().copied());
                let changed: Vec<_> = pairs.filter(|(before, after)| before != after).collect();
                prop_assert_eq!(changed.len(), 1);
                prop_assert!(changed[0].0.is_ascii_digit() && changed[0].1.is_ascii_digit());
            }
        }
    }
}
