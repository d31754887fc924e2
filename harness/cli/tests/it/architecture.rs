//! The directions of `ARCHITECTURE.md`, held against what the manifests say.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use crate::support::root;

/// Which crates of ours each crate may use, at most.
const MAY_USE: [(&str, &[&str]); 20] = [
    ("cutover-model", &[]),
    ("cutover-cases", &["model"]),
    ("cutover-net", &["model"]),
    ("cutover-files", &["model"]),
    ("cutover-scenario", &["model"]),
    ("cutover-parity", &["model"]),
    ("cutover-load", &["model", "standin-sink"]),
    ("cutover-traffic", &["model"]),
    ("cutover-faults", &["model", "net"]),
    ("cutover-clients", &["model", "net"]),
    ("cutover-standin-influxdb", &["model", "cases"]),
    ("cutover-standin-sink", &["model"]),
    ("cutover-standin-timestream", &["model"]),
    ("cutover-migrate", &["model", "clients"]),
    ("cutover-targets", &["model", "clients", "standin-influxdb", "standin-timestream"]),
    (
        "cutover-engine",
        &[
            "model",
            "net",
            "files",
            "parity",
            "load",
            "traffic",
            "faults",
            "clients",
            "standin-influxdb",
            "standin-sink",
            "standin-timestream",
            "migrate",
            "targets",
        ],
    ),
    ("cutover-conformance", &["model", "cases", "targets"]),
    ("cutover-report", &["model"]),
    ("cutover", &["model", "scenario", "engine", "report", "targets"]),
    (
        "cutover-benches",
        &["model", "cases", "clients", "files", "parity", "load", "targets", "conformance"],
    ),
];

/// Dependencies from outside that only these crates may name.
const ONLY_IN: [(&str, &[&str]); 13] = [
    ("rustls", &["cutover-load"]),
    ("serde-saphyr", &["cutover-scenario"]),
    ("datafusion", &["cutover-standin-timestream"]),
    ("aws-config", &["cutover-clients"]),
    ("aws-sdk-secretsmanager", &["cutover-clients"]),
    ("aws-sdk-timestreaminfluxdb", &["cutover-clients"]),
    ("aws-sdk-timestreamquery", &["cutover-clients", "cutover-standin-timestream"]),
    ("aws-sdk-timestreamwrite", &["cutover-clients", "cutover-standin-timestream"]),
    ("reqwest", &["cutover-clients"]),
    ("parquet", &["cutover-files"]),
    ("clap", &["cutover", "cutover-conformance"]),
    ("indicatif", &["cutover"]),
    ("minijinja", &["cutover-report"]),
];

/// Each package of the workspace with the packages that its manifest names, by kind.
fn manifests() -> BTreeMap<String, Vec<(String, Option<String>)>> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--format-version", "1", "--offline"])
        .current_dir(root())
        .output()
        .unwrap();
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let packages = metadata["packages"].as_array().unwrap().iter();
    let manifest = |package: &serde_json::Value| {
        let dependencies = package["dependencies"].as_array().unwrap().iter();
        let named = dependencies
            .map(|it| (text(&it["name"]), it["kind"].as_str().map(str::to_owned)))
            .collect();
        (text(&package["name"]), named)
    };
    packages.map(manifest).collect()
}

#[test]
fn no_crate_depends_on_one_that_it_may_not_see() {
    let may_use: BTreeMap<_, BTreeSet<_>> = MAY_USE
        .iter()
        .map(|(name, uses)| {
            (*name, uses.iter().map(|it| format!("cutover-{it}")).collect::<BTreeSet<_>>())
        })
        .collect();
    for (package, named) in manifests() {
        let allowed = may_use.get(package.as_str());
        let allowed = allowed.unwrap_or_else(|| panic!("`{package}` has no line in MAY_USE"));
        for (dependency, _) in named.iter().filter(|(name, _)| name.starts_with("cutover")) {
            assert!(allowed.contains(dependency), "`{package}` must not use `{dependency}`");
        }
    }
}

#[test]
fn stand_ins_and_clients_never_see_each_other_even_in_tests() {
    for (package, named) in manifests() {
        let standin = package.starts_with("cutover-standin");
        for (dependency, _) in named {
            let clients_see = package == "cutover-clients" && dependency.contains("standin");
            let standins_see = standin && dependency == "cutover-clients";
            assert!(!clients_see && !standins_see, "`{package}` sees `{dependency}`");
        }
    }
}

#[test]
fn heavy_dependencies_stay_in_the_crates_that_need_them() {
    let only_in: BTreeMap<_, _> = ONLY_IN.into_iter().collect();
    for (package, named) in manifests() {
        for (dependency, kind) in named {
            let allowed = only_in.get(dependency.as_str());
            // The Timestream stand-in's tests ask it through the unchanged SDK.
            let in_tests = kind.as_deref() == Some("dev");
            let standin = package == "cutover-standin-timestream";
            if let Some(allowed) = allowed {
                let sdk = dependency.starts_with("aws-sdk");
                let holds = allowed.contains(&package.as_str()) && (!(sdk && standin) || in_tests);
                assert!(holds, "`{package}` must not use `{dependency}`");
            }
        }
    }
}
