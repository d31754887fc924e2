//! The rewriting of single expressions into those that `DataFusion` computes as the service does.
//!
//! [`Rewriter::rewrite`] is called for each expression, innermost first. Most functions are left
//! as they are; every function must be in [`Functions`] at the end.

use datafusion::sql::sqlparser::ast::{
    BinaryOperator, CaseWhen, CastKind, DataType as SqlType, DateTimeField, DuplicateTreatment,
    Expr, Function, FunctionArg, FunctionArgExpr, FunctionArgumentClause, FunctionArgumentList,
    FunctionArguments, Ident, ObjectName, OrderByExpr, OrderByOptions, TimezoneInfo, TypedString,
    Value, helpers::attached_token::AttachedToken,
};

use super::functions::Functions;
use super::tokens::{Tokens, at};
use crate::error::ApiError;
use crate::value::push_timestamp;

/// Rewrites the expressions of one query.
pub(super) struct Rewriter<'a> {
    pub(super) tokens: &'a Tokens,
    pub(super) functions: &'a Functions,
    pub(super) now_ns: i64,
}

/// The word with which a statement begins.
pub(super) fn first_word(tokens: &Tokens) -> &str {
    tokens.words().next().flatten().map_or("this statement", |word| &word.value)
}

impl Rewriter<'_> {
    pub(super) fn rewrite(&self, expr: &mut Expr) -> Result<(), ApiError> {
        match expr {
            Expr::Function(function) => {
                if let Some(rewritten) = self.function(function)? {
                    *expr = rewritten;
                }
            }
            Expr::Extract { field, expr: inner, .. } => {
                let name = self.date_part(field)?;
                *expr = call(name, vec![std::mem::replace(inner.as_mut(), null())]);
            }
            Expr::Cast { kind, expr: inner, data_type, format, .. } => {
                let tried = *kind != CastKind::Cast || format.is_some();
                if let Some(name) = self.cast(data_type, tried)? {
                    *expr = call(name, vec![std::mem::replace(inner.as_mut(), null())]);
                }
            }
            Expr::AtTimeZone { .. } => return Err(self.refuse("zone", "AT TIME ZONE")),
            Expr::ILike { .. } => return Err(self.refuse("ilike", "ILIKE")),
            Expr::SimilarTo { .. } => return Err(self.refuse("similar", "SIMILAR TO")),
            Expr::RLike { .. } => return Err(self.refuse("rlike", "RLIKE")),
            _ => {}
        }
        Ok(())
    }

    /// What a call becomes, when it does not stay as it is.
    fn function(&self, function: &mut Function) -> Result<Option<Expr>, ApiError> {
        // Quotes make no other function of a name.
        let name = function.name.to_string().trim_matches('"').to_owned();
        let rewritten = match (name.as_str(), self.take_args(function)?) {
            ("now" | "current_timestamp" | "localtimestamp", args) => {
                let [] = self.exactly(&name, args)?;
                self.now()
            }
            ("current_date", args) => {
                let [] = self.exactly(&name, args)?;
                call("date", vec![self.now()])
            }
            ("ago", args) => {
                let [interval] = self.exactly(&name, args)?;
                nested(binary(self.now(), BinaryOperator::Minus, interval))
            }
            ("nan", args) => {
                let [] = self.exactly(&name, args)?;
                double("NaN")
            }
            ("infinity", args) => {
                let [] = self.exactly(&name, args)?;
                double("Infinity")
            }
            ("if", args) => self.if_function(args)?,
            ("concat", args) => nested(concatenated(self.plain(&name, args)?)),
            ("greatest" | "least", args) => null_if_any_null(&name, self.plain(&name, args)?),
            ("mod", args) => {
                let [left, right] = self.exactly(&name, args)?;
                nested(binary(nested(left), BinaryOperator::Modulo, nested(right)))
            }
            ("count_if", args) => {
                let [condition] = self.exactly(&name, args)?;
                let counted = case(vec![(condition, number("1"))], None);
                aggregate(function, "count", vec![counted])
            }
            ("geometric_mean", args) => {
                let [value] = self.exactly(&name, args)?;
                let mean = aggregate(function, "avg", vec![call("ln", vec![value])]);
                call("exp", vec![mean])
            }
            ("max_by" | "min_by", args) => {
                let [value, by] = self.exactly(&name, args)?;
                extreme_by(function, value, by, name == "min_by")
            }
            ("approx_percentile", args) => {
                let [value, share] = self.exactly(&name, args)?;
                aggregate(function, "$approx_percentile", vec![value, share])
            }
            (_, args) => {
                put_args(function, args);
                return self.check_known(&name).map(|()| None);
            }
        };
        Ok(Some(rewritten))
    }

    fn check_known(&self, name: &str) -> Result<(), ApiError> {
        // `$` begins the names that only rewriting may use.
        if !name.contains('$') && self.functions.has(name) {
            return Ok(());
        }
        Err(self.refuse_call(name, "is not supported"))
    }

    /// The arguments of a call of a rewritten function: plain expressions only.
    fn take_args(&self, function: &mut Function) -> Result<Vec<FunctionArg>, ApiError> {
        match &mut function.args {
            FunctionArguments::None => Ok(Vec::new()),
            FunctionArguments::Subquery(_) => Err(self.refuse("select", "a query as argument")),
            FunctionArguments::List(list) => Ok(std::mem::take(&mut list.args)),
        }
    }

    /// The `N` arguments that a function takes.
    fn exactly<const N: usize>(
        &self,
        name: &str,
        args: Vec<FunctionArg>,
    ) -> Result<[Expr; N], ApiError> {
        let found = args.len();
        self.plain(name, args)?
            .try_into()
            .map_err(|_| self.refuse_call(name, &format!("takes {N} arguments, not {found}")))
    }

    /// The arguments of a function that takes expressions only: no star, no names.
    fn plain(&self, name: &str, args: Vec<FunctionArg>) -> Result<Vec<Expr>, ApiError> {
        let plain: Option<Vec<Expr>> = args.into_iter().map(plain_arg).collect();
        plain.ok_or_else(|| self.refuse_call(name, "takes expressions only"))
    }

    fn refuse_call(&self, name: &str, problem: &str) -> ApiError {
        let message = format!("Function '{name}' {problem}");
        match self.tokens.position(name) {
            Some(position) => at(position, &message),
            None => ApiError::validation(message),
        }
    }

    fn if_function(&self, args: Vec<FunctionArg>) -> Result<Expr, ApiError> {
        if args.len() == 3 {
            let [condition, yes, no] = self.exactly("if", args)?;
            return Ok(case(vec![(condition, yes)], Some(no)));
        }
        let [condition, yes] = self.exactly("if", args)?;
        Ok(case(vec![(condition, yes)], None))
    }

    /// The present, to the millisecond, as the service tells it.
    fn now(&self) -> Expr {
        let mut text = String::new();
        push_timestamp(&mut text, self.now_ns.div_euclid(1_000_000) * 1_000_000);
        Expr::TypedString(TypedString {
            data_type: SqlType::Timestamp(None, TimezoneInfo::None),
            value: Value::SingleQuotedString(text).into(),
            uses_odbc_syntax: false,
        })
    }

    fn date_part(&self, field: &DateTimeField) -> Result<&'static str, ApiError> {
        Ok(match field {
            DateTimeField::Year => "year",
            DateTimeField::Quarter => "quarter",
            DateTimeField::Month => "month",
            DateTimeField::Week(None) => "week",
            DateTimeField::Day => "day",
            DateTimeField::DayOfWeek | DateTimeField::Dow => "day_of_week",
            DateTimeField::DayOfYear | DateTimeField::Doy => "day_of_year",
            DateTimeField::Hour => "hour",
            DateTimeField::Minute => "minute",
            DateTimeField::Second => "second",
            other => return Err(self.refuse("extract", &format!("EXTRACT({other} …)"))),
        })
    }

    /// The function that casts to this type, where `DataFusion`'s own cast gives something else.
    fn cast(&self, to: &SqlType, tried: bool) -> Result<Option<&'static str>, ApiError> {
        let name = match to {
            SqlType::Varchar(None) => "$varchar",
            SqlType::BigInt(None) => "$bigint",
            SqlType::Integer(None) | SqlType::Int(None) => "$integer",
            SqlType::Double(_)
            | SqlType::DoublePrecision
            | SqlType::Boolean
            | SqlType::Date
            | SqlType::Timestamp(None, TimezoneInfo::None) => return Ok(None),
            other => return Err(self.refuse("cast", &format!("CAST to {other}"))),
        };
        if tried {
            return Err(self.refuse("try_cast", &format!("TRY_CAST to {to}")));
        }
        Ok(Some(name))
    }

    fn refuse(&self, keyword: &str, what: &str) -> ApiError {
        let message = format!("{what} is not supported");
        match self.tokens.position(keyword) {
            Some(position) => at(position, &message),
            None => ApiError::validation(message),
        }
    }
}

fn put_args(function: &mut Function, args: Vec<FunctionArg>) {
    if let FunctionArguments::List(list) = &mut function.args {
        list.args = args;
    }
}

fn plain_arg(arg: FunctionArg) -> Option<Expr> {
    match arg {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Some(expr),
        _ => None,
    }
}

/// `value` where `by` is greatest or least; rows without `by` do not count.
fn extreme_by(function: &mut Function, value: Expr, by: Expr, least: bool) -> Expr {
    let present = Expr::IsNotNull(Box::new(nested(by.clone())));
    let filter = match function.filter.take() {
        None => present,
        Some(filter) => binary(nested(*filter), BinaryOperator::And, present),
    };
    function.filter = Some(Box::new(filter));
    let options = OrderByOptions { asc: Some(least), nulls_first: Some(false) };
    let order = OrderByExpr { expr: by, options, with_fill: None };
    if let FunctionArguments::List(list) = &mut function.args {
        list.clauses.push(FunctionArgumentClause::OrderBy(vec![order]));
    }
    aggregate(function, "$first_value", vec![value])
}

/// The call `function` under another name, with its filter and window.
fn aggregate(function: &mut Function, name: &str, args: Vec<Expr>) -> Expr {
    let mut renamed = function.clone();
    renamed.name = name_of(name);
    if let FunctionArguments::List(list) = &mut renamed.args {
        list.args = args.into_iter().map(unnamed).collect();
    }
    Expr::Function(renamed)
}

/// `greatest` and `least`, which are null as soon as one argument is.
fn null_if_any_null(name: &str, args: Vec<Expr>) -> Expr {
    let nulls = args.iter().map(|arg| Expr::IsNull(Box::new(nested(arg.clone()))));
    let any_null = nulls.reduce(|left, right| binary(left, BinaryOperator::Or, right));
    let extreme = call(&format!("${name}"), args);
    match any_null {
        Some(any_null) => case(vec![(any_null, null())], Some(extreme)),
        None => extreme,
    }
}

fn concatenated(args: Vec<Expr>) -> Expr {
    let joined = args
        .into_iter()
        .map(nested)
        .reduce(|left, right| binary(left, BinaryOperator::StringConcat, right));
    joined.unwrap_or_else(|| Expr::Value(Value::SingleQuotedString(String::new()).into()))
}

fn case(arms: Vec<(Expr, Expr)>, otherwise: Option<Expr>) -> Expr {
    let conditions = arms.into_iter().map(|(condition, result)| CaseWhen { condition, result });
    Expr::Case {
        case_token: AttachedToken::empty(),
        end_token: AttachedToken::empty(),
        operand: None,
        conditions: conditions.collect(),
        else_result: otherwise.map(Box::new),
    }
}

fn call(name: &str, args: Vec<Expr>) -> Expr {
    Expr::Function(Function {
        name: name_of(name),
        uses_odbc_syntax: false,
        parameters: FunctionArguments::None,
        args: FunctionArguments::List(FunctionArgumentList {
            duplicate_treatment: None::<DuplicateTreatment>,
            args: args.into_iter().map(unnamed).collect(),
            clauses: Vec::new(),
        }),
        filter: None,
        null_treatment: None,
        over: None,
        within_group: Vec::new(),
    })
}

fn name_of(name: &str) -> ObjectName {
    ObjectName::from(Ident::with_quote('"', name))
}

fn unnamed(expr: Expr) -> FunctionArg {
    FunctionArg::Unnamed(FunctionArgExpr::Expr(expr))
}

fn binary(left: Expr, op: BinaryOperator, right: Expr) -> Expr {
    Expr::BinaryOp { left: Box::new(left), op, right: Box::new(right) }
}

fn nested(expr: Expr) -> Expr {
    Expr::Nested(Box::new(expr))
}

/// A double that has no literal.
fn double(text: &str) -> Expr {
    Expr::Cast {
        kind: CastKind::Cast,
        expr: Box::new(Expr::Value(Value::SingleQuotedString(text.to_owned()).into())),
        data_type: SqlType::DoublePrecision,
        array: false,
        format: None,
    }
}

fn number(text: &str) -> Expr {
    Expr::Value(Value::Number(text.to_owned(), false).into())
}

fn null() -> Expr {
    Expr::Value(Value::Null.into())
}
