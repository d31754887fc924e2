//! The four paths that every row, answer or sample goes through.

use std::hint::black_box;
use std::io::Write as _;
use std::sync::Arc;
use std::time::Duration;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use cutover_benches::rows;
use cutover_clients::influx::Precision;
use cutover_clients::influx::csv::CsvDecoder;
use cutover_clients::influx::line_protocol::encode;
use cutover_load::Histogram;
use cutover_model::draw::draw;
use cutover_model::{FieldType, FieldValue, Row};
use cutover_parity::{Cell, Comparison, FieldSchema, Limits, RowBatch, Schema, Side, Tolerance};

const ROWS: usize = 20_000;
const BATCH: usize = 1_000;

fn line_protocol_encoding(c: &mut Criterion) {
    let rows = rows(ROWS);
    let mut group = c.benchmark_group("line protocol");
    group.throughput(Throughput::Elements(ROWS as u64));
    group.bench_function("encode", |b| {
        let mut lines = Vec::new();
        b.iter(|| {
            lines.clear();
            for row in &rows {
                encode(&mut lines, "demand_mw", row, Precision::Nanoseconds).expect("a plain row");
            }
            black_box(lines.len())
        });
    });
    group.finish();
}

/// What InfluxDB answers for these rows.
fn annotated_csv(rows: &[Row]) -> Vec<u8> {
    let mut csv = Vec::new();
    csv.extend_from_slice(b"#datatype,string,long,dateTime:RFC3339,double,string\r\n");
    csv.extend_from_slice(b"#group,false,false,false,false,true\r\n");
    csv.extend_from_slice(b"#default,_result,,,,\r\n,result,table,_time,_value,region\r\n");
    for row in rows {
        let time = cutover_clients::format_rfc3339(row.time_ns);
        let FieldValue::Float(value) = row.fields["value"] else { continue };
        write!(csv, ",,0,{time},{value},{}\r\n", row.tags["region"]).expect("memory is writable");
    }
    csv.extend_from_slice(b"\r\n");
    csv
}

fn csv_decoding(c: &mut Criterion) {
    let csv = annotated_csv(&rows(ROWS));
    let mut group = c.benchmark_group("annotated CSV");
    group.throughput(Throughput::Elements(ROWS as u64));
    group.bench_function("decode", |b| {
        b.iter(|| {
            let mut decoder = CsvDecoder::new();
            let mut values = 0;
            for part in csv.chunks(16 << 10) {
                decoder.feed(part).expect("whole parts");
                while let Some(chunk) = decoder.take() {
                    for row in chunk.rows() {
                        black_box((row.value(2).expect("a time"), row.value(3).expect("a float")));
                        values += 1;
                    }
                }
            }
            decoder.finish().expect("a whole answer");
            assert_eq!(values, ROWS);
        });
    });
    group.finish();
}

fn batches(schema: &Arc<Schema>, rows: &[Row]) -> Vec<RowBatch> {
    let batch = |rows: &[Row]| {
        let mut batch = RowBatch::with_capacity(schema, rows.len());
        for row in rows {
            let FieldValue::Float(value) = row.fields["value"] else { continue };
            batch.begin_row(&[row.tags.get("region").map(String::as_str)], row.time_ns);
            batch.set(0, Cell::Float(value));
        }
        batch
    };
    rows.chunks(BATCH).map(batch).collect()
}

fn row_comparison(c: &mut Criterion) {
    let field = FieldSchema {
        name: "value".to_owned(),
        field_type: FieldType::Float,
        tolerance: Tolerance::Exact,
    };
    let schema = Arc::new(Schema { tags: vec!["region".to_owned()], fields: vec![field] });
    let side = batches(&schema, &rows(ROWS));
    let mut group = c.benchmark_group("parity");
    group.throughput(Throughput::Elements(ROWS as u64));
    group.bench_function("compare", |b| {
        b.iter_batched(
            || [side.clone().into_iter(), side.clone().into_iter()],
            |[mut source, mut destination]| {
                let mut comparison =
                    Comparison::new(Arc::clone(&schema), Limits::default()).expect("a schema");
                while let Some(side) = comparison.wants() {
                    let next = match side {
                        Side::Source => source.next(),
                        Side::Destination => destination.next(),
                    };
                    match next {
                        Some(batch) => comparison.push(side, batch).expect("sorted rows"),
                        None => comparison.end(side),
                    }
                }
                let outcome = comparison.finish().expect("two whole sides");
                assert_eq!(outcome.matched, ROWS as u64);
            },
            BatchSize::SmallInput,
        );
    });
    group.finish();
}

fn histogram_recording(c: &mut Criterion) {
    let durations: Vec<Duration> =
        (0..10_000).map(|n| Duration::from_nanos(draw(1, 0, n) % 1_000_000_000)).collect();
    let mut group = c.benchmark_group("histogram");
    group.throughput(Throughput::Elements(durations.len() as u64));
    group.bench_function("record", |b| {
        let mut histogram = Histogram::default();
        b.iter(|| {
            for duration in &durations {
                histogram.record(*duration);
            }
            black_box(histogram.samples())
        });
    });
    group.finish();
}

criterion_group!(
    hot_paths,
    line_protocol_encoding,
    csv_decoding,
    row_comparison,
    histogram_recording
);
criterion_main!(hot_paths);
