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
    /// The calls that led to it, the innermost first.
    calls: Vec<(String, Span)>,
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
    /// Not placed yet: values of types that do not go together. What the server says where it
    /// does not compile a function for the columns of a table.
    Types(Option<String>),
    /// Not placed yet: pieces of one table have columns of different types.
    Collision,
    /// Not placed yet: values that cannot be compared.
    Comparison(BinaryOperator),
    Compilation(Span),
    /// Found when types and arguments are checked.
    Semantic(Span),
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
        Self { code, stage, message: message.into(), calls: Vec::new() }
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
        Self { stage: Stage::Types(None), ..Self::new(message) }
    }

    /// A mistake without a place: types that an operator does not put together.
    pub(crate) fn operands(operator: BinaryOperator, left: &str, right: &str) -> Self {
        let plain = format!("unsupported binary expression {left} {} {right}", operator.text());
        Self { stage: Stage::Types(Some(plain)), ..Self::types(right, left) }
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
        Self { code, stage, message: message.into(), calls: Vec::new() }
    }

    /// A mistake in the arguments of a call.
    pub(crate) fn semantic(at: Span, message: impl Into<String>) -> Self {
        let (code, stage) = (FluxErrorCode::Invalid, Stage::Semantic(at));
        Self { code, stage, message: message.into(), calls: Vec::new() }
    }

    /// A mistake of the script as a whole.
    pub(crate) fn whole(code: FluxErrorCode, message: impl Into<String>) -> Self {
        Self { code, stage: Stage::Whole, message: message.into(), calls: Vec::new() }
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
            Stage::Types(plain) => {
                let message = Self::types(left.type_word(), right.type_word()).message;
                Self { stage: Stage::Types(plain), message, ..self }
            }
            _ => self,
        }
    }

    /// This mistake, with all that is known of its place, as the cause of another.
    pub(crate) fn into_cause(self) -> Self {
        Self { code: self.code, ..Self::new(self.to_string()) }
    }

    /// This mistake as one that is met by whoever puts pieces of tables together.
    pub(crate) fn into_collision(self) -> Self {
        match self.stage {
            Stage::Unplaced => Self { stage: Stage::Collision, ..self },
            _ => self,
        }
    }

    pub(crate) fn is_collision(&self) -> bool {
        self.stage == Stage::Collision
    }

    fn is_unplaced(&self) -> bool {
        let placed =
            matches!(self.stage, Stage::Compilation(_) | Stage::Semantic(_) | Stage::Run { .. });
        !placed && self.stage != Stage::Whole
    }

    /// What a mistake in a function of rows is to the function that calls it. `name` says what the
    /// server calls the function's evaluation, if it names it.
    pub(crate) fn in_rows(self, name: Option<&str>, function: Span) -> Self {
        let message = match (&self.stage, name) {
            (Stage::Types(_), _) | (Stage::Unplaced, None) => self.message.clone(),
            (Stage::Comparison(_), _) => {
                let message = &self.message;
                format!("cannot compile @ {function}: unsupported binary expression {message}")
            }
            (Stage::Unplaced, Some(name)) => {
                format!("failed to evaluate {name} function: {}", self.message)
            }
            _ => return self,
        };
        // What goes wrong in the evaluation for `map` is the script's fault to the server, whatever
        // it is.
        let code = match (&self.stage, name) {
            (Stage::Unplaced, Some("map")) => FluxErrorCode::Invalid,
            _ => self.code,
        };
        Self { code, ..Self::new(message) }
    }

    /// What a mistake in a function is that the server computes a column at a time.
    pub(crate) fn in_vectors(self) -> Self {
        let message = match &self.stage {
            // The server spells the type in its own way here.
            Stage::Unplaced => self.message.replace("to float due", "to Float due"),
            Stage::Types(_) => self.message,
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

    /// A mistake in the windows that `aggregateWindow` asks for. The place is that of the server's
    /// own call, in its library.
    pub(crate) fn in_window(self) -> Self {
        let place = "error calling function \"window\" @universe/universe.flux|3894:12-3900:10";
        match self.stage {
            Stage::Unplaced => Self { message: format!("{place}: {}", self.message), ..self },
            _ => self,
        }
    }

    /// A mistake that the server places in no function, though tables flow through one.
    pub(crate) fn in_no_function(self) -> Self {
        if !self.is_unplaced() {
            return self;
        }
        Self::whole(self.code, format!("runtime error: {}", self.message))
    }

    /// A mistake that the store meets, of which the server does not know where in the script it is.
    pub(crate) fn in_store(self) -> Self {
        if self.is_unplaced() { Self::whole(self.code, self.message) } else { self }
    }

    /// Adds the place of a call, unless the mistake has a place that says more.
    pub(crate) fn in_call(mut self, function: &str, at: Span) -> Self {
        if self.is_unplaced() {
            self.calls.push((function.to_owned(), at));
        }
        self
    }

    /// [`in_call`](Self::in_call) for a call of a function that the stand-in defines in Flux, whose
    /// own calls the script does not know.
    pub(crate) fn in_library_call(self, function: &str, at: Span) -> Self {
        if self.calls.is_empty() { self.in_call(function, at) } else { self }
    }

    /// Adds the place of a function through which tables flow.
    pub(crate) fn in_run(mut self, function: &str, at: Span) -> Self {
        if self.is_unplaced() {
            self.calls.clear();
            self.stage = Stage::Run { function: function.to_owned(), at };
        }
        self
    }
}

impl fmt::Display for FluxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (function, at) in self.calls.iter().rev() {
            write!(f, "error calling function \"{function}\" @{at}: ")?;
        }
        let message = &self.message;
        match &self.stage {
            Stage::Types(Some(plain)) => f.write_str(plain),
            Stage::Unplaced | Stage::Collision | Stage::Types(None) | Stage::Whole => {
                f.write_str(message)
            }
            Stage::Comparison(_) => write!(f, "unsupported binary expression {message}"),
            Stage::Compilation(at) => write!(f, "compilation failed: error @{at}: {message}"),
            Stage::Semantic(at) => write!(f, "error @{at}: {message}"),
            Stage::Run { function, at } => {
                write!(f, "runtime error @{at}: {function}: {message}")
            }
        }
    }
}

impl std::error::Error for FluxError {}
