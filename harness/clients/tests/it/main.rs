//! The clients against servers that are made by hand for each test: an axum route where the answer
//! is well-formed, raw bytes where it is not. No stand-in takes part.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod csv;
mod fixture;
mod influx_api;
mod influx_query;
mod influx_write;
mod line_protocol;
mod sockets;
mod timestream;
