//! How long to wait before trying again.
//!
//! The main type is [`RetryPolicy`], a pure function from the number of the retry to a duration. It
//! does not sleep, and it does not decide what is worth retrying: the outcomes and
//! [`ClientError`](crate::ClientError) say that.

use std::time::Duration;

use cutover_model::draw::draw_unit;

/// Exponential backoff with jitter from a seed.
///
/// The jitter of each retry is drawn by its number and not from a shared generator, so one more
/// client or another interleaving leaves all other waits as they were.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    /// How often a request is sent at most, the first time included.
    pub attempts: u32,
    /// The wait before the first retry, before jitter.
    pub base: Duration,
    /// The longest wait of our own choosing.
    pub max: Duration,
    /// The longest `Retry-After` that is honoured; a longer one ends the attempts.
    pub patience: Duration,
    /// Where the jitter comes from.
    pub seed: u64,
}

impl RetryPolicy {
    /// The wait before retry `n` (from 1) of request `request`, or `None` to give up.
    ///
    /// Our own wait doubles each time and is drawn between half and the whole of that. What the
    /// server asked for is never undercut.
    pub fn wait(&self, request: u64, n: u32, retry_after: Option<Duration>) -> Option<Duration> {
        if n >= self.attempts {
            return None;
        }
        let doublings = n.saturating_sub(1).min(31);
        let whole = self.base.saturating_mul(1 << doublings).min(self.max);
        let half = whole / 2;
        let jitter = half.mul_f64(draw_unit(self.seed, request, u64::from(n)));
        let own = (half + jitter).min(self.max);
        match retry_after {
            Some(asked) if asked > self.patience => None,
            Some(asked) => Some(own.max(asked)),
            None => Some(own),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn policy() -> RetryPolicy {
        RetryPolicy {
            attempts: 5,
            base: Duration::from_millis(100),
            max: Duration::from_secs(2),
            patience: Duration::from_secs(30),
            seed: 7,
        }
    }

    #[test]
    fn the_last_attempt_is_followed_by_none() {
        assert!(policy().wait(0, 4, None).is_some());
        assert_eq!(policy().wait(0, 5, None), None);
    }

    #[test]
    fn what_the_server_asks_for_is_not_undercut() {
        let asked = Duration::from_secs(20);
        assert_eq!(policy().wait(0, 1, Some(asked)), Some(asked));
    }

    #[test]
    fn a_server_that_asks_for_more_than_our_patience_ends_the_attempts() {
        assert_eq!(policy().wait(0, 1, Some(Duration::from_secs(31))), None);
    }

    #[test]
    fn two_requests_do_not_wait_in_step() {
        assert_ne!(policy().wait(1, 1, None), policy().wait(2, 1, None));
    }

    proptest! {
        #[test]
        fn each_wait_is_between_half_and_the_whole_of_its_step(request: u64, n in 1_u32..5) {
            let whole = Duration::from_millis(100 << (n - 1));
            let wait = policy().wait(request, n, None).unwrap();
            prop_assert!(whole / 2 <= wait && wait <= whole);
        }

        #[test]
        fn no_number_of_retries_overflows(n: u32, attempts: u32) {
            let policy = RetryPolicy { attempts, base: Duration::MAX, ..policy() };
            prop_assert!(policy.wait(0, n, None).is_none_or(|wait| wait <= policy.max));
        }
    }
}
