//! Retention: how long a table keeps rows, and so which times it accepts.
//!
//! Only the acceptance of writes is modelled. Rows that outlive their retention stay.

use crate::error::ApiError;
use crate::value::push_timestamp;
use crate::wire::RetentionWire;

const HOUR_NS: i64 = 3_600 * 1_000_000_000;
/// How far ahead of the clock a record may lie.
const FUTURE_NS: i64 = 15 * 60 * 1_000_000_000;

/// The retention of a table, within the service's limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Retention {
    pub(crate) memory_hours: i64,
    pub(crate) magnetic_days: i64,
}

/// The store that takes a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tier {
    Memory,
    Magnetic,
}

impl Default for Retention {
    fn default() -> Self {
        Self { memory_hours: 6, magnetic_days: 73_000 }
    }
}

impl Retention {
    /// Checks what a request asks for; what it leaves out stays as in `self`.
    pub(crate) fn updated(self, wire: &RetentionWire) -> Result<Self, ApiError> {
        let &RetentionWire {
            memory_store_retention_period_in_hours: hours,
            magnetic_store_retention_period_in_days: days,
        } = wire;
        Ok(Self {
            memory_hours: within("memoryStoreRetentionPeriodInHours", hours, self.memory_hours)?,
            magnetic_days: within("magneticStoreRetentionPeriodInDays", days, self.magnetic_days)?,
        })
    }

    /// Which store takes a record of `time_ns` at `now_ns`, or why none does.
    pub(crate) fn tier(
        self,
        time_ns: i64,
        now_ns: i64,
        magnetic_writes: MagneticWrites,
    ) -> Result<Tier, String> {
        let memory_start = now_ns.saturating_sub(self.memory_hours * HOUR_NS);
        let start = match magnetic_writes {
            MagneticWrites::Disabled => memory_start,
            MagneticWrites::Enabled => {
                now_ns.saturating_sub((self.magnetic_days * 24).saturating_mul(HOUR_NS))
            }
        };
        let end = now_ns.saturating_add(FUTURE_NS);
        if time_ns < start.min(memory_start) || time_ns > end {
            let mut reason = "The record timestamp is outside the time range [".to_owned();
            push_timestamp(&mut reason, start.min(memory_start));
            reason.push_str(", ");
            push_timestamp(&mut reason, end);
            reason.push_str("] of the data ingestion window.");
            return Err(reason);
        }
        Ok(if time_ns >= memory_start { Tier::Memory } else { Tier::Magnetic })
    }
}

/// Whether a table takes records that are older than its memory store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum MagneticWrites {
    #[default]
    Disabled,
    Enabled,
}

fn within(member: &str, asked: Option<i64>, current: i64) -> Result<i64, ApiError> {
    let limit = if member.starts_with("memory") { 8_766 } else { 73_000 };
    match asked {
        None => Ok(current),
        Some(value) if (1..=limit).contains(&value) => Ok(value),
        Some(value) => Err(ApiError::validation(format!(
            "1 validation error detected: Value '{value}' at 'retentionProperties.{member}' failed \
             to satisfy constraint: Member must be from 1 to {limit}"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_700_000_000 * 1_000_000_000;

    fn tier(time_ns: i64, magnetic_writes: MagneticWrites) -> Option<Tier> {
        Retention::default().tier(time_ns, NOW, magnetic_writes).ok()
    }

    #[test]
    fn a_record_within_the_memory_window_goes_to_memory() {
        assert_eq!(tier(NOW - 6 * HOUR_NS, MagneticWrites::Disabled), Some(Tier::Memory));
    }

    #[test]
    fn an_older_record_is_refused_unless_magnetic_writes_are_enabled() {
        let older = NOW - 6 * HOUR_NS - 1;
        assert_eq!(tier(older, MagneticWrites::Disabled), None);
        assert_eq!(tier(older, MagneticWrites::Enabled), Some(Tier::Magnetic));
    }

    #[test]
    fn a_record_older_than_the_magnetic_window_is_refused() {
        let retention = Retention { memory_hours: 1, magnetic_days: 1 };
        let refused = retention.tier(NOW - 24 * HOUR_NS - 1, NOW, MagneticWrites::Enabled);
        assert!(refused.is_err());
    }

    #[test]
    fn a_record_more_than_fifteen_minutes_ahead_is_refused() {
        assert_eq!(tier(NOW + FUTURE_NS, MagneticWrites::Enabled), Some(Tier::Memory));
        assert_eq!(tier(NOW + FUTURE_NS + 1, MagneticWrites::Enabled), None);
    }
}
