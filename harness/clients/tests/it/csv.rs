//! Annotated CSV: what a real InfluxDB 2.7.12 answered, and what would be a broken answer.

use cutover_clients::ClientError;
use cutover_clients::influx::csv::CsvDecoder;
use cutover_clients::influx::{FluxChunk, FluxType, FluxValue};
use cutover_model::FieldValue;
use proptest::prelude::*;

/// Three blocks with three types of `_value`, with a line break, a quote and an empty string.
const THREE_BLOCKS: &str = "\
#datatype,string,long,dateTime:RFC3339,boolean,string,string\r\n\
#group,false,false,false,false,true,true\r\n\
#default,_result,,,,,\r\n\
,result,table,_time,_value,_field,t\r\n\
,,0,1970-01-01T00:00:00.000003Z,true,b,a\r\n\
\r\n\
#datatype,string,long,dateTime:RFC3339,string,string,string\r\n\
#group,false,false,false,false,true,true\r\n\
#default,_result,,,,,\r\n\
,result,table,_time,_value,_field,t\r\n\
,,1,1970-01-01T00:00:00.000001Z,,e,a\r\n\
,,2,1970-01-01T00:00:00.000001Z,\"x\r\ny\",f,a\r\n\
,,2,1970-01-01T00:00:00.000002Z,\"say \"\"hi\"\", twice\",f,a\r\n\
\r\n\
#datatype,string,long,dateTime:RFC3339,double,string,string\r\n\
#group,false,false,false,false,true,true\r\n\
#default,_result,,,,,\r\n\
,result,table,_time,_value,_field,t\r\n\
,,3,1970-01-01T00:00:00.000001Z,1.5,h,a\r\n\
,,3,1970-01-01T00:00:00.000002Z,,h,a\r\n\
\r\n";

const HEADER: &str = "#datatype,string,long,long\r\n#group,false,false,false\r\n\
                      #default,_result,,\r\n,result,table,n\r\n";

const ERROR: &str = "\r\n#datatype,string,string\r\n#group,true,true\r\n#default,,\r\n\
                     ,error,reference\r\n,\"map: boom, \"\"quoted\"\"\r\nline 2\",897\r\n";

fn decode(parts: &[&[u8]]) -> Result<Vec<FluxChunk>, ClientError> {
    let mut decoder = CsvDecoder::new();
    let mut chunks = Vec::new();
    for part in parts {
        let fed = decoder.feed(part);
        chunks.extend(std::iter::from_fn(|| decoder.take()));
        fed?;
    }
    decoder.finish()?;
    Ok(chunks)
}

/// Every cell of an answer as text, row by row, however it was cut into chunks.
fn cells(chunks: &[FluxChunk]) -> Vec<Vec<String>> {
    let rows = chunks.iter().flat_map(FluxChunk::rows);
    let row = |row: cutover_clients::influx::FluxRow<'_>| {
        let positions = 0..row.schema().columns.len();
        positions.map(|position| format!("{:?}", row.value(position).unwrap())).collect()
    };
    rows.map(row).collect()
}

fn whole(text: &str) -> Vec<FluxChunk> {
    decode(&[text.as_bytes()]).unwrap()
}

/// The values of the column `name` in all rows.
fn column(chunks: &[FluxChunk], name: &str) -> Vec<String> {
    let mut values = Vec::new();
    for chunk in chunks {
        let position = chunk.schema().position(name).unwrap();
        values.extend(chunk.rows().map(|row| format!("{:?}", row.value(position).unwrap())));
    }
    values
}

fn error_of(text: &str) -> ClientError {
    decode(&[text.as_bytes()]).unwrap_err()
}

#[test]
fn each_block_has_its_own_types() {
    let kinds: Vec<_> =
        whole(THREE_BLOCKS).iter().map(|chunk| chunk.schema().columns[3].kind).collect();
    assert_eq!(kinds, [FluxType::Boolean, FluxType::Text, FluxType::Float]);
}

#[test]
fn values_are_typed_and_an_empty_string_is_not_told_from_null() {
    let values = column(&whole(THREE_BLOCKS), "_value");
    let expected = [
        "Boolean(true)",
        "EmptyOrNull",
        r#"Text("x\ny")"#,
        r#"Text("say \"hi\", twice")"#,
        "Float(1.5)",
        "Null",
    ];
    assert_eq!(values, expected);
}

#[test]
fn times_are_exact_to_the_nanosecond() {
    let text = "#datatype,dateTime:RFC3339\r\n#default,\r\n,_time\r\n\
                ,2023-01-01T00:00:00.123456789Z\r\n";
    assert_eq!(column(&whole(text), "_time"), ["Time(1672531200123456789)"]);
}

#[test]
fn an_empty_cell_takes_the_default_of_its_column() {
    assert_eq!(
        column(&whole(&format!("{HEADER},,0,1\r\n,other,0,2\r\n")), "result"),
        [r#"Text("_result")"#, r#"Text("other")"#]
    );
}

#[test]
fn the_group_key_is_known() {
    let chunks = whole(THREE_BLOCKS);
    let grouped = chunks[0].schema().columns.iter().filter(|column| column.group);
    assert_eq!(grouped.map(|column| &*column.name).collect::<Vec<_>>(), ["_field", "t"]);
}

#[test]
fn integers_beyond_the_floats_are_exact() {
    let chunks = whole(&format!("{HEADER},,0,9007199254740993\r\n"));
    assert_eq!(column(&chunks, "n"), ["Integer(9007199254740993)"]);
}

#[test]
fn floats_that_are_no_numbers_are_read() {
    let text = "#datatype,double\r\n,v\r\n,NaN\r\n,+Inf\r\n,-Inf\r\n,-0\r\n";
    let expected = ["Float(NaN)", "Float(inf)", "Float(-inf)", "Float(-0.0)"];
    assert_eq!(column(&whole(text), "v"), expected);
}

#[test]
fn an_answer_without_tables_has_no_rows() {
    assert!(whole("\r\n").is_empty());
    assert!(whole("").is_empty());
}

#[test]
fn a_table_without_rows_has_no_rows() {
    assert!(whole(&format!("{HEADER}\r\n{HEADER}\r\n")).is_empty());
}

#[test]
fn a_column_that_is_named_error_is_no_error() {
    let text = "#datatype,string,long,string,string\r\n,result,table,error,reference\r\n\
                ,_result,0,a,b\r\n";
    assert_eq!(column(&whole(text), "error"), [r#"Text("a")"#]);
}

#[test]
fn rows_that_spell_the_header_of_an_error_are_rows() {
    let text =
        "#datatype,string,string,string\r\n,a,b,c\r\n,error,reference,\r\n,,error,reference\r\n";
    assert_eq!(column(&whole(text), "a"), [r#"Text("error")"#, "EmptyOrNull"]);
}

#[test]
fn an_error_after_rows_is_an_error() {
    let error = error_of(&format!("{HEADER},,0,1\r\n{ERROR}"));
    let ClientError::Query { message, reference } = error else { panic!("{error}") };
    assert_eq!(message, "map: boom, \"quoted\"\nline 2");
    assert_eq!(reference, "897");
}

#[test]
fn an_error_without_annotations_is_an_error() {
    for text in ["error,reference\r\nboom,897\r\n", ",error,reference\r\n,boom,897\r\n"] {
        let error = error_of(text);
        assert!(
            matches!(&error, ClientError::Query { message, .. } if message == "boom"),
            "{error}"
        );
    }
}

#[test]
fn an_error_right_below_rows_is_an_error() {
    let error = error_of(&format!("{HEADER},,0,1\r\nerror,reference\r\nboom,897\r\n"));
    assert!(matches!(&error, ClientError::Query { message, .. } if message == "boom"), "{error}");
}

#[test]
fn the_header_of_an_error_without_its_message_is_no_quiet_end() {
    let cut = &ERROR[..ERROR.find(",\"map").unwrap()];
    assert!(matches!(error_of(cut), ClientError::Truncated { .. }));
}

#[test]
fn a_header_without_annotations_is_refused() {
    assert!(matches!(error_of(",result,table,n\r\n,,0,1\r\n"), ClientError::Malformed { .. }));
}

#[test]
fn an_unknown_type_is_refused_by_name() {
    let error = error_of("#datatype,decimal\r\n,price\r\n,1\r\n").to_string();
    assert!(error.contains("gives `price` the unknown type `decimal`"), "{error}");
}

#[test]
fn a_row_with_a_cell_too_few_is_refused_with_its_place() {
    let error = error_of(&format!("{HEADER},,0,1\r\n,,0\r\n")).to_string();
    assert!(error.contains("record 6 has 2 cells under 3 columns"), "{error}");
}

#[test]
fn a_value_that_is_not_of_its_type_is_refused_by_column() {
    let chunks = whole(&format!("{HEADER},,0,1.5\r\n"));
    let row = chunks[0].rows().next().unwrap();
    let error = row.value(2).unwrap_err().to_string();
    assert!(error.contains("`1.5` in column `n` is no Integer"), "{error}");
}

#[test]
fn invalid_text_is_refused_where_it_is_read_and_not_mangled() {
    let text = b"#datatype,long,string\r\n,n,v\r\n,1,\xff\xfe\r\n";
    let chunks = decode(&[text]).unwrap();
    let row = chunks[0].rows().next().unwrap();
    assert_eq!(row.value(0).unwrap(), FluxValue::Integer(1));
    assert!(row.value(1).is_err());
}

#[test]
fn a_field_keeps_its_type_and_null_is_none() {
    assert_eq!(FluxValue::Unsigned(7).to_field(), Some(FieldValue::Unsigned(7)));
    assert_eq!(FluxValue::EmptyOrNull.to_field(), None);
}

#[test]
fn a_record_longer_than_the_buffer_is_read() {
    let long = "x".repeat(3_000_000);
    let text = format!("#datatype,string\r\n,v\r\n,{long}\r\n,short\r\n");
    let chunks = whole(&text);
    let rows: Vec<_> = chunks.iter().flat_map(FluxChunk::rows).collect();
    assert_eq!(rows[0].value(0).unwrap(), FluxValue::Text(&long));
    assert_eq!(rows[1].value(0).unwrap(), FluxValue::Text("short"));
}

#[test]
fn no_answer_that_is_cut_inside_a_record_passes_for_a_whole_one() {
    let bytes = THREE_BLOCKS.as_bytes();
    for length in 1..bytes.len() {
        let complete = bytes[length - 1] == b'\n' && !open_quote(&bytes[..length]);
        if !complete {
            assert!(decode(&[&bytes[..length]]).is_err(), "cut after {length} bytes");
        }
    }
}

fn open_quote(bytes: &[u8]) -> bool {
    bytes.iter().fold(false, |open, byte| open ^ (*byte == b'"'))
}

proptest! {
    #[test]
    fn how_an_answer_is_cut_into_parts_changes_nothing(
        cuts in prop::collection::vec(0_usize..900, 0..20),
    ) {
        let bytes = THREE_BLOCKS.as_bytes();
        let mut cuts: Vec<_> = cuts.into_iter().filter(|cut| *cut < bytes.len()).collect();
        cuts.extend([0, bytes.len()]);
        cuts.sort_unstable();
        let parts: Vec<_> = cuts.windows(2).map(|cut| &bytes[cut[0]..cut[1]]).collect();
        prop_assert_eq!(cells(&decode(&parts).unwrap()), cells(&whole(THREE_BLOCKS)));
    }

    #[test]
    fn strings_written_as_the_server_writes_them_read_back(
        values in prop::collection::vec("[a-zé,\"\n #é]{0,12}", 1..8),
    ) {
        // Go's writer doubles quotes and turns each line break into CR LF.
        let rows = values.iter().map(|value| {
            format!(",\"{}\"\r\n", value.replace('"', "\"\"").replace('\n', "\r\n"))
        });
        let text = format!("#datatype,string\r\n,v\r\n{}", rows.collect::<String>());
        let chunks = whole(&text);
        let rows = chunks.iter().flat_map(FluxChunk::rows);
        let read: Vec<_> = rows.map(|row| row.text(0).unwrap().to_owned()).collect();
        prop_assert_eq!(read, values);
    }

    #[test]
    fn no_bytes_panic(
        parts in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..80), 0..6),
    ) {
        let parts: Vec<_> = parts.iter().map(Vec::as_slice).collect();
        drop(decode(&parts));
    }

    #[test]
    fn no_soup_of_its_own_characters_panics(text in "[#,\"\r\ndefaulttypegroupxyz0-9:.]{0,200}") {
        if let Ok(chunks) = decode(&[text.as_bytes()]) {
            for row in chunks.iter().flat_map(FluxChunk::rows) {
                drop(row.value(0));
            }
        }
    }
}
