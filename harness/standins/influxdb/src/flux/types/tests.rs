//! Types of whole scripts. The expectations were read off a server of release 2.7.12.

use super::check;
use crate::flux::parser::parse;

fn refusal(script: &str) -> String {
    check(&parse(script).unwrap()).err().map_or(String::new(), |error| error.to_string())
}

#[test]
fn an_operand_of_another_type_is_refused_with_its_place() {
    assert_eq!(refusal("x = 1 + \"a\""), "error @1:9-1:12: expected int but found string");
}

#[test]
fn a_function_that_fits_is_not_refused() {
    assert_eq!(refusal("f = (a, b=1) => a + b\nx = f(a: 2)"), "");
}
