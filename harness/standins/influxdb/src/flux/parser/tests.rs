//! What a script may look like, and that no text breaks the parser.

use proptest::prelude::*;

use super::*;
use crate::flux::ast::{BinaryOperator, LogicalOperator, UnaryOperator};

/// An expression with every operation in parentheses.
fn shape(expr: &Expr) -> String {
    match &expr.kind {
        ExprKind::Identifier(name) => name.to_string(),
        ExprKind::Integer(value) => value.to_string(),
        ExprKind::Float(value) => format!("{value:?}"),
        ExprKind::String(value) => format!("{value:?}"),
        ExprKind::Duration(value) => value.to_string(),
        ExprKind::Time(value) => format!("@{value}"),
        ExprKind::Regex(value) => format!("/{value}/"),
        ExprKind::Array(elements) => format!("[{}]", shapes(elements)),
        ExprKind::Dict(pairs) => format!("dict{}", pairs.len()),
        ExprKind::Record { with, properties } => {
            let base = with.as_ref().map(|base| format!("{} with ", shape(base)));
            let properties: Vec<String> = properties
                .iter()
                .map(|property| format!("{}: {}", property.key, shape(&property.value)))
                .collect();
            format!("{{{}{}}}", base.unwrap_or_default(), properties.join(", "))
        }
        ExprKind::Function(function) => format!("fn{}", function.parameters.len()),
        ExprKind::Call { callee, arguments } => {
            let values = arguments.iter().map(|argument| shape(&argument.value));
            format!("{}({})", shape(callee), values.collect::<Vec<_>>().join(", "))
        }
        ExprKind::Pipe { source, call } => format!("({} |> {})", shape(source), shape(call)),
        ExprKind::Member { object, name } => format!("{}.{name}", shape(object)),
        ExprKind::Index { object, index } => format!("{}[{}]", shape(object), shape(index)),
        ExprKind::Unary { operator, operand } => {
            let operator = match operator {
                UnaryOperator::Plus => "+",
                UnaryOperator::Minus => "-",
                UnaryOperator::Not => "not ",
                UnaryOperator::Exists => "exists ",
            };
            format!("({operator}{})", shape(operand))
        }
        ExprKind::Binary { operator, left, right } => {
            format!("({} {} {})", shape(left), BinaryOperator::text(*operator), shape(right))
        }
        ExprKind::Logical { operator, operands } => {
            let word = if *operator == LogicalOperator::And { " and " } else { " or " };
            format!("({})", operands.iter().map(shape).collect::<Vec<_>>().join(word))
        }
        ExprKind::Conditional { test, yes, no } => {
            format!("(if {} then {} else {})", shape(test), shape(yes), shape(no))
        }
        ExprKind::Interpolated(parts) => format!("interpolated{}", parts.len()),
    }
}

fn shapes(exprs: &[Expr]) -> String {
    exprs.iter().map(shape).collect::<Vec<_>>().join(", ")
}

fn parsed(text: &str) -> String {
    let file = parse(text).unwrap();
    match &file.statements[0] {
        Statement::Expression(expr) => shape(expr),
        other => panic!("not an expression: {other:?}"),
    }
}

fn refusal(text: &str) -> String {
    parse(text).unwrap_err().to_string()
}

#[test]
fn operators_bind_as_the_language_says() {
    for (text, expected) in [
        ("a or b and c", "(a or (b and c))"),
        ("not a == b", "(not (a == b))"),
        ("a + b * c", "(a + (b * c))"),
        ("a - b - c", "((a - b) - c)"),
        ("a * b ^ c", "(a * (b ^ c))"),
        ("-a + b", "((-a) + b)"),
        ("a < b and c =~ /x/", "((a < b) and (c =~ /x/))"),
        ("exists r.a and r.b", "((exists r.a) and r.b)"),
        ("a |> f() |> g()", "((a |> f()) |> g())"),
        ("a + b |> f()", "(a + (b |> f()))"),
        ("if a then b else if c then d else e", "(if a then b else (if c then d else e))"),
        ("a / b / c", "((a / b) / c)"),
    ] {
        assert_eq!(parsed(text), expected, "{text}");
    }
}

#[test]
fn literals_keep_their_kind() {
    for (text, expected) in [
        ("1h30m", "1h30m"),
        ("1.5", "1.5"),
        (".5", "0.5"),
        ("\"a\\\"b\\n\"", "\"a\\\"b\\n\""),
        ("2023-01-01T00:00:00Z", "@1672531200000000000"),
        ("2023-01-01", "@1672531200000000000"),
        ("2023-01-01T01:00:00+01:00", "@1672531200000000000"),
        ("[1, 2,]", "[1, 2]"),
        ("[:]", "dict0"),
        ("[\"a\": 1, \"b\": 2]", "dict2"),
        ("\"a ${b} c\"", "interpolated3"),
        ("\"$5\"", "\"$5\""),
    ] {
        assert_eq!(parsed(text), expected, "{text}");
    }
}

#[test]
fn records_functions_and_members_are_told_apart() {
    for (text, expected) in [
        ("({r with a: 1, b})", "{r with a: 1, b: b}"),
        ("{\"a b\": 1}", "{a b: 1}"),
        ("() => 1", "fn0"),
        ("(a, b=2, t=<-) => a", "fn3"),
        ("(<-t) => t", "fn1"),
        ("(a)", "a"),
        ("r[\"a\"]", "r.a"),
        ("r[0].b", "r[0].b"),
        ("f(a: 1)(b: 2)", "f(1)(2)"),
        ("f(a, b)", "f(a, b)"),
    ] {
        assert_eq!(parsed(text), expected, "{text}");
    }
}

#[test]
fn a_slash_divides_behind_a_value_and_opens_a_regular_expression_elsewhere() {
    assert_eq!(parsed("a / b"), "(a / b)");
    assert_eq!(parsed(r"a =~ /b\/c/"), "(a =~ /b/c/)");
}

#[test]
fn a_mistake_is_told_with_line_and_column() {
    for (text, expected) in [
        ("from(bucket: \"a\"", "compilation failed: error @1:1-1:17: expected RPAREN, got EOF"),
        ("a = (1", "compilation failed: error @1:5-1:7: expected RPAREN, got EOF"),
        ("a = {r with x: 1", "compilation failed: error @1:5-1:17: expected RBRACE, got EOF"),
        ("f = (x) => { return x", "compilation failed: error @1:12-1:22: expected RBRACE, got EOF"),
        ("option x", "compilation failed: error @1:1-1:7: invalid statement: option"),
        (
            "a =\n  )",
            "compilation failed: error @2:3-2:4: invalid expression: invalid token for primary \
             expression: RPAREN",
        ),
        ("a |> b", "compilation failed: error @1:6-1:7: pipe destination must be a function call"),
    ] {
        assert_eq!(refusal(text), expected, "{text}");
    }
}

#[test]
fn texts_without_an_end_are_refused() {
    for text in ["\"abc", "\"a ${b", "\"a ${", "/abc", "[1", "{a: 1", "(a", "f(", "\"\\q\""] {
        assert!(parse(text).is_err(), "{text}");
    }
}

#[test]
fn comments_are_skipped() {
    assert_eq!(parsed("// one\na // two\n|> f() // three"), "(a |> f())");
}

#[test]
fn nesting_without_an_end_is_refused_and_not_followed() {
    let depth = 100_000;
    for text in [
        "(".repeat(depth),
        "[".repeat(depth),
        "{a: ".repeat(depth),
        "f(a: ".repeat(depth),
        "-".repeat(depth),
        "not ".repeat(depth),
        "if a then ".repeat(depth),
        "\"${".repeat(depth),
        "() => ".repeat(depth),
        format!("a{}", " |> f()".repeat(depth)),
        format!("1{}", " + 1".repeat(depth)),
        format!("a{}", ".b".repeat(depth)),
        format!("a{}", "[0]".repeat(depth)),
    ] {
        let message = refusal(&text);
        assert!(message.contains("nested too deep"), "{text:.30}: {message}");
    }
}

#[test]
fn a_long_list_of_alternatives_is_not_nesting() {
    let text = vec!["r.a == \"b\""; 5000].join(" or ");
    assert!(parse(&text).is_ok());
}

#[test]
fn a_number_out_of_range_is_refused() {
    assert!(refusal("9223372036854775808").contains("out of range"));
    assert!(refusal("99999999999999999999y").contains("out of range"));
}

proptest! {
    #[test]
    fn no_text_makes_the_parser_panic(text in "\\PC{0,80}") {
        let _outcome = parse(&text);
    }

    #[test]
    fn no_text_of_likely_tokens_makes_the_parser_panic(
        tokens in proptest::collection::vec(
            prop_oneof![
                Just("a"), Just("("), Just(")"), Just("["), Just("]"), Just("{"), Just("}"),
                Just("\""), Just("${"), Just("/"), Just("|>"), Just("=>"), Just("="), Just("<-"),
                Just("1h"), Just("2023-01-01T"), Just("1."), Just(","), Just(":"), Just("if "),
                Just("with "), Just("not "), Just("\n"), Just("-"), Just("µs"), Just("1e"),
            ],
            0..40,
        ),
    ) {
        let _outcome = parse(&tokens.concat());
    }
}
