//! Declarations of what a file may hold, from which reader, schema and help texts are made.
//!
//! A record is a map with declared keys; a choice is a word or a map with one key; a scalar is a
//! piece of text with a parser. The macros turn each declaration into a type of its own that
//! implements [`Wire`](crate::reader::Wire).

use crate::suggest::alternatives;

/// A map with declared keys.
#[derive(Debug)]
pub(crate) struct RecordShape {
    pub(crate) name: &'static str,
    pub(crate) doc: &'static str,
    pub(crate) keys: &'static [KeyShape],
    pub(crate) rules: &'static [Rule],
}

/// One declared key.
#[derive(Debug)]
pub(crate) struct KeyShape {
    pub(crate) name: &'static str,
    pub(crate) doc: &'static str,
    pub(crate) required: bool,
}

/// What holds of the keys of one map together.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Rule {
    /// One of these, and no two.
    ExactlyOneOf(&'static [&'static str]),
    /// One of these, or several.
    AtLeastOneOf(&'static [&'static str]),
}

/// One of several things: a word, or a map with one key that says which.
#[derive(Debug)]
pub(crate) struct ChoiceShape {
    pub(crate) name: &'static str,
    pub(crate) doc: &'static str,
    pub(crate) words: &'static [WordShape],
    pub(crate) cases: &'static [WordShape],
}

/// A word of a choice, by itself or as the key of a map.
#[derive(Debug)]
pub(crate) struct WordShape {
    pub(crate) name: &'static str,
    pub(crate) doc: &'static str,
}

/// How a scalar is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// A number without a unit and without quotes.
    Number,
    /// A number with its unit.
    Unit,
    /// Text.
    Text,
}

/// What is wrong with the text of a scalar.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Complaint {
    /// Goes on after the subject: ``needs a unit, and is `5` ``.
    pub(crate) what: String,
    pub(crate) help: Option<String>,
}

impl Complaint {
    pub(crate) fn new(what: impl Into<String>) -> Self {
        Self { what: what.into(), help: None }
    }

    pub(crate) fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// The first sentence of a doc text, on one line.
pub(crate) fn first_sentence(doc: &str) -> String {
    let doc = doc.trim();
    let end = doc.find(". ").unwrap_or(doc.len());
    let sentence = doc[..end].trim_end_matches('.');
    let mut chars = sentence.chars();
    let first = chars.next().map(|c| c.to_lowercase().to_string()).unwrap_or_default();
    // A name in capitals keeps them.
    if chars.as_str().starts_with(char::is_uppercase) {
        return sentence.to_owned();
    }
    first + chars.as_str()
}

impl ChoiceShape {
    /// What may stand here, for messages.
    pub(crate) fn expected(&self) -> String {
        let words = alternatives(self.words.iter().map(|word| word.name));
        let cases = alternatives(self.cases.iter().map(|case| case.name));
        match (self.words, self.cases) {
            (_, []) => words,
            ([], _) => format!("a map with one key: {cases}"),
            _ => format!("{words}, or a map with one key: {cases}"),
        }
    }
}

/// Declares a map with declared keys. Each key becomes an `Option<At<…>>`: what is required is
/// missed when the file is read, not again by every user of the type.
macro_rules! record {
    (
        $(#[doc = $doc:literal])+
        struct $name:ident $(, $rule:ident($($member:literal),+))* {
            $( $(#[doc = $key_doc:literal])+ $field:ident $(as $key:literal)? :
                $need:ident $ty:ty, )+
        }
    ) => {
        $(#[doc = $doc])+
        #[derive(Debug)]
        pub(crate) struct $name {
            $( $(#[doc = $key_doc])+ pub(crate) $field: Option<$crate::reader::At<$ty>>, )+
        }

        impl $name {
            const SHAPE: $crate::shape::RecordShape = $crate::shape::RecordShape {
                name: stringify!($name),
                doc: concat!($($doc),+),
                keys: &[$( $crate::shape::KeyShape {
                    name: $crate::shape::key_name!($field $($key)?),
                    doc: concat!($($key_doc),+),
                    required: $crate::shape::is_required!($need),
                }, )+],
                rules: &[$( $crate::shape::Rule::$rule(&[$($member),+]), )*],
            };
        }

        impl $crate::reader::Wire for $name {
            fn read(
                node: &$crate::node::Node,
                reader: &mut $crate::reader::Reader,
            ) -> Option<Self> {
                let fields = reader.record(node, &Self::SHAPE)?;
                Some(Self {
                    $( $field: reader.field(&fields, $crate::shape::key_name!($field $($key)?)), )+
                })
            }

            fn schema(schemas: &mut $crate::schema::Schemas) -> serde_json::Value {
                schemas.record(&Self::SHAPE, |schemas| {
                    vec![$( <$ty as $crate::reader::Wire>::schema(schemas), )+]
                })
            }
        }
    };
}

/// The key of a field in the file: its own name, unless another is given.
macro_rules! key_name {
    ($field:ident) => {
        stringify!($field)
    };
    ($field:ident $key:literal) => {
        $key
    };
}

macro_rules! is_required {
    (required) => {
        true
    };
    (optional) => {
        false
    };
}

/// Declares one of several things: words that stand alone, and cases that are the one key of a map.
macro_rules! choice {
    (
        $(#[doc = $doc:literal])+
        enum $name:ident {
            $( words { $( $(#[doc = $word_doc:literal])+ $word:ident = $word_key:literal, )+ } )?
            $( cases {
                $( $(#[doc = $case_doc:literal])+ $case:ident($ty:ty) = $case_key:literal, )+
            } )?
        }
    ) => {
        $(#[doc = $doc])+
        #[derive(Debug)]
        pub(crate) enum $name {
            $( $( $(#[doc = $word_doc])+ $word, )+ )?
            $( $( $(#[doc = $case_doc])+ $case(Box<$crate::reader::At<$ty>>), )+ )?
        }

        impl $name {
            const SHAPE: $crate::shape::ChoiceShape = $crate::shape::ChoiceShape {
                name: stringify!($name),
                doc: concat!($($doc),+),
                words: &[$( $( $crate::shape::WordShape {
                    name: $word_key,
                    doc: concat!($($word_doc),+),
                }, )+ )?],
                cases: &[$( $( $crate::shape::WordShape {
                    name: $case_key,
                    doc: concat!($($case_doc),+),
                }, )+ )?],
            };
        }

        impl $crate::reader::Wire for $name {
            fn read(
                node: &$crate::node::Node,
                reader: &mut $crate::reader::Reader,
            ) -> Option<Self> {
                let case = reader.choice(node, &Self::SHAPE)?;
                match case.name {
                    $( $( $word_key => Some(Self::$word), )+ )?
                    $( $( $case_key => reader.case(&case).map(Box::new).map(Self::$case), )+ )?
                    _ => None,
                }
            }

            fn schema(schemas: &mut $crate::schema::Schemas) -> serde_json::Value {
                schemas.choice(&Self::SHAPE, |schemas| {
                    // A choice of words alone has no case to describe.
                    let _ = &schemas;
                    vec![$( $( <$ty as $crate::reader::Wire>::schema(schemas), )+ )?]
                })
            }
        }
    };
}

/// Declares a piece of text, or a number, with the function that reads it.
macro_rules! scalar {
    (
        $(#[doc = $doc:literal])+
        $form:ident $name:ident($ty:ty) = $parse:expr, $what:literal, $schema:tt
    ) => {
        $(#[doc = $doc])+
        #[derive(Clone, Debug)]
        pub(crate) struct $name(pub(crate) $ty);

        impl $crate::reader::Wire for $name {
            fn read(
                node: &$crate::node::Node,
                reader: &mut $crate::reader::Reader,
            ) -> Option<Self> {
                reader.scalar(node, $what, $crate::shape::Form::$form, $parse).map(Self)
            }

            fn schema(schemas: &mut $crate::schema::Schemas) -> serde_json::Value {
                schemas.scalar(stringify!($name), concat!($($doc),+), serde_json::json!($schema))
            }
        }
    };
}

pub(crate) use {choice, is_required, key_name, record, scalar};
