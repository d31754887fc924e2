//! Generated points: written in numbered batches, and looked for afterwards.
//!
//! The main type is [`Writers`]. It remembers which batches were acknowledged, one bit each, and
//! accounts for every point of them in a [`PointEvidence`].

use std::ops::Range;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use cutover_clients::influx::{FluxValue, InfluxClient, Precision};
use cutover_load::points::{Field, FieldKind, Late, PointPlan, Points, Shape, TimeUnit};
use cutover_load::{Pace, ScheduleError};
use cutover_model::scenario::{
    DayShape, GeneratedField, GeneratedPoints, GeneratedValues, LoadModel, LoadStep, TimePrecision,
    WriteLoad, WriteSource,
};
use serde::{Deserialize, Serialize};

use super::CollectError;
use super::driven::{Requests, pace_of};
use super::replay::Replay;
use crate::events::messages;
use crate::names::flux_text;
use crate::step::StepCx;

/// Where the points go. They never mix with migrated data.
const BUCKET: &str = LoadStep::BUCKET;
/// The measurement of generated points.
const MEASUREMENT: &str = "cutover_load";
const NUMBER: &str = LoadStep::NUMBER;
const RUN: &str = LoadStep::RUN;

/// Lost points that are told one by one.
const WITNESSES: usize = 20;

/// What became of the generated points, warm-up included.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PointEvidence {
    /// Points that the destination acknowledged.
    pub acknowledged: u64,
    /// Points that it did not acknowledge, and may have stored all the same.
    pub unacknowledged: u64,
    /// Different points that were read back.
    pub read_back: u64,
    /// Acknowledged points that were not read back.
    pub lost: u64,
    /// The numbers of the first of them.
    pub first_lost: Vec<u64>,
    /// Why the destination could not be asked what it holds, if it could not. Nothing is known of
    /// lost points then; what was measured while it was written to still counts.
    pub unread: Option<String>,
}

impl PointEvidence {
    /// Adds what became of the points of another shard.
    pub(crate) fn merge(&mut self, other: Self) {
        let Self { acknowledged, unacknowledged, read_back, lost, first_lost, unread } = other;
        self.acknowledged += acknowledged;
        self.unacknowledged += unacknowledged;
        self.read_back += read_back;
        self.lost += lost;
        self.first_lost.extend(first_lost);
        self.first_lost.sort_unstable();
        self.first_lost.truncate(WITNESSES);
        self.unread = self.unread.take().or(unread);
    }
}

/// Numbered points, and which of them were acknowledged.
pub(crate) struct Writers {
    lines: Lines,
    batch: u32,
    /// Marks the points of this step, so that an earlier run's cannot stand in for them.
    run: String,
    ledger: Mutex<Ledger>,
}

/// Where the lines come from.
enum Lines {
    Generated { points: Box<Points>, model: LoadModel },
    Replayed(Replay),
}

#[derive(Default)]
struct Ledger {
    /// The batches that were acknowledged.
    acknowledged: Bits,
    batches_acknowledged: u64,
}

impl Writers {
    pub(crate) fn new(write: &WriteLoad, cx: &StepCx<'_>) -> Result<Self, CollectError> {
        let first_ns = cx.cx.clock.now_ns();
        let run = format!("{first_ns:x}");
        let lines = match &write.source {
            WriteSource::Generated { model, points } => {
                let plan = plan_of(points, write.precision, (&run, first_ns));
                let points = Box::new(Points::new(PointPlan { seed: cx.planned.seed, ..plan })?);
                Lines::Generated { points, model: model.clone() }
            }
            WriteSource::Replayed { data, speed } => {
                let sets: Vec<_> = cx.data(data).collect();
                let precision = precision_of(write.precision);
                Lines::Replayed(Replay::read(&sets, *speed, (&run, precision))?)
            }
        };
        Ok(Self { lines, batch: write.batch, run, ledger: Mutex::default() })
    }

    /// When the batches of a load of this length are due.
    pub(crate) fn pace(&self, length: Duration, seed: u64) -> Result<Pace, ScheduleError> {
        match &self.lines {
            Lines::Generated { model, .. } => pace_of(model, Requests::one_for(self.batch), seed),
            Lines::Replayed(replay) => {
                Ok(Pace::Open(replay.schedule(u64::from(self.batch), length, seed)?))
            }
        }
    }

    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Appends the points of batch `k`, numbered through all batches; tells how many they are.
    pub(crate) fn write(&self, k: u64, out: &mut Vec<u8>) -> u64 {
        let places = self.places(k);
        match &self.lines {
            Lines::Generated { points, .. } => points.write(places, out),
            Lines::Replayed(replay) => replay.write(places, out),
        }
        u64::from(self.batch)
    }

    /// The number that a point carries, by its place among all that are sent.
    fn number(&self, place: u64) -> u64 {
        match &self.lines {
            Lines::Generated { points, .. } => points.number(place),
            Lines::Replayed(_) => place,
        }
    }

    /// The places of the points of batch `k` among all that are sent.
    fn places(&self, k: u64) -> Range<u64> {
        let batch = u64::from(self.batch);
        k * batch..(k + 1) * batch
    }

    /// Remembers that batch `k` was acknowledged.
    pub(crate) fn acknowledge(&self, k: u64) {
        let mut ledger = self.ledger();
        ledger.acknowledged.set(k);
        ledger.batches_acknowledged += 1;
    }

    /// Asks the destination which points it holds, and looks for the acknowledged ones among
    /// those that were sent.
    pub(crate) async fn read_back(&self, destination: &InfluxClient, sent: u64) -> PointEvidence {
        let evidence = match self.held(destination).await {
            Ok(held) => self.account(&held),
            Err(error) => {
                PointEvidence { unread: Some(messages(&error).join(": ")), ..self.counted() }
            }
        };
        self.of_sent(evidence, sent)
    }

    /// What was acknowledged, where nobody asks whether it is there.
    pub(crate) fn not_read_back(&self, sent: u64) -> PointEvidence {
        let unread = Some("the scenario does not ask for it".to_owned());
        self.of_sent(PointEvidence { unread, ..self.counted() }, sent)
    }

    fn of_sent(&self, evidence: PointEvidence, sent: u64) -> PointEvidence {
        let unacknowledged = (sent * u64::from(self.batch)).saturating_sub(evidence.acknowledged);
        PointEvidence { unacknowledged, ..evidence }
    }

    /// The numbers of the points that the destination holds.
    async fn held(&self, destination: &InfluxClient) -> Result<Bits, CollectError> {
        let (bucket, run) = (flux_text(BUCKET), flux_text(&self.run));
        let flux = format!(
            "from(bucket: {bucket})\n  \
             |> range(start: 1970-01-01T00:00:00Z, stop: 2262-01-01T00:00:00Z)\n  \
             |> filter(fn: (r) => r.{RUN} == {run} and r._field == \"{NUMBER}\")\n  \
             |> keep(columns: [\"_value\"])"
        );
        let mut held = Bits::default();
        let mut rows = destination.query(&flux).await.map_err(CollectError::Destination)?;
        while let Some(chunk) = rows.next().await.map_err(CollectError::Destination)? {
            let place = chunk.schema().position("_value").ok_or_else(|| CollectError::Shape {
                store: "destination",
                problem: "an answer has no column `_value`".to_owned(),
            })?;
            for row in chunk.rows() {
                let value = row.value(place).map_err(CollectError::Destination)?;
                if let FluxValue::Integer(number) = value {
                    held.set(number.cast_unsigned());
                }
            }
        }
        Ok(held)
    }

    /// What was acknowledged.
    fn counted(&self) -> PointEvidence {
        let ledger = self.ledger();
        PointEvidence {
            acknowledged: ledger.batches_acknowledged * u64::from(self.batch),
            ..PointEvidence::default()
        }
    }

    fn account(&self, held: &Bits) -> PointEvidence {
        let mut evidence = PointEvidence { read_back: held.count(), ..self.counted() };
        let ledger = self.ledger();
        for k in ledger.acknowledged.iter() {
            for number in self.places(k).map(|place| self.number(place)).filter(|it| !held.get(*it))
            {
                evidence.lost += 1;
                if evidence.first_lost.len() < WITNESSES {
                    evidence.first_lost.push(number);
                }
            }
        }
        evidence
    }
}

/// What generated points are like, but for the seed.
fn plan_of(
    points: &GeneratedPoints,
    precision: TimePrecision,
    (run, first_ns): (&str, i64),
) -> PointPlan {
    let GeneratedPoints { series, tags, fields, interval, out_of_order, late } = points;
    let number = Field { name: NUMBER.to_owned(), kind: FieldKind::Number };
    PointPlan {
        seed: 0,
        measurement: MEASUREMENT.to_owned(),
        tags: vec![(RUN.to_owned(), run.to_owned())],
        series_tags: tags.clone(),
        series: u64::from(*series),
        fields: std::iter::once(number).chain(fields.iter().map(field_of)).collect(),
        first_ns,
        interval: *interval,
        unit: match precision {
            TimePrecision::Nanoseconds => TimeUnit::Nanoseconds,
            TimePrecision::Microseconds => TimeUnit::Microseconds,
            TimePrecision::Milliseconds => TimeUnit::Milliseconds,
            TimePrecision::Seconds => TimeUnit::Seconds,
        },
        out_of_order: *out_of_order,
        late: late.map(|late| Late { share: late.share, by: late.by }),
    }
}

fn field_of(field: &GeneratedField) -> Field {
    let kind = match field.values {
        GeneratedValues::Float { decimals, shape } => FieldKind::Float {
            decimals,
            shape: match shape {
                DayShape::Even => Shape::Even,
                DayShape::Diurnal => Shape::Diurnal,
            },
        },
        GeneratedValues::Integer => FieldKind::Integer,
        GeneratedValues::Unsigned => FieldKind::Unsigned,
        GeneratedValues::Boolean => FieldKind::Boolean,
        GeneratedValues::Text(letters) => FieldKind::Text(letters),
    };
    Field { name: field.key.clone(), kind }
}

/// The precision as the write request names it.
pub(crate) fn precision_of(precision: TimePrecision) -> Precision {
    match precision {
        TimePrecision::Nanoseconds => Precision::Nanoseconds,
        TimePrecision::Microseconds => Precision::Microseconds,
        TimePrecision::Milliseconds => Precision::Milliseconds,
        TimePrecision::Seconds => Precision::Seconds,
    }
}

/// A set of numbers from zero, one bit each.
#[derive(Default)]
struct Bits(Vec<u64>);

impl Bits {
    /// Numbers beyond this are none of ours: a set of them would be a gigabyte.
    const LIMIT: u64 = 1 << 33;

    fn set(&mut self, number: u64) {
        if number >= Self::LIMIT {
            return;
        }
        let (word, bit) = Self::place(number);
        if word >= self.0.len() {
            self.0.resize(word + 1, 0);
        }
        self.0[word] |= bit;
    }

    fn get(&self, number: u64) -> bool {
        let (word, bit) = Self::place(number);
        self.0.get(word).is_some_and(|it| it & bit != 0)
    }

    fn count(&self) -> u64 {
        self.0.iter().map(|word| u64::from(word.count_ones())).sum()
    }

    fn iter(&self) -> impl Iterator<Item = u64> {
        (0..self.0.len() as u64 * 64).filter(|number| self.get(*number))
    }

    fn place(number: u64) -> (usize, u64) {
        (usize::try_from(number / 64).unwrap_or(usize::MAX), 1 << (number % 64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_of_bits_holds_what_was_set() {
        let mut bits = Bits::default();
        for number in [0, 63, 64, 1_000] {
            bits.set(number);
        }
        assert_eq!(bits.iter().collect::<Vec<_>>(), [0, 63, 64, 1_000]);
        assert_eq!(bits.count(), 4);
        assert!(!bits.get(5_000));
    }
}
