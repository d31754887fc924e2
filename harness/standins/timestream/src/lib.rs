//! An in-process server that speaks Timestream for LiveAnalytics.
//!
//! The main type is [`TimestreamStandin`]: databases and tables in memory, behind an axum router
//! that answers the write API and the query API on one port, so that an unchanged AWS SDK can talk
//! to it over a socket or over an in-memory stream in virtual time.
//!
//! The module list is a map of the code:
//!
//! - `http` reads AWS JSON 1.0 requests, finds the operation and writes answers; `error` holds
//!   the service's exceptions, `wire` the shapes of requests.
//! - `control` has the operations on databases and tables, `write` has `WriteRecords`.
//! - `store` keeps the rows: identity and versions of records, columns, snapshots.
//! - `sql` turns a query in Timestream's dialect into a `DataFusion` plan and runs it.
//! - `query` has the `Query` operation: pages, tokens, and values as text.
//!
//! Left out: signatures are not verified, permissions do not exist, retention removes nothing
//! (it only decides which writes are accepted), reads are consistent at once, and `UNLOAD`,
//! scheduled queries, batch loads and tags are refused by name.

mod control;
mod error;
mod http;
mod query;
mod sql;
mod store;
mod value;
mod wire;
mod write;

use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use cutover_model::Clock;

use crate::query::Results;
use crate::sql::Engine;
use crate::store::Catalog;

/// What a stand-in needs to know before it answers its first request.
#[derive(Clone, Debug)]
pub struct Config {
    /// The present: `now()`, the window in which writes are accepted, the lifetime of tokens.
    pub clock: Clock,
    /// What `DescribeEndpoints` answers, as `host:port`.
    pub advertised_address: String,
}

/// A server in memory. Clones share the same databases.
#[derive(Clone)]
pub struct TimestreamStandin(Arc<Shared>);

struct Shared {
    config: Config,
    catalog: Mutex<Catalog>,
    results: Mutex<Results>,
    engine: Engine,
    requests: AtomicU64,
}

impl TimestreamStandin {
    /// A server without databases.
    pub fn new(config: Config) -> Self {
        Self(Arc::new(Shared {
            config,
            catalog: Mutex::new(Catalog::default()),
            results: Mutex::new(Results::default()),
            engine: Engine::new(),
            requests: AtomicU64::new(0),
        }))
    }

    /// The routes of both APIs. Every router of one stand-in serves the same data.
    pub fn router(&self) -> axum::Router {
        http::router(self.clone())
    }
}

impl Shared {
    fn catalog(&self) -> MutexGuard<'_, Catalog> {
        // A panic elsewhere leaves the catalog usable: every change to it is complete in itself.
        self.catalog.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn results(&self) -> MutexGuard<'_, Results> {
        self.results.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
