# Recipes for people; CI runs `.ci/run`, which is `just check`.

# The main job: the smoke scenarios on the embedded target.
demo:
    cargo run -- run

# What a change has to pass.
check:
    .ci/run

# The tests alone.
test:
    cargo test --workspace

# Files that are made from code: schemas and sample reports.
bless:
    cargo run --quiet -- schema > scenarios/scenario.schema.json
    cargo run --quiet -- schema --of query > scenarios/query.schema.json
    cargo run --quiet -p cutover-report --example samples
    tools/terraform-test --write

# The stack on AWS, offline: format, validation, tests, plans, rules, broken lines, checkov.
terraform:
    tools/terraform-test

# Every declared break of every shipped scenario.
sabotage:
    cargo run -- sabotage scenarios

# The benchmarks, in the release profile.
bench:
    cargo bench -p cutover-benches

# The InfluxDB stand-in against a real server, whose program is given: the page, and every
# disagreement made small.
conformance influxd:
    cargo run -p cutover-conformance -- all --influxd {{influxd}} --page docs/conformance.md \
        --keep target/conformance

# The same with far more queries, and hostile bodies.
conformance-nightly influxd:
    cargo run -p cutover-conformance -- queries --influxd {{influxd}} --count 10000 \
        --keep target/conformance
    cargo run -p cutover-conformance -- hostile --count 100000
