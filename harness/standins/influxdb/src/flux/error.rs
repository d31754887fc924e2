//! What can be wrong with a script, at compilation or while it runs.

use std::fmt;

use super::ast::{BinaryOperator, Span};
use super::value::Value;

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
    /// Not placed yet: values of types that do not go together.
    Types,
    /// Not placed yet: values that cannot be compared.
    Comparison(BinaryOperator),
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

    /// A mistake without a place: a value is of one type where another is wanted.
    pub(crate) fn types(wanted: &str, found: &str) -> Self {
        let message = format!("type conflict: {wanted} != {found}");
        Self { stage: Stage::Types, ..Self::new(message) }
    }

    /// A mistake without a place: types that an operator does not compare.
    pub(crate) fn comparison(operator: BinaryOperator, left: &str, right: &str) -> Self {
        let message = format!("{left} {} {right}", operator.text());
        Self { stage: Stage::Comparison(operator), ..Self::new(message) }
    }

    /// A mistake without a place: something is not there.
    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Self { code: FluxErrorCode::NotFound, ..Self::new(message) }
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

    /// This mistake followed by another that was found with it.
    pub(crate) fn and(mut self, other: &Self) -> Self {
        self.message = format!("{}\n\n{other}", self.message);
        self
    }

    pub(crate) fn code(&self) -> FluxErrorCode {
        self.code
    }

    /// A mistake in the types of two operands, told from the other side.
    pub(crate) fn turned(self, left: &Value, right: &Value) -> Self {
        match self.stage {
            Stage::Types => Self::types(left.type_word(), right.type_word()),
            _ => self,
        }
    }

    fn is_unplaced(&self) -> bool {
        matches!(self.stage, Stage::Unplaced | Stage::Types | Stage::Comparison(_))
    }

    /// What a mistake in a function of rows is to the function that calls it. `name` says what the
    /// server calls the function's evaluation, if it names it.
    pub(crate) fn in_rows(self, name: Option<&str>, function: Span) -> Self {
        let message = match (&self.stage, name) {
            (Stage::Types, _) => self.message,
            (Stage::Comparison(_), _) => {
                let message = self.message;
                format!("cannot compile @ {function}: unsupported binary expression {message}")
            }
            (Stage::Unplaced | Stage::Call { .. }, Some(name)) => {
                format!("failed to evaluate {name} function: {}", self.message)
            }
            (Stage::Unplaced | Stage::Call { .. }, None) => self.message,
            _ => return self,
        };
        Self { stage: Stage::Unplaced, message, code: self.code }
    }

    /// What a mistake in a function is that the server computes a column at a time.
    pub(crate) fn in_vectors(self) -> Self {
        let message = match &self.stage {
            // The server spells the type in its own way here.
            Stage::Call { .. } => self.message.replace("to float due", "to Float due"),
            Stage::Types | Stage::Unplaced => self.message,
            Stage::Comparison(operator) => {
                let name = match operator {
                    BinaryOperator::Equal => "Equal",
                    BinaryOperator::NotEqual => "NotEqual",
                    BinaryOperator::Less => "LessThan",
                    BinaryOperator::LessOrEqual => "LessThanEqual",
                    BinaryOperator::Greater => "GreaterThan",
                    _ => "GreaterThanEqual",
                };
                format!("unsupported type for vector {name}: {}", self.message)
            }
            _ => return self,
        };
        Self::whole(self.code, format!("runtime error: {message}"))
    }

    /// Adds the place of a call, unless a place nearer to the cause is known.
    pub(crate) fn in_call(mut self, function: &str, at: Span) -> Self {
        if self.is_unplaced() {
            self.stage = Stage::Call { function: function.to_owned(), at };
        }
        self
    }

    /// Adds the place of a function through which tables flow.
    pub(crate) fn in_run(mut self, function: &str, at: Span) -> Self {
        if self.is_unplaced() {
            self.stage = Stage::Run { function: function.to_owned(), at };
        }
        self
    }
}

impl fmt::Display for FluxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let message = &self.message;
        match &self.stage {
            Stage::Unplaced | Stage::Types | Stage::Whole => f.write_str(message),
            Stage::Comparison(_) => write!(f, "unsupported binary expression {message}"),
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
