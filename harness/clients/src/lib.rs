//! InfluxDB v2 and Timestream over their wire protocols.
//!
//! The main types are [`InfluxClient`](influx::InfluxClient) and
//! [`TimestreamClient`](timestream::TimestreamClient). Both class every answer that the servers are
//! known to give, so that a caller can tell what was stored, what was refused and what nobody
//! knows ([`Applied`]). Both take an [`Http`], which is either real sockets or the in-memory
//! network of drills. [`aws`] asks an account for the little that a deployed stack needs: a secret,
//! and the tags of an instance.
//!
//! Retrying is not done here: [`RetryPolicy`] only computes how long to wait. The clients know no
//! kind of target, and they share no code with the stand-ins, which would otherwise agree with
//! them about a mistake.

pub mod aws;
mod error;
mod http;
pub mod influx;
mod instant;
mod retry;
pub mod timestream;

pub use crate::error::{Applied, Cause, ClientError};
pub use crate::http::{Http, Timeouts};
pub use crate::instant::{InstantError, format_rfc3339, parse_rfc3339};
pub use crate::retry::RetryPolicy;
