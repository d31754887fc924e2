//! The real binary, run as a user runs it, and the rules of the workspace.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod architecture;
mod baselines;
mod commands;
mod deployed;
mod exit_codes;
mod interrupts;
mod loads;
mod record;
mod shards;
mod stack;
mod support;
mod targets;
mod tidy;
mod world;
