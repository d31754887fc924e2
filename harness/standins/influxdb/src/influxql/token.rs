//! The words of the language: tokens, keywords and operators, with the texts that messages use.
//!
//! [`Token`] is what `scanner` cuts and `parser` reads. A token has no place of its own; the
//! scanner hands out the place beside it.

/// Declares the keywords with their texts, in the order in which the server knows them.
macro_rules! keywords {
    ($($name:ident $text:literal),* $(,)?) => {
        /// A reserved word.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Keyword { $($name),* }

        impl Keyword {
            /// The word in capitals.
            pub(crate) fn text(self) -> &'static str {
                match self { $(Self::$name => $text),* }
            }

            fn lookup(capitals: &str) -> Option<Self> {
                match capitals { $($text => Some(Self::$name),)* _ => None }
            }
        }
    };
}

keywords! {
    All "ALL", Alter "ALTER", Analyze "ANALYZE", Any "ANY", As "AS", Asc "ASC", Begin "BEGIN",
    By "BY", Cardinality "CARDINALITY", Create "CREATE", Continuous "CONTINUOUS",
    Database "DATABASE", Databases "DATABASES", Default "DEFAULT", Delete "DELETE", Desc "DESC",
    Destinations "DESTINATIONS", Diagnostics "DIAGNOSTICS", Distinct "DISTINCT", Drop "DROP",
    Duration "DURATION", End "END", Every "EVERY", Exact "EXACT", Explain "EXPLAIN",
    Field "FIELD", For "FOR", From "FROM", Grant "GRANT", Grants "GRANTS", Group "GROUP",
    Groups "GROUPS", In "IN", Inf "INF", Insert "INSERT", Into "INTO", Key "KEY", Keys "KEYS",
    Kill "KILL", Limit "LIMIT", Measurement "MEASUREMENT", Measurements "MEASUREMENTS",
    Name "NAME", Offset "OFFSET", On "ON", Order "ORDER", Password "PASSWORD", Policy "POLICY",
    Policies "POLICIES", Privileges "PRIVILEGES", Queries "QUERIES", Query "QUERY", Read "READ",
    Replication "REPLICATION", Resample "RESAMPLE", Retention "RETENTION", Revoke "REVOKE",
    Select "SELECT", Series "SERIES", Set "SET", Show "SHOW", Shard "SHARD", Shards "SHARDS",
    Slimit "SLIMIT", Soffset "SOFFSET", Stats "STATS", Subscription "SUBSCRIPTION",
    Subscriptions "SUBSCRIPTIONS", Tag "TAG", To "TO", User "USER", Users "USERS",
    Values "VALUES", Verbose "VERBOSE", Where "WHERE", With "WITH", Write "WRITE",
}

/// An operator between two expressions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Op {
    Add,
    Sub,
    Mul,
    Div,
    Mod,
    BitAnd,
    BitOr,
    BitXor,
    And,
    Or,
    Eq,
    Neq,
    EqRegex,
    NeqRegex,
    Lt,
    Lte,
    Gt,
    Gte,
}

impl Op {
    /// How the operator is written.
    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::Add => "+",
            Self::Sub => "-",
            Self::Mul => "*",
            Self::Div => "/",
            Self::Mod => "%",
            Self::BitAnd => "&",
            Self::BitOr => "|",
            Self::BitXor => "^",
            Self::And => "AND",
            Self::Or => "OR",
            Self::Eq => "=",
            Self::Neq => "!=",
            Self::EqRegex => "=~",
            Self::NeqRegex => "!~",
            Self::Lt => "<",
            Self::Lte => "<=",
            Self::Gt => ">",
            Self::Gte => ">=",
        }
    }

    /// The higher binds closer.
    pub(crate) fn precedence(self) -> u8 {
        match self {
            Self::Or => 1,
            Self::And => 2,
            Self::Eq
            | Self::Neq
            | Self::EqRegex
            | Self::NeqRegex
            | Self::Lt
            | Self::Lte
            | Self::Gt
            | Self::Gte => 3,
            Self::Add | Self::Sub | Self::BitOr | Self::BitXor => 4,
            Self::Mul | Self::Div | Self::Mod | Self::BitAnd => 5,
        }
    }

    /// Whether the right side must be a regular expression.
    pub(crate) fn is_regex(self) -> bool {
        matches!(self, Self::EqRegex | Self::NeqRegex)
    }

    /// Whether the operator compares or joins conditions, so that no field may use it.
    pub(crate) fn is_condition(self) -> bool {
        self.precedence() <= 3
    }
}

/// A piece of a query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Token {
    Illegal,
    Eof,
    Space,
    Comment,
    Ident,
    BoundParameter,
    Number,
    Integer,
    Duration,
    String,
    BadString,
    BadEscape,
    True,
    False,
    Regex,
    BadRegex,
    Op(Op),
    LeftParen,
    RightParen,
    Comma,
    Colon,
    DoubleColon,
    Semicolon,
    Dot,
    Keyword(Keyword),
}

impl Token {
    /// The token's own text, empty for those that the server's messages leave blank.
    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::Illegal => "ILLEGAL",
            Self::Eof => "EOF",
            Self::Space => "WS",
            Self::Comment | Self::BoundParameter | Self::Integer | Self::BadRegex => "",
            Self::Ident => "IDENT",
            Self::Number => "NUMBER",
            Self::Duration => "DURATIONVAL",
            Self::String => "STRING",
            Self::BadString => "BADSTRING",
            Self::BadEscape => "BADESCAPE",
            Self::True => "TRUE",
            Self::False => "FALSE",
            Self::Regex => "REGEX",
            Self::Op(op) => op.text(),
            Self::LeftParen => "(",
            Self::RightParen => ")",
            Self::Comma => ",",
            Self::Colon => ":",
            Self::DoubleColon => "::",
            Self::Semicolon => ";",
            Self::Dot => ".",
            Self::Keyword(keyword) => keyword.text(),
        }
    }

    /// The token that a bare word stands for.
    pub(crate) fn of_word(word: &str) -> Self {
        let capitals = word.to_ascii_uppercase();
        match capitals.as_str() {
            "AND" => Self::Op(Op::And),
            "OR" => Self::Op(Op::Or),
            "TRUE" => Self::True,
            "FALSE" => Self::False,
            other => Keyword::lookup(other).map_or(Self::Ident, Self::Keyword),
        }
    }
}

/// A place in the text, counted from zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Position {
    pub(crate) line: usize,
    pub(crate) char: usize,
}
