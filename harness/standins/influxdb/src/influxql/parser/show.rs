//! SHOW: databases, retention policies, measurements, keys, values, series and their counts.

use super::{ParseError, Parser, unexpected};
use crate::influxql::ast::{
    Cardinality, KeyChoice, Page, PolicyChoice, Scope, ShowMeasurements, Statement,
};
use crate::influxql::token::{Keyword, Op, Token};

use Keyword as K;

impl Parser<'_> {
    pub(super) fn show(&mut self) -> Result<Statement, ParseError> {
        let words = [
            K::Continuous,
            K::Databases,
            K::Diagnostics,
            K::Field,
            K::Grants,
            K::Measurement,
            K::Measurements,
            K::Queries,
            K::Retention,
            K::Series,
            K::Shard,
            K::Shards,
            K::Stats,
            K::Subscriptions,
            K::Tag,
            K::Users,
        ];
        match self.one_of(&words)? {
            K::Continuous => {
                self.one_of(&[K::Queries])?;
                Ok(Statement::NotImplemented("SHOW CONTINUOUS QUERIES"))
            }
            K::Databases => Ok(Statement::ShowDatabases),
            K::Diagnostics => self.for_module("SHOW DIAGNOSTICS"),
            K::Field => match self.one_of(&[K::Key, K::Keys])? {
                K::Key => self.key_cardinality(Cardinality::FieldKeys),
                _ => self.field_keys(),
            },
            K::Grants => {
                self.one_of(&[K::For])?;
                self.ident()?;
                Ok(Statement::NotImplemented("SHOW GRANTS"))
            }
            K::Measurement => {
                let exact = self.one_of(&[K::Exact, K::Cardinality])? == K::Exact;
                self.counted(Cardinality::Measurements, exact)
            }
            K::Measurements => self.measurements(),
            K::Queries => Ok(Statement::NotImplemented("SHOW QUERIES")),
            K::Retention => {
                self.one_of(&[K::Policies])?;
                let database = self.on_database()?;
                Ok(Statement::ShowRetentionPolicies { database })
            }
            K::Series => self.series(),
            K::Shard => {
                self.one_of(&[K::Groups])?;
                Ok(Statement::NotImplemented("SHOW SHARD GROUPS"))
            }
            K::Shards => Ok(Statement::NotImplemented("SHOW SHARDS")),
            K::Stats => self.for_module("SHOW STATS"),
            K::Subscriptions => Ok(Statement::NotImplemented("SHOW SUBSCRIPTIONS")),
            K::Tag => match self.one_of(&[K::Key, K::Keys, K::Values])? {
                K::Key => self.key_cardinality(Cardinality::TagKeys),
                K::Keys => self.tag_keys(),
                _ => self.tag_values(),
            },
            _ => Ok(Statement::NotImplemented("SHOW USERS")),
        }
    }

    fn for_module(&mut self, name: &'static str) -> Result<Statement, ParseError> {
        if self.accept_word(K::For) {
            self.string()?;
        }
        Ok(Statement::NotImplemented(name))
    }

    fn on_database(&mut self) -> Result<String, ParseError> {
        if self.accept_word(K::On) { self.ident() } else { Ok(String::new()) }
    }

    /// `ON db FROM m, n`: how most of these statements begin.
    fn scope_start(&mut self) -> Result<Scope, ParseError> {
        let database = self.on_database()?;
        let sources = if self.accept_word(K::From) { self.sources()? } else { Vec::new() };
        Ok(Scope { database, sources, ..Scope::default() })
    }

    fn order_and_page(&mut self, scope: &mut Scope) -> Result<(), ParseError> {
        scope.order = self.order_by()?;
        scope.rows = self.page(K::Limit, K::Offset)?;
        Ok(())
    }

    fn field_keys(&mut self) -> Result<Statement, ParseError> {
        let mut scope = self.scope_start()?;
        self.order_and_page(&mut scope)?;
        Ok(Statement::ShowFieldKeys(scope))
    }

    fn series(&mut self) -> Result<Statement, ParseError> {
        let exact = self.accept_word(K::Exact);
        if self.accept_word(K::Cardinality) {
            return self.cardinality(Cardinality::Series, exact);
        }
        let mut scope = self.scope_start()?;
        scope.condition = self.condition()?;
        self.order_and_page(&mut scope)?;
        Ok(Statement::ShowSeries(scope))
    }

    fn tag_keys(&mut self) -> Result<Statement, ParseError> {
        let mut scope = self.scope_start()?;
        if self.accept_word(K::With) {
            // The server reads the choice of keys here and then forgets it.
            self.back();
            self.key_choice()?;
        }
        scope.condition = self.condition()?;
        self.order_and_page(&mut scope)?;
        self.page(K::Slimit, K::Soffset)?;
        Ok(Statement::ShowTagKeys(scope))
    }

    fn tag_values(&mut self) -> Result<Statement, ParseError> {
        let found = self.next();
        match found.token {
            Token::Keyword(K::Exact) => {
                self.expect_word(K::Cardinality)?;
                return self.value_cardinality(true);
            }
            Token::Keyword(K::Cardinality) => return self.value_cardinality(false),
            _ => self.back(),
        }
        let mut scope = self.scope_start()?;
        let keys = self.key_choice()?;
        scope.condition = self.condition()?;
        self.order_and_page(&mut scope)?;
        Ok(Statement::ShowTagValues { scope, keys })
    }

    fn value_cardinality(&mut self, exact: bool) -> Result<Statement, ParseError> {
        let mut scope = self.scope_start()?;
        let what = Cardinality::TagValues(self.key_choice()?);
        self.counted_scope(&mut scope)?;
        Ok(Statement::ShowCardinality { what, scope, exact })
    }

    /// `[EXACT] CARDINALITY …` behind `KEY`.
    fn key_cardinality(&mut self, what: Cardinality) -> Result<Statement, ParseError> {
        let exact = self.accept_word(K::Exact);
        let found = self.next();
        if found.token != Token::Keyword(K::Cardinality) {
            let wanted = if exact { "CARDINALITY" } else { "EXACT, CARDINALITY" };
            return Err(unexpected(&found, wanted));
        }
        self.cardinality(what, exact)
    }

    /// A count whose `EXACT`, if any, was read without the word behind it.
    fn counted(&mut self, what: Cardinality, exact: bool) -> Result<Statement, ParseError> {
        if exact {
            self.expect_word(K::Cardinality)?;
        }
        self.cardinality(what, exact)
    }

    fn cardinality(&mut self, what: Cardinality, exact: bool) -> Result<Statement, ParseError> {
        let mut scope = self.scope_start()?;
        self.counted_scope(&mut scope)?;
        Ok(Statement::ShowCardinality { what, scope, exact })
    }

    fn counted_scope(&mut self, scope: &mut Scope) -> Result<(), ParseError> {
        scope.condition = self.condition()?;
        scope.dimensions = self.dimensions()?;
        scope.rows = self.page(K::Limit, K::Offset)?;
        Ok(())
    }

    fn measurements(&mut self) -> Result<Statement, ParseError> {
        let mut show =
            ShowMeasurements { database: Some(String::new()), ..ShowMeasurements::default() };
        if self.accept_word(K::On) {
            show.database = self.name_or_all()?;
            if self.accept(Token::Dot) {
                show.retention_policy = match self.name_or_all()? {
                    Some(name) => PolicyChoice::Named(name),
                    None => PolicyChoice::All,
                };
            }
        }
        if self.accept_word(K::With) {
            self.expect_word(K::Measurement)?;
            let found = self.next();
            if !matches!(found.token, Token::Op(Op::Eq | Op::EqRegex)) {
                return Err(unexpected(&found, "=, =~"));
            }
            show.source = Some(self.source()?);
        }
        show.condition = self.condition()?;
        self.order_by()?;
        show.rows = self.page(K::Limit, K::Offset)?;
        Ok(Statement::ShowMeasurements(Box::new(show)))
    }

    fn name_or_all(&mut self) -> Result<Option<String>, ParseError> {
        let found = self.next();
        match found.token {
            Token::Ident => Ok(Some(found.text)),
            Token::Op(Op::Mul) => Ok(None),
            _ => Err(unexpected(&found, "identifier or *")),
        }
    }

    fn key_choice(&mut self) -> Result<KeyChoice, ParseError> {
        self.expect_word(K::With)?;
        self.expect_word(K::Key)?;
        let found = self.next();
        match found.token {
            Token::Keyword(K::In) => {
                self.expect(Token::LeftParen)?;
                let keys = self.idents()?;
                self.expect(Token::RightParen)?;
                Ok(KeyChoice::In(keys))
            }
            Token::Op(Op::Eq) => Ok(KeyChoice::Equal(self.ident()?)),
            Token::Op(Op::Neq) => Ok(KeyChoice::NotEqual(self.ident()?)),
            Token::Op(op @ (Op::EqRegex | Op::NeqRegex)) => match self.regex()? {
                Some(pattern) if op == Op::EqRegex => Ok(KeyChoice::Match(pattern)),
                Some(pattern) => Ok(KeyChoice::NoMatch(pattern)),
                None => Err(unexpected(&self.next(), "regex")),
            },
            _ => Err(unexpected(&found, "IN, =, =~")),
        }
    }
}

impl Scope {
    /// Whether nothing narrows the statement but its database.
    pub(crate) fn is_whole_database(&self) -> bool {
        self.sources.is_empty()
            && self.condition.is_none()
            && self.dimensions.is_empty()
            && self.rows == Page::default()
    }
}
