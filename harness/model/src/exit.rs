//! Exit codes: what a script can rely on.

use serde::{Deserialize, Serialize};

/// How a command ended, and the number that tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Exit {
    /// Every check that was judged passed, and at least one was.
    Passed,
    /// A check failed.
    Failed,
    /// Bad arguments or files; nothing was started.
    BadInput,
    /// The evidence does not allow an answer, or the run was interrupted.
    Inconclusive,
    /// Nothing was judged.
    NothingJudged,
    /// The harness or its environment failed.
    Error,
    /// A fault, a flag or a resource could not be put back.
    Unclean,
}

impl Exit {
    /// The number that the process ends with.
    pub fn code(self) -> u8 {
        match self {
            Self::Passed => 0,
            Self::Failed => 1,
            Self::BadInput => 2,
            Self::Inconclusive => 3,
            Self::NothingJudged => 4,
            Self::Error => 5,
            Self::Unclean => 6,
        }
    }

    /// What it means, in a few words.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "a check failed",
            Self::BadInput => "bad arguments or files",
            Self::Inconclusive => "inconclusive",
            Self::NothingJudged => "nothing was judged",
            Self::Error => "error of the harness or the environment",
            Self::Unclean => "something could not be put back",
        }
    }
}
