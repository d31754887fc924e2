//! What 1.x administered by statements: 2.x reads these statements and then says that they are not
//! implemented, so that only their names are kept.

use super::{ParseError, Parser, mistake, unexpected};
use crate::influxql::ast::Statement;
use crate::influxql::token::{Keyword, Op, Token};

use Keyword as K;

fn refused(name: &'static str) -> Statement {
    Statement::NotImplemented(name)
}

impl Parser<'_> {
    pub(super) fn create(&mut self) -> Result<Statement, ParseError> {
        let words = [K::Continuous, K::Database, K::User, K::Retention, K::Subscription];
        match self.one_of(&words)? {
            K::Continuous => {
                self.one_of(&[K::Query])?;
                self.create_continuous_query()
            }
            K::Database => self.create_database(),
            K::User => {
                self.ident()?;
                self.expect_word(K::With)?;
                self.expect_word(K::Password)?;
                self.string()?;
                if self.accept_word(K::With) {
                    self.expect_word(K::All)?;
                    self.expect_word(K::Privileges)?;
                }
                Ok(refused("CREATE USER"))
            }
            K::Retention => {
                self.one_of(&[K::Policy])?;
                self.create_retention_policy()
            }
            _ => self.create_subscription(),
        }
    }

    pub(super) fn drop(&mut self) -> Result<Statement, ParseError> {
        let words = [
            K::Continuous,
            K::Database,
            K::Measurement,
            K::Retention,
            K::Series,
            K::Shard,
            K::Subscription,
            K::User,
        ];
        let word = self.one_of(&words)?;
        match word {
            K::Measurement => Ok(Statement::DropMeasurement { name: self.ident()? }),
            K::Database | K::User => {
                self.ident()?;
                Ok(refused(if word == K::User { "DROP USER" } else { "DROP DATABASE" }))
            }
            K::Continuous | K::Retention => {
                let continuous = word == K::Continuous;
                self.one_of(&[if continuous { K::Query } else { K::Policy }])?;
                self.ident()?;
                self.expect_word(K::On)?;
                self.ident()?;
                Ok(refused(if continuous {
                    "DROP CONTINUOUS QUERY"
                } else {
                    "DROP RETENTION POLICY"
                }))
            }
            K::Series => {
                self.delete()?;
                Ok(refused("DROP SERIES"))
            }
            K::Shard => {
                self.unsigned()?;
                Ok(refused("DROP SHARD"))
            }
            _ => {
                self.subscription_name()?;
                Ok(refused("DROP SUBSCRIPTION"))
            }
        }
    }

    fn create_database(&mut self) -> Result<Statement, ParseError> {
        self.ident()?;
        if self.accept_word(K::With) {
            self.one_of(&[K::Duration, K::Name, K::Replication, K::Shard])?;
            self.back();
            if self.accept_word(K::Duration) {
                self.duration()?;
            }
            if self.accept_word(K::Replication) {
                self.positive(1)?;
            }
            if self.accept_word(K::Shard) {
                self.expect_word(K::Duration)?;
                self.duration()?;
            }
            if self.accept_word(K::Name) {
                self.ident()?;
            }
        }
        Ok(refused("CREATE DATABASE"))
    }

    fn create_retention_policy(&mut self) -> Result<Statement, ParseError> {
        self.ident()?;
        self.expect_word(K::On)?;
        self.ident()?;
        self.expect_word(K::Duration)?;
        self.duration()?;
        self.expect_word(K::Replication)?;
        self.positive(1)?;
        if self.accept_word(K::Shard) {
            self.expect_word(K::Duration)?;
            self.shard_duration()?;
        }
        self.accept_word(K::Default);
        Ok(refused("CREATE RETENTION POLICY"))
    }

    fn shard_duration(&mut self) -> Result<(), ParseError> {
        let found = self.next();
        if found.token == Token::Keyword(K::Inf) {
            return Err(mistake("invalid duration INF for shard duration", found.position));
        }
        self.back();
        self.duration().map(drop)
    }

    fn subscription_name(&mut self) -> Result<(), ParseError> {
        self.ident()?;
        self.expect_word(K::On)?;
        self.ident()?;
        let found = self.next_raw();
        if found.token != Token::Dot {
            return Err(unexpected(&found, "."));
        }
        self.ident().map(drop)
    }

    fn create_subscription(&mut self) -> Result<Statement, ParseError> {
        self.subscription_name()?;
        self.expect_word(K::Destinations)?;
        self.one_of(&[K::All, K::Any])?;
        self.strings()?;
        Ok(refused("CREATE SUBSCRIPTION"))
    }

    fn create_continuous_query(&mut self) -> Result<Statement, ParseError> {
        self.ident()?;
        self.expect_word(K::On)?;
        self.ident()?;
        if self.accept_word(K::Resample) {
            let mut given = false;
            for word in [K::Every, K::For] {
                if self.accept_word(word) {
                    let found = self.next();
                    if found.token != Token::Duration {
                        return Err(unexpected(&found, "duration"));
                    }
                    given = true;
                }
            }
            if !given {
                return Err(unexpected(&self.next(), "EVERY, FOR"));
            }
        }
        self.expect_word(K::Begin)?;
        self.expect_word(K::Select)?;
        let select = self.select()?;
        let found = self.next();
        if select.target.is_none() {
            return Err(unexpected(&found, "INTO"));
        }
        if !select.is_raw && select.interval().0 == 0 {
            return Err(unexpected(&found, "GROUP BY time(...)"));
        }
        if found.token != Token::Keyword(K::End) {
            return Err(unexpected(&found, "END"));
        }
        Ok(refused("CREATE CONTINUOUS QUERY"))
    }

    pub(super) fn alter(&mut self) -> Result<Statement, ParseError> {
        self.one_of(&[K::Retention])?;
        self.one_of(&[K::Policy])?;
        if !self.accept_word(K::Default) {
            self.ident()?;
        }
        self.expect_word(K::On)?;
        self.ident()?;
        let mut seen = Vec::new();
        loop {
            let found = self.next();
            if seen.contains(&found.token) {
                let text = format!("found duplicate {} option", found.token.text());
                return Err(mistake(&text, found.position));
            }
            match found.token {
                Token::Keyword(K::Duration) => drop(self.duration()?),
                Token::Keyword(K::Replication) => drop(self.positive(1)?),
                Token::Keyword(K::Shard) => {
                    self.expect_word(K::Duration)?;
                    self.shard_duration()?;
                }
                Token::Keyword(K::Default) => {}
                _ if seen.is_empty() => {
                    return Err(unexpected(&found, "DURATION, REPLICATION, SHARD, DEFAULT"));
                }
                _ => {
                    self.back();
                    return Ok(refused("ALTER RETENTION POLICY"));
                }
            }
            seen.push(found.token);
        }
    }

    /// Reads a privilege and tells whether it is all of them.
    fn privilege(&mut self) -> Result<bool, ParseError> {
        let found = self.next();
        match found.token {
            Token::Keyword(K::Read | K::Write) => Ok(false),
            Token::Keyword(K::All) => {
                self.accept_word(K::Privileges);
                Ok(true)
            }
            _ => Err(unexpected(&found, "READ, WRITE, ALL [PRIVILEGES]")),
        }
    }

    /// `ON db TO user` or, for all privileges, `TO user`; `to` is the word for it.
    fn privilege_on(&mut self, to: Keyword) -> Result<bool, ParseError> {
        let all = self.privilege()?;
        let found = self.next();
        if found.token == Token::Keyword(K::On) {
            self.ident()?;
            self.expect_word(to)?;
            self.ident()?;
            return Ok(false);
        }
        if found.token == Token::Keyword(to) && all {
            self.ident()?;
            return Ok(true);
        }
        let both = format!("ON, {}", to.text());
        Err(unexpected(&found, if all { &both } else { "ON" }))
    }

    pub(super) fn grant(&mut self) -> Result<Statement, ParseError> {
        Ok(refused(if self.privilege_on(K::To)? { "GRANT ALL" } else { "GRANT" }))
    }

    pub(super) fn revoke(&mut self) -> Result<Statement, ParseError> {
        Ok(refused(if self.privilege_on(K::From)? { "REVOKE ALL" } else { "REVOKE" }))
    }

    pub(super) fn set_password(&mut self) -> Result<Statement, ParseError> {
        self.one_of(&[K::Password])?;
        self.one_of(&[K::For])?;
        self.ident()?;
        self.expect(Token::Op(Op::Eq))?;
        self.string()?;
        Ok(refused("SET PASSWORD"))
    }

    pub(super) fn kill(&mut self) -> Result<Statement, ParseError> {
        self.one_of(&[K::Query])?;
        self.unsigned()?;
        if self.accept_word(K::On) {
            self.ident()?;
        }
        Ok(refused("SHOW QUERIES"))
    }
}
