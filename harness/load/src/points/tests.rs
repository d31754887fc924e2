//! Which points a plan makes.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;

fn plan() -> PointPlan {
    let float = |decimals| FieldKind::Float { decimals, shape: Shape::Even };
    PointPlan {
        seed: 7,
        measurement: "m x".to_owned(),
        tags: vec![("run".to_owned(), "a,b".to_owned())],
        series_tags: vec!["region".to_owned(), "host".to_owned()],
        series: 10,
        fields: vec![
            Field { name: "number".to_owned(), kind: FieldKind::Number },
            Field { name: "value".to_owned(), kind: float(Some(2)) },
        ],
        first_ns: 1_000_000_000_000,
        interval: Duration::from_secs(1),
        unit: TimeUnit::Milliseconds,
        out_of_order: Ratio::ZERO,
        late: None,
    }
}

fn lines(plan: &PointPlan, numbers: std::ops::Range<u64>) -> Vec<String> {
    let mut out = Vec::new();
    Points::new(plan.clone()).unwrap().write(numbers, &mut out);
    String::from_utf8(out).unwrap().lines().map(str::to_owned).collect()
}

/// The series and the time of a line.
fn key(line: &str) -> (String, i64) {
    let (rest, time) = line.rsplit_once(' ').unwrap();
    (rest.rsplit_once(" number=").unwrap().0.to_owned(), time.parse().unwrap())
}

#[test]
fn a_point_reads_as_line_protocol() {
    let line = &lines(&plan(), 0..1)[0];
    assert!(line.starts_with("m\\ x,run=a\\,b,region=0,host=0 number=0i,value="), "{line}");
    assert!(line.ends_with(" 1000000"), "{line}");
}

#[test]
fn values_have_as_many_decimals_as_asked() {
    for line in lines(&plan(), 0..100) {
        let value = line.split("value=").nth(1).unwrap().split(' ').next().unwrap();
        assert_eq!(value.split_once('.').unwrap().1.len(), 2, "{value}");
    }
}

#[test]
fn every_kind_of_field_is_written_in_its_own_way() {
    let field = |name: &str, kind| Field { name: name.to_owned(), kind };
    let float = |decimals| FieldKind::Float { decimals, shape: Shape::Diurnal };
    let fields = vec![
        field("n", FieldKind::Number),
        field("f", float(None)),
        field("w", float(Some(0))),
        field("i", FieldKind::Integer),
        field("u", FieldKind::Unsigned),
        field("b", FieldKind::Boolean),
        field("s", FieldKind::Text(30)),
    ];
    let line = &lines(&PointPlan { fields, ..plan() }, 3..4)[0];
    let fields = line.split(' ').rev().nth(1).unwrap();
    let value = |name: &str| {
        let own = fields.split(',').find_map(|field| field.strip_prefix(name)).unwrap();
        own.strip_prefix('=').unwrap().to_owned()
    };
    assert_eq!(value("n"), "3i");
    assert!(value("f").parse::<f64>().unwrap() <= 1_000.0);
    assert!(value("w").ends_with(".0"));
    value("i").strip_suffix('i').unwrap().parse::<i64>().unwrap();
    value("u").strip_suffix('u').unwrap().parse::<u64>().unwrap();
    assert!(["true", "false"].contains(&value("b").as_str()));
    let text = value("s");
    assert!(text.len() == 32 && text[1..31].bytes().all(|byte| byte.is_ascii_lowercase()));
}

#[test]
fn there_are_as_many_series_as_asked() {
    for series in [1, 2, 10, 99, 1_000] {
        let plan = PointPlan { series, ..plan() };
        let keys: BTreeSet<_> = lines(&plan, 0..series * 2).iter().map(|it| key(it).0).collect();
        assert_eq!(keys.len() as u64, series);
    }
}

#[test]
fn a_day_has_its_low_before_dawn_and_its_high_in_the_evening() {
    let shape = Shape::Diurnal;
    let kind = FieldKind::Float { decimals: Some(2), shape };
    let fields = vec![Field { name: "number".to_owned(), kind }];
    let interval = Duration::from_hours(1);
    let plan = PointPlan { series: 1, first_ns: 0, interval, fields, ..plan() };
    let values = lines(&plan, 0..24);
    let value = |line: &String| -> f64 {
        line.split("number=").nth(1).unwrap().split(' ').next().unwrap().parse().unwrap()
    };
    let values: Vec<f64> = values.iter().map(value).collect();
    assert!(values[6] < 150.0 && values[18] > 850.0, "{values:?}");
}

#[test]
fn the_asked_share_of_points_is_late() {
    let late = Late { share: Ratio::from_percent(20.0).unwrap(), by: Duration::from_mins(1) };
    let plan = PointPlan { series: 1, late: Some(late), ..plan() };
    let on_time = PointPlan { late: None, ..plan.clone() };
    let pairs = lines(&plan, 0..5_000).into_iter().zip(lines(&on_time, 0..5_000));
    let moved: Vec<i64> = pairs.map(|(late, on_time)| key(&on_time).1 - key(&late).1).collect();
    let share = moved.iter().filter(|moved| **moved != 0).count() as f64 / 5_000.0;
    assert!((share - 0.2).abs() < 0.02, "{share}");
    assert!(moved.iter().all(|moved| [0, 59_999].contains(moved)));
}

#[test]
fn the_asked_share_of_neighbours_comes_in_the_opposite_order() {
    let out_of_order = Ratio::from_percent(30.0).unwrap();
    let plan = PointPlan { series: 1, out_of_order, ..plan() };
    let times: Vec<i64> = lines(&plan, 0..10_000).iter().map(|line| key(line).1).collect();
    let swapped = times.chunks(2).filter(|pair| pair[0] > pair[1]).count();
    assert!((swapped as f64 / 5_000.0 - 0.3).abs() < 0.03, "{swapped}");
}

#[test]
fn plans_without_points_or_with_the_same_point_twice_are_refused() {
    let field = plan().fields[0].clone();
    let late = Some(Late { share: Ratio::ONE, by: Duration::from_secs(1) });
    for (plan, message) in [
        (PointPlan { fields: Vec::new(), ..plan() }, "a point needs a field"),
        (PointPlan { series: 0, ..plan() }, "a point needs a series"),
        (
            PointPlan { series_tags: Vec::new(), ..plan() },
            "10 series need a tag that tells them apart",
        ),
        (
            PointPlan { fields: vec![field.clone(), field], ..plan() },
            "the name `number` is used twice",
        ),
        (
            PointPlan { interval: Duration::from_micros(1), ..plan() },
            "the interval of 1µs has to be at least 1 of the unit `ms`",
        ),
        (
            PointPlan { interval: Duration::from_millis(1), late, ..plan() },
            "the interval of 1ms has to be at least 2 of the unit `ms`",
        ),
        (
            PointPlan { measurement: "a\nb".to_owned(), ..plan() },
            "`a\nb` cannot be written in line protocol: it has a line break or is empty",
        ),
    ] {
        assert_eq!(Points::new(plan).unwrap_err().to_string(), message);
    }
}

proptest! {
    #[test]
    fn points_are_told_apart_by_time_and_number_and_any_cut_makes_the_same(
        series in 1_u64..40,
        out_of_order in 0.0..1.0_f64,
        late in 0.0..1.0_f64,
        by in 0_u64..100,
        cut in 1_u64..200,
    ) {
        let plan = PointPlan {
            series,
            out_of_order: Ratio::try_from(out_of_order).unwrap(),
            late: Some(Late {
                share: Ratio::try_from(late).unwrap(),
                by: Duration::from_millis(by * 137),
            }),
            ..plan()
        };
        let whole = lines(&plan, 0..200);
        // Both neighbours of a pair have to be there.
        let keys: BTreeMap<_, _> = whole.iter().map(|line| (key(line), line)).collect();
        prop_assert_eq!(keys.len(), whole.len());
        let points = Points::new(plan.clone()).unwrap();
        for (place, line) in (0..).zip(&whole) {
            let number = format!(" number={}i", points.number(place));
            prop_assert!(line.contains(&number), "{} in {}", number, line);
        }
        let parts: Vec<String> = (0..200)
            .step_by(usize::try_from(cut).unwrap())
            .flat_map(|from| lines(&plan, from..(from + cut).min(200)))
            .collect();
        prop_assert_eq!(parts, whole);
    }
}
