//! What went wrong while planning or running a query, as the service's exceptions.
//!
//! Messages name the query's own words and positions; the planner's type names for itself are
//! taken off.

use datafusion::common::SchemaError;
use datafusion::error::DataFusionError;

use super::tokens::{Tokens, at};
use crate::error::{ApiError, ErrorKind};

/// The exception for an error of the planner or the executor.
pub(super) fn explain(error: &DataFusionError, tokens: &Tokens) -> ApiError {
    match error.find_root() {
        DataFusionError::External(inner) => match inner.downcast_ref::<ApiError>() {
            Some(refusal) => refusal.clone(),
            None => ApiError::new(ErrorKind::QueryExecution, inner.to_string()),
        },
        DataFusionError::SchemaError(schema, _) => schema_failure(schema, tokens),
        DataFusionError::SQL(parser, _) => {
            ApiError::validation(format!("The query syntax is invalid: {}", parser_text(parser)))
        }
        DataFusionError::Plan(message) | DataFusionError::Configuration(message) => {
            ApiError::validation(first_line(message))
        }
        DataFusionError::NotImplemented(message) => {
            ApiError::validation(format!("Not supported: {}", first_line(message)))
        }
        DataFusionError::ArrowError(arrow, _) => {
            ApiError::new(ErrorKind::QueryExecution, first_line(&arrow.to_string()))
        }
        DataFusionError::Execution(message) => {
            ApiError::new(ErrorKind::QueryExecution, first_line(message))
        }
        DataFusionError::Internal(message) if wrong_parameters(message).is_some() => {
            ApiError::validation(first_line(message))
        }
        other => ApiError::new(ErrorKind::InternalServer, first_line(&other.strip_backtrace())),
    }
}

fn schema_failure(error: &SchemaError, tokens: &Tokens) -> ApiError {
    let (name, problem) = match error {
        SchemaError::FieldNotFound { field, .. } => (&field.name, "does not exist"),
        SchemaError::AmbiguousReference { field } => (&field.name, "is ambiguous"),
        SchemaError::DuplicateQualifiedField { name, .. }
        | SchemaError::DuplicateUnqualifiedField { name } => (name, "is named twice"),
    };
    let spelling = tokens.spelling(name).unwrap_or(name);
    let message = format!("Column '{spelling}' {problem}");
    match tokens.position(name) {
        Some(position) => at(position, &message),
        None => ApiError::validation(message),
    }
}

fn parser_text(error: &datafusion::sql::sqlparser::parser::ParserError) -> String {
    let text = error.to_string();
    text.strip_prefix("sql parser error: ").unwrap_or(&text).to_owned()
}

/// What a message says without what is the planner's alone: lists of candidates, and the words
/// around what our own functions say.
fn first_line(message: &str) -> String {
    let line = message.lines().next().unwrap_or_default();
    if let Some(function) = wrong_parameters(line) {
        return format!("Unexpected parameters for function {function}");
    }
    let own = line.split_once("coercion failed with: Error during planning: ");
    let own = own.map_or(line, |(_, own)| own);
    let end = own.find(" No function matches").unwrap_or(own.len());
    own[..end].to_owned()
}

/// The function whose parameters have types that it does not take, where the message says that.
fn wrong_parameters(message: &str) -> Option<&str> {
    let (_, named) = message.split_once("Function '")?;
    let (name, problem) = named.split_once('\'')?;
    problem.contains("failed to match any signature").then(|| name.trim_start_matches('$'))
}
