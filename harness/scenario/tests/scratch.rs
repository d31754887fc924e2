//! Scratch.
#[path = "it/invalid.rs"]
mod invalid;
use std::path::{Path, PathBuf};
fn scenarios() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().parent().unwrap().join("scenarios")
}
#[test]
fn write() {
    for (f, s) in [
        ("scenario", cutover_scenario::json_schema()),
        ("query", cutover_scenario::query_json_schema()),
    ] {
        std::fs::write(
            scenarios().join(format!("{f}.schema.json")),
            serde_json::to_string_pretty(&s).unwrap() + "\n",
        )
        .unwrap();
    }
    for p in invalid::refused_files() {
        std::fs::write(p.with_extension("stderr"), invalid::refusal(&p)).unwrap();
    }
}
#[test]
fn hostile() {
    let only = std::fs::read_to_string("/tmp/s/case").unwrap();
    let hostile = [
        ("brackets", "[".repeat(1_000_000)), ("keys", (0..40_000).map(|i| format!("k{i}: v\n")).collect::<String>()),
        ("longkey", format!("{}: 1\n", "a".repeat(1_000))), ("longline", format!("tags: [{}]", "x,".repeat(24_000))),
        ("hugetext", format!("title: {}\n", "a".repeat(1_000_000))), ("nulls", "\u{0}".repeat(1000)), ("dupes", "a: 1\n".repeat(24_000)),
        ("data", format!("data: {{{}}}", (0..9_000).map(|i| format!("a{i}: {{}},")).collect::<String>())),
        ("seed", format!("steps:\n  - seed: {{store: timestream, data: [{}]}}\n", (0..20_000).map(|i| format!("a{i},")).collect::<String>())),
        ("tags", format!("tags: [{}]\n", (0..24_000).map(|i| format!("a{i},")).collect::<String>())),
        ("aliases", format!("tags: &a [{}]\nid: [{}]\n", "x,".repeat(49), "*a,".repeat(990))),
        ("uses", format!("steps:\n  - latency: {{queries: [{}]}}\n", (0..12_000).map(|i| format!("{{use: queries/a{i}}},")).collect::<String>())),
        ("samequery", format!("steps:\n  - latency: {{queries: [{}]}}\n", "{use: queries/consumption_peak},".repeat(12_000))),
        ("zones", format!("data:\n{}\n", (0..8_000).map(|i| format!("  a{i}: {{time: {{zone: America/Sao_Paolo}}}}\n")).collect::<String>())),
        ("zalias", format!("data:\n  a: &a {{time: {{column: x, zone: America/Sao_Paolo}}}}\n{}\n", (0..990).map(|i| format!("  a{i}: *a\n")).collect::<String>())),
        ("datas3", format!("data:\n{}\n", (0..3000).map(|i| format!("  a{i}: {{csv: {{path: ../data/curva_carga_2023.csv, delimiter: \";\"}}, time: {{column: din_instante, format: \"%Y-%m-%d\", zone: UTC}}, bucket: bb, measurement: m1, fields: {{v{i}: {{column: val_cargaenergiahomwmed, type: float}}}}}}\n")).collect::<String>())),
        ("datas", format!("data:\n{}\n", (0..1200).map(|i| format!("  a{i}: {{csv: {{path: ../data/curva_carga_2023.csv, delimiter: \";\"}}, time: {{column: din_instante, format: \"%Y-%m-%d\", zone: UTC}}, bucket: bb, measurement: m{i}, fields: {{v: {{column: val_cargaenergiahomwmed, type: float}}}}}}\n")).collect::<String>())),
    ];
    for (n, h) in hostile {
        let t = std::time::Instant::now();
        let r = cutover_scenario::load_text(&scenarios().join("smoke/x.yaml"), &h);
        let d = t.elapsed();
        let rss = std::fs::read_to_string("/proc/self/status")
            .unwrap()
            .lines()
            .find(|l| l.starts_with("VmHWM"))
            .unwrap()
            .to_owned();
        eprintln!(
            "{n}: {} KiB {d:?} {rss} {:?}",
            h.len() / 1024,
            r.err().map(|e| (
                e.errors.len(),
                e.errors[0].render().chars().take(90).collect::<String>()
            ))
        );
    }
}
