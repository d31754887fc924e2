//! What the benchmarks run over: rows like those of the ONS load curve, made from numbers.

use std::collections::BTreeMap;

use cutover_model::draw::draw_unit;
use cutover_model::{FieldValue, Row};

/// Hourly rows of four regions in the order of region and time, with one float each.
pub fn rows(count: usize) -> Vec<Row> {
    let regions = ["N", "NE", "S", "SE"];
    let per_region = count.div_ceil(regions.len());
    let hours = (0_i64..).take(per_region);
    let row = |region: &str, hour: i64| Row {
        time_ns: 1_672_531_200_000_000_000 + hour * 3_600_000_000_000,
        tags: [("region".to_owned(), region.to_owned())].into(),
        fields: BTreeMap::from([("value".to_owned(), FieldValue::Float(megawatts(hour)))]),
    };
    let all = regions.iter().flat_map(|region| hours.clone().map(move |hour| row(region, hour)));
    all.take(count).collect()
}

/// A value with as many digits as the operator publishes.
pub fn megawatts(hour: i64) -> f64 {
    (draw_unit(1, 0, hour.unsigned_abs()) * 4_000_000_000_000.0).round() / 100_000_000.0
}
