//! The names that the drill's parts have in common, and the instant at which its world begins.

use std::time::Duration;

/// The bucket in InfluxDB and the database in Timestream.
pub(super) const BUCKET: &str = "drill";
/// The measurement in InfluxDB, and the table and the measure in Timestream.
pub(super) const MEASUREMENT: &str = "telemetry";
/// The tag and dimension that names a device.
pub(super) const DEVICE: &str = "device";
/// The field and measure that holds a write's id, so that a row names the write it came from.
pub(super) const ID: &str = "id";

/// 2023-06-01T00:00:00Z, when the drill's world begins, in nanoseconds since 1970.
pub(super) const EPOCH_NS: i64 = 1_685_577_600_000_000_000;

/// How long a request of the backend may take.
pub(super) const REQUEST_LIMIT: Duration = Duration::from_secs(30);

/// What a device is called in both stores and in the bucketing.
pub(super) fn device_name(device: u32) -> String {
    format!("device-{device:04}")
}

/// The time `since_start` as nanoseconds since 1970.
pub(super) fn at_ns(since_start: Duration) -> i64 {
    let nanos = i64::try_from(since_start.as_nanos()).unwrap_or(i64::MAX);
    EPOCH_NS.saturating_add(nanos)
}
