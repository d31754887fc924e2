//! The sink at work: one thread, one poller, a heap of answers that are not due yet.
//!
//! The main types are [`SinkOptions`] and the running [`Sink`].

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io::{self, Read as _, Write as _};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Token};

use crate::alarm::{Alarm, TIMER};
use crate::answer::{Answer, Then};
use crate::fault::Fault;
use crate::law::Law;
use crate::queue::Queue;
use crate::report::{Ledger, SinkReport};
use crate::request::{Read, RequestReader};

const LISTENER: Token = Token(usize::MAX - 1);

/// How the sink serves.
#[derive(Clone, Debug)]
pub struct SinkOptions {
    /// Where it listens; port 0 takes any.
    pub address: SocketAddr,
    /// The law of its delays.
    pub law: Law,
    /// Decides the delays.
    pub seed: u64,
    /// The status of a right answer.
    pub status: u16,
    /// The body of a right answer; a 204 has none.
    pub body: Vec<u8>,
    /// What goes wrong, if anything does.
    pub fault: Option<Fault>,
    /// How it waits for requests.
    pub waiting: Waiting,
}

/// How the sink waits for requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waiting {
    /// Asleep: it takes no more of a core than it needs.
    Asleep,
    /// Awake: it takes a whole core, and never the time that waking takes.
    Awake,
}

/// A running sink.
#[derive(Debug)]
pub struct Sink {
    address: SocketAddr,
    stop: Arc<AtomicBool>,
    thread: JoinHandle<io::Result<SinkReport>>,
}

impl Sink {
    /// Listens and serves on a thread of its own.
    pub fn start(options: SinkOptions) -> io::Result<Self> {
        let mut listener = TcpListener::bind(options.address)?;
        let address = listener.local_addr()?;
        let alarm = Alarm::new()?;
        alarm.poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
        let stop = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&stop);
        let thread = std::thread::Builder::new()
            .name("sink".into())
            .spawn(move || Server::new(options, alarm, listener).serve(&told))?;
        Ok(Self { address, stop, thread })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Stops it and asks what it did.
    pub fn stop(self) -> io::Result<SinkReport> {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().map_err(|_| io::Error::other("the sink's thread panicked"))?
    }
}

struct Server {
    alarm: Alarm,
    /// Gone once the sink is dead.
    listener: Option<TcpListener>,
    law: Law,
    /// The servers of a law that counts them.
    queue: Option<Queue>,
    seed: u64,
    fault: Option<Fault>,
    waiting: Waiting,
    usual: Answer,
    faulty: Answer,
    connections: Vec<Option<Connection>>,
    vacant: Vec<usize>,
    /// When which connection has something to write, with the request's number.
    due: BinaryHeap<Reverse<(Instant, usize, u64)>>,
    first_request: Option<Instant>,
    ledger: Ledger,
}

struct Connection {
    stream: TcpStream,
    reader: RequestReader,
    /// The request that is being answered.
    under_way: Option<UnderWay>,
    /// What arrived beyond the request that is being answered.
    beyond: Vec<u8>,
}

#[derive(Clone, Copy, Debug)]
struct UnderWay {
    number: u64,
    read_at: Instant,
    drawn: Duration,
    faulty: bool,
    written: usize,
}

impl Server {
    fn new(options: SinkOptions, alarm: Alarm, listener: TcpListener) -> Self {
        let SinkOptions { address: _, law, seed, status, body, fault, waiting } = options;
        let usual = Answer::usual(status, &body);
        let faulty = fault.as_ref().map(|fault| Answer::faulty(fault.kind, status, &body));
        Self {
            alarm,
            listener: Some(listener),
            law,
            queue: law.servers().map(|servers| Queue::new(servers, Instant::now())),
            seed,
            fault,
            waiting,
            faulty: faulty.unwrap_or_else(|| usual.clone()),
            usual,
            connections: Vec::new(),
            vacant: Vec::new(),
            due: BinaryHeap::new(),
            first_request: None,
            ledger: Ledger::new(),
        }
    }

    fn serve(mut self, stop: &AtomicBool) -> io::Result<SinkReport> {
        let mut events = Events::with_capacity(1024);
        let mut input = vec![0; 256 * 1024];
        while !stop.load(Ordering::Relaxed) {
            self.wait(&mut events)?;
            self.sit_out_a_stall(stop)?;
            for event in &events {
                match event.token() {
                    TIMER => {}
                    LISTENER => self.accept()?,
                    Token(index) => {
                        if self.read(index, &mut input).is_err() {
                            self.close(index);
                        }
                    }
                }
            }
            self.answer_what_is_due();
        }
        Ok(self.ledger.report())
    }

    fn wait(&mut self, events: &mut Events) -> io::Result<()> {
        let until = match self.waiting {
            // An instant that has passed: the poller is asked and does not sleep.
            Waiting::Awake => self.first_request,
            Waiting::Asleep => self.due.peek().map(|Reverse((at, ..))| *at),
        };
        self.alarm.wait(events, until)
    }

    /// While it lasts, nothing at all is done.
    fn sit_out_a_stall(&mut self, stop: &AtomicBool) -> io::Result<()> {
        let (Some(first), Some((from, to))) = (self.first_request, self.law.stall()) else {
            return Ok(());
        };
        let mut alarm = None;
        while (first + from..first + to).contains(&Instant::now()) && !stop.load(Ordering::Relaxed)
        {
            let alarm: &mut Alarm = match &mut alarm {
                Some(alarm) => alarm,
                None => alarm.insert(Alarm::new()?),
            };
            alarm.wait(&mut Events::with_capacity(1), Some(first + to))?;
        }
        Ok(())
    }

    fn accept(&mut self) -> io::Result<()> {
        while let Some(listener) = &self.listener {
            // None is left, or it has gone again.
            let Ok((mut stream, _)) = listener.accept() else { return Ok(()) };
            stream.set_nodelay(true)?;
            let index = self.vacant.pop().unwrap_or(self.connections.len());
            let interest = Interest::READABLE | Interest::WRITABLE;
            self.alarm.poll.registry().register(&mut stream, Token(index), interest)?;
            self.ledger.connections += 1;
            let (reader, under_way, beyond) = (RequestReader::default(), None, Vec::new());
            let connection = Some(Connection { stream, reader, under_way, beyond });
            match self.connections.get_mut(index) {
                Some(place) => *place = connection,
                None => self.connections.push(connection),
            }
        }
        Ok(())
    }

    fn read(&mut self, index: usize, input: &mut [u8]) -> io::Result<()> {
        loop {
            let Some(Some(connection)) = self.connections.get_mut(index) else { return Ok(()) };
            if connection.under_way.is_some_and(|it| it.written > 0) {
                // The socket may take the rest of a long answer now.
                self.write(index)?;
                return self.take_what_is_beyond(index);
            }
            match connection.stream.read(input) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(read) => {
                    let all = read < input.len();
                    self.take(index, &input[..read])?;
                    self.take_what_is_beyond(index)?;
                    if all {
                        return Ok(());
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            }
        }
    }

    /// Takes input up to the end of a request, keeps the rest, and answers or waits to.
    fn take(&mut self, index: usize, input: &[u8]) -> io::Result<()> {
        let Some(Some(connection)) = self.connections.get_mut(index) else { return Ok(()) };
        if connection.under_way.is_some() {
            connection.beyond.extend_from_slice(input);
            return Ok(());
        }
        let (used, body) = match connection.reader.read(input) {
            Read::More => return Ok(()),
            Read::Wrong => return Err(io::ErrorKind::InvalidData.into()),
            Read::Ended { used, body } => (used, body),
        };
        connection.beyond.extend_from_slice(&input[used..]);
        let number = self.ledger.requests;
        self.ledger.requests += 1;
        self.ledger.body_bytes += body;
        let read_at = Instant::now();
        self.first_request.get_or_insert(read_at);
        let delay = self.law.delay(self.seed, number);
        let drawn = match &mut self.queue {
            Some(queue) => queue.serve(read_at, delay),
            None => delay,
        };
        let faulty = self.fault.as_ref().is_some_and(|fault| fault.meets(number));
        let written = 0;
        connection.under_way = Some(UnderWay { number, read_at, drawn, faulty, written });
        if drawn.is_zero() {
            return self.write(index);
        }
        self.due.push(Reverse((read_at + drawn, index, number)));
        Ok(())
    }

    fn answer_what_is_due(&mut self) {
        while let Some(Reverse((at, index, number))) = self.due.peek().copied() {
            if at > Instant::now() {
                return;
            }
            self.due.pop();
            let connection = self.connections.get(index).and_then(Option::as_ref);
            let under_way = connection.and_then(|connection| connection.under_way);
            // The connection may have gone, and another taken its place.
            if under_way.is_none_or(|it| it.number != number) {
                continue;
            }
            if self.write(index).and_then(|()| self.take_what_is_beyond(index)).is_err() {
                self.close(index);
            }
        }
    }

    /// Writes as much of an answer as may be written now.
    fn write(&mut self, index: usize) -> io::Result<()> {
        let Some(Some(connection)) = self.connections.get_mut(index) else { return Ok(()) };
        let Some(under_way) = &mut connection.under_way else { return Ok(()) };
        let answer = if under_way.faulty { &self.faulty } else { &self.usual };
        while under_way.written < answer.bytes.len() {
            let rest = match answer.dribble {
                Some((from, _)) if under_way.written < from => under_way.written..from,
                Some(_) => under_way.written..under_way.written + 1,
                None => under_way.written..answer.bytes.len(),
            };
            match connection.stream.write(&answer.bytes[rest]) {
                Ok(written) => under_way.written += written,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            }
            if let Some((_, gap)) = answer.dribble
                && under_way.written < answer.bytes.len()
            {
                let next = Instant::now() + gap;
                self.due.push(Reverse((next, index, under_way.number)));
                return Ok(());
            }
        }
        let kept = under_way.read_at.elapsed();
        let then = answer.then;
        self.ledger.answered(under_way.drawn, kept);
        match then {
            Then::Keep => {
                connection.under_way = None;
                Ok(())
            }
            Then::Rest => Ok(()),
            Then::Close => Err(io::ErrorKind::ConnectionAborted.into()),
            Then::Reset => {
                let linger = Some(Duration::ZERO);
                rustix::net::sockopt::set_socket_linger(&connection.stream, linger)?;
                Err(io::ErrorKind::ConnectionReset.into())
            }
            Then::Die => {
                self.listener = None;
                (0..self.connections.len()).for_each(|index| self.close(index));
                Ok(())
            }
        }
    }

    /// Requests that came while another was being answered get their turn.
    fn take_what_is_beyond(&mut self, index: usize) -> io::Result<()> {
        while let Some(Some(connection)) = self.connections.get_mut(index) {
            if connection.beyond.is_empty() || connection.under_way.is_some() {
                break;
            }
            let beyond = std::mem::take(&mut connection.beyond);
            self.take(index, &beyond)?;
        }
        Ok(())
    }

    fn close(&mut self, index: usize) {
        if self.connections.get_mut(index).and_then(Option::take).is_some() {
            self.vacant.push(index);
        }
    }
}
