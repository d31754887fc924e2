//! What is asked of the data: span, windows, grouping, filling, order and limits.

use std::collections::BTreeSet;

use jiff::tz::TimeZone;

use crate::influxql::ast::{Expr, Fill, Order, Page, Select, VarRef};
use crate::influxql::condition::{self, MAX_TIME_NS, MIN_TIME_NS};
use crate::influxql::error::Outcome;
use crate::influxql::reduce::zone_offset;
use crate::influxql::value::Value;

/// How points are read, grouped and shown.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a property of its own, and they go together in any way"
)]
#[derive(Clone, Debug)]
pub(super) struct Options {
    /// What comes along with each point.
    pub(super) aux: Vec<VarRef>,
    pub(super) interval_ns: i64,
    offset_ns: i64,
    /// The tags by which the whole query groups.
    pub(super) dimensions: Vec<String>,
    /// The tags by which this level of the query groups, those of the whole query among them.
    pub(super) group_by: BTreeSet<String>,
    zone: Option<TimeZone>,
    pub(super) fill: Fill,
    pub(super) condition: Option<Expr>,
    /// The first instant of the span.
    pub(super) start_ns: i64,
    /// The last instant of the span.
    pub(super) end_ns: i64,
    pub(super) ascending: bool,
    /// Whether points must come in order of time, or may come series by series in each window.
    pub(super) ordered: bool,
    pub(super) rows: Page,
    pub(super) series: Page,
    pub(super) strip_name: bool,
    pub(super) dedupe: bool,
}

impl Options {
    /// What a statement says by itself.
    pub(super) fn of(select: &Select) -> Outcome<Self> {
        let (condition, range) =
            condition::split(select.condition.as_ref(), None, select.zone.as_ref())?;
        let (interval_ns, offset_ns) = select.interval();
        let dimensions: Vec<String> = select
            .dimensions
            .iter()
            .filter_map(|dimension| match dimension {
                Expr::Ref(tag) => Some(tag.name.clone()),
                _ => None,
            })
            .collect();
        Ok(Self {
            aux: Vec::new(),
            interval_ns,
            offset_ns,
            group_by: dimensions.iter().cloned().collect(),
            dimensions,
            zone: select.zone.as_ref().map(|zone| zone.zone.clone()),
            fill: select.fill,
            condition,
            start_ns: range.min_ns(),
            end_ns: range.max_ns(),
            ascending: select.ascending(),
            ordered: true,
            rows: select.rows,
            series: select.series,
            strip_name: select.strip_name,
            dedupe: select.dedupe,
        })
    }

    /// What a subquery says, within what the query around it asks.
    pub(super) fn of_subquery(select: &Select, outer: &Self, now_ns: i64) -> Outcome<Self> {
        let mut own = Self::of(select)?;
        own.start_ns = own.start_ns.max(outer.start_ns);
        own.end_ns = own.end_ns.min(outer.end_ns);
        if own.interval_ns != 0 && own.end_ns == MAX_TIME_NS {
            own.end_ns = now_ns;
        }
        own.dimensions.clone_from(&outer.dimensions);
        own.group_by.extend(outer.group_by.iter().cloned());
        own.series.limit = own.series.limit.saturating_add(outer.series.limit);
        own.series.offset = own.series.offset.saturating_add(outer.series.offset);
        own.ascending = outer.ascending;
        own.ordered = outer.ordered;
        if !select.is_raw && own.fill == Fill::Null {
            own.fill = Fill::None;
        }
        if own.interval_ns == 0 {
            own.interval_ns = outer.interval_ns;
            own.offset_ns = outer.offset_ns;
        }
        Ok(own)
    }

    /// The direction of [`ascending`](Self::ascending).
    pub(super) fn direction(&self) -> Order {
        if self.ascending { Order::Ascending } else { Order::Descending }
    }

    /// The tags by which points are told apart.
    pub(super) fn grouping(&self) -> Vec<String> {
        if self.group_by.is_empty() {
            self.dimensions.clone()
        } else {
            self.group_by.iter().cloned().collect()
        }
    }

    /// The value of what is missing; `None` leaves the one before in place.
    pub(super) fn default_value(&self) -> Option<Value> {
        match self.fill {
            Fill::Integer(number) => Some(Value::Integer(number)),
            Fill::Float(number) => Some(Value::Float(number)),
            Fill::Previous => None,
            _ => Some(Value::Null),
        }
    }

    /// The zone's offset from UTC at an instant; none without a zone.
    pub(super) fn zone_offset(&self, time_ns: i64) -> Option<i64> {
        self.zone.as_ref().map(|zone| zone_offset(zone, time_ns.into()))
    }

    /// The window that holds an instant: its first one, and the one behind its last.
    pub(super) fn window(&self, time_ns: i64) -> (i64, i64) {
        if self.interval_ns == 0 {
            return (self.start_ns, self.end_ns.wrapping_add(1));
        }
        let time_ns = time_ns.wrapping_sub(self.offset_ns);
        let zone_ns = self.zone_offset(time_ns).unwrap_or(0);
        let into_ns = time_ns.wrapping_add(zone_ns).rem_euclid(self.interval_ns);
        let mut start_ns = if MIN_TIME_NS.wrapping_add(into_ns) >= time_ns {
            MIN_TIME_NS
        } else {
            time_ns - into_ns
        };
        start_ns = start_ns.wrapping_add(self.offset_ns);
        if let Some(start_zone_ns) = self.zone_offset(start_ns) {
            let change_ns = zone_ns - start_zone_ns;
            if change_ns != 0 && change_ns.abs() < self.interval_ns {
                start_ns += change_ns;
            }
        }
        let rest_ns = self.interval_ns - into_ns;
        let mut end_ns =
            if MAX_TIME_NS - rest_ns <= time_ns { MAX_TIME_NS } else { time_ns + rest_ns };
        end_ns = end_ns.wrapping_add(self.offset_ns);
        if let Some(end_zone_ns) = self.zone_offset(end_ns) {
            let change_ns = zone_ns - end_zone_ns;
            if change_ns != 0 && change_ns.abs() < self.interval_ns {
                // A clock put back lengthens the window; one put forward shortens it only where
                // the change lies inside.
                let moved = end_ns.wrapping_add(change_ns);
                if change_ns > 0 || self.zone_offset(moved) == Some(end_zone_ns) {
                    end_ns = moved;
                }
            }
        }
        (start_ns, end_ns)
    }
}
