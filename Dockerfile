# The harness, for the runner of terraform/modules/runner and for any other engine:
#
#   docker build -t cutover .
#   docker run --rm --entrypoint cutover cutover run        # the smoke scenarios, on the stand-ins

FROM rust:1.95.0-slim-bookworm AS build
RUN apt-get update \
    && apt-get install -y --no-install-recommends build-essential cmake perl pkg-config \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /source
COPY . .
# The toolchain of the image, without the tools that rust-toolchain.toml asks for beside it.
ENV RUSTUP_TOOLCHAIN=1.95.0
RUN cargo build --release --locked --package cutover \
    && strip target/release/cutover

FROM debian:bookworm-slim
# Certificates for TLS, and the client that stores results.
RUN apt-get update \
    && apt-get install -y --no-install-recommends awscli ca-certificates \
    && rm -rf /var/lib/apt/lists/* \
    && groupadd --gid 10001 cutover \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /work --shell /usr/sbin/nologin cutover \
    && install -d -o 10001 -g 10001 -m 0700 /work
COPY --from=build /source/target/release/cutover /usr/local/bin/cutover
COPY --from=build /source/tools/runner/run /usr/local/bin/run
COPY --from=build /source/scenarios /opt/cutover/scenarios
WORKDIR /opt/cutover
# The only place that is written to: the rest may be read-only.
VOLUME ["/work"]
USER 10001:10001
ENTRYPOINT ["/usr/local/bin/run"]
