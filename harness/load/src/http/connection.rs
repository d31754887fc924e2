//! One connection: a socket that does not block, and the request and answer under way on it.
//!
//! The main type is [`Connection`]. It is told of events and says what they led to, as
//! [`Progress`]; which request it carries and what its outcome means is the worker's business.

use std::io::{self, Read as _, Write as _};
use std::net::SocketAddr;

use mio::net::TcpStream;
use mio::{Interest, Registry, Token};

use super::outcome::{BodyCheck, Broken, socket_error};
use super::plan::Answer;
use super::prepared::{Outgoing, Prepared};
use super::response::{HEAD_LIMIT, ResponseReader};
use super::tls::{Secured, Speaker};

/// Room for what arrives at once; at least as long as the longest line that may be kept.
pub(crate) const BUFFER: usize = 4 * HEAD_LIMIT;

/// So often a connection reads before others have their turn: an answer without end, from a server
/// that is quicker than its reader, must not keep them and the clock from being looked at.
const READS: usize = 32;

/// What an event led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    /// Nothing that anybody waits for.
    Waiting,
    /// There is more to read, and others have a right to their turn.
    Unread,
    /// The connection stands, and a request may be sent.
    Ready,
    /// The answer is there as a whole.
    Answered,
    /// It is over; the connection is closed.
    Broken(Broken),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Closed,
    Connecting,
    ShakingHands,
    Idle,
    Sending,
    Receiving,
}

/// The request that a connection carries, as far as the connection needs to know it.
#[derive(Clone, Copy)]
pub(crate) struct Carried<'a> {
    pub(crate) plan: &'a [Prepared],
    pub(crate) answer: &'a Answer,
    /// The request's number.
    pub(crate) k: u64,
}

#[derive(Debug)]
pub(crate) struct Connection {
    stage: Stage,
    socket: Option<TcpStream>,
    secured: Option<Secured>,
    pub(crate) outgoing: Outgoing,
    pub(crate) response: ResponseReader,
    pub(crate) check: BodyCheck,
    /// The beginning of a line whose end has not arrived.
    begun: Vec<u8>,
}

impl Connection {
    pub(crate) fn new() -> Self {
        Self {
            stage: Stage::Closed,
            socket: None,
            secured: None,
            outgoing: Outgoing::default(),
            response: ResponseReader::new(),
            check: BodyCheck::default(),
            begun: Vec::new(),
        }
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.stage == Stage::Closed
    }

    pub(crate) fn is_idle(&self) -> bool {
        self.stage == Stage::Idle
    }

    /// Begins to connect.
    pub(crate) fn open(
        &mut self,
        address: SocketAddr,
        token: Token,
        (registry, speaker): (&Registry, Option<&Speaker>),
    ) -> io::Result<()> {
        let mut socket = TcpStream::connect(address)?;
        // One edge each is enough: whoever is told reads or writes until it would block.
        registry.register(&mut socket, token, Interest::READABLE | Interest::WRITABLE)?;
        self.socket = Some(socket);
        self.secured = speaker.map(Speaker::begin);
        self.stage = Stage::Connecting;
        Ok(())
    }

    pub(crate) fn close(&mut self) {
        self.socket = None;
        self.secured = None;
        self.stage = Stage::Closed;
    }

    /// Starts to send what is outgoing. The connection has to be idle.
    pub(crate) fn send(&mut self, carried: Carried<'_>) -> Progress {
        debug_assert_eq!(self.stage, Stage::Idle, "one request at a time");
        self.stage = Stage::Sending;
        self.response = ResponseReader::new();
        self.check.reset();
        self.begun.clear();
        match self.write(carried) {
            Ok(()) => Progress::Waiting,
            Err(_) => self.broken(Broken::Unanswered),
        }
    }

    /// Goes on after an event. `closing` says that the other side has ended its half.
    pub(crate) fn advance(
        &mut self,
        carried: Option<Carried<'_>>,
        buffer: &mut [u8],
        closing: bool,
    ) -> Progress {
        match (self.stage, carried) {
            (Stage::Closed, _) => Progress::Waiting,
            (Stage::Connecting | Stage::ShakingHands, _) => self.connect(),
            (Stage::Sending | Stage::Receiving, Some(carried)) => {
                let progress = self.exchange(carried, buffer);
                if progress == Progress::Answered {
                    self.settle(closing);
                }
                progress
            }
            // Whatever an idle connection receives, nobody has asked for it.
            _ => match self.read(buffer) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => Progress::Waiting,
                _ => self.broken(Broken::Unanswered),
            },
        }
    }

    fn connect(&mut self) -> Progress {
        let Some(socket) = &mut self.socket else { return Progress::Waiting };
        if self.stage == Stage::Connecting {
            match (socket.take_error(), socket.peer_addr()) {
                (Ok(None), Ok(_)) => {}
                (Ok(None), Err(error)) if error.kind() == io::ErrorKind::NotConnected => {
                    return Progress::Waiting;
                }
                _ => return self.broken(Broken::Connect),
            }
            if socket.set_nodelay(true).is_err() {
                return self.broken(Broken::Connect);
            }
            self.stage = Stage::ShakingHands;
        }
        if let Some(secured) = &mut self.secured {
            match secured.shake_hands(socket) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    return Progress::Waiting;
                }
                Err(_) => return self.broken(Broken::Tls),
            }
        }
        self.stage = Stage::Idle;
        Progress::Ready
    }

    fn exchange(&mut self, carried: Carried<'_>, buffer: &mut [u8]) -> Progress {
        if self.stage == Stage::Sending && self.write(carried).is_err() {
            // The service may have answered before it stopped to read.
            return match self.receive(carried, buffer) {
                Progress::Waiting => self.broken(Broken::Unanswered),
                progress => progress,
            };
        }
        self.receive(carried, buffer)
    }

    fn write(&mut self, carried: Carried<'_>) -> io::Result<()> {
        let Some(socket) = &mut self.socket else { return Err(io::ErrorKind::NotConnected.into()) };
        loop {
            let rest = self.outgoing.rest(carried.plan);
            if rest.is_empty() {
                let flushed = self.secured.as_mut().map_or(Ok(()), |it| it.flush(socket));
                return match flushed {
                    Ok(()) => {
                        self.stage = Stage::Receiving;
                        Ok(())
                    }
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(()),
                    Err(error) => Err(error),
                };
            }
            let written = match &mut self.secured {
                None => socket.write(rest),
                Some(secured) => secured.write(socket, rest),
            };
            match written {
                Ok(written) => self.outgoing.wrote(written),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let Some(socket) = &mut self.socket else { return Err(io::ErrorKind::NotConnected.into()) };
        match &mut self.secured {
            None => socket.read(into),
            Some(secured) => secured.read(socket, into),
        }
    }

    fn receive(&mut self, carried: Carried<'_>, buffer: &mut [u8]) -> Progress {
        for _ in 0..READS {
            let kept = self.begun.len();
            buffer[..kept].copy_from_slice(&self.begun);
            match self.read(&mut buffer[kept..]) {
                Ok(0) if self.response.ends_with_connection() => return Progress::Answered,
                Ok(0) => return self.broken(self.unfinished()),
                Ok(read) => match self.take(&buffer[..kept + read], carried) {
                    Ok(true) => return Progress::Answered,
                    Ok(false) => {}
                    Err(broken) => return self.broken(broken),
                },
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    return Progress::Waiting;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    return self.broken(socket_error(&error, self.untouched()));
                }
            }
        }
        Progress::Unread
    }

    /// Goes through what has arrived; says whether the answer is whole.
    fn take(&mut self, input: &[u8], carried: Carried<'_>) -> Result<bool, Broken> {
        let mut used = 0;
        loop {
            let step = self.response.advance(&input[used..])?;
            used += step.used;
            let of = (self.response.status(), carried.k);
            self.check.take(step.body, carried.answer, of)?;
            if step.ended {
                // More than one answer to one request: which of them is it?
                return if used == input.len() { Ok(true) } else { Err(Broken::Malformed) };
            }
            if step.used == 0 || used == input.len() {
                break;
            }
        }
        self.begun.clear();
        self.begun.extend_from_slice(&input[used..]);
        Ok(false)
    }

    fn untouched(&self) -> bool {
        self.response.untouched() && self.begun.is_empty()
    }

    fn unfinished(&self) -> Broken {
        if self.untouched() { Broken::Unanswered } else { Broken::Cut }
    }

    /// After an answer the connection waits for the next request, if it may carry one.
    fn settle(&mut self, closing: bool) {
        let sent = self.stage == Stage::Receiving;
        let whole = !self.response.ends_with_connection();
        if sent && whole && self.response.keep_alive() && !closing {
            self.stage = Stage::Idle;
        } else {
            self.close();
        }
    }

    fn broken(&mut self, how: Broken) -> Progress {
        self.close();
        Progress::Broken(how)
    }
}
