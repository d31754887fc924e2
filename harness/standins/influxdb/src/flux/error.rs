//! What can be wrong with a script, at compilation or while it runs.

use std::fmt;

use super::ast::Span;

/// A mistake in a script or in what it meets, worded as the server words it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct FluxError {
    code: FluxErrorCode,
    stage: Stage,
    message: String,
}

/// What a mistake is to the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FluxErrorCode {
    Invalid,
    NotFound,
    Internal,
}

#[derive(Clone, Debug, PartialEq)]
enum Stage {
    /// Not placed yet: raised by an operation that does not know where it is called.
    Unplaced,
    Compilation(Span),
    /// Found when types and arguments are checked.
    Semantic(Span),
    /// While a function was called that does not work on tables.
    Call {
        function: String,
        at: Span,
    },
    /// While tables flowed through a function.
    Run {
        function: String,
        at: Span,
    },
    /// Placed nowhere on purpose.
    Whole,
}

impl FluxError {
    /// A mistake without a place; the call that meets it adds its own.
    pub(crate) fn new(message: impl Into<String>) -> Self {
        let (code, stage) = (FluxErrorCode::Invalid, Stage::Unplaced);
        Self { code, stage, message: message.into() }
    }

    /// A mistake without a place that the server takes for one of its own.
    pub(crate) fn internal(message: impl Into<String>) -> Self {
        Self::new(message).into_internal()
    }

    /// This mistake as one that the server takes for its own.
    pub(crate) fn into_internal(self) -> Self {
        Self { code: FluxErrorCode::Internal, ..self }
    }

    /// A mistake that is found without running the script.
    pub(crate) fn compilation(at: Span, message: impl Into<String>) -> Self {
        let (code, stage) = (FluxErrorCode::Invalid, Stage::Compilation(at));
        Self { code, stage, message: message.into() }
    }

    /// A mistake in the arguments of a call.
    pub(crate) fn semantic(at: Span, message: impl Into<String>) -> Self {
        let (code, stage) = (FluxErrorCode::Invalid, Stage::Semantic(at));
        Self { code, stage, message: message.into() }
    }

    /// A mistake of the script as a whole.
    pub(crate) fn whole(code: FluxErrorCode, message: impl Into<String>) -> Self {
        Self { code, stage: Stage::Whole, message: message.into() }
    }

    pub(crate) fn code(&self) -> FluxErrorCode {
        self.code
    }

    /// Adds the place of a call, unless a place nearer to the cause is known.
    pub(crate) fn in_call(mut self, function: &str, at: Span) -> Self {
        if self.stage == Stage::Unplaced {
            self.stage = Stage::Call { function: function.to_owned(), at };
        }
        self
    }

    /// Adds the place of a function through which tables flow.
    pub(crate) fn in_run(mut self, function: &str, at: Span) -> Self {
        if self.stage == Stage::Unplaced {
            self.stage = Stage::Run { function: function.to_owned(), at };
        }
        self
    }
}

impl fmt::Display for FluxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let message = &self.message;
        match &self.stage {
            Stage::Unplaced | Stage::Whole => f.write_str(message),
            Stage::Compilation(at) => write!(f, "compilation failed: error @{at}: {message}"),
            Stage::Semantic(at) => write!(f, "error @{at}: {message}"),
            Stage::Call { function, at } => {
                write!(f, "error calling function \"{function}\" @{at}: {message}")
            }
            Stage::Run { function, at } => {
                write!(f, "runtime error @{at}: {function}: {message}")
            }
        }
    }
}

impl std::error::Error for FluxError {}
