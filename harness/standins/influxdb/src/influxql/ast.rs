//! What a query says: statements, sources and expressions.
//!
//! `parser` makes them; `format` writes them as the server does; `reduce` folds what is constant.
//! An expression is owned and compared by value, so that two equal calls share one result.

use std::fmt;

use jiff::tz::TimeZone;

use super::pattern::Pattern;
use super::token::Op;

/// The type of a value, a field or an expression.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum DataType {
    Unknown,
    Float,
    Integer,
    String,
    Boolean,
    Tag,
    AnyField,
    Unsigned,
}

impl DataType {
    /// The server's word for it.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Float => "float",
            Self::Integer => "integer",
            Self::String => "string",
            Self::Boolean => "boolean",
            Self::Tag => "tag",
            Self::AnyField => "field",
            Self::Unsigned => "unsigned",
        }
    }

    /// Of two types of one field in different shard groups the higher is seen: floats before
    /// integers before unsigned ones, then strings, booleans and tags.
    fn rank(self) -> u8 {
        match self {
            Self::Unknown => 0,
            Self::AnyField => 1,
            Self::Tag => 2,
            Self::Boolean => 4,
            Self::String => 5,
            Self::Unsigned => 6,
            Self::Integer => 7,
            Self::Float => 8,
        }
    }

    /// The type that is seen when a name has this type and another.
    pub(crate) fn or_higher(self, other: Self) -> Self {
        if other.rank() > self.rank() { other } else { self }
    }

    /// Whether values of this type are numbers.
    pub(crate) fn is_numeric(self) -> bool {
        matches!(self, Self::Float | Self::Integer | Self::Unsigned)
    }
}

/// A name of a field or a tag, with its type once it is known.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct VarRef {
    pub(crate) name: String,
    pub(crate) data_type: DataType,
}

impl VarRef {
    pub(crate) fn untyped(name: &str) -> Self {
        Self { name: name.to_owned(), data_type: DataType::Unknown }
    }
}

/// A function and its arguments.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Call {
    pub(crate) name: String,
    pub(crate) args: Vec<Expr>,
}

/// Two expressions and what joins them.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Binary {
    pub(crate) op: Op,
    pub(crate) left: Expr,
    pub(crate) right: Expr,
}

/// Which names an asterisk stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wildcard {
    All,
    Fields,
    Tags,
}

/// An expression.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Expr {
    Ref(VarRef),
    Call(Call),
    /// `DISTINCT name`, without parentheses.
    Distinct(String),
    Binary(Box<Binary>),
    Paren(Box<Expr>),
    Wildcard(Wildcard),
    Regex(Pattern),
    Number(f64),
    Integer(i64),
    Unsigned(u64),
    String(String),
    Boolean(bool),
    /// A length of time in nanoseconds.
    Duration(i64),
    /// An instant in nanoseconds since 1970, wider than what can be stored.
    Time(i128),
    Nil,
    /// A place among the values of a row: what a name or a call became.
    Slot(usize),
}

impl Expr {
    pub(crate) fn binary(op: Op, left: Self, right: Self) -> Self {
        Self::Binary(Box::new(Binary { op, left, right }))
    }

    /// Whether this is written out, so that it has a value of its own.
    pub(crate) fn is_literal(&self) -> bool {
        matches!(
            self,
            Self::Regex(_)
                | Self::Number(_)
                | Self::Integer(_)
                | Self::Unsigned(_)
                | Self::String(_)
                | Self::Boolean(_)
                | Self::Duration(_)
                | Self::Time(_)
                | Self::Nil
        )
    }

    /// Calls `visit` for this expression and all inside it, outermost first.
    pub(crate) fn walk(&self, visit: &mut impl FnMut(&Self)) {
        visit(self);
        match self {
            Self::Binary(binary) => {
                binary.left.walk(visit);
                binary.right.walk(visit);
            }
            Self::Paren(inner) => inner.walk(visit),
            Self::Call(call) => call.args.iter().for_each(|arg| arg.walk(visit)),
            _ => {}
        }
    }

    /// [`walk`](Self::walk) for changes.
    pub(crate) fn walk_mut(&mut self, visit: &mut impl FnMut(&mut Self)) {
        visit(self);
        match self {
            Self::Binary(binary) => {
                binary.left.walk_mut(visit);
                binary.right.walk_mut(visit);
            }
            Self::Paren(inner) => inner.walk_mut(visit),
            Self::Call(call) => call.args.iter_mut().for_each(|arg| arg.walk_mut(visit)),
            _ => {}
        }
    }

    /// The names that the expression reads, sorted, each once, without `time`.
    pub(crate) fn names(&self) -> Vec<VarRef> {
        let mut names = Vec::new();
        self.walk(&mut |expr| match expr {
            Self::Ref(name) if name.name != "time" => names.push(name.clone()),
            _ => {}
        });
        names.sort();
        names.dedup();
        names
    }

    /// Whether the expression compares something with `time`.
    pub(crate) fn has_time(&self) -> bool {
        let mut found = false;
        self.walk(&mut |expr| {
            found |= matches!(expr, Self::Ref(name) if name.name.eq_ignore_ascii_case("time"));
        });
        found
    }
}

/// One column that a SELECT asks for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Field {
    pub(crate) expr: Expr,
    pub(crate) alias: String,
}

impl Field {
    pub(crate) fn plain(expr: Expr) -> Self {
        Self { expr, alias: String::new() }
    }

    /// The column's name, before conflicts between columns are resolved.
    pub(crate) fn name(&self) -> String {
        if !self.alias.is_empty() {
            return self.alias.clone();
        }
        expr_name(&self.expr)
    }
}

fn expr_name(expr: &Expr) -> String {
    match expr {
        Expr::Call(call) => call.name.clone(),
        Expr::Binary(_) => {
            let mut names = Vec::new();
            binary_names(expr, &mut names);
            names.join("_")
        }
        Expr::Paren(inner) => expr_name(inner),
        Expr::Ref(name) => name.name.clone(),
        _ => String::new(),
    }
}

fn binary_names(expr: &Expr, names: &mut Vec<String>) {
    match expr {
        Expr::Ref(name) => names.push(name.name.clone()),
        Expr::Call(call) => names.push(call.name.clone()),
        Expr::Binary(binary) => {
            binary_names(&binary.left, names);
            binary_names(&binary.right, names);
        }
        Expr::Paren(inner) => binary_names(inner, names),
        _ => {}
    }
}

/// What the server lists about itself, as if it were a measurement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SystemSource {
    FieldKeys,
    Series,
}

/// Measurements to read: one by name, or all that match.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Measurement {
    pub(crate) database: String,
    pub(crate) retention_policy: String,
    pub(crate) name: String,
    pub(crate) regex: Option<Pattern>,
    pub(crate) system: Option<SystemSource>,
}

/// Where a SELECT reads.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Source {
    Measurement(Measurement),
    SubQuery(Box<Select>),
}

/// What stands for a window or a value that is missing.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) enum Fill {
    #[default]
    Null,
    None,
    Integer(i64),
    Float(f64),
    Previous,
    Linear,
}

/// The order of rows by time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    Ascending,
    Descending,
}

/// A time zone with the name it was asked for by.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Zone {
    pub(crate) name: String,
    pub(crate) zone: TimeZone,
}

/// Which of many to give: so many, after so many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Page {
    pub(crate) limit: i64,
    pub(crate) offset: i64,
}

impl Page {
    /// The part of `all` that the page shows.
    pub(crate) fn cut<T>(self, mut all: Vec<T>) -> Vec<T> {
        if self.offset > 0 {
            let offset = usize::try_from(self.offset).unwrap_or(usize::MAX).min(all.len());
            all.drain(..offset);
        }
        if self.limit > 0 {
            all.truncate(usize::try_from(self.limit).unwrap_or(usize::MAX));
        }
        all
    }

    /// Whether the page leaves nothing out.
    pub(crate) fn is_all(self) -> bool {
        self == Self::default()
    }
}

/// A SELECT.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a property of its own, and they go together in any way"
)]
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Select {
    pub(crate) fields: Vec<Field>,
    /// `INTO`: the target as written, which is not carried out.
    pub(crate) target: Option<String>,
    pub(crate) sources: Vec<Source>,
    pub(crate) condition: Option<Expr>,
    pub(crate) dimensions: Vec<Expr>,
    pub(crate) fill: Fill,
    pub(crate) order: Option<Order>,
    pub(crate) rows: Page,
    pub(crate) series: Page,
    pub(crate) zone: Option<Zone>,
    /// Whether no function is called.
    pub(crate) is_raw: bool,
    pub(crate) omit_time: bool,
    pub(crate) time_alias: String,
    pub(crate) strip_name: bool,
    /// Whether equal rows are shown once.
    pub(crate) dedupe: bool,
}

impl Select {
    /// Whether rows come with the earliest first.
    pub(crate) fn ascending(&self) -> bool {
        self.order != Some(Order::Descending)
    }

    /// The windows' length and offset in nanoseconds; no length means no windows.
    pub(crate) fn interval(&self) -> (i64, i64) {
        let call = self.dimensions.iter().find_map(|dimension| match dimension {
            Expr::Call(call) if call.name == "time" => Some(call),
            _ => None,
        });
        let Some(call) = call else { return (0, 0) };
        let Some(Expr::Duration(length)) = call.args.first() else { return (0, 0) };
        let length = (*length).max(0);
        let offset = match call.args.get(1) {
            Some(Expr::Duration(offset)) if length > 0 => offset % length,
            _ => 0,
        };
        (length, offset)
    }
}

/// What a SHOW statement of tags, series or cardinality is narrowed to.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Scope {
    pub(crate) database: String,
    pub(crate) sources: Vec<Source>,
    pub(crate) condition: Option<Expr>,
    pub(crate) dimensions: Vec<Expr>,
    pub(crate) order: Option<Order>,
    pub(crate) rows: Page,
}

/// How `WITH KEY` chooses tag keys.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum KeyChoice {
    In(Vec<String>),
    Equal(String),
    NotEqual(String),
    Match(Pattern),
    NoMatch(Pattern),
}

/// What SHOW MEASUREMENTS lists.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct ShowMeasurements {
    /// `None` stands for all of them.
    pub(crate) database: Option<String>,
    pub(crate) retention_policy: PolicyChoice,
    pub(crate) source: Option<Source>,
    pub(crate) condition: Option<Expr>,
    pub(crate) rows: Page,
}

/// Which retention policies of a database are meant.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) enum PolicyChoice {
    #[default]
    Default,
    All,
    Named(String),
}

/// What is counted by a cardinality statement.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Cardinality {
    Series,
    Measurements,
    TagKeys,
    FieldKeys,
    TagValues(KeyChoice),
}

/// One statement of a query.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Statement {
    Select(Box<Select>),
    Explain,
    ShowDatabases,
    ShowRetentionPolicies {
        database: String,
    },
    ShowMeasurements(Box<ShowMeasurements>),
    ShowTagKeys(Scope),
    ShowTagValues {
        scope: Scope,
        keys: KeyChoice,
    },
    ShowFieldKeys(Scope),
    ShowSeries(Scope),
    /// Counts; `exact` is whether the statement asked for it.
    ShowCardinality {
        what: Cardinality,
        scope: Scope,
        exact: bool,
    },
    Delete {
        sources: Vec<Source>,
        condition: Option<Expr>,
    },
    DropMeasurement {
        name: String,
    },
    /// What the server parses and then does not carry out, under its own name for it.
    NotImplemented(&'static str),
}

impl fmt::Display for DataType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}
