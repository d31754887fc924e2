//! Types of whole scripts. The expectations were read off a server of release 2.7.12.

use super::check;
use crate::flux::parser::parse;

fn refusal(script: &str) -> String {
    check(&parse(script).unwrap()).err().map_or(String::new(), |error| error.to_string())
}
