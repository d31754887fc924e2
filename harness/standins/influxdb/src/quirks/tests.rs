//! Which requests are hit.

use proptest::prelude::*;

use super::*;

const BUSY: QuirkKind =
    QuirkKind::HttpError { status: StatusCode::SERVICE_UNAVAILABLE, retry_after: None };

fn hits(quirk: Quirk, requests: u64) -> Vec<u64> {
    let quirks = Quirks::new(7, vec![quirk]);
    let hit = |_: &u64| quirks.decide(&Method::POST, "/api/v2/write", 0).fault.is_some();
    (1..=requests).filter(hit).collect()
}

fn ratio(percent: f64) -> Ratio {
    Ratio::from_percent(percent).unwrap()
}

#[test]
fn none_is_hit_at_share_0_and_every_one_at_share_1() {
    let quirk = Quirk::always(BUSY, Scope::writes());
    assert!(hits(Quirk { ratio: ratio(0.0), ..quirk.clone() }, 1000).is_empty());
    assert_eq!(hits(quirk, 1000).len(), 1000);
}

#[test]
fn the_share_that_is_hit_is_the_share_asked_for() {
    let quirk = Quirk { ratio: ratio(8.0), ..Quirk::always(BUSY, Scope::writes()) };
    let found = hits(quirk.clone(), 10_000);
    assert!((700..900).contains(&found.len()), "{}", found.len());
    assert_eq!(found, hits(quirk, 10_000));
}

#[test]
fn numbers_of_requests_bound_a_quirk() {
    let schedule = Schedule::Requests { from: 3, until: 5 };
    assert_eq!(hits(Quirk { schedule, ..Quirk::always(BUSY, Scope::writes()) }, 10), [3, 4]);
}

#[test]
fn the_clock_bounds_a_quirk() {
    let schedule = Schedule::Between { from_ns: 10, until_ns: 20 };
    let quirks = Quirks::new(7, vec![Quirk { schedule, ..Quirk::always(BUSY, Scope::all()) }]);
    let hit = |now_ns: &i64| quirks.decide(&Method::GET, "/", *now_ns).fault.is_some();
    let found: Vec<i64> = [9, 10, 19, 20].into_iter().filter(hit).collect();
    assert_eq!(found, [10, 19]);
}

#[test]
fn requests_out_of_scope_are_neither_hit_nor_counted() {
    let quirks = Quirks::new(7, vec![Quirk::always(BUSY, Scope::writes())]);
    assert_eq!(quirks.decide(&Method::POST, "/api/v2/writes", 0).fault, None);
    assert_eq!(quirks.decide(&Method::GET, "/api/v2/write", 0).fault, None);
    assert_eq!(quirks.counts()[0].seen, 0);
}

#[test]
fn delays_add_up_and_of_the_faults_the_first_wins() {
    let add = Duration::from_secs(1);
    let kinds = [QuirkKind::Latency { add }, BUSY, QuirkKind::AckLost, QuirkKind::Latency { add }];
    let list = kinds.map(|kind| Quirk::always(kind, Scope::all()));
    let quirks = Quirks::new(7, list.to_vec());
    let fate = quirks.decide(&Method::GET, "/", 0);
    assert_eq!(fate, Fate { delay: 2 * add, fault: Some(BUSY) });
    let hits: Vec<u64> = quirks.counts().iter().map(|count| count.hit).collect();
    assert_eq!(hits, [1, 1, 0, 1]);
}

fn kinds() -> impl Strategy<Value = QuirkKind> {
    prop_oneof![
        (0_u64..10_000).prop_map(|ms| QuirkKind::Latency { add: Duration::from_millis(ms) }),
        (400_u16..600, proptest::option::of(0_u64..100)).prop_map(|(status, after)| {
            QuirkKind::HttpError {
                status: StatusCode::from_u16(status).unwrap(),
                retry_after: after.map(Duration::from_secs),
            }
        }),
        Just(QuirkKind::RefuseConnections),
        Just(QuirkKind::AckLost),
        Just(QuirkKind::PartialWrite),
        Just(QuirkKind::DuplicateApply),
        Just(QuirkKind::TruncatedCsv),
        Just(QuirkKind::ErrorTable),
        Just(QuirkKind::ConnectionReset),
        Just(QuirkKind::StalledBody),
    ]
}

proptest! {
    #[test]
    fn what_is_shown_of_a_quirk_switches_the_same_one_on(kind in kinds(), percent in 0_u8..101) {
        let schedule = Schedule::Between { from_ns: 5, until_ns: 1_700_000_000_000_000_000 };
        let quirk =
            Quirk { kind, ratio: ratio(f64::from(percent)), scope: Scope::queries(), schedule };
        let shown = encode(QuirkCount { quirk: quirk.clone(), seen: 0, hit: 0 });
        let read: QuirkWire = serde_json::from_value(shown["quirk"].clone()).unwrap();
        prop_assert_eq!(decode(vec![read]).unwrap(), [quirk]);
    }
}

#[test]
fn a_quirk_that_makes_no_sense_is_refused_by_name() {
    for (json, message) in [
        (r#"{"kind":{"http-error":{"status":204}}}"#, "`204` is not the status of an error"),
        (r#"{"kind":"ack-lost","scope":{"method":"a b"}}"#, "`a b` is not a method"),
        (r#"{"kind":"ack-lost","scope":{"path":"x"}}"#, "`x` is not a path: it begins with `/`"),
    ] {
        let read: QuirkWire = serde_json::from_str(json).unwrap();
        assert_eq!(decode(vec![read]).unwrap_err().to_string(), message);
    }
}
