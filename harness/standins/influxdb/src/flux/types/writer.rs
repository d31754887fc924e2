//! Types as the server writes them.

use super::ty::{Basic, Function, PIPE, Type};

/// Up to how many fields or parameters stand on one line.
const ON_ONE_LINE: usize = 4;

const INDENT: &str = "    ";

/// Writes types; those that are not known get letters in order of their appearance.
#[derive(Default)]
pub(super) struct Writer {
    seen: Vec<usize>,
}

impl Writer {
    /// The text of a type.
    pub(super) fn text(&mut self, ty: &Type) -> String {
        self.see(ty);
        self.write(ty)
    }

    /// Gives the unknown types their letters.
    fn see(&mut self, ty: &Type) {
        match ty {
            Type::Unknown | Type::Basic(_) | Type::Empty => {}
            Type::Var(var) | Type::Generic(var) => {
                if !self.seen.contains(var) {
                    self.seen.push(*var);
                }
            }
            Type::Array(inner) | Type::Stream(inner) => self.see(inner),
            Type::Dict(pair) => {
                self.see(&pair.0);
                self.see(&pair.1);
            }
            Type::Extend(_) => {
                let (fields, rest) = fields(ty);
                self.see(rest);
                for (_, value) in fields {
                    self.see(value);
                }
            }
            Type::Function(function) => {
                let Function { required, optional, pipe, result } = &**function;
                let parameters = required.values().chain(optional.values());
                let rest = pipe.iter().map(|(_, ty)| ty).chain(result);
                parameters.chain(rest).for_each(|ty| self.see(ty));
            }
        }
    }

    fn write(&self, ty: &Type) -> String {
        match ty {
            Type::Unknown => "<error>".to_owned(),
            Type::Basic(basic) => Basic::word(*basic).to_owned(),
            Type::Var(var) | Type::Generic(var) => {
                let at = self.seen.iter().position(|own| own == var).unwrap_or_default();
                match u8::try_from(at).ok().filter(|at| *at < 26) {
                    Some(letter) => char::from(b'A' + letter).to_string(),
                    None => format!("t{at}"),
                }
            }
            Type::Array(element) => format!("[{}]", self.write(element)),
            Type::Stream(row) => format!("stream[{}]", self.write(row)),
            Type::Dict(pair) => format!("[{}:{}]", self.write(&pair.0), self.write(&pair.1)),
            Type::Empty => "{}".to_owned(),
            Type::Extend(_) => self.record(ty),
            Type::Function(function) => self.function(function),
        }
    }

    fn record(&self, ty: &Type) -> String {
        let (fields, rest) = fields(ty);
        let base = match rest {
            Type::Empty => None,
            rest => Some(format!("{} with", self.write(rest))),
        };
        let fields =
            fields.into_iter().map(|(label, value)| format!("{label}: {}", self.write(value)));
        listed(base, fields.collect(), ["{", "}"])
    }

    fn function(&self, function: &Function) -> String {
        let piped = function.pipe.iter().map(|(name, ty)| {
            let name = if &**name == PIPE { "" } else { name };
            format!("<-{name}: {}", self.write(ty))
        });
        let required = function.required.iter();
        let required = required.map(|(name, ty)| format!("{name}: {}", self.write(ty)));
        let optional = function.optional.iter();
        let optional = optional.map(|(name, ty)| format!("?{name}: {}", self.write(ty)));
        let parameters = listed(None, piped.chain(required).chain(optional).collect(), ["(", ")"]);
        let result = self.write(function.result.as_ref().unwrap_or(&Type::Unknown));
        format!("{parameters} => {result}")
    }
}

/// The fields of a record in the order in which the server shows them, and what it extends.
fn fields(ty: &Type) -> (Vec<(&str, &Type)>, &Type) {
    let mut fields = Vec::new();
    let mut rest = ty;
    while let Type::Extend(field) = rest {
        fields.push((&*field.label, &field.value));
        rest = &field.rest;
    }
    fields.sort_by(|left, right| right.0.cmp(left.0));
    (fields, rest)
}

/// A list between brackets: on one line, or with a line for each item.
fn listed(base: Option<String>, items: Vec<String>, [open, close]: [&str; 2]) -> String {
    if items.len() <= ON_ONE_LINE && items.iter().all(|item| !item.contains('\n')) {
        let base = base.map_or(String::new(), |base| base + " ");
        return format!("{open}{base}{}{close}", items.join(", "));
    }
    let items = items.into_iter().map(|item| item + ",");
    let lines: Vec<String> = base.into_iter().chain(items).collect();
    let body = lines.join("\n").replace('\n', &format!("\n{INDENT}"));
    format!("{open}\n{INDENT}{body}\n{close}")
}
