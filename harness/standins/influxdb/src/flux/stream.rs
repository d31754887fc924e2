//! Streams of tables, computed when they are read.
//!
//! A [`Stream`] is a recipe: reading it twice computes it twice. Functions that work table by table
//! keep one table at a time in memory; those that need all tables collect them. [`Execution`] is
//! what one query may use, and stops it when it uses too much.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::error::{FluxError, FluxErrorCode};
pub(crate) use super::site::Site;
use super::site::{Delivery, Running};
use super::table::{Data, Table};
use crate::Server;
use crate::accounts::{BucketEntry, Id, Permissions};

/// What a cell of a table takes, for comparison with text.
const BYTES_PER_CELL: u64 = 8;

/// How many streams may be read within each other.
const MAX_READING: u64 = 8;

/// How many functions may stand behind each other in one stream.
const MAX_STAGES: usize = 250;

/// The tables of a stream, one after another.
pub(crate) type Tables = Box<dyn Iterator<Item = Result<Table, FluxError>> + Send>;

/// What one query works with.
#[derive(Debug)]
pub(crate) struct Execution {
    pub(crate) server: Arc<Server>,
    pub(crate) org: Id,
    pub(crate) now_ns: i64,
    permissions: Permissions,
    cells: AtomicU64,
    calls: AtomicU64,
    /// The bytes of the texts that the script has made.
    texts: AtomicU64,
    /// How many streams are being read, each for a value that the one before needs.
    reading: AtomicU64,
}

impl Execution {
    pub(crate) fn new(
        server: Arc<Server>,
        org: Id,
        now_ns: i64,
        permissions: Permissions,
    ) -> Arc<Self> {
        let [cells, calls, texts, reading] = [0; 4].map(AtomicU64::new);
        Arc::new(Self { server, org, now_ns, permissions, cells, calls, texts, reading })
    }

    /// Whether the query may find this bucket by its name. By its identifier any query may read
    /// any bucket, as on the server.
    pub(crate) fn may_find(&self, bucket: &BucketEntry) -> bool {
        self.permissions.allow(bucket.reading())
    }

    /// Counts a call of one of the script's functions.
    pub(crate) fn count_call(&self) -> Result<(), FluxError> {
        self.count_calls(1)
    }

    /// Counts calls of the script's functions.
    pub(crate) fn count_calls(&self, calls: u64) -> Result<(), FluxError> {
        let limit = self.server.config.max_query_calls;
        if self.calls.fetch_add(calls, Ordering::Relaxed) < limit {
            return Ok(());
        }
        let message = format!("the query makes more than {limit} function calls");
        Err(FluxError::whole(FluxErrorCode::Internal, message))
    }

    /// Counts a text that the script has made.
    pub(crate) fn count_text(&self, bytes: u64) -> Result<(), FluxError> {
        let limit = self.server.config.max_query_cells.saturating_mul(BYTES_PER_CELL);
        if self.texts.fetch_add(bytes, Ordering::Relaxed).saturating_add(bytes) <= limit {
            return Ok(());
        }
        let message = format!("memory allocation limit reached: limit {limit} bytes of text");
        Err(FluxError::whole(FluxErrorCode::Internal, message))
    }

    /// Refuses to make `cells` more table cells than a query may hold.
    pub(crate) fn check_room(&self, cells: u64) -> Result<(), FluxError> {
        let limit = self.server.config.max_query_cells;
        let held = self.cells.load(Ordering::Relaxed);
        if held.saturating_add(cells) <= limit {
            return Ok(());
        }
        let message = format!(
            "memory allocation limit reached: limit {limit} cells, allocated: {held}, wanted: \
             {cells}"
        );
        Err(FluxError::whole(FluxErrorCode::Internal, message))
    }

    /// Counts the cells of a table for as long as the table lives.
    fn charge(self: &Arc<Self>, table: &mut Table) -> Result<(), FluxError> {
        let stored = |data: &Data| !matches!(data, Data::Repeat { .. });
        let columns = table.columns.iter().filter(|column| stored(&column.data)).count();
        let cells = (columns * table.rows) as u64;
        self.check_room(cells)?;
        self.cells.fetch_add(cells, Ordering::Relaxed);
        table.charge = Some(Arc::new(Charge { execution: Arc::clone(self), cells }));
        Ok(())
    }
}

/// Cells that are counted against a query until this is dropped.
#[derive(Debug)]
pub(crate) struct Charge {
    execution: Arc<Execution>,
    cells: u64,
}

impl Drop for Charge {
    fn drop(&mut self) {
        self.execution.cells.fetch_sub(self.cells, Ordering::Relaxed);
    }
}

/// The range of time that a stream covers; the stop is not part of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bounds {
    pub(crate) start_ns: i64,
    pub(crate) stop_ns: i64,
}

/// Whether the server's store can do the work of a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum InStore {
    Possible,
    Never,
}

/// Tables to be computed.
#[derive(Clone)]
pub(crate) struct Stream {
    open: Arc<dyn Fn() -> Result<Tables, FluxError> + Send + Sync>,
    execution: Arc<Execution>,
    stages: usize,
    /// What `range` set; windows are clipped to it.
    pub(crate) bounds: Option<Bounds>,
    /// The read that this stream is, for as long as ranges and filters can join it.
    pub(crate) read: Option<Arc<super::builtins::StorageRead>>,
    /// The filters that these tables come out of.
    pub(crate) filtered: Option<Arc<super::builtins::Filtered>>,
    /// For a grouping in the store: the tables that are put together, each with the group key of
    /// those that it goes to.
    pub(crate) parts: Option<Arc<Self>>,
    /// For a grouping: what it groups. Of several groupings in a row only the last counts.
    pub(crate) grouped: Option<Arc<Self>>,
    /// For a `sort`: its tables in the order in which they are made, as a `limit` behind it gives
    /// them, since the server does both together.
    pub(crate) sorted: Option<Arc<Self>>,
    /// Whether `yield` has already made this stream a result.
    pub(crate) yielded: bool,
    delivery: Delivery,
    /// The function that the tables come out of; `None` for the store.
    last: Option<Site>,
}

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stream").field("stages", &self.stages).finish_non_exhaustive()
    }
}

impl Stream {
    /// A stream that begins with `open`.
    pub(crate) fn source(
        execution: &Arc<Execution>,
        site: Site,
        open: impl Fn() -> Result<Tables, FluxError> + Send + Sync + 'static,
    ) -> Self {
        let made = Self::with_mistakes(execution, open, move |error| site.tell(error));
        Self { last: Some(site), ..made }
    }

    /// A stream that begins with `open` and tells of mistakes in its own way.
    fn with_mistakes(
        execution: &Arc<Execution>,
        open: impl Fn() -> Result<Tables, FluxError> + Send + Sync + 'static,
        told: impl Fn(FluxError) -> FluxError + Copy + Send + Sync + 'static,
    ) -> Self {
        let charged = Arc::clone(execution);
        let open = move || {
            let charged = Arc::clone(&charged);
            let tables = open().map_err(told)?.map(move |table| {
                let mut table = table.map_err(told)?;
                charged.charge(&mut table)?;
                Ok(table)
            });
            Ok(Box::new(tables) as Tables)
        };
        Self {
            open: Arc::new(open),
            execution: Arc::clone(execution),
            stages: 1,
            bounds: None,
            read: None,
            filtered: None,
            parts: None,
            grouped: None,
            sorted: None,
            yielded: false,
            delivery: Delivery::Tables,
            last: None,
        }
    }

    /// The tables, computed one by one as they are asked for.
    pub(crate) fn tables(&self) -> Result<Tables, FluxError> {
        let tables = (self.open)()?;
        if self.delivery == Delivery::Tables {
            return Ok(tables);
        }
        let mut merge = super::builtins::Merge::default();
        for table in tables {
            merge.add(table?).map_err(FluxError::into_collision)?;
        }
        Ok(Box::new(merge.finish()?.into_iter().map(Ok)))
    }

    /// Reads all tables while the script is still being evaluated. Such a read may need another,
    /// but not without an end.
    pub(crate) fn read_through(
        &self,
        mut read: impl FnMut(Table) -> Result<(), FluxError>,
    ) -> Result<(), FluxError> {
        let reading = &self.execution.reading;
        if reading.fetch_add(1, Ordering::Relaxed) >= MAX_READING {
            reading.fetch_sub(1, Ordering::Relaxed);
            return Err(FluxError::new("the script nests its reads of tables too deep"));
        }
        let tables = self.ended().tables();
        let result = tables.and_then(|mut tables| tables.try_for_each(|table| read(table?)));
        reading.fetch_sub(1, Ordering::Relaxed);
        // The call that reads is where the script as a whole goes wrong.
        result.map_err(FluxError::into_cause)
    }

    pub(crate) fn execution(&self) -> &Arc<Execution> {
        &self.execution
    }

    fn then(
        &self,
        site: Site,
        open: impl Fn() -> Result<Tables, FluxError> + Send + Sync + 'static,
    ) -> Result<Self, FluxError> {
        self.then_running(site, site.running(), open)
    }

    fn then_running(
        &self,
        site: Site,
        running: Running,
        open: impl Fn() -> Result<Tables, FluxError> + Send + Sync + 'static,
    ) -> Result<Self, FluxError> {
        let from = self.delivery;
        let told = move |error: FluxError| match running {
            // Whoever puts the pieces together meets what does not go together.
            Running::Narrow | Running::Regrouping if error.is_collision() => error,
            Running::Whole if from == Delivery::Pieces && !error.is_collision() => error.in_store(),
            _ => site.tell(error),
        };
        let made = Self::with_mistakes(&self.execution, open, told);
        let delivery = match running {
            Running::Whole | Running::Piecewise => Delivery::Tables,
            Running::Narrow => from,
            Running::Regrouping => Delivery::Pieces,
        };
        let (stages, bounds, last) = (self.next_stage()?, self.bounds, Some(site));
        Ok(Self { stages, bounds, delivery, last, ..made })
    }

    /// Whether the next function that needs whole tables has to put pieces together.
    pub(crate) fn is_in_pieces(&self) -> bool {
        self.delivery == Delivery::Pieces
    }

    /// The same tables for a reader that is no function of tables: pieces that do not go together
    /// are the mistake of the function that they come out of.
    pub(crate) fn ended(&self) -> Self {
        let Some(site) = self.last.filter(|_| self.delivery == Delivery::Pieces) else {
            return self.clone();
        };
        let pieces = self.clone();
        let open = move || pieces.tables().map_err(move |error| site.tell(error));
        Self { open: Arc::new(open), delivery: Delivery::Tables, ..self.clone() }
    }

    fn next_stage(&self) -> Result<usize, FluxError> {
        let stages = self.stages + 1;
        if stages > MAX_STAGES {
            return Err(FluxError::new(format!("the stream has more than {MAX_STAGES} stages")));
        }
        Ok(stages)
    }

    /// What the store makes of this stream. The server does not know where in a script its store
    /// meets a mistake, so the function that reads on has to say where it is.
    pub(crate) fn by_store(
        &self,
        work: impl Fn(Vec<Table>) -> Result<Tables, FluxError> + Send + Sync + 'static,
    ) -> Result<Self, FluxError> {
        let upstream = self.clone();
        let open = move || work(upstream.tables()?.collect::<Result<Vec<_>, _>>()?);
        let made = Self::with_mistakes(&self.execution, open, |error| error);
        Ok(Self { stages: self.next_stage()?, bounds: self.bounds, ..made })
    }

    /// [`by_store`](Self::by_store), table by table.
    pub(crate) fn each_by_store(
        &self,
        work: impl Fn(Table) -> Result<Table, FluxError> + Send + Sync + 'static,
    ) -> Result<Self, FluxError> {
        let (upstream, work) = (self.clone(), Arc::new(work));
        let open = move || {
            let work = Arc::clone(&work);
            let tables = upstream.tables()?.map(move |table| table.and_then(&*work));
            Ok(Box::new(tables) as Tables)
        };
        let made = Self::with_mistakes(&self.execution, open, |error| error);
        Ok(Self { stages: self.next_stage()?, bounds: self.bounds, ..made })
    }

    /// Makes some tables of each table.
    pub(crate) fn each(
        &self,
        site: Site,
        work: impl Fn(Table) -> Result<Vec<Table>, FluxError> + Send + Sync + 'static,
    ) -> Result<Self, FluxError> {
        let (upstream, work) = (self.clone(), Arc::new(work));
        self.then(site, move || Ok(each_of(upstream.tables()?, &work)))
    }

    /// Makes one table of each table.
    pub(crate) fn map(
        &self,
        site: Site,
        work: impl Fn(Table) -> Result<Table, FluxError> + Send + Sync + 'static,
    ) -> Result<Self, FluxError> {
        self.each(site, move |table| Ok(vec![work(table)?]))
    }

    /// Makes one table of each table. The server has its store do the work when nothing stands
    /// between; `in_store` says that it can, and then tables come as they are made.
    pub(crate) fn reduced(
        &self,
        site: Site,
        in_store: InStore,
        work: impl Fn(Table) -> Result<Table, FluxError> + Send + Sync + 'static,
    ) -> Result<Self, FluxError> {
        match in_store {
            InStore::Possible if self.read.is_some() => self.each_by_store(work),
            _ => self.gathered(site, work),
        }
    }

    /// Makes one table of each table, and gives them in order of their group keys once all are
    /// made.
    pub(crate) fn gathered(
        &self,
        site: Site,
        work: impl Fn(Table) -> Result<Table, FluxError> + Send + Sync + 'static,
    ) -> Result<Self, FluxError> {
        let upstream = self.clone();
        self.then(site, move || {
            let made = upstream.tables()?.map(|table| work(table?));
            let mut made = made.collect::<Result<Vec<_>, _>>()?;
            made.sort_by(|left, right| left.key.cmp(&right.key));
            Ok(Box::new(made.into_iter().map(Ok)) as Tables)
        })
    }

    /// Makes tables of all tables together.
    pub(crate) fn all(
        &self,
        site: Site,
        work: impl Fn(Vec<Table>) -> Result<Vec<Table>, FluxError> + Send + Sync + 'static,
    ) -> Result<Self, FluxError> {
        let upstream = self.clone();
        self.then(site, move || {
            let tables = upstream.tables()?.collect::<Result<Vec<_>, _>>()?;
            Ok(Box::new(work(tables)?.into_iter().map(Ok)) as Tables)
        })
    }

    /// The tables in the order in which they are made, for functions that go by it.
    pub(crate) fn unordered(&self) -> Self {
        let pieces = Arc::clone(&self.open);
        if self.delivery == Delivery::Tables || self.yielded {
            return self.clone();
        }
        let open = move || {
            let mut merge = super::builtins::Merge::default();
            for table in pieces()? {
                merge.add(table?).map_err(FluxError::into_collision)?;
            }
            Ok(Box::new(merge.finish_as_made()?.into_iter().map(Ok)) as Tables)
        };
        Self { open: Arc::new(open), delivery: Delivery::Tables, ..self.clone() }
    }

    /// Makes some tables of each table, and puts those with equal group keys together.
    pub(crate) fn merged(
        &self,
        site: Site,
        work: impl Fn(Table) -> Result<Vec<Table>, FluxError> + Send + Sync + 'static,
    ) -> Result<Self, FluxError> {
        let upstream = self.clone();
        self.then(site, move || {
            let mut merge = super::builtins::Merge::default();
            for table in upstream.tables()? {
                work(table?)?.into_iter().try_for_each(|made| merge.add(made))?;
            }
            Ok(Box::new(merge.finish()?.into_iter().map(Ok)) as Tables)
        })
    }

    /// Makes pieces of tables of each table or piece. The next function that needs whole tables
    /// puts them together.
    pub(crate) fn regrouped(
        &self,
        site: Site,
        work: impl Fn(Table) -> Result<Vec<Table>, FluxError> + Send + Sync + 'static,
    ) -> Result<Self, FluxError> {
        self.piecewise(site, Running::Regrouping, work)
    }

    /// Makes some tables of each table or piece, which need to know nothing of the others.
    pub(crate) fn filtered(
        &self,
        site: Site,
        work: impl Fn(Table) -> Result<Vec<Table>, FluxError> + Send + Sync + 'static,
    ) -> Result<Self, FluxError> {
        self.piecewise(site, Running::Narrow, work)
    }

    fn piecewise(
        &self,
        site: Site,
        running: Running,
        work: impl Fn(Table) -> Result<Vec<Table>, FluxError> + Send + Sync + 'static,
    ) -> Result<Self, FluxError> {
        let (open, work) = (Arc::clone(&self.open), Arc::new(work));
        self.then_running(site, running, move || Ok(each_of(open()?, &work)))
    }

    /// Makes tables of several streams together.
    pub(crate) fn combined(
        streams: Vec<Self>,
        site: Site,
        work: impl Fn(Vec<Vec<Table>>) -> Result<Vec<Table>, FluxError> + Send + Sync + 'static,
    ) -> Result<Self, FluxError> {
        let deepest = streams.iter().max_by_key(|stream| stream.stages).cloned();
        let deepest = deepest.ok_or_else(|| FluxError::new("there are no streams to combine"))?;
        let mut bounds = streams.iter().filter_map(|stream| stream.bounds);
        let first = bounds.next();
        let joined = bounds.fold(first, |joined, next| {
            joined.map(|joined| Bounds {
                start_ns: joined.start_ns.min(next.start_ns),
                stop_ns: joined.stop_ns.max(next.stop_ns),
            })
        });
        let stream = deepest.then(site, move || {
            let read = |stream: &Self| {
                let piecewise = site.running() == Running::Piecewise;
                let stream = if piecewise { stream.ended() } else { stream.clone() };
                stream.tables()?.collect::<Result<Vec<_>, _>>()
            };
            let tables = streams.iter().map(read).collect::<Result<Vec<_>, _>>()?;
            Ok(Box::new(work(tables)?.into_iter().map(Ok)) as Tables)
        })?;
        Ok(Self { bounds: joined, ..stream })
    }
}

/// What a function makes of each table.
fn each_of<W>(tables: Tables, work: &Arc<W>) -> Tables
where
    W: Fn(Table) -> Result<Vec<Table>, FluxError> + Send + Sync + 'static,
{
    let work = Arc::clone(work);
    Box::new(tables.flat_map(move |table| match table.and_then(&*work) {
        Ok(tables) => tables.into_iter().map(Ok).collect::<Vec<_>>(),
        Err(error) => vec![Err(error)],
    }))
}
