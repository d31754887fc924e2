//! What the network knows: links, listeners, connections and the bytes in flight.
//!
//! The main type is [`State`]. It is plain data behind one lock, changed by [`crate::network`] and
//! [`crate::stream`]; nothing here waits. Collections are ordered, so that no run depends on the
//! seed of a hash.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::task::Waker;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::Notify;
use tokio::task::AbortHandle;
use tokio::time::Instant;

/// How many bytes may be under way or unread in one direction before the writer has to wait.
const WINDOW: usize = 256 * 1024;

/// Everything that the network knows.
#[derive(Default)]
pub(crate) struct State {
    pub(crate) default_latency: Duration,
    pub(crate) links: Vec<LinkState>,
    pub(crate) link_ids: BTreeMap<(String, String), usize>,
    pub(crate) listeners: BTreeMap<(String, u16), ListenerState>,
    pub(crate) connections: BTreeMap<u64, Connection>,
    pub(crate) tasks: Vec<(String, AbortHandle)>,
    pub(crate) prune_tasks_at: usize,
    pub(crate) next_id: u64,
    pub(crate) traffic: TrafficHash,
}

/// The path between two hosts, the same in both directions.
pub(crate) struct LinkState {
    pub(crate) latency: Duration,
    /// How many guards hold this link cut.
    pub(crate) cuts: u32,
    pub(crate) healed: Arc<Notify>,
}

impl LinkState {
    /// When what is sent now arrives; unknown while the link is cut.
    fn due(&self, now: Instant) -> Option<Instant> {
        (self.cuts == 0).then(|| now + self.latency)
    }
}

/// A bound port with the connections that wait to be accepted.
pub(crate) struct ListenerState {
    pub(crate) id: u64,
    pub(crate) waiting: VecDeque<u64>,
    pub(crate) waker: Option<Waker>,
}

/// One of the two ends of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Client,
    Server,
}

impl Side {
    pub(crate) fn other(self) -> Self {
        match self {
            Self::Client => Self::Server,
            Self::Server => Self::Client,
        }
    }
}

/// Two ends, and for each what is on its way to it.
pub(crate) struct Connection {
    pub(crate) link: usize,
    pub(crate) hosts: [String; 2],
    ends: [End; 2],
}

/// One end: what is coming to it, and who waits there.
#[derive(Default)]
pub(crate) struct End {
    pub(crate) incoming: VecDeque<Segment>,
    incoming_bytes: usize,
    pub(crate) reset: bool,
    pub(crate) dropped: bool,
    pub(crate) reader: Option<Waker>,
    pub(crate) writer: Option<Waker>,
}

/// Something on its way, in the order of sending.
pub(crate) struct Segment {
    /// When it can be read; unknown while the link is cut.
    pub(crate) due: Option<Instant>,
    pub(crate) content: Content,
}

pub(crate) enum Content {
    Data(Bytes),
    /// The sender has finished.
    Fin,
    /// The sender is gone and did not read what it was sent.
    Reset,
}

impl Connection {
    pub(crate) fn new(link: usize, client: &str, server: &str) -> Self {
        let hosts = [client.to_owned(), server.to_owned()];
        Self { link, hosts, ends: [End::default(), End::default()] }
    }

    pub(crate) fn end(&mut self, side: Side) -> &mut End {
        &mut self.ends[side as usize]
    }

    /// Puts `content` on its way to `side`, never ahead of what was sent before it.
    fn deliver(&mut self, side: Side, due: Option<Instant>, content: Content) {
        let end = self.end(side);
        let due = match end.incoming.back() {
            Some(last) => last.due.zip(due).map(|(last, due)| last.max(due)),
            None => due,
        };
        if let Content::Data(bytes) = &content {
            end.incoming_bytes += bytes.len();
        }
        end.incoming.push_back(Segment { due, content });
        wake(&mut end.reader);
    }

    /// Breaks one end at once, as if a reset had just arrived there.
    pub(crate) fn break_end(&mut self, side: Side) {
        let end = self.end(side);
        end.reset = true;
        end.incoming.clear();
        end.incoming_bytes = 0;
        wake(&mut end.reader);
        wake(&mut end.writer);
    }

    /// Recomputes when things arrive, after the link was cut or healed.
    pub(crate) fn reschedule(&mut self, now: Instant, arrival: Option<Instant>) {
        for end in &mut self.ends {
            for segment in &mut end.incoming {
                // What has arrived already stays; what was under way is lost and sent again.
                if segment.due.is_none_or(|due| due > now) {
                    segment.due = arrival;
                }
            }
            wake(&mut end.reader);
        }
    }

    /// Takes `count` bytes of the head segment off the books and lets the writer continue.
    pub(crate) fn consumed(&mut self, side: Side, count: usize) {
        self.end(side).incoming_bytes -= count;
        wake(&mut self.end(side.other()).writer);
    }
}

impl State {
    pub(crate) fn new_id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id
    }

    /// The number of the link between two hosts, made on first use.
    pub(crate) fn link_id(&mut self, one: &str, other: &str) -> usize {
        let key = (one.min(other).to_owned(), one.max(other).to_owned());
        if let Some(id) = self.link_ids.get(&key) {
            return *id;
        }
        let latency = self.default_latency;
        self.links.push(LinkState { latency, cuts: 0, healed: Arc::new(Notify::new()) });
        self.link_ids.insert(key, self.links.len() - 1);
        self.links.len() - 1
    }

    /// Room for writing from `side`, or `None` when the window is full.
    pub(crate) fn window(&mut self, id: u64, side: Side) -> Option<usize> {
        let end = self.connections.get_mut(&id)?.end(side.other());
        WINDOW.checked_sub(end.incoming_bytes).filter(|room| *room > 0)
    }

    /// Sends `content` from `side` of connection `id`.
    pub(crate) fn send(&mut self, id: u64, side: Side, content: Content) {
        let now = Instant::now();
        let Some(connection) = self.connections.get_mut(&id) else { return };
        let link = &self.links[connection.link];
        if connection.end(side.other()).dropped {
            // Nobody reads there any more: the answer to data is a reset, one round trip later.
            if matches!(content, Content::Data(_)) {
                let due = link.due(now).map(|due| due + link.latency);
                connection.deliver(side, due, Content::Reset);
            }
            return;
        }
        if let Content::Data(bytes) = &content {
            self.traffic.sent(now, id, side, bytes);
        }
        connection.deliver(side.other(), link.due(now), content);
    }

    /// Notes that one end of a connection is gone, and forgets the connection after both.
    pub(crate) fn end_dropped(&mut self, id: u64, side: Side) {
        let Some(connection) = self.connections.get_mut(&id) else { return };
        let end = connection.end(side);
        end.dropped = true;
        let unread = end.incoming_bytes > 0;
        end.incoming.clear();
        end.incoming_bytes = 0;
        if connection.end(side.other()).dropped {
            self.connections.remove(&id);
            return;
        }
        // As on Linux: closing over unread bytes resets, otherwise the peer reads an end.
        self.send(id, side, if unread { Content::Reset } else { Content::Fin });
        if let Some(connection) = self.connections.get_mut(&id) {
            wake(&mut connection.end(side.other()).writer);
        }
    }

    /// Breaks the ends of all connections at `host`; their peers read a reset, one latency later.
    pub(crate) fn crash_connections(&mut self, host: &str) {
        let mut broken = Vec::new();
        for (id, connection) in &mut self.connections {
            for side in [Side::Client, Side::Server] {
                if connection.hosts[side as usize] == host && !connection.end(side).dropped {
                    connection.break_end(side);
                    broken.push((*id, side));
                }
            }
        }
        for (id, side) in broken {
            self.send(id, side, Content::Reset);
            self.end_dropped(id, side);
        }
    }

    /// Applies the present state of a link to all that is under way on it.
    pub(crate) fn reschedule_link(&mut self, link: usize) {
        let now = Instant::now();
        let arrival = self.links[link].due(now);
        for connection in self.connections.values_mut().filter(|c| c.link == link) {
            connection.reschedule(now, arrival);
        }
    }

    /// Takes the abort handles of all tasks that belong to `host`.
    pub(crate) fn take_tasks(&mut self, host: &str) -> Vec<AbortHandle> {
        let all = std::mem::take(&mut self.tasks);
        let (own, rest): (Vec<_>, Vec<_>) = all.into_iter().partition(|(owner, _)| owner == host);
        self.tasks = rest;
        own.into_iter().map(|(_, task)| task).collect()
    }

    /// Records a task of `host`, and now and then forgets those that have ended.
    pub(crate) fn record_task(&mut self, host: &str, task: AbortHandle) {
        if self.tasks.len() >= self.prune_tasks_at {
            self.tasks.retain(|(_, task)| !task.is_finished());
            self.prune_tasks_at = 2 * self.tasks.len() + 64;
        }
        self.tasks.push((host.to_owned(), task));
    }
}

/// A running hash (FNV-1a) over every byte sent, with its virtual time, connection and direction.
pub(crate) struct TrafficHash {
    value: u64,
    start: Option<Instant>,
}

impl Default for TrafficHash {
    fn default() -> Self {
        Self { value: 0xcbf2_9ce4_8422_2325, start: None }
    }
}

impl TrafficHash {
    fn sent(&mut self, now: Instant, id: u64, side: Side, bytes: &[u8]) {
        let elapsed = now - *self.start.get_or_insert(now);
        self.mix(&elapsed.as_nanos().to_le_bytes());
        self.mix(&id.to_le_bytes());
        self.mix(&[side as u8]);
        self.mix(bytes);
    }

    fn mix(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.value = (self.value ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    pub(crate) fn value(&self) -> u64 {
        self.value
    }
}

/// Wakes whoever waits, once.
pub(crate) fn wake(waker: &mut Option<Waker>) {
    if let Some(waker) = waker.take() {
        waker.wake();
    }
}
