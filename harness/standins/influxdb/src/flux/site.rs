//! Where a function of tables was called, and how the server runs it.
//!
//! Both decide how the server tells of a mistake: [`Site::tell`] adds the place, if the server
//! knows it. Tables that come in pieces are put together by [`Stream`](super::stream::Stream).

use super::ast::Span;
use super::error::FluxError;

/// Where a function of tables was called.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Site {
    pub(crate) function: &'static str,
    pub(crate) span: Span,
    pub(crate) place: Place,
}

/// Whether the server knows where a function was called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Known,
    /// Its planner has put a function of its own in the place of the script's.
    Lost,
}

impl Site {
    pub(crate) fn new(function: &'static str, span: Span) -> Self {
        Self { function, span, place: Place::Known }
    }

    /// A function that the server's planner has put in the place of the script's.
    pub(crate) fn planned(self) -> Self {
        Self { place: Place::Lost, ..self }
    }

    pub(crate) fn tell(self, error: FluxError) -> FluxError {
        match self.place {
            Place::Known => error.in_run(self.function, self.span),
            Place::Lost => error.in_no_function(),
        }
    }

    /// How the server runs a function that moves no rows to other tables piece by piece.
    pub(crate) fn running(self) -> Running {
        match self.function {
            "limit" | "filter" | "movingAverage" | "derivative" | "stateTracking"
            | "stateCount" | "stateDuration" => Running::Narrow,
            "aggregateWindow" | "inner" | "left" | "right" | "full" | "tables" | "time" => {
                Running::Piecewise
            }
            _ => Running::Whole,
        }
    }
}

/// How the server runs a function of tables, which shows in where it places mistakes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Running {
    /// Table by table, each of them whole.
    Whole,
    /// Piece by piece, and whole tables come out.
    Piecewise,
    /// Piece by piece, and pieces come out.
    Narrow,
    /// Piece by piece, and rows move to other tables: more of a table may come until the end.
    Regrouping,
}

/// How the tables of a stream reach the next function on the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Delivery {
    Tables,
    /// In pieces, several with one group key, which the next function that wants whole tables puts
    /// together at the end. What goes wrong in that function then is told without a place.
    Pieces,
}
