//! The token in a secret, in the format of AWS's rotation functions.

use cutover_model::Secret;
use serde_json::Value;

use super::stack::Stack;

/// A secret that does not hold a token of this stack. None of its text is told.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenProblem {
    /// It is another format.
    #[error("it is no JSON object")]
    NoObject,
    /// There is no token in it.
    #[error("it has no `token`: the token has not been put in yet")]
    NoToken,
    /// It belongs to another database.
    #[error("its `{key}` is not that of this stack: it belongs to another database")]
    Foreign {
        /// What says so.
        key: &'static str,
    },
}

/// The token in the text of a secret. What the document says of its database has to be true.
pub(super) fn token_of(text: &Secret, stack: &Stack) -> Result<Secret, TokenProblem> {
    let document: Value =
        serde_json::from_str(text.expose()).map_err(|_| TokenProblem::NoObject)?;
    let document = document.as_object().ok_or(TokenProblem::NoObject)?;
    let token = document.get("token").and_then(Value::as_str).map(str::trim);
    let token = token.filter(|token| !token.is_empty()).ok_or(TokenProblem::NoToken)?;
    let told =
        [("dbIdentifier", &stack.influxdb.instance_id), ("org", &stack.influxdb.organization)];
    for (key, wanted) in told {
        if document.get(key).is_some_and(|found| found.as_str() != Some(wanted)) {
            return Err(TokenProblem::Foreign { key });
        }
    }
    Ok(Secret::new(token))
}
