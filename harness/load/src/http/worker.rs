//! One thread of a load: a poller, some connections, a share of the arrivals, a recorder.
//!
//! The main type is [`Worker`]. In the open model its arrivals wait in order until a connection
//! is there, and the next one is prepared before it is due. In the closed model each connection
//! is a user. Nothing here is shared with other threads but the plan, which nobody changes.
//! How a run ends is in `ending`.

mod ending;

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::io;
use std::time::Duration;

use cutover_model::Clock;
use mio::{Events, Token};

use super::connection::{BUFFER, Carried, Progress};
use super::outcome::{Broken, broken, ended};
use super::poller::{Poller, TICK, Watch};
use super::prepared::{Prepared, Press};
use super::sentry::Lookout;
use super::slots::{Job, Slots};
use super::tls::Speaker;
use super::wall::WallCheck;
use crate::interleave::Turn;
use crate::operation::{Outcome, OutcomeClass};
use crate::recorder::{Arrived, Recorder};
use crate::share::{Arrivals, Users};
use crate::stop::Stop;

/// What all threads of a load read.
pub(crate) struct Shared<'a> {
    pub(crate) plan: Vec<Prepared>,
    /// Where the server is; empty if its name could not be resolved.
    pub(crate) addresses: Vec<std::net::SocketAddr>,
    pub(crate) speaker: Option<Speaker>,
    pub(crate) watch: Watch,
    /// No arrival is due from here on.
    pub(crate) end: Duration,
    /// Arrivals that still wait for a connection are given up.
    pub(crate) give_up: Duration,
    pub(crate) timeout: Duration,
    pub(crate) stop: &'a Stop,
    pub(crate) wall: Clock,
}

/// Where a thread's arrivals come from.
pub(crate) enum Source {
    Open(Arrivals),
    Closed(Users),
}

/// What one thread is given.
pub(crate) struct Post<'a> {
    pub(crate) source: Source,
    pub(crate) connections: usize,
    pub(crate) recorder: Recorder,
    pub(crate) lookout: Option<Lookout<'a>>,
}

/// What one thread leaves behind.
pub(crate) struct Worked {
    pub(crate) recorder: Recorder,
    /// When it was told to stop, if it was.
    pub(crate) stopped: Option<Duration>,
    /// Time that it waited without sleeping.
    pub(crate) spun: Duration,
    /// The largest step of the wall clock.
    pub(crate) clock_step: Duration,
}

pub(crate) struct Worker<'a> {
    shared: &'a Shared<'a>,
    source: Source,
    poller: Poller,
    slots: Slots,
    /// The connection with the next arrival of an open load.
    staged: Option<usize>,
    /// Users who ask at once.
    asking: VecDeque<usize>,
    /// When thinking users and resting arrivals go on.
    later: BinaryHeap<Reverse<(Duration, usize)>>,
    /// The address that is tried first.
    address: usize,
    under_way: usize,
    now: Duration,
    looked: Duration,
    /// What was due by then has been sent, where a connection was free.
    dispatched: Duration,
    wall: WallCheck,
    stopped: Option<Duration>,
    /// When what is under way is cut off, once the load is aborted.
    cut_at: Option<Duration>,
    lookout: Option<Lookout<'a>>,
    /// Connections with more to read, which no event will tell of.
    unread: VecDeque<usize>,
    /// What ended and is not recorded yet: the next request goes first.
    ended: Vec<Arrived>,
    recorder: Recorder,
    press: Press,
    buffer: Vec<u8>,
}

impl<'a> Worker<'a> {
    pub(crate) fn new(shared: &'a Shared<'a>, post: Post<'a>) -> io::Result<Self> {
        let Post { source, connections, recorder, lookout } = post;
        Ok(Self {
            shared,
            source,
            poller: Poller::new(tick(shared.timeout))?,
            slots: Slots::new(connections),
            staged: None,
            asking: VecDeque::with_capacity(connections),
            later: BinaryHeap::with_capacity(connections),
            address: 0,
            under_way: 0,
            now: Duration::ZERO,
            looked: Duration::ZERO,
            dispatched: Duration::ZERO,
            wall: WallCheck::new(&shared.wall, shared.watch),
            stopped: None,
            cut_at: None,
            lookout,
            unread: VecDeque::with_capacity(connections),
            ended: Vec::with_capacity(connections),
            recorder,
            press: Press::default(),
            buffer: vec![0; BUFFER],
        })
    }

    /// Works until there is nothing left to do.
    pub(crate) fn work(mut self) -> io::Result<Worked> {
        let mut events = Events::with_capacity(self.slots.len().clamp(16, 1024));
        self.get_ready();
        loop {
            let left = self.shared.watch.until_start();
            if left.is_zero() {
                break;
            }
            self.poller.wait(&mut events, Duration::ZERO, Some(left))?;
            // Connections come to stand; nothing is sent before the start.
            for index in events.iter().map(|event| event.token().0) {
                if index < self.slots.len() {
                    self.go_on(index, false);
                }
            }
        }
        self.hear_stop();
        loop {
            self.now = self.shared.watch.now();
            if self.now.saturating_sub(self.looked) >= self.poller.tick() {
                self.looked = self.now;
                self.wall.look();
                self.report();
                self.hear_stop();
                self.end_what_is_overdue();
            }
            self.dispatch();
            self.record();
            if self.is_over() {
                break;
            }
            let until = self.next_instant();
            self.poller.wait(&mut events, self.now, until)?;
            self.take(&events);
        }
        self.give_up();
        Ok(Worked {
            recorder: self.recorder,
            stopped: self.stopped,
            spun: self.poller.spun,
            clock_step: self.wall.largest(),
        })
    }

    /// Connections of an open load are opened before its first arrival is due; users open theirs
    /// when they join.
    fn get_ready(&mut self) {
        match &self.source {
            Source::Open(_) => {
                for index in 0..self.slots.len() {
                    if !self.shared.addresses.is_empty() {
                        self.connect(index);
                    }
                }
            }
            Source::Closed(users) => {
                for index in 0..self.slots.len() {
                    let joins = users.joins(index);
                    if joins < self.shared.end {
                        self.later.push(Reverse((joins, index)));
                    }
                }
            }
        }
    }

    fn take(&mut self, events: &Events) {
        for _ in 0..self.unread.len() {
            let index = self.unread.pop_front().expect("as many as were counted");
            self.go_on(index, false);
            self.dispatch();
            self.record();
        }
        for event in events {
            let Token(index) = event.token();
            // The timer has said what it has to say by waking the poller.
            if index < self.slots.len() {
                self.go_on(index, event.is_read_closed() || event.is_write_closed());
                self.dispatch();
                self.record();
            }
        }
    }

    fn go_on(&mut self, index: usize, closing: bool) {
        let slot = &mut self.slots[index];
        let carried = slot.job.filter(|job| job.sent.is_some()).map(|job| {
            let answer = &self.shared.plan[job.turn.operation].answer;
            Carried { plan: &self.shared.plan, answer, k: job.turn.number }
        });
        match slot.connection.advance(carried, &mut self.buffer, closing) {
            Progress::Waiting => {}
            // An event may have told of it in the meantime.
            Progress::Unread if self.unread.contains(&index) => {}
            Progress::Unread => self.unread.push_back(index),
            Progress::Ready if carried.is_some() => self.send(index),
            Progress::Ready => self.slots.stands(index),
            Progress::Answered => self.answered(index),
            Progress::Broken(how) => self.failed(index, how),
        }
    }

    /// Whether arrivals are still sent.
    fn sends(&self) -> bool {
        self.stopped.is_none() && self.now < self.shared.give_up
    }

    /// Sends whatever can be sent now.
    fn dispatch(&mut self) {
        self.dispatched = self.now;
        while let Some(Reverse((at, index))) = self.later.peek().copied() {
            if at > self.now {
                break;
            }
            self.later.pop();
            match &mut self.slots[index].job {
                None => self.asking.push_back(index),
                Some(job) => {
                    job.told = None;
                    self.slots[index].connection.outgoing.rewind();
                    self.launch(index);
                }
            }
        }
        // A request that fails at once comes back here only with the next look at the sockets.
        for _ in 0..self.asking.len() {
            let index = self.asking.pop_front().expect("as many as were counted");
            self.ask(index);
        }
        while self.sends() && self.stage() {
            let index = self.staged.expect("staged just now");
            let due = self.slots[index].job.map_or(Duration::MAX, |job| job.due);
            if due > self.now {
                break;
            }
            self.staged = None;
            self.under_way += 1;
            self.launch(index);
        }
    }

    /// Writes the next arrival of an open load down on a free connection; says whether there is
    /// one that waits to be due.
    fn stage(&mut self) -> bool {
        let Source::Open(arrivals) = &mut self.source else { return false };
        if self.staged.is_some() {
            return true;
        }
        if arrivals.peek().is_none() {
            return false;
        }
        let Some((index, free)) = self.slots.take() else { return false };
        let (turn, due) = arrivals.next().expect("peeked at");
        let slot = &mut self.slots[index];
        let prepared = &self.shared.plan[turn.operation];
        let outgoing = &mut slot.connection.outgoing;
        let work = prepared.make(turn.operation, turn.number, outgoing, &mut self.press);
        slot.job = Some(Job {
            turn,
            due,
            free,
            sent: None,
            deadline: Duration::MAX,
            work,
            addresses: self.shared.addresses.len(),
            told: None,
        });
        self.staged = Some(index);
        true
    }

    /// A user asks.
    fn ask(&mut self, index: usize) {
        let Source::Closed(users) = &mut self.source else { return };
        if self.stopped.is_some() || self.now >= self.shared.end {
            return;
        }
        let turn = users.turn(index);
        let slot = &mut self.slots[index];
        let prepared = &self.shared.plan[turn.operation];
        let outgoing = &mut slot.connection.outgoing;
        let work = prepared.make(turn.operation, turn.number, outgoing, &mut self.press);
        let now = self.shared.watch.now();
        slot.job = Some(Job {
            turn,
            due: now,
            free: now,
            sent: Some(now),
            deadline: now.saturating_add(self.shared.timeout),
            work,
            addresses: self.shared.addresses.len(),
            told: None,
        });
        self.under_way += 1;
        self.launch(index);
    }

    /// Sends a job, or connects in order to send it.
    fn launch(&mut self, index: usize) {
        let slot = &mut self.slots[index];
        let job = slot.job.as_mut().expect("a job is launched");
        if job.sent.is_none() {
            let now = self.shared.watch.now();
            job.sent = Some(now);
            job.deadline = now.saturating_add(self.shared.timeout);
        }
        if slot.connection.is_idle() {
            self.send(index);
        } else if slot.connection.is_closed() {
            self.connect(index);
        }
    }

    fn send(&mut self, index: usize) {
        let slot = &mut self.slots[index];
        let job = slot.job.expect("a job is sent");
        let answer = &self.shared.plan[job.turn.operation].answer;
        let carried = Carried { plan: &self.shared.plan, answer, k: job.turn.number };
        if let Progress::Broken(how) = slot.connection.send(carried) {
            self.failed(index, how);
        }
    }

    fn connect(&mut self, index: usize) {
        let addresses = &self.shared.addresses;
        if addresses.is_empty() {
            return self.failed(index, Broken::Name);
        }
        let with = (self.poller.registry(), self.shared.speaker.as_ref());
        let address = addresses[self.address];
        self.slots[index].address = self.address;
        if self.slots[index].connection.open(address, Token(index), with).is_err() {
            self.failed(index, Broken::Connect);
        }
    }

    fn answered(&mut self, index: usize) {
        self.now = self.shared.watch.now();
        let slot = &mut self.slots[index];
        let job = slot.job.as_mut().expect("an answer to a job");
        let (status, wait) =
            (slot.connection.response.status(), slot.connection.response.retry_after());
        let answer = &self.shared.plan[job.turn.operation].answer;
        let outcome = ended(status, &slot.connection.check, answer, (job.turn.number, job.work));
        let comes_back = outcome.class != OutcomeClass::Ok && matches!(status, 429 | 503);
        match wait.filter(|_| comes_back && self.stopped.is_none()) {
            None => self.finish(index, outcome),
            Some(wait) => {
                job.told = Some(outcome);
                let measured = job.due;
                let operation = job.turn.operation;
                let back = self.now.saturating_add(wait);
                // An arrival that may not come back in time rests until its deadline.
                if back < job.deadline {
                    self.recorder.record_retry(operation, measured);
                    self.later.push(Reverse((back, index)));
                }
            }
        }
    }

    /// The connection is closed; whoever was on it hears of it.
    fn failed(&mut self, index: usize, how: Broken) {
        let slot = &mut self.slots[index];
        if how == Broken::Connect && slot.address == self.address {
            self.address = (self.address + 1) % self.shared.addresses.len();
        }
        let Some(job) = slot.job.as_mut().filter(|job| job.is_under_way()) else {
            return self.slots.closed(index);
        };
        if how == Broken::Connect && job.addresses > 1 {
            job.addresses -= 1;
            return self.connect(index);
        }
        self.now = self.shared.watch.now();
        self.finish(index, broken(how));
    }

    /// Notes how a job ended and frees its connection.
    fn finish(&mut self, index: usize, outcome: Outcome) {
        let done = self.now;
        let slot = &mut self.slots[index];
        let job = slot.job.take().expect("a job ends once");
        let Job { turn: Turn { operation, .. }, due, free, sent, .. } = job;
        let sent = sent.expect("only what was sent ends");
        self.ended.push(Arrived { operation, due, free, sent, done, outcome });
        self.under_way -= 1;
        match &self.source {
            Source::Open(_) => self.slots.give_back(index, done),
            Source::Closed(users) => {
                let next = done.saturating_add(users.think());
                if users.think().is_zero() {
                    self.asking.push_back(index);
                } else if next < self.shared.end && self.stopped.is_none() {
                    self.later.push(Reverse((next, index)));
                }
            }
        }
    }

    fn record(&mut self) {
        for arrived in self.ended.drain(..) {
            if let Some(lookout) = &mut self.lookout {
                lookout.see(&arrived);
            }
            self.recorder.record(arrived);
        }
    }

    /// When something has to be done that no socket tells of.
    fn next_instant(&self) -> Option<Duration> {
        if !self.asking.is_empty() || !self.unread.is_empty() {
            return Some(self.now);
        }
        let staged = self.staged.filter(|_| self.sends());
        let staged = staged.and_then(|index| self.slots[index].job).map(|job| job.due);
        let later = self.later.peek().map(|Reverse((at, _))| *at);
        staged.into_iter().chain(later).min()
    }
}

/// Deadlines are looked at so often that what is over is ended a hundredth too late at most.
fn tick(timeout: Duration) -> Duration {
    (timeout / 100).clamp(Duration::from_millis(1), TICK)
}
