//! One end of a connection, as bytes that arrive in virtual time.
//!
//! The main type is [`Stream`]; [`crate::network`] makes them in pairs. A read waits until the head
//! of the queue is due, a write waits for room in the window.

use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Weak;
use std::task::{Context, Poll};

use bytes::{Buf, Bytes};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep};

use crate::network::Shared;
use crate::state::{Connection, Content, Side, State};

/// One end of a connection in the in-memory network. Dropping it closes it.
pub struct Stream {
    shared: Weak<Shared>,
    id: u64,
    side: Side,
    arrival: Option<Pin<Box<Sleep>>>,
    finished: bool,
}

/// What a look at the incoming queue found.
enum Head {
    Read,
    At(Instant),
    Wait,
}

impl Stream {
    pub(crate) fn new(shared: Weak<Shared>, id: u64, side: Side) -> Self {
        Self { shared, id, side, arrival: None, finished: false }
    }

    /// Runs `act` on this stream's connection; a network that is gone has reset everything.
    fn with_state<T>(&self, act: impl FnOnce(&mut State) -> io::Result<T>) -> io::Result<T> {
        let shared = self.shared.upgrade().ok_or_else(reset)?;
        act(&mut shared.lock())
    }

    fn poll_head(&self, cx: &Context<'_>, buf: &mut ReadBuf<'_>) -> io::Result<Head> {
        self.with_state(|state| {
            let connection = state.connections.get_mut(&self.id).ok_or_else(reset)?;
            let head = take_head(connection, self.side, buf)?;
            if !matches!(head, Head::Read) {
                connection.end(self.side).reader = Some(cx.waker().clone());
            }
            Ok(head)
        })
    }
}

/// Moves what is due into `buf`. `Read` with nothing moved is the end of the stream.
fn take_head(conn: &mut Connection, side: Side, buf: &mut ReadBuf<'_>) -> io::Result<Head> {
    let now = Instant::now();
    let mut taken = 0;
    let end = conn.end(side);
    if end.reset {
        return Err(reset());
    }
    let head = loop {
        let Some(segment) = end.incoming.front_mut() else { break Head::Wait };
        match segment.due {
            None => break Head::Wait,
            Some(due) if due > now => break Head::At(due),
            Some(_) => {}
        }
        match &mut segment.content {
            Content::Data(bytes) => {
                let count = bytes.len().min(buf.remaining());
                buf.put_slice(&bytes.split_to(count));
                taken += count;
                if bytes.has_remaining() {
                    break Head::Read;
                }
                end.incoming.pop_front();
            }
            // The end stays in the queue, so that every later read finds it again.
            Content::Fin => break Head::Read,
            Content::Reset if taken > 0 => break Head::Read,
            Content::Reset => {
                end.reset = true;
                return Err(reset());
            }
        }
    };
    if taken == 0 {
        return Ok(head);
    }
    conn.consumed(side, taken);
    Ok(Head::Read)
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if buf.remaining() == 0 {
            return Poll::Ready(Ok(()));
        }
        loop {
            match self.poll_head(cx, buf)? {
                Head::Read => {
                    self.arrival = None;
                    return Poll::Ready(Ok(()));
                }
                Head::Wait => {
                    self.arrival = None;
                    return Poll::Pending;
                }
                Head::At(due) => {
                    let arrival =
                        self.arrival.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(due)));
                    if arrival.deadline() != due {
                        arrival.as_mut().reset(due);
                    }
                    std::task::ready!(arrival.as_mut().poll(cx));
                    self.arrival = None;
                }
            }
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.finished {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        let (id, side) = (self.id, self.side);
        let written = self.with_state(|state| {
            let connection = state.connections.get_mut(&id).ok_or_else(reset)?;
            let end = connection.end(side);
            if end.reset {
                return Err(reset());
            }
            end.writer = Some(cx.waker().clone());
            let Some(room) = state.window(id, side) else { return Ok(None) };
            let count = buf.len().min(room);
            if count > 0 {
                state.send(id, side, Content::Data(Bytes::copy_from_slice(&buf[..count])));
            }
            Ok(Some(count))
        })?;
        written.map_or(Poll::Pending, |count| Poll::Ready(Ok(count)))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        if !self.finished {
            self.finished = true;
            let (id, side) = (self.id, self.side);
            self.with_state(|state| {
                state.send(id, side, Content::Fin);
                Ok(())
            })?;
        }
        Poll::Ready(Ok(()))
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        if let Some(shared) = self.shared.upgrade() {
            shared.lock().end_dropped(self.id, self.side);
        }
    }
}

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Stream({}, {:?})", self.id, self.side)
    }
}

pub(crate) fn reset() -> io::Error {
    io::Error::new(io::ErrorKind::ConnectionReset, "the connection was reset")
}
