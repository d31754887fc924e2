//! Types of a whole script, found before it runs.
//!
//! [`check`] infers a type for each expression, as the server does, and refuses a script with the
//! server's words where types do not go together. What a function of the library takes and gives is
//! in `library`; a function that is not there goes with everything, and so does what is found only
//! when the script runs, as the columns of a bucket.

mod infer;
mod library;
mod problem;
mod signature;
mod solver;
mod ty;
mod writer;

use std::sync::Arc;

use self::infer::Inference;
use super::ast::File;
use super::error::FluxError;

/// Refuses a script in which types do not go together.
pub(crate) fn check(file: &File) -> Result<(), FluxError> {
    let mut inference = Inference::new(Some(library::library()));
    for import in &file.imports {
        inference.import(import);
    }
    inference.statements(&file.statements);
    let mistakes = inference.mistakes();
    let Some((first, rest)) = mistakes.split_first() else { return Ok(()) };
    let error = FluxError::semantic(first.0, Arc::clone(&first.1).as_ref());
    if rest.is_empty() {
        return Err(error);
    }
    let mut text = error.to_string();
    for (at, message) in rest {
        text.extend(["\n\nerror @", &at.to_string(), ": ", message]);
    }
    Err(FluxError::whole(error.code(), text))
}

#[cfg(test)]
mod tests;
