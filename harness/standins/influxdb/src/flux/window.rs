//! Windows: regular spans of time counted from the epoch.
//!
//! [`Windows`] finds the windows of an instant and those that overlap a range. Months are those of
//! the calendar; in a [`Location`] windows follow its clock.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::duration::Duration;
use super::error::{FluxError, FluxErrorCode};
use super::stream::Bounds;
use super::time::split_day;

/// A zone, and an offset added to its clock.
#[derive(Clone, Debug)]
pub(crate) struct Location {
    /// `None` is UTC.
    pub(crate) zone: Option<TimeZone>,
    pub(crate) offset: Duration,
}

impl Location {
    pub(crate) const UTC: Self = Self { zone: None, offset: Duration { months: 0, ns: 0 } };

    /// The zone with this IANA name.
    pub(crate) fn named(name: &str, offset: Duration) -> Result<Self, FluxError> {
        if matches!(name, "" | "UTC") {
            return Ok(Self { zone: None, offset });
        }
        // The library takes names in any case, the server only as they are written.
        let zone = TimeZone::get(name).ok().filter(|zone| zone.iana_name() == Some(name));
        let zone = zone.ok_or_else(|| FluxError::new(format!("unknown time zone {name}")))?;
        Ok(Self { zone: Some(zone), offset })
    }

    /// What the clock in this zone shows at an instant, as if it were UTC.
    pub(crate) fn local_clock(&self, time_ns: i64) -> i64 {
        let offset_ns = match &self.zone {
            Some(zone) => i64::from(zone.to_offset(timestamp(time_ns)).seconds()) * 1_000_000_000,
            None => 0,
        };
        time_ns.saturating_add(offset_ns)
    }

    /// The instant at which the clock in this zone shows `local_ns`. A time that the clock skips
    /// becomes the end of the gap, one that it shows twice the first of both.
    pub(crate) fn instant(&self, local_ns: i64) -> i64 {
        let Some(zone) = &self.zone else { return local_ns };
        let civil: DateTime = TimeZone::UTC.to_datetime(timestamp(local_ns));
        let ambiguous = zone.to_ambiguous_timestamp(civil);
        let offset_s = match ambiguous.offset() {
            jiff::tz::AmbiguousOffset::Unambiguous { offset } => offset.seconds(),
            jiff::tz::AmbiguousOffset::Fold { before, .. } => before.seconds(),
            jiff::tz::AmbiguousOffset::Gap { before, after } => {
                let earlier = local_ns.saturating_sub(ns_of(after.seconds()));
                return zone.following(timestamp(earlier)).next().map_or_else(
                    || local_ns.saturating_sub(ns_of(before.seconds())),
                    |transition| instant_ns(transition.timestamp()),
                );
            }
        };
        local_ns.saturating_sub(ns_of(offset_s))
    }
}

fn ns_of(seconds: i32) -> i64 {
    i64::from(seconds) * 1_000_000_000
}

fn timestamp(time_ns: i64) -> Timestamp {
    Timestamp::from_nanosecond(i128::from(time_ns))
        .expect("64 bits of nanoseconds are within the library's range")
}

fn instant_ns(timestamp: Timestamp) -> i64 {
    i64::try_from(timestamp.as_nanosecond()).unwrap_or(i64::MAX)
}

/// The windows of one length and period.
#[derive(Clone, Debug)]
pub(crate) struct Windows {
    every: Duration,
    period: Duration,
    zero_ns: i64,
    location: Location,
}

/// One window: its bounds and its number.
#[derive(Clone, Copy, Debug)]
struct Window {
    index: i64,
    bounds: Bounds,
}

impl Windows {
    /// Windows that begin every `every`, are `period` long and are shifted by `offset`.
    pub(crate) fn new(
        every: Duration,
        period: Duration,
        offset: Duration,
        location: Location,
    ) -> Result<Self, FluxError> {
        if every.is_zero() {
            return Err(FluxError::new("duration used as an interval cannot be zero"));
        }
        if every.is_mixed() {
            return Err(FluxError::whole(
                FluxErrorCode::Invalid,
                "duration used as an interval cannot mix month and nanosecond units",
            ));
        }
        if every.is_negative() {
            return Err(FluxError::new("duration used as an interval cannot be negative"));
        }
        let zero_ns = offset.after(location.offset.negated().after(0));
        Ok(Self { every, period, zero_ns, location })
    }

    /// Whether there is but one window, without an end.
    pub(crate) fn is_infinite(&self) -> bool {
        self.every == Duration::INFINITE
    }

    fn window(&self, index: i64) -> Window {
        let start = self.every.times(index).after(self.zero_ns);
        let stop = self.period.after(start);
        let (start, stop) = (self.location.instant(start), self.location.instant(stop));
        let bounds = Bounds { start_ns: start.min(stop), stop_ns: start.max(stop) };
        Window { index, bounds }
    }

    /// The number of the last window that begins at or before an instant.
    fn last_index(&self, time_ns: i64) -> i64 {
        let local_ns = self.location.local_clock(time_ns);
        if self.every.months == 0 {
            return local_ns.saturating_sub(self.zero_ns).div_euclid(self.every.ns);
        }
        let months = |time_ns: i64| {
            let (date, in_day_ns) = split_day(time_ns);
            (date.year * 12 + date.month, (date.day, in_day_ns))
        };
        let (zero, zero_in_month) = months(self.zero_ns);
        let (target, target_in_month) = months(local_ns);
        let begun = i64::from(target_in_month < zero_in_month);
        (target - begun - zero).div_euclid(self.every.months)
    }

    /// The last window that begins at or before an instant.
    pub(crate) fn latest(&self, time_ns: i64) -> Bounds {
        self.window(self.last_index(time_ns)).bounds
    }

    /// The instant one distance between windows after another.
    pub(crate) fn next_start(&self, time_ns: i64) -> i64 {
        self.every.after(time_ns)
    }

    /// The windows that hold an instant, the earliest first. They are few unless the period is
    /// many times the distance between windows.
    pub(crate) fn of_instant(&self, time_ns: i64) -> Vec<Bounds> {
        let next_ns = time_ns.saturating_add(1);
        self.overlapping(Bounds { start_ns: time_ns, stop_ns: next_ns })
    }

    /// Whether windows neither overlap nor leave gaps.
    pub(crate) fn tile(&self) -> bool {
        // In a zone whose clock goes back two windows share an hour.
        self.period == self.every && self.location.zone.is_none()
    }

    /// Whether the server's store can make these windows.
    pub(crate) fn are_for_store(&self) -> bool {
        self.tile() && self.location.offset.is_zero() && self.zero_ns >= 0
    }

    /// How many windows a range may touch, roughly.
    pub(crate) fn estimate(&self, range: Bounds) -> u64 {
        const MONTH_NS: i128 = 28 * 86_400 * 1_000_000_000;
        let length = |duration: Duration| {
            i128::from(duration.months.unsigned_abs()) * MONTH_NS
                + i128::from(duration.ns.unsigned_abs())
        };
        let range_ns = i128::from(range.stop_ns) - i128::from(range.start_ns);
        let count = (range_ns.max(0) + length(self.period)) / length(self.every).max(1) + 2;
        u64::try_from(count).unwrap_or(u64::MAX)
    }

    /// The windows that overlap a range, the earliest first.
    pub(crate) fn overlapping(&self, range: Bounds) -> Vec<Bounds> {
        let mut found = Vec::new();
        if range.start_ns >= range.stop_ns {
            return found;
        }
        let mut window = self.window(self.last_index(range.stop_ns - 1));
        // A negative period reaches back from where a window begins.
        while self.period.is_negative() && window.bounds.start_ns < range.stop_ns {
            window = self.window(window.index + 1);
        }
        while window.bounds.stop_ns > range.start_ns {
            if window.bounds.start_ns < range.stop_ns {
                found.push(window.bounds);
            }
            let before = self.window(window.index - 1);
            if before.bounds.start_ns >= window.bounds.start_ns && !self.location_shifts() {
                break;
            }
            window = before;
        }
        found.reverse();
        found
    }

    /// In a zone two windows may fall on one instant when the clock goes forward.
    fn location_shifts(&self) -> bool {
        self.location.zone.is_some()
    }
}

impl Bounds {
    /// The part of this range that lies in another.
    pub(crate) fn clipped_to(self, other: Self) -> Self {
        Self {
            start_ns: self.start_ns.max(other.start_ns),
            stop_ns: self.stop_ns.min(other.stop_ns),
        }
    }

    /// Whether it holds no instant.
    pub(crate) fn is_empty(self) -> bool {
        self.start_ns >= self.stop_ns
    }

    pub(crate) fn contains(self, time_ns: i64) -> bool {
        self.start_ns <= time_ns && time_ns < self.stop_ns
    }
}
