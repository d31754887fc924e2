//! The stand-in as its clients see it: the unchanged AWS SDK over a loopback socket, and raw
//! requests as any other client would send them.

#![expect(clippy::unwrap_used, reason = "a failed set-up fails the test")]

mod control;
mod dialect;
mod paging;
mod queries;
mod raw;
mod server;
mod transport;
mod virtual_time;
mod writes;
