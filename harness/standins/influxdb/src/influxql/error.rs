//! Why a statement could not be carried out.

/// A statement's failure, in the server's words where the server would fail too.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct QueryError(String);

impl QueryError {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }

    /// A refusal of what is outside the subset, by name.
    pub(crate) fn outside(what: &str) -> Self {
        Self(format!("{what} is not in the stand-in's InfluxQL"))
    }
}

/// What carrying out a part of a statement gives.
pub(crate) type Outcome<T> = Result<T, QueryError>;
