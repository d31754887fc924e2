//! Shard groups: the spans of time by which types are fixed and data expires.
//!
//! [`ShardGroups`] finds or makes the group of a point; [`Retention`] says how long data stays and
//! how long a new group is.

use std::collections::{BTreeMap, BTreeSet};

use crate::line_protocol::MAX_TIME_NS;

const HOUR_NS: i64 = 3_600_000_000_000;
const DAY_NS: i64 = 24 * HOUR_NS;

/// From year 1, whence the server counts whole groups, to 1970. Year 1 began on a Monday, so
/// groups of seven days begin on Mondays.
const YEAR_ONE_TO_EPOCH_S: i128 = 62_135_596_800;

/// How long a bucket keeps data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Retention {
    /// Zero keeps data for ever.
    pub(crate) period_ns: i64,
    pub(crate) shard_group_ns: i64,
}

impl Retention {
    /// The earliest time that is still inside the retention at `now_ns`.
    pub(super) fn earliest_ns(self, now_ns: i64) -> Option<i64> {
        (self.period_ns > 0).then(|| now_ns.saturating_sub(self.period_ns))
    }
}

/// The length of a shard group that goes with a retention, when the bucket names none.
pub(crate) fn shard_duration_ns(period_ns: i64) -> i64 {
    if period_ns == 0 || period_ns >= 180 * DAY_NS {
        7 * DAY_NS
    } else if period_ns >= 2 * DAY_NS {
        DAY_NS
    } else {
        HOUR_NS
    }
}

/// A span of time; the stop is not part of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ShardGroup {
    pub(super) start_ns: i64,
    pub(super) stop_ns: i64,
}

impl ShardGroup {
    pub(super) fn contains(self, time_ns: i64) -> bool {
        self.start_ns <= time_ns && time_ns < self.stop_ns
    }
}

/// The groups of a bucket, which never overlap: start to stop.
#[derive(Debug, Default)]
pub(super) struct ShardGroups {
    stops: BTreeMap<i64, i64>,
}

impl ShardGroups {
    /// The group of this instant, made when there is none.
    pub(super) fn find_or_create(&mut self, time_ns: i64, length_ns: i64) -> ShardGroup {
        let before = self.stops.range(..=time_ns).next_back();
        let mut created = aligned(time_ns, length_ns);
        if let Some((&start_ns, &stop_ns)) = before {
            if time_ns < stop_ns {
                return ShardGroup { start_ns, stop_ns };
            }
            created.start_ns = created.start_ns.max(stop_ns);
        }
        if let Some((&next_ns, _)) = self.stops.range(time_ns..).next() {
            created.stop_ns = created.stop_ns.min(next_ns);
        }
        self.stops.insert(created.start_ns, created.stop_ns);
        created
    }

    /// Where the group with this start stops.
    pub(super) fn stop_of(&self, start_ns: i64) -> Option<i64> {
        self.stops.get(&start_ns).copied()
    }

    /// The starts of the groups that overlap a range, its end included, in order.
    pub(super) fn overlapping(&self, range: (i64, i64)) -> impl Iterator<Item = i64> {
        let overlaps =
            move |(start_ns, stop_ns): &(&i64, &i64)| **start_ns <= range.1 && **stop_ns > range.0;
        self.stops.iter().filter(overlaps).map(|(start_ns, _)| *start_ns)
    }

    /// Forgets the groups that end before `limit_ns` and tells their starts.
    pub(super) fn remove_before(&mut self, limit_ns: i64) -> BTreeSet<i64> {
        let expired = self.stops.iter().filter(|(_, stop_ns)| **stop_ns < limit_ns);
        let expired: BTreeSet<i64> = expired.map(|(start_ns, _)| *start_ns).collect();
        self.stops.retain(|_, stop_ns| *stop_ns >= limit_ns);
        expired
    }

    /// Forgets a group that holds nothing.
    pub(super) fn remove(&mut self, group: ShardGroup) {
        self.stops.remove(&group.start_ns);
    }

    pub(super) fn len(&self) -> usize {
        self.stops.len()
    }
}

/// The whole multiple of `length_ns` since year 1 that holds this instant.
fn aligned(time_ns: i64, length_ns: i64) -> ShardGroup {
    let offset_ns = YEAR_ONE_TO_EPOCH_S * 1_000_000_000;
    let length = i128::from(length_ns.max(1));
    let start = (i128::from(time_ns) + offset_ns).div_euclid(length) * length - offset_ns;
    let clamp = |instant: i128| {
        let bounded = instant.clamp(i128::from(i64::MIN), i128::from(MAX_TIME_NS) + 1);
        i64::try_from(bounded).expect("the instant was clamped to the range of the type")
    };
    ShardGroup { start_ns: clamp(start), stop_ns: clamp(start + length) }
}
