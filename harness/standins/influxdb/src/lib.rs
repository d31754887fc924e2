//! An in-process server that speaks the InfluxDB 2.7 HTTP API.
//!
//! The main type is [`InfluxdbStandin`]: it owns the accounts and the data, and its
//! [`router`](InfluxdbStandin::router) serves them to any transport. Line protocol comes in through
//! `line_protocol`, is kept by `store`, and is read back by `flux` and `influxql`, for which `dbrp`
//! maps databases to buckets. [`Quirk`]s make it misbehave. Nothing here starts a task or a thread
//! or reads a clock of its own, and only quirks wait, in tokio's time, so the same router serves
//! sockets and virtual time. Left out: persistence, sessions, tasks and dashboards.

mod accounts;
mod dbrp;
mod flux;
mod http;
mod influxql;
mod line_protocol;
mod quirks;
mod store;

use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use cutover_model::Clock;

pub use crate::quirks::{Quirk, QuirkCount, QuirkKind, Schedule, Scope};

use crate::accounts::Accounts;
use crate::dbrp::Dbrps;
use crate::http::metrics::Metrics;
use crate::quirks::Quirks;
use crate::store::Store;

/// What a stand-in is told at its start.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where `now()`, retention and default timestamps come from.
    pub clock: Clock,
    /// The longest body of a request in bytes, counted after inflation.
    pub max_body_bytes: usize,
    /// The most table cells that one query may hold; a query beyond it fails, as on a server that
    /// limits its memory.
    pub max_query_cells: u64,
    /// The most calls of its own functions that one query may make, rows included.
    pub max_query_calls: u64,
    /// How the stand-in misbehaves from its start.
    pub quirks: Vec<Quirk>,
    /// Which of the requests are hit by a quirk depends on this and on their order.
    pub quirk_seed: u64,
    /// Whether quirks can be switched over HTTP.
    pub quirk_control: QuirkControl,
}

/// Whether `/standin/quirks` is there: `GET` shows the quirks, `POST` replaces them, `DELETE`
/// switches all off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QuirkControl {
    /// It is not, as on the server.
    Off,
    /// It is, for anybody.
    On,
}

impl Config {
    /// Limits that fit a test machine: bodies of 64 MiB, queries of 200 million cells and of 50
    /// million calls. No quirks, and no way to switch them on over HTTP.
    pub fn new(clock: Clock) -> Self {
        Self {
            clock,
            max_body_bytes: 64 << 20,
            max_query_cells: 200_000_000,
            max_query_calls: 50_000_000,
            quirks: Vec::new(),
            quirk_seed: 0,
            quirk_control: QuirkControl::Off,
        }
    }
}

/// A running stand-in. Clones share one state; the state ends with the last clone and router.
#[derive(Clone, Debug)]
pub struct InfluxdbStandin {
    server: Arc<Server>,
}

impl InfluxdbStandin {
    /// An empty server that is not set up: `POST /api/v2/setup` makes its first user.
    pub fn new(config: Config) -> Self {
        let started_ns = config.clock.now_ns();
        let server = Server {
            started_ns,
            accounts: RwLock::new(Accounts::default()),
            dbrps: RwLock::new(Dbrps::default()),
            store: RwLock::new(Store::new(started_ns)),
            metrics: Metrics::default(),
            quirks: Quirks::new(config.quirk_seed, config.quirks.clone()),
            config,
        };
        Self { server: Arc::new(server) }
    }

    /// Replaces the quirks and counts anew.
    pub fn set_quirks(&self, quirks: Vec<Quirk>) {
        self.server.quirks.set(quirks);
    }

    /// The quirks, and how often each had a chance and took it.
    pub fn quirk_counts(&self) -> Vec<QuirkCount> {
        self.server.quirks.counts()
    }

    /// The whole HTTP API, to be served on any transport.
    pub fn router(&self) -> axum::Router {
        http::router(Arc::clone(&self.server))
    }
}

/// The state behind the API. Locks are held for computation only, never across an await, and are
/// taken in the order `accounts`, `dbrps`, `store`.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) config: Config,
    pub(crate) started_ns: i64,
    accounts: RwLock<Accounts>,
    dbrps: RwLock<Dbrps>,
    store: RwLock<Store>,
    pub(crate) quirks: Quirks,
    pub(crate) metrics: Metrics,
}

impl Server {
    pub(crate) fn accounts(&self) -> RwLockReadGuard<'_, Accounts> {
        self.accounts.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn accounts_mut(&self) -> RwLockWriteGuard<'_, Accounts> {
        self.accounts.write().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn dbrps(&self) -> RwLockReadGuard<'_, Dbrps> {
        self.dbrps.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn dbrps_mut(&self) -> RwLockWriteGuard<'_, Dbrps> {
        self.dbrps.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Removes what has outlived its retention, when the half-hourly look for it is due.
    pub(crate) fn enforce_retention(&self) {
        let now_ns = self.config.clock.now_ns();
        if self.store().retention_check_due(now_ns) {
            self.store_mut().enforce_retention(now_ns);
        }
    }

    pub(crate) fn store(&self) -> RwLockReadGuard<'_, Store> {
        self.store.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn store_mut(&self) -> RwLockWriteGuard<'_, Store> {
        self.store.write().unwrap_or_else(PoisonError::into_inner)
    }
}
