//! One part of a run that several processes share.
//!
//! The main type is [`Shard`]: which part, of how many. What falls to it is a pure function of the
//! two numbers, so that shards need not know of each other; the load generator has that function,
//! and the engine puts the parts together.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// One of so many shards of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Shard {
    number: u32,
    of: u32,
}

/// A text that names no shard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ShardError {
    /// It is not two numbers.
    NotTwoNumbers,
    /// There is no such shard.
    OutOfRange {
        /// Which.
        number: u32,
        /// Of how many.
        of: u32,
    },
    /// There are too many of them.
    TooMany(u32),
}

impl fmt::Display for ShardError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotTwoNumbers => {
                f.write_str("a shard is written K/N, as `1/2`: the first of two")
            }
            Self::OutOfRange { number, of } => {
                write!(f, "there is no shard {number} of {of}: K goes from 1 to N")
            }
            Self::TooMany(of) => {
                write!(f, "{of} shards are too many: N goes from 1 to {}", Shard::MOST)
            }
        }
    }
}

impl std::error::Error for ShardError {}

impl Shard {
    /// The one shard of a run that is not shared.
    pub const WHOLE: Self = Self { number: 1, of: 1 };

    /// As many as a run can have. Each walks over the arrivals of all others.
    pub const MOST: u32 = 1_000;

    /// The shard of this number, from 1, of so many.
    pub fn new(number: u32, of: u32) -> Result<Self, ShardError> {
        match (number, of) {
            (_, of) if of > Self::MOST => Err(ShardError::TooMany(of)),
            (number, of) if number == 0 || number > of => {
                Err(ShardError::OutOfRange { number, of })
            }
            (number, of) => Ok(Self { number, of }),
        }
    }

    /// Which it is, from 1.
    pub fn number(self) -> u32 {
        self.number
    }

    /// How many there are.
    pub fn of(self) -> u32 {
        self.of
    }

    /// Whether it is the first: the one that does what cannot be shared.
    pub fn is_first(self) -> bool {
        self.number == 1
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.number, self.of)
    }
}

impl FromStr for Shard {
    type Err = ShardError;

    fn from_str(text: &str) -> Result<Self, ShardError> {
        let number = |text: &str| {
            // A sign is no digit, though Rust's own reading of numbers takes one.
            let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            text.parse().ok().filter(|_| digits).ok_or(ShardError::NotTwoNumbers)
        };
        let (which, of) = text.split_once('/').ok_or(ShardError::NotTwoNumbers)?;
        Self::new(number(which)?, number(of)?)
    }
}

impl TryFrom<String> for Shard {
    type Error = ShardError;

    fn try_from(text: String) -> Result<Self, ShardError> {
        text.parse()
    }
}

impl From<Shard> for String {
    fn from(shard: Shard) -> Self {
        shard.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shard_reads_as_it_is_written() {
        for text in ["1/1", "1/2", "2/2", "1000/1000"] {
            assert_eq!(text.parse::<Shard>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_is_no_shard_is_refused() {
        for text in ["", "1", "/", "1/", "/2", "+1/2", "1/2/3", "a/b", "1 / 2", "-1/2", "1/2 "] {
            assert_eq!(text.parse::<Shard>(), Err(ShardError::NotTwoNumbers), "{text}");
        }
        for (text, number, of) in [("0/2", 0, 2), ("3/2", 3, 2), ("0/0", 0, 0), ("1/0", 1, 0)] {
            let refused = Err(ShardError::OutOfRange { number, of });
            assert_eq!(text.parse::<Shard>(), refused, "{text}");
        }
        assert_eq!("1/1001".parse::<Shard>(), Err(ShardError::TooMany(1_001)));
    }
}
