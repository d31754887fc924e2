//! Where the flags are published and polled: a stand-in for AppConfig's data plane, in memory.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use cutover_traffic::{Cause, Flags};

use super::history::PublishedFlags;

/// The versions of the flags.
#[derive(Debug, Default)]
pub(super) struct FlagStore {
    published: Mutex<Vec<PublishedFlags>>,
}

impl FlagStore {
    /// Puts flags in force as the next version.
    pub(super) fn publish(&self, at: Duration, flags: Flags, cause: Cause) {
        let mut published = self.lock();
        let version = published.len() as u64 + 1;
        published.push(PublishedFlags { version, at, flags, cause });
    }

    /// The document in force as an application gets it, or `None` when it has that version
    /// already: AppConfig answers an unchanged configuration with an empty body.
    pub(super) fn poll(&self, known: u64) -> Option<(u64, String)> {
        let published = self.lock();
        let newest = published.last().filter(|newest| newest.version != known)?;
        Some((newest.version, newest.flags.render()))
    }

    /// Everything that was published.
    pub(super) fn history(&self) -> Vec<PublishedFlags> {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<PublishedFlags>> {
        self.published.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
