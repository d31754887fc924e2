//! InfluxQL: the query language of `/query`.
//!
//! `parser` reads the text.

mod ast;
mod format;
mod parser;
mod scanner;
mod token;
