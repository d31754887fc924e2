//! Types of the language.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::flux::ast::Name;

/// A type.
#[derive(Clone, Debug)]
pub(super) enum Type {
    /// What a mistake left behind: it goes with everything.
    Unknown,
    Basic(Basic),
    /// A type that is still to be found.
    Var(usize),
    /// A type that each use of a name fills in for itself.
    Generic(usize),
    Array(Arc<Type>),
    Stream(Arc<Type>),
    Dict(Arc<(Type, Type)>),
    /// The record without a field.
    Empty,
    /// A record: one field, and the record that it extends.
    Extend(Arc<Field>),
    Function(Arc<Function>),
}

#[derive(Debug)]
pub(super) struct Field {
    pub(super) label: Name,
    pub(super) value: Type,
    pub(super) rest: Type,
}

/// The type of a function, by the names of its parameters.
#[derive(Clone, Debug, Default)]
pub(super) struct Function {
    pub(super) required: BTreeMap<Name, Type>,
    pub(super) optional: BTreeMap<Name, Type>,
    /// What is piped in; a call does not know its name and has [`PIPE`] for it.
    pub(super) pipe: Option<(Name, Type)>,
    pub(super) result: Option<Type>,
}

/// The name of what a call pipes in.
pub(super) const PIPE: &str = "<-";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Basic {
    Bool,
    Int,
    UInt,
    Float,
    String,
    Duration,
    Time,
    Regexp,
    Bytes,
}

impl Basic {
    const ALL: [(&'static str, Self); 9] = [
        ("bool", Self::Bool),
        ("int", Self::Int),
        ("uint", Self::UInt),
        ("float", Self::Float),
        ("string", Self::String),
        ("duration", Self::Duration),
        ("time", Self::Time),
        ("regexp", Self::Regexp),
        ("bytes", Self::Bytes),
    ];

    pub(super) fn named(word: &str) -> Option<Self> {
        Self::ALL.iter().find(|(own, _)| *own == word).map(|(_, basic)| *basic)
    }

    pub(super) fn word(self) -> &'static str {
        Self::ALL.iter().find(|(_, basic)| *basic == self).map_or("", |(word, _)| word)
    }

    /// Whether the type is of a kind.
    pub(super) fn is(self, kind: Kind) -> bool {
        let number = matches!(self, Self::Int | Self::UInt | Self::Float);
        match kind {
            Kind::Basic => true,
            Kind::Record => false,
            Kind::Subtractable | Kind::Divisible | Kind::Numeric => number,
            Kind::Addable => number || self == Self::String,
            Kind::Negatable => number || self == Self::Duration,
            Kind::Timeable => matches!(self, Self::Duration | Self::Time),
            Kind::Comparable => !matches!(self, Self::Bool | Self::Regexp | Self::Bytes),
            Kind::Equatable => self != Self::Regexp,
            Kind::Nullable | Kind::Stringable => !matches!(self, Self::Regexp | Self::Bytes),
        }
    }
}

/// What operators and functions ask of a type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Addable,
    Basic,
    Comparable,
    Divisible,
    Equatable,
    Negatable,
    Nullable,
    Numeric,
    Record,
    Stringable,
    Subtractable,
    Timeable,
}

impl Kind {
    const ALL: [(&'static str, Self); 12] = [
        ("Addable", Self::Addable),
        ("Basic", Self::Basic),
        ("Comparable", Self::Comparable),
        ("Divisible", Self::Divisible),
        ("Equatable", Self::Equatable),
        ("Negatable", Self::Negatable),
        ("Nullable", Self::Nullable),
        ("Numeric", Self::Numeric),
        ("Record", Self::Record),
        ("Stringable", Self::Stringable),
        ("Subtractable", Self::Subtractable),
        ("Timeable", Self::Timeable),
    ];

    pub(super) fn named(word: &str) -> Option<Self> {
        Self::ALL.iter().find(|(own, _)| *own == word).map(|(_, kind)| *kind)
    }

    pub(super) fn word(self) -> &'static str {
        Self::ALL.iter().find(|(_, kind)| *kind == self).map_or("", |(word, _)| word)
    }
}

/// A type with the types that each use fills in, and what they have to be.
#[derive(Clone, Debug)]
pub(super) struct Scheme {
    pub(super) ty: Type,
    pub(super) generics: Vec<Vec<Kind>>,
}

impl Type {
    pub(super) const BOOL: Self = Self::Basic(Basic::Bool);
    pub(super) const INT: Self = Self::Basic(Basic::Int);
    pub(super) const STRING: Self = Self::Basic(Basic::String);

    pub(super) fn extend(label: &Name, value: Self, rest: Self) -> Self {
        Self::Extend(Arc::new(Field { label: Name::clone(label), value, rest }))
    }

    /// What follows the type in a message.
    pub(super) fn note(&self) -> &'static str {
        match self {
            Self::Function(_) => " (function)",
            Self::Dict(_) => " (dictionary)",
            Self::Empty | Self::Extend(_) => " (record)",
            Self::Array(_) => " (array)",
            _ => "",
        }
    }
}
