//! Random points: a few measurements with fields of every type, tags that may be missing, times on
//! a grid, at the edges of windows or months apart.

use std::collections::{BTreeMap, BTreeSet};

use cutover_cases::Draws;

use super::shape::Kind;

const SECOND: i64 = 1_000_000_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// Where data sets begin: an ordinary day, a leap day, the days on which clocks change, the end of
/// a year, and an odd instant before 1970.
const STARTS: [&str; 7] = [
    "2023-01-01T00:00:00Z",
    "2024-02-28T00:00:00Z",
    "2023-03-25T00:00:00Z",
    "2018-11-03T00:00:00Z",
    "2022-12-31T12:00:00Z",
    "2021-06-15T13:37:11.123456789Z",
    "1969-12-20T00:00:00Z",
];

const MEASUREMENTS: [&str; 4] = ["cpu", "mem", "Wetter ü", "io,x"];
const TAGS: [(&str, &[&str]); 3] =
    [("host", &["a", "b", "c d", "é=1"]), ("dc", &["x", "y"]), ("rack", &["1", "2", "10"])];
/// Without the empty text: a real server moves one that follows another text to another row.
const TEXTS: [&str; 6] = ["a", "A b", "ünïcödé 東", "x,y", "quote\" \\ end", "12"];
const FLOATS: [f64; 10] =
    [0.0, -0.0, 1.0, -1.5, 0.1, 1e10, 123_456_789.123_456, 1e300, 5e-324, -273.15];

/// A value of a field.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Field {
    Float(f64),
    Int(i64),
    Uint(u64),
    Text(String),
    Bool(bool),
}

/// A point before it becomes a line.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Point {
    pub(crate) measurement: String,
    pub(crate) tags: BTreeMap<String, String>,
    pub(crate) fields: BTreeMap<String, Field>,
    pub(crate) time_ns: i64,
}

/// Points with what a query has to know of them.
#[derive(Clone, Debug)]
pub(crate) struct DataSet {
    pub(crate) points: Vec<Point>,
    /// The types of fields by measurement.
    pub(crate) fields: BTreeMap<String, BTreeMap<String, Kind>>,
    /// The first instant.
    pub(crate) start_ns: i64,
    /// An instant after the last.
    pub(crate) stop_ns: i64,
}

impl DataSet {
    /// The data that `draws` give.
    pub(crate) fn generate(draws: &mut Draws) -> Self {
        let start_ns = time_ns(STARTS[draws.below(STARTS.len())]);
        let layout = Layout::draw(draws);
        let mut fields = BTreeMap::new();
        for measurement in &MEASUREMENTS[..=draws.below(MEASUREMENTS.len())] {
            fields.insert((*measurement).to_owned(), field_types(draws));
        }
        let mut points = Vec::new();
        for (measurement, types) in &fields {
            for _ in 0..=draws.below(4) {
                let tags = tags(draws);
                for at in 0..=draws.below(14) {
                    let at = i64::try_from(at).unwrap_or(0);
                    let time_ns = start_ns + layout.offset_ns(draws, at);
                    let fields = values(draws, types);
                    let (measurement, tags) = (measurement.clone(), tags.clone());
                    points.push(Point { measurement, tags, fields, time_ns });
                }
            }
        }
        let last = points.iter().map(|point| point.time_ns).max().unwrap_or(start_ns);
        // Bounds on a full hour are the common ones, others the interesting ones.
        let stop_ns = if draws.once_in(3) { last + 1 } else { (last / HOUR + 1) * HOUR };
        Self { points, fields, start_ns, stop_ns }
    }

    /// The points as line protocol, one line each.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.points.iter().map(Point::line).collect()
    }

    /// How many series the points make.
    pub(crate) fn series(&self) -> usize {
        let of_point = |point: &'_ Point| {
            let (measurement, tags) = (point.measurement.clone(), point.tags.clone());
            let fields: Vec<String> = point.fields.keys().cloned().collect();
            fields.into_iter().map(move |field| (measurement.clone(), tags.clone(), field))
        };
        self.points.iter().flat_map(of_point).collect::<BTreeSet<_>>().len()
    }

    /// The data without some of its points.
    pub(crate) fn with_points(&self, points: Vec<Point>) -> Self {
        Self { points, ..self.clone() }
    }
}

/// How the times of a series follow each other.
enum Layout {
    Grid(i64),
    Edges(i64),
    Scattered(i64),
    Months,
}

impl Layout {
    fn draw(draws: &mut Draws) -> Self {
        let steps = [SECOND, 10 * SECOND, MINUTE, 10 * MINUTE, HOUR, DAY];
        match draws.below(6) {
            0..=2 => Self::Grid(steps[draws.below(steps.len())]),
            3 => Self::Edges([MINUTE, HOUR, DAY][draws.below(3)]),
            4 => Self::Scattered([HOUR, DAY, 20 * DAY][draws.below(3)]),
            _ => Self::Months,
        }
    }

    fn offset_ns(&self, draws: &mut Draws, at: i64) -> i64 {
        match self {
            // Some steps are left out and some are taken twice.
            Self::Grid(step) => (at + draws.between(0, 1)) * step,
            Self::Edges(edge) => at * edge + draws.between(-1, 1),
            Self::Scattered(span) => draws.between(0, *span),
            Self::Months => at * 9 * DAY + draws.between(0, 3) * HOUR,
        }
    }
}

fn field_types(draws: &mut Draws) -> BTreeMap<String, Kind> {
    let all = [
        ("usage", Kind::Float),
        ("n", Kind::Int),
        ("load", Kind::Float),
        ("u", Kind::Uint),
        ("s", Kind::Text),
        ("ok", Kind::Bool),
    ];
    let mut types = BTreeMap::new();
    types.insert("usage".to_owned(), Kind::Float);
    for _ in 0..draws.below(4) {
        let (name, kind) = all[draws.below(all.len())];
        types.insert(name.to_owned(), kind);
    }
    types
}

fn tags(draws: &mut Draws) -> BTreeMap<String, String> {
    let mut tags = BTreeMap::new();
    for (label, values) in TAGS {
        if draws.below(3) > 0 {
            tags.insert(label.to_owned(), draws.pick(values).to_owned());
        }
    }
    tags
}

fn values(draws: &mut Draws, types: &BTreeMap<String, Kind>) -> BTreeMap<String, Field> {
    let mut values = BTreeMap::new();
    for (name, kind) in types {
        if draws.below(5) > 0 {
            values.insert(name.clone(), value(draws, *kind));
        }
    }
    if let (true, Some((name, kind))) = (values.is_empty(), types.first_key_value()) {
        values.insert(name.clone(), value(draws, *kind));
    }
    values
}

fn value(draws: &mut Draws, kind: Kind) -> Field {
    match kind {
        Kind::Int => Field::Int(match draws.below(20) {
            0 => i64::MAX,
            1 => i64::MIN,
            _ => draws.between(-20, 20),
        }),
        Kind::Uint => Field::Uint(match draws.below(20) {
            0 => u64::MAX,
            _ => draws.bits() % 30,
        }),
        Kind::Text => Field::Text(draws.pick(&TEXTS).to_owned()),
        Kind::Bool => Field::Bool(draws.once_in(2)),
        _ if draws.once_in(4) => Field::Float(FLOATS[draws.below(FLOATS.len())]),
        _ => {
            // A few decimal places that are exact in binary, so that sums do not depend on order.
            #[expect(clippy::cast_precision_loss, reason = "the numbers are small")]
            let quarters = draws.between(-400, 400) as f64;
            Field::Float(quarters / 4.0)
        }
    }
}

impl Point {
    /// The point as a line.
    pub(crate) fn line(&self) -> String {
        let mut line = escaped(&self.measurement, ", ");
        for (label, value) in &self.tags {
            line.extend([",", &escaped(label, ", ="), "=", &escaped(value, ", =")]);
        }
        let fields: Vec<String> = self
            .fields
            .iter()
            .map(|(name, value)| format!("{}={}", escaped(name, ", ="), value.text()))
            .collect();
        format!("{line} {} {}", fields.join(","), self.time_ns)
    }
}

impl Field {
    fn text(&self) -> String {
        match self {
            Self::Float(value) => format!("{value:?}"),
            Self::Int(value) => format!("{value}i"),
            Self::Uint(value) => format!("{value}u"),
            Self::Text(value) => format!("\"{}\"", escaped(value, "\"\\")),
            Self::Bool(value) => value.to_string(),
        }
    }
}

fn escaped(text: &str, special: &str) -> String {
    text.chars().fold(String::new(), |mut escaped, next| {
        if special.contains(next) {
            escaped.push('\\');
        }
        escaped.push(next);
        escaped
    })
}

/// An instant that is written in this file.
fn time_ns(text: &str) -> i64 {
    let time: jiff::Timestamp = text.parse().expect("the instant is a constant");
    i64::try_from(time.as_nanosecond()).expect("the instant is within 1677 and 2262")
}

/// An instant as Flux writes it.
pub(crate) fn time_literal(time_ns: i64) -> String {
    jiff::Timestamp::from_nanosecond(i128::from(time_ns))
        .map_or_else(|_| "1970-01-01T00:00:00Z".to_owned(), |time| time.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_draws_give_the_same_data() {
        let lines = || DataSet::generate(&mut Draws::new(1, 2)).lines();
        assert_eq!(lines(), lines());
    }

    #[test]
    fn a_line_escapes_what_separates_its_parts() {
        let point = Point {
            measurement: "io,x".to_owned(),
            tags: [("host".to_owned(), "é=1".to_owned())].into(),
            fields: [("s".to_owned(), Field::Text("\"".to_owned()))].into(),
            time_ns: 1,
        };
        assert_eq!(point.line(), r#"io\,x,host=é\=1 s="\"" 1"#);
    }
}
