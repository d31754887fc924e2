//! Made-up points in line protocol: what a writer sends.
//!
//! The main type is [`Points`]. Point `n` is a pure function of the plan and of `n`, so any batch
//! can be made by anyone in any order, and however a load is divided the same points are written.
//! No two points of a plan share a series and a time, so what was acknowledged can be counted
//! again. How a request carries them is not known here.

mod digits;
mod field;

use std::time::Duration;

use cutover_model::Ratio;
use cutover_model::draw::draw_unit;

pub use field::{Field, FieldKind, Shape};

use self::digits::push_fixed;

use self::field::Prepared;

/// The streams of chance that belong to points; fields have one each from the last on.
const SWAPS: u64 = 1;
const LATE: u64 = 2;
const FIELDS: u64 = 16;

/// What points are like.
#[derive(Clone, Debug, PartialEq)]
pub struct PointPlan {
    /// Decides every value.
    pub seed: u64,
    /// The measurement.
    pub measurement: String,
    /// Tags that all series have.
    pub tags: Vec<(String, String)>,
    /// The tags that tell the series apart, by name; the values of each are about as many.
    pub series_tags: Vec<String>,
    /// How many series there are.
    pub series: u64,
    /// The fields of each point.
    pub fields: Vec<Field>,
    /// The time of the first point of each series, in nanoseconds since the epoch.
    pub first_ns: i64,
    /// From one point of a series to the next.
    pub interval: Duration,
    /// The unit in which times are written.
    pub unit: TimeUnit,
    /// How many of a series' points come in the order opposite to that of their times.
    pub out_of_order: Ratio,
    /// Points that come late, if any do.
    pub late: Option<Late>,
}

/// Points whose times lie back when they are sent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Late {
    /// How many of the points.
    pub share: Ratio,
    /// How far their times lie back, in whole intervals, less one unit: no point has the time of
    /// another.
    pub by: Duration,
}

/// The unit of a written time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeUnit {
    /// `ns`.
    Nanoseconds,
    /// `us`.
    Microseconds,
    /// `ms`.
    Milliseconds,
    /// `s`.
    Seconds,
}

impl TimeUnit {
    /// Its length.
    pub fn ns(self) -> i64 {
        match self {
            Self::Nanoseconds => 1,
            Self::Microseconds => 1_000,
            Self::Milliseconds => 1_000_000,
            Self::Seconds => 1_000_000_000,
        }
    }

    /// What the write request calls it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Nanoseconds => "ns",
            Self::Microseconds => "us",
            Self::Milliseconds => "ms",
            Self::Seconds => "s",
        }
    }
}

/// A plan that makes no points, or the same point twice.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PointError {
    /// A name is missing.
    #[error("a point needs a {0}")]
    Missing(&'static str),
    /// Nothing tells the series apart.
    #[error("{0} series need a tag that tells them apart")]
    Alike(u64),
    /// A name is used by two columns.
    #[error("the name `{0}` is used twice")]
    Repeated(String),
    /// Two points of a series would have one time.
    #[error(
        "the interval of {interval:?} has to be at least {least} of the unit `{}`",
        unit.word()
    )]
    Interval {
        /// The interval.
        interval: Duration,
        /// How many units it takes.
        least: i64,
        /// The unit.
        unit: TimeUnit,
    },
    /// A name or value that line protocol cannot carry.
    #[error("`{0}` cannot be written in line protocol: it has a line break or is empty")]
    Inexpressible(String),
}

/// Makes points.
#[derive(Clone, Debug)]
pub struct Points {
    /// Measurement and common tags.
    head: Vec<u8>,
    /// `,name=` of each series tag, how many values it has, and their digits.
    series_tags: Vec<(Vec<u8>, u64, usize)>,
    fields: Vec<Prepared>,
    plan: PointPlan,
    first: i64,
    interval: i64,
    late_by: i64,
}

impl Points {
    /// Prepares a plan.
    pub fn new(plan: PointPlan) -> Result<Self, PointError> {
        check(&plan)?;
        let unit = plan.unit.ns();
        let units =
            |duration: Duration| i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX) / unit;
        let (interval, late_by) =
            (units(plan.interval), plan.late.map_or(0, |late| units(late.by)));
        // A late point stands one unit beside the point whose time it would otherwise have.
        let least = if plan.late.is_some() { 2 } else { 1 };
        if interval < least {
            let (interval, unit) = (plan.interval, plan.unit);
            return Err(PointError::Interval { interval, least, unit });
        }
        let mut head = Vec::new();
        push_escaped(&mut head, &plan.measurement, b", ");
        for (name, value) in &plan.tags {
            push_tag(&mut head, name);
            push_escaped(&mut head, value, b",= ");
        }
        let fields = plan.fields.iter().enumerate();
        let fields = fields.map(|(at, field)| Prepared::new(field, at, FIELDS + at as u64));
        Ok(Self {
            head,
            series_tags: series_tags(&plan),
            fields: fields.collect(),
            first: plan.first_ns.div_euclid(unit),
            interval,
            late_by,
            plan,
        })
    }

    /// Appends points, a line each.
    pub fn write(&self, numbers: std::ops::Range<u64>, out: &mut Vec<u8>) {
        // Points of one round share their time, as a rule.
        let (mut text, mut of) = (Vec::with_capacity(20), None);
        for n in numbers {
            let number = self.number(n);
            let (series, round) = (number % self.plan.series, number / self.plan.series);
            let time = self.time_at(series, round);
            out.extend_from_slice(&self.head);
            let mut left = series;
            for (name, values, digits) in &self.series_tags {
                out.extend_from_slice(name);
                push_fixed(out, left % values, *digits);
                left /= values;
            }
            let time_ns = time.saturating_mul(self.plan.unit.ns());
            // The value belongs to the time: whichever request carries it, it is the same.
            for field in &self.fields {
                field.write(self.plan.seed, number, time_ns, out);
            }
            out.push(b' ');
            if of != Some(time) {
                text.clear();
                text.extend_from_slice(itoa::Buffer::new().format(time).as_bytes());
                of = Some(time);
            }
            out.extend_from_slice(&text);
            out.push(b'\n');
        }
    }

    /// The number of the point that is the `n`th to be sent: its own, unless points change places.
    /// It is the value of a field of the kind [`FieldKind::Number`].
    pub fn number(&self, n: u64) -> u64 {
        let (series, round) = (n % self.plan.series, n / self.plan.series);
        self.round_at(series, round) * self.plan.series + series
    }

    /// The round whose point a series sends in a round: some neighbours change places.
    fn round_at(&self, series: u64, round: u64) -> u64 {
        let share = self.plan.out_of_order.get();
        if share == 0.0 {
            return round;
        }
        let pair = (round >> 1) * self.plan.series + series;
        round ^ u64::from(draw_unit(self.plan.seed, SWAPS, pair) < share)
    }

    fn time_at(&self, series: u64, round: u64) -> i64 {
        let steps = i64::try_from(round).unwrap_or(i64::MAX);
        let time = self.first.saturating_add(self.interval.saturating_mul(steps));
        let Some(late) = self.plan.late else { return time };
        let number = round * self.plan.series + series;
        let is_late = draw_unit(self.plan.seed, LATE, number) < late.share.get();
        if is_late {
            time.saturating_sub(self.late_by / self.interval * self.interval) + 1
        } else {
            time
        }
    }
}

fn check(plan: &PointPlan) -> Result<(), PointError> {
    if plan.fields.is_empty() {
        return Err(PointError::Missing("field"));
    }
    if plan.series == 0 {
        return Err(PointError::Missing("series"));
    }
    if plan.series > 1 && plan.series_tags.is_empty() {
        return Err(PointError::Alike(plan.series));
    }
    let tags = plan.tags.iter().map(|(name, _)| name).chain(&plan.series_tags);
    let names: Vec<&String> = tags.chain(plan.fields.iter().map(|field| &field.name)).collect();
    for (at, name) in names.iter().enumerate() {
        if names[..at].contains(name) {
            return Err(PointError::Repeated((*name).clone()));
        }
    }
    let values = plan.tags.iter().map(|(_, value)| value);
    let mut all = names.into_iter().chain(values).chain([&plan.measurement]);
    match all.find(|text| text.is_empty() || text.contains(['\n', '\r', '\0'])) {
        Some(text) => Err(PointError::Inexpressible(text.clone())),
        None => Ok(()),
    }
}

/// Divides the series over the tags: each tag has as many values as the next root says, so that all
/// of them together have room for every series.
fn series_tags(plan: &PointPlan) -> Vec<(Vec<u8>, u64, usize)> {
    let mut left = plan.series;
    let count = plan.series_tags.len();
    let tags = plan.series_tags.iter().enumerate().map(|(at, name)| {
        let values = root(left, count - at);
        left = left.div_ceil(values);
        let mut text = Vec::new();
        push_tag(&mut text, name);
        let digits = values.saturating_sub(1).max(1).ilog10() as usize + 1;
        (text, values, digits)
    });
    tags.collect()
}

/// The least number whose power is at least `of`.
fn root(of: u64, power: usize) -> u64 {
    let power = u32::try_from(power).unwrap_or(u32::MAX);
    let mut root = 1_u64;
    while root.saturating_pow(power) < of {
        if power == 1 {
            return of;
        }
        root += 1;
    }
    root
}

/// Appends `,name=`.
fn push_tag(out: &mut Vec<u8>, name: &str) {
    out.push(b',');
    push_escaped(out, name, b",= ");
    out.push(b'=');
}

fn push_escaped(out: &mut Vec<u8>, text: &str, special: &[u8]) {
    for byte in text.bytes() {
        if special.contains(&byte) {
            out.push(b'\\');
        }
        out.push(byte);
    }
}

#[cfg(test)]
mod tests;
