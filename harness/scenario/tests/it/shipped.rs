//! The shipped scenarios load, and say what they are meant to say.

use std::time::Duration;

use cutover_model::scenario::{
    Arrivals, Comparison, Fault, LatencySubject, LimitValue, LoadModel, Statistic, Step,
    TriggerName, TriggerWindow,
};
use cutover_model::{FieldType, Rate, Ratio, Scenario, Store};
use cutover_scenario::{Diagnostic, json_schema, load, load_text, query_json_schema};

use crate::scenarios;

fn shipped() -> Vec<Scenario> {
    match load(&[scenarios()]) {
        Ok(loaded) => loaded.scenarios,
        Err(errors) => {
            let rendered: Vec<_> = errors.errors.iter().map(Diagnostic::render).collect();
            panic!("{}", rendered.join("\n"))
        }
    }
}

fn named(id: &str) -> Scenario {
    shipped().into_iter().find(|scenario| scenario.id.as_str() == id).expect(id)
}

#[test]
fn every_shipped_scenario_loads() {
    let ids: Vec<_> = shipped().iter().map(|scenario| scenario.id.to_string()).collect();
    assert_eq!(
        ids,
        [
            "thirty-day-aggregations",
            "load-acceptance",
            "load-capacity",
            "load-shapes",
            "ons-2023-parity",
            "rollback-four-triggers",
            "ons-energy-balance",
            "ons-load-curve",
        ]
    );
}

#[test]
fn no_shipped_scenario_is_unwise() {
    assert_eq!(load(&[scenarios()]).unwrap().warnings, []);
}

#[test]
fn the_catalogue_names_every_scenario() {
    let catalogue = std::fs::read_to_string(scenarios().join("README.md")).unwrap();
    for scenario in shipped() {
        let file = scenario.file.strip_prefix(scenarios()).unwrap().display().to_string();
        let row = catalogue.lines().find(|line| line.contains(&format!("`{file}`")));
        let row = row.unwrap_or_else(|| panic!("{file} is not in the catalogue"));
        assert!(row.contains(&format!("`{}`", scenario.id)), "{row}");
        assert!(row.contains(&scenario.tags.join(", ")), "{row}");
    }
}

#[test]
fn the_schema_of_scenarios_is_fresh() {
    fresh("scenario.schema.json", &json_schema());
}

#[test]
fn the_schema_of_queries_is_fresh() {
    fresh("query.schema.json", &query_json_schema());
}

fn fresh(file: &str, schema: &serde_json::Value) {
    let expected = serde_json::to_string_pretty(schema).unwrap() + "\n";
    let found = std::fs::read_to_string(scenarios().join(file)).unwrap_or_default();
    assert!(found == expected, "scenarios/{file} is stale; the declarations give\n{expected}");
}

#[test]
fn every_shipped_file_names_its_schema() {
    for scenario in shipped() {
        let text = std::fs::read_to_string(&scenario.file).unwrap();
        let first = text.lines().next().unwrap();
        assert_eq!(first, "# yaml-language-server: $schema=../scenario.schema.json");
    }
}

#[test]
fn every_check_of_a_shipped_scenario_can_be_sabotaged() {
    for scenario in shipped() {
        for step in &scenario.steps {
            let count = match step {
                Step::Seed(_) | Step::Migrate(_) => continue,
                Step::Parity(step) => step.sabotage.len(),
                Step::Latency(step) => step.sabotage.len(),
                Step::Load(step) => step.sabotage.len(),
                Step::FindRate(step) => step.load.sabotage.len(),
                Step::Rollback(step) => step.sabotage.len(),
            };
            assert!(count >= 2, "{} {}", scenario.id, step.kind().word());
        }
    }
}

#[test]
fn a_data_set_keeps_its_columns_types_and_zone() {
    let scenario = named("ons-energy-balance");
    let set = &scenario.data[0];
    assert_eq!(set.path, scenarios().join("data/balanco_energia_2023.csv"));
    assert_eq!(
        (set.bucket.as_str(), set.measurement.as_str()),
        ("generation_data", "generation_mw")
    );
    assert_eq!(set.time.zone, "America/Sao_Paulo");
    let fields: Vec<_> = set.fields.iter().map(|field| field.field.as_str()).collect();
    assert_eq!(fields, ["hydro", "thermal", "wind", "solar"]);
    assert!(set.fields.iter().all(|field| field.field_type == FieldType::Float));
}

#[test]
fn an_entry_with_several_limits_becomes_one_expectation_each() {
    let scenario = named("thirty-day-aggregations");
    let Some(Step::Latency(step)) = scenario.steps.last() else { panic!("no latency step") };
    let limits: Vec<_> = step
        .expect
        .iter()
        .map(|limit| (limit.subject, limit.statistic, limit.limit.to_string(), limit.min_samples))
        .collect();
    let destination = LatencySubject::Store(Store::Destination);
    assert_eq!(
        limits,
        [
            (destination, Statistic::P95, "< 5s".to_owned(), 1_000),
            (destination, Statistic::Errors, "< 1%".to_owned(), 1_000),
            (LatencySubject::DestinationBySource, Statistic::P95, "<= 1.2".to_owned(), 1_000),
        ]
    );
}

#[test]
fn users_and_rates_are_told_apart() {
    let scenario = named("load-acceptance");
    let models: Vec<_> = scenario
        .steps
        .iter()
        .filter_map(|step| match step {
            Step::Load(step) => Some((
                step.write.as_ref().and_then(|write| write.source.model().cloned()),
                step.read.as_ref().map(|read| read.model.clone()),
            )),
            _ => None,
        })
        .collect();
    let users = |users, ramp_up| {
        let ramp_up = Duration::from_secs(ramp_up);
        LoadModel::Closed { users, ramp_up, think: Duration::ZERO }
    };
    let rate = LoadModel::Open(Arrivals::constant(Rate::try_from(10_000.0).unwrap()));
    assert_eq!(models[0], (Some(rate), None));
    assert_eq!(models[1], (Some(users(5, 0)), Some(users(10, 0))));
    assert_eq!(models[2], (None, Some(users(50, 60))));
}

#[test]
fn a_percentage_becomes_the_nearest_number() {
    let scenario = named("load-acceptance");
    let achieved = scenario.steps.iter().find_map(|step| match step {
        Step::Load(step) => step.expect.iter().find(|e| e.statistic == Statistic::Achieved),
        _ => None,
    });
    let limit = achieved.unwrap().limit;
    assert_eq!(limit.value, LimitValue::Ratio(Ratio::try_from(0.999).unwrap()));
}

#[test]
fn a_drill_without_triggers_has_the_migrations_four() {
    let scenario = named("ons-load-curve");
    let Some(Step::Rollback(step)) = scenario.steps.last() else { panic!("no rollback step") };
    let minute = Duration::from_mins(1);
    let consecutive =
        |periods| TriggerWindow::Consecutive { periods, period: minute, min_samples: 200 };
    let sliding = TriggerWindow::Sliding { length: 5 * minute };
    let rules: Vec<_> = step
        .triggers
        .iter()
        .map(|rule| (rule.name, rule.comparison, rule.limit, rule.window, rule.counts.len()))
        .collect();
    let (above, below) = (Comparison::Above, Comparison::Below);
    assert_eq!(
        rules,
        [
            (TriggerName::ErrorRate, above, 0.05, consecutive(2), 1),
            (TriggerName::LatencyDifference, above, 10.0, consecutive(3), 0),
            (TriggerName::ConnectionFailures, above, 10.0, sliding, 0),
            (TriggerName::SuccessRate, below, 0.95, consecutive(3), 4),
        ]
    );
    let fault = Fault::HttpError { status: 503, ratio: Ratio::try_from(0.3).unwrap() };
    assert_eq!(step.fault, Some(fault));
    assert_eq!(step.expect.rolled_back_by, Some(TriggerName::ErrorRate));
}

/// The example of the design.
const EXAMPLE: &str = r#"# yaml-language-server: $schema=../scenario.schema.json
version: 1
id: ons-load-curve
title: The ONS hourly load curve reads the same from InfluxDB, is as fast, and can be taken back
tags: [gate]

data:
  load_curve:
    csv: { path: ../data/curva_carga_2023.csv, delimiter: ";" }
    time: { column: din_instante, format: "%Y-%m-%d %H:%M:%S", zone: America/Sao_Paulo }
    bucket: consumption_data
    measurement: demand_mw
    tags: { region: id_subsistema }
    fields: { value: { column: val_cargaenergiahomwmed, type: float } }

steps:
  - seed:    { store: timestream, data: [load_curve] }
  - migrate: { batch: 5000 }
  - parity:
      data: [load_curve]
      fields: { value: { tolerance: exact } }
      expect: { missing: 0, extra: 0, different: 0, min_rows: 30_000 }
      sabotage: [ { drop_rows: 1 }, { shift_time: 1ms }, { flip_lowest_bit: value } ]
  - latency:
      queries: [ { use: queries/consumption_peak }, { use: queries/generation_trend } ]
      arrival: { open: { rate: 20/s } }
      duration: 60s
      expect:
        - { on: destination, p95: "< 5s", min_samples: 1_000 }
        - { ratio: destination / source, p95: "<= 1.20" }
  - load:
      write: { open: { rate: 10_000 points/s }, batch: 1_000 }
      duration: 60s
      expect: [ { p95: "< 100ms" }, { achieved: ">= 99.9%" } ]
      prove: [ no_acknowledged_write_lost ]
  - rollback:
      steps: [0%, 10%, 25%, 50%, 75%, 100%]
      at: 50%
      fault: { http_error: { status: 503, ratio: 8% } }
      expect: { rolled_back_by: error_rate, within: 3 periods, final: 0% }
      prove: [ no_acknowledged_write_lost, no_write_applied_twice, every_client_converged,
               readers_never_precede_writers ]
"#;

#[test]
fn the_example_of_the_design_loads() {
    let name = scenarios().join("smoke/example.yaml");
    let loaded = load_text(&name, EXAMPLE).unwrap();
    assert_eq!(loaded.scenarios[0].steps.len(), 6);
    // It asks for the generation, and seeds the load curve only.
    let warnings: Vec<_> = loaded.warnings.iter().map(|w| w.message.as_str()).collect();
    assert_eq!(warnings, ["`queries/generation_trend` reads no bucket that is migrated before"]);
}
