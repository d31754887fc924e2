//! The writers of a load step: made-up points, or rows of data sets.

use std::time::Duration;

use cutover_model::Ratio;
use cutover_model::scenario::{
    DayShape, GeneratedField, GeneratedPoints, GeneratedValues, LatePoints, LoadModel, LoadStep,
    TimePrecision, WriteLoad, WriteSource,
};

use super::Lowering;
use super::arrival::Phase;
use crate::reader::At;
use crate::wire::load::{
    DayShapeWire, FloatWire, LatePointsWire, PointsWire, PrecisionWire, ReplayWire, ValuesWire,
    WriteWire,
};
use crate::wire::scalar::SeriesKey;
use crate::wire::{entries, items};

/// How many series points are spread over, unless the file says.
const DEFAULT_SERIES: u32 = 100;
/// The tag that tells the series apart, unless the file says.
const DEFAULT_TAG: &str = "series";
/// From one point of a series to the next, unless the file says or the precision needs more.
const DEFAULT_INTERVAL: Duration = Duration::from_millis(1);

impl Lowering<'_> {
    pub(super) fn write_load(&mut self, wire: &At<WriteWire>, phase: Phase) -> Option<WriteLoad> {
        let WriteWire { open, closed, replay, batch, points, precision, gzip } = &wire.value;
        let precision = precision_of(precision.as_ref());
        let made = self.points(points.as_ref(), precision);
        let model = match (open, closed) {
            (Some(open), _) => self.arrivals(open, phase).map(LoadModel::Open),
            (None, Some(closed)) => self.users(&closed.value, phase),
            (None, None) => None,
        };
        let source = match replay {
            Some(replay) => {
                if let Some(points) = points {
                    let message = "`points` says how points are made up, and `replay` takes rows";
                    self.mistakes.error(&points.place, message, "remove one of the two");
                }
                self.replay(&replay.value)
            }
            None => model.zip(made).map(|(model, points)| WriteSource::Generated { model, points }),
        };
        let gzip = gzip.as_ref().map(|gzip| gzip.value.0);
        Some(WriteLoad { source: source?, batch: batch.as_ref()?.value.0, precision, gzip })
    }

    fn replay(&mut self, wire: &ReplayWire) -> Option<WriteSource> {
        let ReplayWire { data, speed } = wire;
        let named = self.named_sets(items(data.as_ref()));
        Some(WriteSource::Replayed { data: self.names(named)?, speed: speed.as_ref()?.value.0 })
    }

    pub(super) fn points(
        &mut self,
        wire: Option<&At<PointsWire>>,
        precision: TimePrecision,
    ) -> Option<GeneratedPoints> {
        let absent = PointsWire {
            series: None,
            tags: None,
            fields: None,
            interval: None,
            out_of_order: None,
            late: None,
        };
        let wire = wire.map_or(&absent, |wire| &wire.value);
        let PointsWire { series, tags, fields, interval, out_of_order, late } = wire;
        self.check_names(wire);
        // A late point stands one unit beside the point whose time it would otherwise have.
        let least = precision.length() * if late.is_some() { 2 } else { 1 };
        if let Some(interval) = interval.as_ref().filter(|interval| interval.value.0 < least) {
            let message = "two points of a series would have one time in this precision";
            let help = format!("write at least `{least:?}`, or a finer `precision`");
            self.mistakes.error(&interval.place, message, help);
        }
        let interval = interval.as_ref().map_or(DEFAULT_INTERVAL.max(least), |it| it.value.0);
        let late = match late {
            Some(late) => Some(self.late(&late.value, interval)?),
            None => None,
        };
        let tags = match tags {
            Some(tags) => tags.value.0.iter().map(|tag| tag.value.0.clone()).collect(),
            None => vec![DEFAULT_TAG.to_owned()],
        };
        let values = GeneratedValues::Float { decimals: Some(2), shape: DayShape::Even };
        let fields = match entries(fields.as_ref()) {
            [] => vec![GeneratedField { key: "value".to_owned(), values }],
            fields => {
                fields.iter().filter_map(|(key, wire)| Some(field(key, wire.as_ref()?))).collect()
            }
        };
        Some(GeneratedPoints {
            series: series.as_ref().map_or(DEFAULT_SERIES, |series| series.value.0),
            tags,
            fields,
            interval,
            out_of_order: out_of_order.as_ref().map_or(Ratio::ZERO, |share| share.value.0),
            late,
        })
    }

    fn late(&mut self, wire: &LatePointsWire, interval: Duration) -> Option<LatePoints> {
        let LatePointsWire { share, by } = wire;
        let by = by.as_ref()?;
        if by.value.0 < interval {
            let message = "late points would lie back by less than one interval";
            let help = format!("write at least `{interval:?}`, or a shorter `interval`");
            self.mistakes.error(&by.place, message, help);
        }
        Some(LatePoints { share: share.as_ref()?.value.0, by: by.value.0 })
    }

    /// Refuses names that are used twice, or by what is written beside them.
    fn check_names(&mut self, wire: &PointsWire) {
        let tags = items(wire.tags.as_ref());
        let mut known = vec![LoadStep::NUMBER, LoadStep::RUN];
        let fields = entries(wire.fields.as_ref()).iter().map(|(key, _)| key);
        for name in tags.iter().chain(fields) {
            let text = name.value.0.as_str();
            if text == LoadStep::NUMBER || text == LoadStep::RUN {
                let message = format!("every point has a `{text}` of its own");
                let help = "give this another name: by it a point is found again";
                self.mistakes.error(&name.place, message, help);
            } else if known.contains(&text) {
                let message = format!("the name `{text}` is used twice");
                self.mistakes.error(&name.place, message, "give one of them another name");
            }
            known.push(text);
        }
    }
}

fn field(key: &At<SeriesKey>, wire: &At<ValuesWire>) -> GeneratedField {
    let values = match &wire.value {
        ValuesWire::Integer => GeneratedValues::Integer,
        ValuesWire::Unsigned => GeneratedValues::Unsigned,
        ValuesWire::Boolean => GeneratedValues::Boolean,
        ValuesWire::Float(float) => {
            let FloatWire { decimals, shape } = &float.value;
            let shape = match shape.as_ref().map(|shape| &shape.value) {
                Some(DayShapeWire::Diurnal) => DayShape::Diurnal,
                Some(DayShapeWire::Even) | None => DayShape::Even,
            };
            let decimals = decimals.as_ref().map(|decimals| decimals.value.0);
            GeneratedValues::Float { decimals, shape }
        }
        ValuesWire::Text(letters) => GeneratedValues::Text(letters.value.0),
    };
    GeneratedField { key: key.value.0.clone(), values }
}

pub(super) fn precision_of(wire: Option<&At<PrecisionWire>>) -> TimePrecision {
    match wire.map(|wire| &wire.value) {
        Some(PrecisionWire::Microseconds) => TimePrecision::Microseconds,
        Some(PrecisionWire::Milliseconds) => TimePrecision::Milliseconds,
        Some(PrecisionWire::Seconds) => TimePrecision::Seconds,
        Some(PrecisionWire::Nanoseconds) | None => TimePrecision::Nanoseconds,
    }
}
