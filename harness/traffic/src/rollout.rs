//! The rollout: up a ladder of shares, and back to the source when a trigger fires.
//!
//! The main type is [`Rollout`]. [`Rollout::advance_to`] climbs as time passes,
//! [`Rollout::roll_back`] returns; both answer with [`Decision`]s, each the flags to publish next.
//! Publishing them is the caller's business, and so is deciding that a trigger fires.
//!
//! Going up, ingestion is switched on before queries, so that no reader meets a store that nobody
//! feeds; going down, queries leave first, and ingestion and the share follow when every instance
//! must have heard. A rollback happens once and is final: a rollout that was rolled back never
//! climbs again, so it cannot flap. A new attempt is a new rollout.

use std::time::Duration;

use cutover_model::Ratio;
use cutover_model::scenario::TriggerName;
use serde::{Deserialize, Serialize};

use crate::flags::Flags;

/// How a rollout climbs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RolloutPlan {
    /// The shares, each above the one before. A first share of 0% means to hold before it begins.
    pub steps: Vec<Ratio>,
    /// How long each share is held, counted from the decision for it.
    pub hold: Duration,
    /// How long it takes until every instance has surely heard of a decision.
    pub settle: Duration,
}

/// Why flags change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// The ladder.
    Ladder,
    /// A trigger fired.
    Trigger(TriggerName),
}

/// Flags to publish.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Decision {
    /// When it was due.
    pub at: Duration,
    /// The flags.
    pub flags: Flags,
    /// Why.
    pub cause: Cause,
}

/// Where a rollout stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RolloutPhase {
    /// On the ladder, with shares to come.
    Climbing,
    /// At the top, and staying there.
    Complete,
    /// Readers have been told to leave; writers have not yet.
    RollingBack(TriggerName),
    /// Everything is back at the source, for good.
    RolledBack(TriggerName),
}

/// A rollout and its progress.
#[derive(Clone, Debug)]
pub struct Rollout {
    plan: RolloutPlan,
    flags: Flags,
    phase: RolloutPhase,
    /// The place in `plan.steps` of the next share.
    next_step: usize,
    /// When the next decision of the ladder or of the way back is due.
    due: Duration,
    /// When the share in force was decided on.
    reached: Duration,
}

/// A plan that cannot be climbed.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum RolloutError {
    /// There is no share above nothing.
    #[error("a rollout needs a share above 0%")]
    NoStep,
    /// A share is not above the one before.
    #[error("the share `{after}` does not rise above `{before}`")]
    NotRising {
        /// The share before.
        before: Ratio,
        /// The one that follows.
        after: Ratio,
    },
    /// A share is held for no time.
    #[error("the shares of a rollout must be held for some time")]
    NoHold,
}

impl Rollout {
    /// A rollout that begins at time zero.
    pub fn new(plan: RolloutPlan) -> Result<Self, RolloutError> {
        for pair in plan.steps.windows(2) {
            if pair[0] >= pair[1] {
                return Err(RolloutError::NotRising { before: pair[0], after: pair[1] });
            }
        }
        if plan.steps.last().is_none_or(|last| *last == Ratio::ZERO) {
            return Err(RolloutError::NoStep);
        }
        if plan.hold.is_zero() {
            return Err(RolloutError::NoHold);
        }
        Ok(Self {
            plan,
            flags: Flags::SOURCE_ONLY,
            phase: RolloutPhase::Climbing,
            next_step: 0,
            due: Duration::ZERO,
            reached: Duration::ZERO,
        })
    }

    /// The flags in force.
    pub fn flags(&self) -> Flags {
        self.flags
    }

    /// Where it stands.
    pub fn phase(&self) -> RolloutPhase {
        self.phase
    }

    /// When the next decision is due, if time alone brings one.
    pub fn next_due(&self) -> Option<Duration> {
        match self.phase {
            RolloutPhase::Climbing | RolloutPhase::RollingBack(_) => Some(self.due),
            RolloutPhase::Complete | RolloutPhase::RolledBack(_) => None,
        }
    }

    /// Takes every decision that is due at or before `now`.
    pub fn advance_to(&mut self, now: Duration) -> Vec<Decision> {
        let mut decisions = Vec::new();
        while let Some(at) = self.next_due().filter(|due| *due <= now) {
            decisions.push(match self.phase {
                RolloutPhase::RollingBack(trigger) => {
                    self.phase = RolloutPhase::RolledBack(trigger);
                    self.decide(at, Flags::SOURCE_ONLY, Cause::Trigger(trigger))
                }
                _ => self.climb(at),
            });
        }
        decisions
    }

    /// Goes back to the source because of `trigger`. Nothing happens when that was done before.
    pub fn roll_back(&mut self, now: Duration, trigger: TriggerName) -> Vec<Decision> {
        match self.phase {
            RolloutPhase::RollingBack(_) | RolloutPhase::RolledBack(_) => Vec::new(),
            RolloutPhase::Climbing | RolloutPhase::Complete => {
                self.phase = RolloutPhase::RollingBack(trigger);
                self.due = now + self.plan.settle;
                let readers_gone = Flags { queries: false, ..self.flags };
                vec![self.decide(now, readers_gone, Cause::Trigger(trigger))]
            }
        }
    }

    fn climb(&mut self, at: Duration) -> Decision {
        let is_first_fed = self.flags.ingestion && !self.flags.queries;
        let flags = if is_first_fed {
            Flags { queries: true, ..self.flags }
        } else {
            let share = self.plan.steps[self.next_step];
            self.next_step += 1;
            self.reached = at;
            Flags { share, ingestion: share > Ratio::ZERO, ..self.flags }
        };
        // The hold counts from when the share was decided on; queries may need a part of it.
        self.due = if flags.ingestion && !flags.queries {
            at + self.plan.settle
        } else {
            at.max(self.reached + self.plan.hold)
        };
        if self.next_step == self.plan.steps.len() && flags.queries {
            self.phase = RolloutPhase::Complete;
        }
        self.decide(at, flags, Cause::Ladder)
    }

    fn decide(&mut self, at: Duration, flags: Flags, cause: Cause) -> Decision {
        self.flags = flags;
        Decision { at, flags, cause }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ERRORS: TriggerName = TriggerName::ErrorRate;

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn plan() -> RolloutPlan {
        let steps = [0.0, 10.0, 50.0, 100.0].map(|step| Ratio::from_percent(step).unwrap());
        RolloutPlan { steps: steps.to_vec(), hold: seconds(180), settle: seconds(90) }
    }

    fn rollout() -> Rollout {
        Rollout::new(plan()).unwrap()
    }

    fn shown(decisions: &[Decision]) -> Vec<String> {
        let show = |decision: &Decision| format!("{} {}", decision.at.as_secs(), decision.flags);
        decisions.iter().map(show).collect()
    }

    #[test]
    fn the_ladder_feeds_before_it_reads_and_holds_each_share() {
        let decisions = rollout().advance_to(seconds(3_600));
        assert_eq!(
            shown(&decisions),
            [
                "0 0%, ingestion off, queries off",
                "180 10%, ingestion on, queries off",
                "270 10%, ingestion on, queries on",
                "360 50%, ingestion on, queries on",
                "540 100%, ingestion on, queries on",
            ]
        );
    }

    #[test]
    fn a_decision_is_not_taken_a_nanosecond_early() {
        let mut rollout = rollout();
        rollout.advance_to(seconds(0));
        assert!(rollout.advance_to(Duration::from_nanos(179_999_999_999)).is_empty());
        assert_eq!(rollout.advance_to(seconds(180)).len(), 1);
    }

    #[test]
    fn a_rollback_takes_readers_off_first_and_writers_after_they_have_heard() {
        let mut rollout = rollout();
        rollout.advance_to(seconds(400));
        let mut decisions = rollout.roll_back(seconds(420), ERRORS);
        assert_eq!(rollout.phase(), RolloutPhase::RollingBack(ERRORS));
        decisions.extend(rollout.advance_to(seconds(3_600)));
        assert_eq!(
            shown(&decisions),
            ["420 50%, ingestion on, queries off", "510 0%, ingestion off, queries off"]
        );
        assert!(decisions.iter().all(|decision| decision.cause == Cause::Trigger(ERRORS)));
        assert_eq!(rollout.phase(), RolloutPhase::RolledBack(ERRORS));
    }

    #[test]
    fn a_second_trigger_changes_nothing() {
        let mut rollout = rollout();
        rollout.advance_to(seconds(400));
        rollout.roll_back(seconds(420), ERRORS);
        assert!(rollout.roll_back(seconds(430), TriggerName::SuccessRate).is_empty());
        assert_eq!(rollout.phase(), RolloutPhase::RollingBack(ERRORS));
    }

    #[test]
    fn a_rollout_that_came_back_never_climbs_again() {
        let mut rollout = rollout();
        rollout.advance_to(seconds(200));
        rollout.roll_back(seconds(200), ERRORS);
        rollout.advance_to(seconds(290));
        assert!(rollout.advance_to(seconds(1_000_000)).is_empty());
        assert_eq!(rollout.next_due(), None);
        assert_eq!(rollout.flags(), Flags::SOURCE_ONLY);
    }

    #[test]
    fn a_complete_rollout_still_comes_back() {
        let mut rollout = rollout();
        rollout.advance_to(seconds(3_600));
        assert_eq!(rollout.phase(), RolloutPhase::Complete);
        assert_eq!(rollout.roll_back(seconds(4_000), ERRORS).len(), 1);
    }

    #[test]
    fn a_hold_shorter_than_the_settling_still_feeds_before_it_climbs() {
        let mut plan = plan();
        plan.hold = seconds(30);
        let decisions = Rollout::new(plan).unwrap().advance_to(seconds(3_600));
        assert_eq!(
            shown(&decisions)[1..4],
            [
                "30 10%, ingestion on, queries off",
                "120 10%, ingestion on, queries on",
                "120 50%, ingestion on, queries on",
            ]
        );
    }

    #[test]
    fn plans_that_do_not_climb_are_refused() {
        let with = |steps: Vec<Ratio>| Rollout::new(RolloutPlan { steps, ..plan() }).unwrap_err();
        assert_eq!(with(vec![]), RolloutError::NoStep);
        assert_eq!(with(vec![Ratio::ZERO]), RolloutError::NoStep);
        let falling = with(vec![Ratio::ONE, Ratio::ZERO]);
        assert_eq!(falling.to_string(), "the share `0%` does not rise above `100%`");
    }

    proptest! {
        #[test]
        fn no_state_is_torn_and_no_share_follows_a_rollback(
            pauses in prop::collection::vec((0_u64..200, any::<bool>()), 1..40),
            hold in 1_u64..300,
            settle in 0_u64..300,
        ) {
            let plan = RolloutPlan { hold: seconds(hold), settle: seconds(settle), ..plan() };
            let mut rollout = Rollout::new(plan).unwrap();
            let mut now = Duration::ZERO;
            let mut decisions = Vec::new();
            for (pause, fires) in pauses {
                now += seconds(pause);
                decisions.extend(rollout.advance_to(now));
                if fires {
                    decisions.extend(rollout.roll_back(now, ERRORS));
                }
            }
            prop_assert!(decisions.iter().all(|decision| !decision.flags.is_torn()));
            prop_assert!(decisions.is_sorted_by_key(|decision| decision.at));
            let back = decisions.iter().position(|decision| decision.cause != Cause::Ladder);
            let after = back.map_or(&[][..], |back| &decisions[back..]);
            prop_assert!(after.len() <= 2);
            prop_assert!(after.iter().all(|decision| !decision.flags.queries));
        }
    }
}
