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

# Every declared break of every shipped scenario.
sabotage:
    cargo run -- sabotage scenarios

# The benchmarks, in the release profile.
bench:
    cargo bench -p cutover-benches
