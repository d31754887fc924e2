//! Runs a load: checks it, starts its threads, and puts their recordings together.
//!
//! The function is [`run_http`].

use std::io;
use std::net::{SocketAddr, ToSocketAddrs as _};
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

use super::plan::{Endpoint, HttpLoad, Pace};
use super::poller::Watch;
use super::prepared::Prepared;
use super::sentry::Sentry;
use super::tls::Speaker;
use super::worker::{Post, Shared, Source, Worked, Worker};
use crate::operation::weights_of;
use crate::options::RunError;
use crate::recorder::{Frame, Recorder};
use crate::recording::{Generator, Model, Recording};
use crate::share::{Arrivals, Share, Users};
use crate::stop::Stop;

/// Time for the connections to get ready before the first arrival is due.
const LEAD: Duration = Duration::from_millis(5);

/// Drives a load over HTTP and blocks until it is over.
///
/// When `stop` says so, nothing more is sent, what is under way is awaited, and the recording is
/// marked as incomplete. When a rule of [`HttpLoad::abort`] is broken, nothing more is sent by any
/// load with the same `stop`, and what is under way has a quarter of a second to end. A server that
/// cannot be reached is no error of the run: each arrival is recorded with what happened to it.
pub fn run_http(load: HttpLoad, stop: &Stop) -> Result<Recording, RunError> {
    let HttpLoad { endpoint, requests, pace, options, threads, wall, abort } = load;
    options.check(&requests)?;
    for rule in &abort {
        rule.check(options.duration)?;
    }
    let (model, connections) = match &pace {
        Pace::Open(_) if options.connections == 0 => return Err(RunError::NoConnection),
        Pace::Open(_) => (Model::Open, options.connections),
        Pace::Closed(closed) => (Model::Closed, closed.users_of(options.shard)?),
    };
    let threads = threads.min(connections);
    if threads == 0 {
        return Err(RunError::NoThread);
    }
    let plan: Result<Vec<_>, _> =
        requests.iter().map(|it| Prepared::new(&it.operation, &endpoint)).collect();
    let plan = plan?;
    let speaker = endpoint.tls.as_ref().map(Speaker::new).transpose()?;
    let weights = weights_of(&requests);
    let labels: Vec<String> = requests.into_iter().map(|request| request.label).collect();
    let addresses = resolve(&endpoint);
    let watch = Watch::starting_in(LEAD);
    let end = options.warm_up.checked_add(options.duration).ok_or(RunError::TooLong)?;
    let give_up = end.checked_add(options.timeout).ok_or(RunError::TooLong)?;
    // An operation that is sent at the very last still needs an instant for its timeout.
    let last = give_up.checked_add(options.timeout).filter(|last| watch.reaches(*last));
    last.ok_or(RunError::TooLong)?;
    let timeout = options.timeout;
    let shared = Shared { plan, addresses, speaker, watch, end, give_up, timeout, stop, wall };
    let sentry = Sentry::new(abort, (options.warm_up, end), timeout, (threads, stop));
    let start = |thread: usize| {
        let share = Share::new(thread, threads);
        let operations = labels.len();
        let part = Share::of_shard(options.shard).part(share);
        let source = match &pace {
            Pace::Open(schedule) => Source::Open(Arrivals::new(schedule, &weights, part, end)),
            Pace::Closed(closed) => Source::Closed(Users::new(*closed, &weights, part)),
        };
        let recorder = Recorder::new(operations, options.warm_up, options.timeout);
        let lookout = sentry.lookout(thread);
        let connections = share.size(connections);
        let worked = work(&shared, Post { source, connections, recorder, lookout })?;
        let (Worked { recorder, stopped, .. }, generator) = worked;
        let frame = Frame { model, duration: options.duration, stopped };
        let recording = recorder.finish(frame, labels.clone());
        Ok(Recording { generator: Some(generator), ..recording })
    };
    let recordings = on_threads(threads, &start)?;
    let whole = recordings.into_iter().reduce(|mut whole, part| {
        whole.merge(&part).expect("shares of one run fit together");
        whole
    });
    let whole = whole.expect("there is at least one thread");
    Ok(Recording { aborted: sentry.aborted(), ..whole })
}

/// Runs each thread's share.
fn on_threads(
    threads: usize,
    start: &(impl Fn(usize) -> io::Result<Recording> + Sync),
) -> Result<Vec<Recording>, RunError> {
    let system = |error: io::Error| RunError::System(error.kind());
    std::thread::scope(|scope| {
        let begun: Vec<_> = (0..threads)
            .map(|thread| {
                let name = format!("load {thread}");
                std::thread::Builder::new().name(name).spawn_scoped(scope, move || start(thread))
            })
            .collect();
        let ended = begun.into_iter().map(|thread| {
            let joined = thread.map_err(system)?.join().map_err(|_| RunError::Panicked)?;
            joined.map_err(system)
        });
        ended.collect()
    })
}

/// Works on this thread and says what it cost.
fn work(shared: &Shared<'_>, post: Post<'_>) -> io::Result<(Worked, Generator)> {
    let (began, cpu, starved) = (shared.watch, thread_cpu(), thread_starved());
    let lead = began.until_start();
    let worker = Worker::new(shared, post)?;
    let worked = worker.work()?;
    let generator = Generator {
        threads: 1,
        lived: shared.watch.now() + lead,
        cpu: thread_cpu().saturating_sub(cpu),
        awake: worked.spun,
        starved: thread_starved().saturating_sub(starved),
        clock_step: worked.clock_step,
    };
    Ok((worked, generator))
}

fn thread_cpu() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    // Processor time is never negative.
    Duration::try_from(time).unwrap_or_default()
}

/// How long this thread could have run and did not get a core. Linux counts it; elsewhere it is 0.
fn thread_starved() -> Duration {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    // Time on a core, time waiting for one, and how often it got one, in nanoseconds.
    let waited = told.split_whitespace().nth(1).and_then(|ns| ns.parse().ok());
    Duration::from_nanos(waited.unwrap_or(0))
}

/// The addresses of the server; none if its name cannot be resolved.
fn resolve(endpoint: &Endpoint) -> Vec<SocketAddr> {
    let resolved = (endpoint.host.as_str(), endpoint.port).to_socket_addrs();
    resolved.map(Iterator::collect).unwrap_or_default()
}
