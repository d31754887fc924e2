//! Types as text: `(<-tables: stream[A], n: int) => stream[A] where A: Record`.

use std::sync::Arc;

use super::ty::{Basic, Function, Kind, Scheme, Type};
use crate::flux::ast::Name;

/// Reads a type; `None` when the text is none.
pub(super) fn parse(text: &str) -> Option<Scheme> {
    let (ty, kinds) = text.split_once(" where ").unwrap_or((text, ""));
    let mut reader = Reader { rest: ty.trim(), generics: Vec::new() };
    let ty = reader.ty()?;
    if !reader.rest.is_empty() {
        return None;
    }
    let mut generics = vec![Vec::new(); reader.generics.len()];
    for pair in kinds.split(',').map(str::trim).filter(|pair| !pair.is_empty()) {
        let (name, kind) = pair.split_once(':')?;
        let at = reader.generics.iter().position(|own| own == name.trim())?;
        generics[at].push(Kind::named(kind.trim())?);
    }
    Some(Scheme { ty, generics })
}

struct Reader<'a> {
    rest: &'a str,
    generics: Vec<String>,
}

impl Reader<'_> {
    fn accept(&mut self, token: &str) -> bool {
        match self.rest.strip_prefix(token) {
            Some(rest) => {
                self.rest = rest.trim_start();
                true
            }
            None => false,
        }
    }

    fn expect(&mut self, token: &str) -> Option<()> {
        self.accept(token).then_some(())
    }

    fn word(&mut self) -> Option<String> {
        let is_part = |next: char| next == '_' || next.is_ascii_alphanumeric();
        let length = self.rest.find(|next| !is_part(next)).unwrap_or(self.rest.len());
        let (word, rest) =
            self.rest.split_at_checked(length).filter(|(word, _)| !word.is_empty())?;
        let word = word.to_owned();
        self.rest = rest.trim_start();
        Some(word)
    }

    fn ty(&mut self) -> Option<Type> {
        if self.accept("(") {
            return self.function();
        }
        if self.accept("{") {
            return self.record();
        }
        if self.accept("[") {
            let first = self.ty()?;
            if self.accept(":") {
                let value = self.ty()?;
                self.expect("]")?;
                return Some(Type::Dict(Arc::new((first, value))));
            }
            self.expect("]")?;
            return Some(Type::Array(Arc::new(first)));
        }
        let word = self.word()?;
        if word == "stream" {
            self.expect("[")?;
            let row = self.ty()?;
            self.expect("]")?;
            return Some(Type::Stream(Arc::new(row)));
        }
        Some(Basic::named(&word).map_or_else(|| self.generic(word), Type::Basic))
    }

    fn generic(&mut self, name: String) -> Type {
        let known = self.generics.iter().position(|own| *own == name);
        Type::Generic(known.unwrap_or_else(|| {
            self.generics.push(name);
            self.generics.len() - 1
        }))
    }

    fn record(&mut self) -> Option<Type> {
        let mut rest = Type::Empty;
        let mut fields = Vec::new();
        while !self.accept("}") {
            let word = self.word()?;
            if self.accept("with ") {
                rest = self.generic(word);
                continue;
            }
            self.expect(":")?;
            fields.push((Name::from(word), self.ty()?));
            self.accept(",");
        }
        let fields = fields.into_iter().rev();
        Some(fields.fold(rest, |rest, (label, value)| Type::extend(&label, value, rest)))
    }

    fn function(&mut self) -> Option<Type> {
        let mut function = Function::default();
        while !self.accept(")") {
            let piped = self.accept("<-");
            let optional = self.accept("?");
            let name = if self.rest.starts_with(':') {
                Name::from(super::ty::PIPE)
            } else {
                Name::from(self.word()?)
            };
            self.expect(":")?;
            let ty = self.ty()?;
            if piped {
                function.pipe = Some((name, ty));
            } else if optional {
                function.optional.insert(name, ty);
            } else {
                function.required.insert(name, ty);
            }
            self.accept(",");
        }
        self.expect("=>")?;
        function.result = Some(self.ty()?);
        Some(Type::Function(Arc::new(function)))
    }
}
