//! Seeded misbehaviour for HTTP services, lifted by dropping a guard.
//!
//! The main type is [`Faults`]: a handle that faults are injected through. A [`FaultLayer`] around
//! a router, or a [`Proxy`] in front of any service, misbehaves accordingly. Which requests are hit
//! is a matter of the seed and of their order alone ([`drawn`]), and [`Faults::observed`] tells how
//! many were. A fault that drops a connection needs a server that lets it: [`serve_connection`].
//!
//! Faults of the network itself (partitions, slow links, resets in mid-stream) are not here; they
//! belong to the in-memory network.

mod csv_digit;
mod draw;
mod fault;
mod handle;
mod layer;
mod proxy;
mod serve;

pub use draw::drawn;
pub use fault::{FaultKind, Scope};
pub use handle::{FaultGuard, FaultId, Faults, Observed};
pub use layer::{Dropped, FaultLayer, FaultService};
pub use proxy::{Proxy, ProxyError};
pub use serve::serve_connection;
