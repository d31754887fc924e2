//! The handle through which faults are injected, lifted and counted.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use cutover_model::draw::draw;
use http::Method;
use serde::{Deserialize, Serialize};
use tower::Layer;

use crate::draw::drawn;
use crate::fault::{FaultKind, Scope};
use crate::layer::{FaultLayer, FaultService};

/// Faults in force and what they have done. Clones are the same handle.
#[derive(Clone)]
pub struct Faults {
    state: Arc<Mutex<State>>,
}

/// A fault: the place of its injection among all of one handle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FaultId(u64);

/// What a fault has done so far, lifted or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Observed {
    /// The fault.
    pub id: FaultId,
    /// The requests in its scope while it was in force.
    pub requests: u64,
    /// Those among them that it hit: that were answered, delayed or dropped because of it.
    pub hits: u64,
}

/// A fault that is in force for as long as this is alive.
#[must_use = "dropping the guard lifts the fault at once"]
pub struct FaultGuard {
    id: FaultId,
    faults: Faults,
}

struct State {
    seed: u64,
    injected: Vec<Injected>,
}

struct Injected {
    kind: FaultKind,
    scope: Scope,
    in_force: bool,
    requests: u64,
    hits: u64,
}

/// A fault that hits a request, with a number of chance for what it does to it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Hit {
    pub(crate) id: FaultId,
    pub(crate) kind: FaultKind,
    pub(crate) chance: u64,
}

impl Faults {
    /// No fault yet. The same seed hits the same requests, counted per fault.
    pub fn new(seed: u64) -> Self {
        Self { state: Arc::new(Mutex::new(State { seed, injected: Vec::new() })) }
    }

    /// A layer that misbehaves as this handle says.
    pub fn layer(&self) -> FaultLayer {
        FaultLayer::new(self.clone())
    }

    /// `service`, misbehaving as this handle says: for callers that need no layers otherwise.
    pub fn wrap<S>(&self, service: S) -> FaultService<S> {
        self.layer().layer(service)
    }

    /// Puts a fault in force until the guard is dropped. Where several would end a request, the
    /// one that was injected first does.
    pub fn inject(&self, kind: FaultKind, scope: Scope) -> FaultGuard {
        let mut state = self.lock();
        let id = FaultId(state.injected.len() as u64);
        state.injected.push(Injected { kind, scope, in_force: true, requests: 0, hits: 0 });
        FaultGuard { id, faults: self.clone() }
    }

    /// What each fault has done, in the order of injection.
    pub fn observed(&self) -> Vec<Observed> {
        let state = self.lock();
        let observed = |(id, fault): (u64, &Injected)| Observed {
            id: FaultId(id),
            requests: fault.requests,
            hits: fault.hits,
        };
        (0..).zip(&state.injected).map(observed).collect()
    }

    /// The faults that hit this request. Each request counts once for each fault in whose scope
    /// it is, so that one fault does not change the luck of another.
    pub(crate) fn decide(&self, method: &Method, path: &str) -> Vec<Hit> {
        let mut state = self.lock();
        let seed = state.seed;
        let mut hits = Vec::new();
        for (id, fault) in (0..).zip(&mut state.injected) {
            if !fault.in_force || !fault.is_for(method, path) {
                continue;
            }
            let n = fault.requests;
            fault.requests += 1;
            if drawn(fault.kind.ratio(), seed, (2 * id, n)) {
                let chance = draw(seed, 2 * id + 1, n);
                hits.push(Hit { id: FaultId(id), kind: fault.kind, chance });
            }
        }
        hits
    }

    pub(crate) fn count_hit(&self, id: FaultId) {
        self.lock().fault(id).hits += 1;
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Counters stay usable after a panic of somebody else's under the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn fault(&mut self, id: FaultId) -> &mut Injected {
        let index = usize::try_from(id.0).ok();
        let fault = index.and_then(|index| self.injected.get_mut(index));
        fault.expect("an id is given out by `inject`, and faults are never removed")
    }
}

impl Injected {
    fn is_for(&self, method: &Method, path: &str) -> bool {
        let can_be_hit = match self.kind {
            FaultKind::SwallowWrites { .. } => Scope::writes().covers(method, path),
            _ => true,
        };
        can_be_hit && self.scope.covers(method, path)
    }
}

impl FaultGuard {
    /// Which fault this keeps in force.
    pub fn id(&self) -> FaultId {
        self.id
    }
}

impl Drop for FaultGuard {
    fn drop(&mut self) {
        // By id, not "the fault": two guards may overlap.
        self.faults.lock().fault(self.id).in_force = false;
    }
}

impl fmt::Debug for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.observed()).finish()
    }
}

impl fmt::Debug for FaultGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("FaultGuard").field(&self.id.0).finish()
    }
}

#[cfg(test)]
mod tests {
    use cutover_model::Ratio;

    use super::*;

    fn refuse(percent: f64) -> FaultKind {
        FaultKind::RefuseConnections { ratio: Ratio::from_percent(percent).unwrap() }
    }

    fn hit(faults: &Faults) -> Vec<u64> {
        faults.decide(&Method::GET, "/").iter().map(|hit| hit.id.0).collect()
    }

    #[test]
    fn one_seed_hits_the_same_requests() {
        let run = || {
            let faults = Faults::new(7);
            let _guard = faults.inject(refuse(30.0), Scope::all());
            (0..1_000).map(|_| hit(&faults).len()).collect::<Vec<_>>()
        };
        assert_eq!(run(), run());
    }

    #[test]
    fn a_second_fault_does_not_change_what_the_first_one_hits() {
        let alone = Faults::new(7);
        let _alone = alone.inject(refuse(30.0), Scope::all());
        let both = Faults::new(7);
        let _first = both.inject(refuse(30.0), Scope::all());
        let _second = both.inject(refuse(30.0), Scope::all());
        for _ in 0..1_000 {
            assert_eq!(hit(&alone).contains(&0), hit(&both).contains(&0));
        }
    }

    #[test]
    fn of_two_overlapping_faults_dropping_one_lifts_that_one_alone() {
        let faults = Faults::new(7);
        let first = faults.inject(refuse(100.0), Scope::all());
        let _second = faults.inject(refuse(100.0), Scope::all());
        drop(first);
        assert_eq!(hit(&faults), [1]);
    }

    #[test]
    fn only_requests_in_scope_are_counted() {
        let faults = Faults::new(7);
        let _guard = faults.inject(refuse(100.0), Scope::writes());
        faults.decide(&Method::GET, "/health");
        faults.decide(&Method::POST, "/api/v2/write");
        assert_eq!(faults.observed()[0].requests, 1);
    }
}
