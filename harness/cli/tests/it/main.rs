//! The real binary, run as a user runs it, and the rules of the workspace.

mod architecture;
mod commands;
mod exit_codes;
mod interrupts;
mod record;
mod support;
mod tidy;
