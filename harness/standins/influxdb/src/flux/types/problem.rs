//! What can stand in the way of two types being one, in the server's words.

use super::solver::Solver;
use super::ty::{Kind, Type};
use super::writer::Writer;
use crate::flux::ast::Name;

/// Why types do not go together.
#[derive(Debug)]
pub(super) enum Problem {
    Different { wanted: Type, found: Type },
    NotOfKind { kind: Kind, found: Type },
    Recursive { var: usize, ty: Type },
    MissingLabel(Name),
    ExtraLabel(Name),
    MissingArgument(Name),
    ExtraArgument { unexpected: Name, expected: Vec<Name> },
    Argument { name: Name, cause: Box<Problem> },
    Result { wanted: Type, found: Type, cause: Box<Problem> },
    MissingPipe,
    OtherPipe { wanted: Name, found: Name },
}

impl Problem {
    /// The server's text, with what is known of the types in the end.
    pub(super) fn text(&self, solver: &mut Solver) -> String {
        let mut writer = Writer::default();
        let mut shown = |ty: &Type| {
            let ty = solver.full(ty);
            writer.text(&ty) + ty.note()
        };
        match self {
            Self::Different { wanted, found } => {
                let (wanted, found) = (shown(wanted), shown(found));
                format!("expected {wanted} but found {found}")
            }
            Self::NotOfKind { kind, found } => format!("{} is not {}", shown(found), kind.word()),
            Self::Recursive { var, ty } => {
                let (var, ty) = (shown(&Type::Var(*var)), shown(ty));
                format!("recursive types not supported {var} != {ty}")
            }
            Self::MissingLabel(label) => format!("record is missing label {label}"),
            Self::ExtraLabel(label) => format!("found unexpected label {label}"),
            Self::MissingArgument(name) => format!("missing required argument {name}"),
            Self::ExtraArgument { unexpected, expected } => {
                format!("found unexpected argument {unexpected}{}", one_of(expected))
            }
            Self::Argument { name, cause } => {
                format!("{} (argument {name})", cause.text(solver))
            }
            Self::Result { wanted, found, cause } => {
                let (wanted, found) = (shown(wanted), shown(found));
                let cause = cause.text(solver);
                // The digits are the server's own.
                format!("123expected {wanted} but found {found} for return type caused by {cause}")
            }
            Self::MissingPipe => "missing pipe argument".to_owned(),
            Self::OtherPipe { wanted, found } => {
                format!("expected pipe argument {wanted} but found {found}")
            }
        }
    }
}

fn one_of(names: &[Name]) -> String {
    let Some((last, rest)) = names.split_last() else { return String::new() };
    let quoted: Vec<String> = rest.iter().map(|name| format!("`{name}`")).collect();
    if quoted.is_empty() {
        return format!(" (Expected `{last}`)");
    }
    format!(" (Expected one of {} or `{last}`)", quoted.join(", "))
}
