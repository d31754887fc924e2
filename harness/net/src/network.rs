//! Hosts, links and connections: who can reach whom, and what a partition does.
//!
//! The main type is [`Network`]. Its bytes and clocks are in [`crate::state`], one end of a
//! connection is [`Stream`](crate::Stream), and HTTP over it is [`crate::http`].

use std::collections::VecDeque;
use std::fmt;
use std::future::{Future, poll_fn};
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll};
use std::time::Duration;

use crate::state::{Connection, ListenerState, Side, State, wake};
use crate::stream::{Stream, reset};

/// An in-memory network. Clones are the same network; when the last one is dropped, its tasks are
/// aborted and its connections reset.
///
/// A task that runs on the network must therefore hold a [`Dial`](crate::Dial), a [`Listener`] or
/// a [`Stream`], which do not keep the network alive, and not a `Network`.
#[derive(Clone)]
pub struct Network {
    shared: Arc<Shared>,
}

/// The one lock. It is never held across a wait.
#[derive(Default)]
pub(crate) struct Shared {
    state: Mutex<State>,
}

/// The path between two hosts, the same in both directions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    one: String,
    other: String,
}

impl Link {
    /// The link between two hosts; the order does not matter.
    pub fn between(one: impl Into<String>, other: impl Into<String>) -> Self {
        Self { one: one.into(), other: other.into() }
    }
}

/// A cut that is in force for as long as this is alive.
#[must_use = "dropping the guard heals the link at once"]
#[derive(Debug)]
pub struct Cut {
    shared: Weak<Shared>,
    link: usize,
}

impl Cut {
    /// Ends this cut. What was under way arrives one latency later, in order.
    pub fn heal(self) {
        drop(self);
    }
}

impl Drop for Cut {
    fn drop(&mut self) {
        let Some(shared) = self.shared.upgrade() else { return };
        let mut state = shared.lock();
        let link = &mut state.links[self.link];
        // Counted, because two cuts of one link may overlap.
        link.cuts -= 1;
        if link.cuts == 0 {
            link.healed.notify_waiters();
            state.reschedule_link(self.link);
        }
    }
}

/// A bound port. Dropping it unbinds the port and resets what waits to be accepted.
#[derive(Debug)]
pub struct Listener {
    shared: Weak<Shared>,
    host: String,
    port: u16,
    id: u64,
}

impl Default for Network {
    fn default() -> Self {
        Self::new(Duration::ZERO)
    }
}

impl Network {
    /// A network whose links take `latency` in each direction until told otherwise.
    pub fn new(latency: Duration) -> Self {
        let shared = Arc::new(Shared::default());
        shared.lock().default_latency = latency;
        Self { shared }
    }

    /// Sets the latency of one link, in each direction, for everything sent from now on.
    pub fn set_latency(&self, link: &Link, latency: Duration) {
        let mut state = self.shared.lock();
        let id = state.link_id(&link.one, &link.other);
        state.links[id].latency = latency;
    }

    /// Cuts a link: nothing arrives, connects wait, and no one is told.
    pub fn cut(&self, link: &Link) -> Cut {
        let mut state = self.shared.lock();
        let id = state.link_id(&link.one, &link.other);
        state.links[id].cuts += 1;
        state.reschedule_link(id);
        Cut { shared: Arc::downgrade(&self.shared), link: id }
    }

    /// Resets every open connection of a link at both ends, and says how many there were.
    pub fn reset(&self, link: &Link) -> usize {
        let mut state = self.shared.lock();
        let id = state.link_id(&link.one, &link.other);
        let mut count = 0;
        for connection in state.connections.values_mut().filter(|c| c.link == id) {
            connection.break_end(Side::Client);
            connection.break_end(Side::Server);
            count += 1;
        }
        count
    }

    /// Kills the process on `host`: its tasks stop, its ports refuse, its peers are reset. What
    /// outlives the process has to be kept outside its tasks.
    pub fn crash(&self, host: &str) {
        let tasks = self.shared.lock().take_tasks(host);
        for task in tasks {
            task.abort();
        }
        let mut state = self.shared.lock();
        for (_, listener) in state.listeners.iter_mut().filter(|((owner, _), _)| owner == host) {
            wake(&mut listener.waker);
        }
        state.listeners.retain(|(owner, _), _| owner != host);
        state.crash_connections(host);
    }

    /// Binds a port of a host.
    pub fn listen(&self, host: &str, port: u16) -> io::Result<Listener> {
        let mut state = self.shared.lock();
        let key = (host.to_owned(), port);
        if state.listeners.contains_key(&key) {
            let message = format!("`{host}:{port}` is already bound");
            return Err(io::Error::new(io::ErrorKind::AddrInUse, message));
        }
        let id = state.new_id();
        let listener = ListenerState { id, waiting: VecDeque::new(), waker: None };
        state.listeners.insert(key, listener);
        Ok(Listener { shared: Arc::downgrade(&self.shared), host: host.to_owned(), port, id })
    }

    /// Connects host `from` to a port of host `to`. Waits while the link is cut; refused, one round
    /// trip later, when nothing listens there.
    pub async fn connect(&self, from: &str, to: &str, port: u16) -> io::Result<Stream> {
        connect(self.downgrade(), from, to, port).await
    }

    /// Runs a task that belongs to `host`: it ends with the host's crash or with the network.
    pub fn spawn(&self, host: &str, task: impl Future<Output = ()> + Send + 'static) {
        self.shared.spawn(host, task);
    }

    /// A hash over every byte sent so far with its virtual time: two runs of one seed agree in it.
    pub fn traffic_hash(&self) -> u64 {
        self.shared.lock().traffic.value()
    }

    pub(crate) fn downgrade(&self) -> Weak<Shared> {
        Arc::downgrade(&self.shared)
    }
}

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Network({} connections)", self.shared.lock().connections.len())
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Shared")
    }
}

impl Shared {
    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        // A panic under the lock is a bug of ours that the test already shows; the data is sound.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn spawn(&self, host: &str, task: impl Future<Output = ()> + Send + 'static) {
        let handle = tokio::spawn(task).abort_handle();
        self.lock().record_task(host, handle);
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        let state = self.state.get_mut().unwrap_or_else(PoisonError::into_inner);
        for (_, task) in &state.tasks {
            task.abort();
        }
        // Tasks that a library started are not recorded; woken, they find the network gone.
        for connection in state.connections.values_mut() {
            connection.break_end(Side::Client);
            connection.break_end(Side::Server);
        }
        for listener in state.listeners.values_mut() {
            wake(&mut listener.waker);
        }
        for link in &state.links {
            link.healed.notify_waiters();
        }
    }
}

impl Listener {
    /// Waits for the next connection. An error says that this listener is gone for good.
    pub async fn accept(&mut self) -> io::Result<Stream> {
        poll_fn(|cx| self.poll_accept(cx)).await
    }

    fn poll_accept(&self, cx: &Context<'_>) -> Poll<io::Result<Stream>> {
        let gone = || io::Error::new(io::ErrorKind::NotConnected, "the listener is closed");
        let shared = self.shared.upgrade().ok_or_else(gone)?;
        let mut state = shared.lock();
        let key = (self.host.clone(), self.port);
        let own = state.listeners.get_mut(&key).filter(|found| found.id == self.id);
        let listener = own.ok_or_else(gone)?;
        if let Some(id) = listener.waiting.pop_front() {
            return Poll::Ready(Ok(Stream::new(self.shared.clone(), id, Side::Server)));
        }
        listener.waker = Some(cx.waker().clone());
        Poll::Pending
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let Some(shared) = self.shared.upgrade() else { return };
        let mut state = shared.lock();
        let key = (self.host.clone(), self.port);
        if state.listeners.get(&key).is_none_or(|found| found.id != self.id) {
            // A crash has already unbound the port, and a successor may have bound it again.
            return;
        }
        if let Some(listener) = state.listeners.remove(&key) {
            for id in listener.waiting {
                state.end_dropped(id, Side::Server);
            }
        }
    }
}

/// Connects without keeping the network alive meanwhile.
pub(crate) async fn connect(
    shared: Weak<Shared>,
    from: &str,
    to: &str,
    port: u16,
) -> io::Result<Stream> {
    let shared = || shared.upgrade().ok_or_else(reset);
    loop {
        let (latency, healed) = {
            let shared = shared()?;
            let mut state = shared.lock();
            let id = state.link_id(from, to);
            let link = &state.links[id];
            // Taken under the lock, so that a heal cannot slip in between look and wait.
            let healed = (link.cuts > 0).then(|| link.healed.clone().notified_owned());
            (link.latency, healed)
        };
        if let Some(healed) = healed {
            healed.await;
            continue;
        }
        sleep(latency).await;
        // The link may have been cut while the first packet was under way: it is sent again then.
        let Some(opened) = open(&shared()?, from, to, port) else { continue };
        sleep(latency).await;
        return opened;
    }
}

/// Opens the connection at the listener's side; `None` while the link is cut.
fn open(shared: &Arc<Shared>, from: &str, to: &str, port: u16) -> Option<io::Result<Stream>> {
    let mut state = shared.lock();
    let link = state.link_id(from, to);
    if state.links[link].cuts > 0 {
        return None;
    }
    let id = state.new_id();
    let Some(listener) = state.listeners.get_mut(&(to.to_owned(), port)) else {
        let message = format!("nothing listens on `{to}:{port}`");
        return Some(Err(io::Error::new(io::ErrorKind::ConnectionRefused, message)));
    };
    listener.waiting.push_back(id);
    wake(&mut listener.waker);
    state.connections.insert(id, Connection::new(link, from, to));
    Some(Ok(Stream::new(Arc::downgrade(shared), id, Side::Client)))
}

/// Waits in virtual time. Nothing is not a wait: tokio's timer would make it a millisecond.
async fn sleep(latency: Duration) {
    if !latency.is_zero() {
        tokio::time::sleep(latency).await;
    }
}
