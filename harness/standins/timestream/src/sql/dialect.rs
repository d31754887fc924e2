//! The parsed query: what the service would refuse is refused, what `DataFusion` reads otherwise
//! is rewritten, and every column of a result gets a name.
//!
//! [`rewrite`] is the whole; the rewriting of single expressions is `rewrite`'s, the neighbour.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use datafusion::sql::parser::Statement;
use datafusion::sql::sqlparser::ast::{
    Distinct, Expr, GroupByExpr, Ident, Query, Select, SelectItem, Statement as SqlStatement,
    VisitMut, VisitorMut, WildcardAdditionalOptions,
};

use super::functions::Functions;
use super::rewrite::{Rewriter, first_word};
use super::tokens::{Tokens, at};
use crate::error::ApiError;

/// How many tables a `FROM` may list, and how many queries a `WITH` may name. Each makes the plan
/// deeper, and the planner works recursively.
const MAX_LISTED: usize = 32;
/// Begins the names of result columns to which the query gives none.
const MARK: &str = "$column";

/// The names of result columns that are not what the plan calls them.
#[derive(Debug, Default)]
pub(super) struct OutputNames {
    /// The name that the query implies, by mark; nothing for an expression.
    marked: BTreeMap<String, Option<String>>,
}

impl OutputNames {
    /// The name, in lower case, of the plan's column `name` that is the result's number `number`.
    pub(super) fn plain(&self, name: &str, number: usize) -> String {
        match self.marked.get(name) {
            None => name.to_owned(),
            Some(Some(implied)) => implied.clone(),
            Some(None) => format!("_col{number}"),
        }
    }

    fn mark(&mut self, implied: Option<String>) -> Ident {
        let mark = format!("{MARK}{}", self.marked.len());
        self.marked.insert(mark.clone(), implied);
        Ident::with_quote('"', mark)
    }
}

/// Checks and rewrites a statement, which must be a query.
pub(super) fn rewrite(
    statement: Statement,
    tokens: &Tokens,
    functions: &Functions,
    now_ns: i64,
) -> Result<(Statement, OutputNames), ApiError> {
    let Statement::Statement(mut statement) = statement else {
        return Err(not_a_query(tokens));
    };
    if !matches!(*statement, SqlStatement::Query(_)) {
        return Err(not_a_query(tokens));
    }
    let rewriter = Rewriter { tokens, functions, now_ns };
    let mut visitor = Visitor { rewriter, names: OutputNames::default() };
    match statement.visit(&mut visitor) {
        ControlFlow::Break(refusal) => Err(refusal),
        ControlFlow::Continue(()) => Ok((Statement::Statement(statement), visitor.names)),
    }
}

fn not_a_query(tokens: &Tokens) -> ApiError {
    let what = first_word(tokens).to_uppercase();
    ApiError::validation(format!("{what} is not supported: only queries are"))
}

struct Visitor<'a> {
    rewriter: Rewriter<'a>,
    names: OutputNames,
}

impl Visitor<'_> {
    fn refuse(&self, keyword: &str, what: &str) -> ApiError {
        let message = format!("{what} is not supported");
        match self.rewriter.tokens.position(keyword) {
            Some(position) => at(position, &message),
            None => ApiError::validation(message),
        }
    }

    /// What the parser knows from other dialects, and the service does not.
    fn check_select(&self, select: &Select) -> Result<(), ApiError> {
        if matches!(select.distinct, Some(Distinct::On(_))) {
            return Err(self.refuse("distinct", "DISTINCT ON"));
        }
        if select.top.is_some() {
            return Err(self.refuse("top", "TOP"));
        }
        if select.into.is_some() {
            return Err(self.refuse("into", "INTO"));
        }
        if select.qualify.is_some() {
            return Err(self.refuse("qualify", "QUALIFY"));
        }
        if select.from.len() > MAX_LISTED {
            return Err(self.refuse("from", &format!("FROM with more than {MAX_LISTED} tables")));
        }
        if matches!(select.group_by, GroupByExpr::All(_)) {
            return Err(self.refuse("group", "GROUP BY ALL"));
        }
        let plain = WildcardAdditionalOptions::default();
        for item in &select.projection {
            if let SelectItem::Wildcard(options) | SelectItem::QualifiedWildcard(_, options) = item
            {
                // Where the star stands is told to be equal by sqlparser, as all tokens are.
                if *options != plain {
                    return Err(self.refuse("select", "a list after '*'"));
                }
            }
        }
        Ok(())
    }

    fn check_query(&self, query: &Query) -> Result<(), ApiError> {
        if !query.locks.is_empty() || query.for_clause.is_some() {
            return Err(self.refuse("for", "FOR"));
        }
        let Some(with) = &query.with else { return Ok(()) };
        if with.recursive {
            return Err(self.refuse("recursive", "WITH RECURSIVE"));
        }
        if with.cte_tables.len() > MAX_LISTED {
            return Err(self.refuse("with", &format!("WITH of more than {MAX_LISTED} queries")));
        }
        Ok(())
    }

    /// Names the columns that have no name, and those that would share one.
    fn name_columns(&mut self, select: &mut Select) {
        let mut seen = BTreeSet::new();
        for item in &mut select.projection {
            let SelectItem::UnnamedExpr(expr) = item else { continue };
            let implied = match &*expr {
                Expr::Identifier(name) => Some(name.value.clone()),
                Expr::CompoundIdentifier(path) => path.last().map(|name| name.value.clone()),
                _ => None,
            };
            if implied.as_ref().is_none_or(|name| !seen.insert(name.clone())) {
                let alias = self.names.mark(implied);
                *item = SelectItem::ExprWithAlias { expr: expr.clone(), alias };
            }
        }
    }
}

impl VisitorMut for Visitor<'_> {
    type Break = ApiError;

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<ApiError> {
        to_flow(self.check_query(query))
    }

    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<ApiError> {
        let checked = self.check_select(select);
        self.name_columns(select);
        to_flow(checked)
    }

    // Not before: what a rewritten call holds has to be rewritten first, and once.
    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<ApiError> {
        to_flow(self.rewriter.rewrite(expr))
    }
}

fn to_flow(result: Result<(), ApiError>) -> ControlFlow<ApiError> {
    match result {
        Ok(()) => ControlFlow::Continue(()),
        Err(refusal) => ControlFlow::Break(refusal),
    }
}
