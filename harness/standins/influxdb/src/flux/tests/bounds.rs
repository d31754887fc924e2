//! Scripts that would take all time, all memory or the whole stack.

use cutover_model::Clock;

use super::{answer_with, now_ns, refusal};
use crate::Config;

fn small(script: &str) -> String {
    let config = Config {
        max_query_calls: 100_000,
        max_query_cells: 100_000,
        ..Config::new(Clock::fixed(now_ns()))
    };
    answer_with(config, script).unwrap_err().to_string()
}

fn chain(first: &str, count: usize, next: impl Fn(usize) -> String) -> String {
    let rest = (1..count).map(|at| next(at) + "\n");
    format!("{first}\n{}", rest.collect::<String>())
}

#[test]
fn calls_of_deep_expressions_are_stopped_before_the_stack_ends() {
    let sum = "+1".repeat(200);
    let functions =
        chain("f0 = (x) => x", 300, |at| format!("f{at} = (x) => f{}(x: x){sum}", at - 1));
    assert!(refusal(&format!("{functions} y = f299(x: 1)")).contains("nests its calls too deep"));
    let mapped = format!("{functions} $R |> map(fn: (r) => ({{r with y: f299(x: 1)}}))");
    assert!(refusal(&mapped).contains("nests its calls too deep"));
}

#[test]
fn reads_that_need_reads_are_stopped_before_the_stack_ends() {
    let next = |at: usize| {
        let find = format!("t{} |> findRecord(fn: (key) => true, idx: 0)", at - 1);
        format!("t{at} = $R |> limit(n: 1) |> map(fn: (r) => ({{r with y: ({find})._time}}))")
    };
    let script = chain("t0 = $R", 100, next);
    assert!(refusal(&format!("{script} t99")).contains("nests its reads of tables too deep"));
}

#[test]
fn texts_that_double_are_stopped() {
    let script =
        chain("s0 = \"aaaaaaaaaaaaaaaa\"", 60, |at| format!("s{at} = s{0} + s{0}", at - 1));
    assert!(small(&script).contains("memory allocation limit reached"));
}

#[test]
fn arrays_that_double_are_stopped() {
    let script = chain("a0 = [1]", 60, |at| format!("a{at} = [a{0}, a{0}]", at - 1));
    assert!(small(&script).contains("a value holds more than"));
}

#[test]
fn types_that_double_are_not_followed() {
    let functions = chain("f0 = (x) => ({l: x, r: x})", 60, |at| {
        format!("f{at} = (x) => f{0}(x: f{0}(x: x))", at - 1)
    });
    assert!(refusal(&functions).contains("returns no streaming data"));
}

#[test]
fn a_join_of_everything_with_everything_is_stopped() {
    let script = "a = $R |> map(fn: (r) => ({k: 1})) |> group() \
                  b = union(tables: [a, a]) c = union(tables: [b, b]) d = union(tables: [c, c]) \
                  e = union(tables: [d, d]) f = union(tables: [e, e]) g = union(tables: [f, f]) \
                  join(tables: {l: g, r: g}, on: [\"k\"])";
    assert!(small(script).contains("memory allocation limit reached"));
}

#[test]
fn bins_without_an_end_are_stopped() {
    let script = "x = linearBins(start: 0.0, width: 1.0, count: 9000000000000000000)";
    assert!(small(script).contains("memory allocation limit reached"));
}

#[test]
fn calls_that_multiply_are_stopped() {
    let levels = (1..60).map(|level| {
        let below = level - 1;
        format!("f{level} = (x) => f{below}(x: f{below}(x: x))\n")
    });
    let script = format!("f0 = (x) => x + 1\n{}", levels.collect::<String>());
    let config = Config { max_query_calls: 10_000, ..Config::new(Clock::fixed(now_ns())) };
    let error = answer_with(config, &format!("{script} f59(x: 1)")).unwrap_err();
    assert!(error.to_string().contains("more than 10000 function calls"), "{error}");
}

#[test]
fn calls_that_nest_without_an_end_are_stopped() {
    let levels = (1..1500).map(|level| format!("f{level} = (x) => f{}(x: x)\n", level - 1));
    let script = format!("f0 = (x) => x\n{}", levels.collect::<String>());
    assert!(refusal(&format!("{script} f1499(x: 1)")).contains("nests its calls too deep"));
}

#[test]
fn pipes_that_grow_without_an_end_are_stopped() {
    let stages = (1..1500).map(|stage| format!("t{stage} = t{} |> limit(n: 1)\n", stage - 1));
    let script = format!("t0 = $R\n{}", stages.collect::<String>());
    assert!(refusal(&format!("{script} t1499")).contains("stages"));
}
