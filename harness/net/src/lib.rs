//! An in-memory byte network under hyper and axum, for drills in virtual time.
//!
//! The main type is [`Network`]: hosts listen on it, connect over it and are served on it, links
//! between hosts have a latency, and a link can be cut, healed and reset. [`HttpClient`] sends
//! requests over it through hyper's own client. All of it runs on one paused current-thread
//! runtime of tokio, so an hour of traffic takes about a second, and one seed gives the same bytes
//! at the same virtual instants in every run ([`Network::traffic_hash`]).
//!
//! Real sockets are not here: the clients choose between the two. Saturation is not modelled
//! either, since work takes no virtual time; a server that should be slow has to sleep.

mod http;
mod network;
mod state;
mod stream;

pub use crate::http::{Dial, HttpClient};
pub use crate::network::{Cut, Link, Listener, Network};
pub use crate::stream::Stream;
