//! The subcommands, one module each.

pub(crate) mod baseline;
pub(crate) mod calibrate;
pub(crate) mod compare;
pub(crate) mod doctor;
pub(crate) mod list;
pub(crate) mod merge;
pub(crate) mod report;
pub(crate) mod run;
pub(crate) mod sabotage;
pub(crate) mod schema;
pub(crate) mod stack;
pub(crate) mod standin;
pub(crate) mod validate;
