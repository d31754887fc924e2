//! What is known of types, and making two of them one.
//!
//! [`Solver::unify`] finds what the unknown parts of two types have to be for both to be the same.
//! Scripts can make types that are exponentially large, so all work is counted; beyond the limit
//! the solver gives up, and values are checked when they are met.

use std::sync::Arc;

use super::problem::Problem;
use super::ty::{Function, Kind, PIPE, Scheme, Type};
use crate::flux::ast::Name;

/// How many types may be looked at for one script.
const MAX_STEPS: usize = 400_000;

/// How deep types may be nested.
const MAX_DEPTH: usize = 120;

/// What has been found out about types.
#[derive(Default)]
pub(super) struct Solver {
    found: Vec<Option<Type>>,
    kinds: Vec<Vec<Kind>>,
    steps: usize,
    depth: usize,
    /// Whether there was too much to do.
    pub(super) gave_up: bool,
}

impl Solver {
    /// A type that is still to be found.
    pub(super) fn fresh(&mut self) -> Type {
        self.found.push(None);
        self.kinds.push(Vec::new());
        Type::Var(self.found.len() - 1)
    }

    /// Counts a step down into a type; `false` when there have been too many.
    fn enter(&mut self) -> bool {
        self.steps += 1;
        self.depth += 1;
        self.gave_up |= self.steps > MAX_STEPS || self.depth > MAX_DEPTH;
        !self.gave_up
    }

    fn leave(&mut self) {
        self.depth -= 1;
    }

    /// What is known of the outermost part of a type.
    pub(super) fn shallow(&self, ty: &Type) -> Type {
        let mut ty = ty.clone();
        while let Type::Var(var) = ty {
            match &self.found[var] {
                Some(found) => ty = found.clone(),
                None => return Type::Var(var),
            }
        }
        ty
    }

    /// A type with all that is known put in; `generic` says what becomes of what is not known.
    fn rebuilt(&mut self, ty: &Type, generic: &mut dyn FnMut(&Type) -> Type) -> Type {
        let ty = self.shallow(ty);
        if !self.enter() {
            self.leave();
            return Type::Unknown;
        }
        let made = match &ty {
            Type::Unknown | Type::Basic(_) | Type::Empty => ty.clone(),
            Type::Var(_) | Type::Generic(_) => generic(&ty),
            Type::Array(element) => Type::Array(Arc::new(self.rebuilt(element, generic))),
            Type::Stream(row) => Type::Stream(Arc::new(self.rebuilt(row, generic))),
            Type::Dict(pair) => {
                let (key, value) = (self.rebuilt(&pair.0, generic), self.rebuilt(&pair.1, generic));
                Type::Dict(Arc::new((key, value)))
            }
            Type::Extend(field) => {
                let value = self.rebuilt(&field.value, generic);
                let rest = self.rebuilt(&field.rest, generic);
                Type::extend(&field.label, value, rest)
            }
            Type::Function(function) => {
                let Function { required, optional, pipe, result } = &**function;
                let mut all = |own: &std::collections::BTreeMap<Name, Type>| {
                    let own = own.iter();
                    own.map(|(name, ty)| (Name::clone(name), self.rebuilt(ty, generic))).collect()
                };
                let (required, optional) = (all(required), all(optional));
                let pipe =
                    pipe.as_ref().map(|(name, ty)| (Name::clone(name), self.rebuilt(ty, generic)));
                let result = result.as_ref().map(|ty| self.rebuilt(ty, generic));
                Type::Function(Arc::new(Function { required, optional, pipe, result }))
            }
        };
        self.leave();
        made
    }

    /// A type with all that is known put in.
    pub(super) fn full(&mut self, ty: &Type) -> Type {
        self.rebuilt(ty, &mut Type::clone)
    }

    /// The unknown types in a type.
    pub(super) fn unknowns(&mut self, ty: &Type, into: &mut Vec<usize>) {
        self.rebuilt(ty, &mut |ty| {
            if let Type::Var(var) = ty
                && !into.contains(var)
            {
                into.push(*var);
            }
            ty.clone()
        });
    }

    /// A type for a name: what is unknown in it and not in `fixed`, each use fills in for itself.
    pub(super) fn generalized(&mut self, ty: &Type, fixed: &[usize]) -> Scheme {
        let mut own: Vec<usize> = Vec::new();
        let ty = self.rebuilt(ty, &mut |ty| match ty {
            Type::Var(var) if !fixed.contains(var) => {
                let at = own.iter().position(|known| known == var).unwrap_or_else(|| {
                    own.push(*var);
                    own.len() - 1
                });
                Type::Generic(at)
            }
            ty => ty.clone(),
        });
        let generics = own.iter().map(|var| self.kinds[*var].clone()).collect();
        Scheme { ty, generics }
    }

    /// The type of one use of a name.
    pub(super) fn instance(&mut self, scheme: &Scheme) -> Type {
        if scheme.generics.is_empty() {
            return scheme.ty.clone();
        }
        let first = self.found.len();
        for kinds in &scheme.generics {
            self.found.push(None);
            self.kinds.push(kinds.clone());
        }
        self.rebuilt(&scheme.ty, &mut |ty| match ty {
            Type::Generic(at) => Type::Var(first + at),
            ty => ty.clone(),
        })
    }

    /// Asks a type to be of a kind.
    pub(super) fn constrain(&mut self, kind: Kind, ty: &Type) -> Result<(), Problem> {
        let ty = self.shallow(ty);
        if !self.enter() {
            self.leave();
            return Ok(());
        }
        let refused = || Err(Problem::NotOfKind { kind, found: ty.clone() });
        let result = match &ty {
            Type::Unknown | Type::Generic(_) => Ok(()),
            Type::Var(var) => {
                if !self.kinds[*var].contains(&kind) {
                    self.kinds[*var].push(kind);
                }
                Ok(())
            }
            Type::Basic(basic) if basic.is(kind) => Ok(()),
            Type::Array(inner) | Type::Stream(inner) if kind == Kind::Equatable => {
                self.constrain(kind, inner)
            }
            Type::Empty if matches!(kind, Kind::Record | Kind::Equatable) => Ok(()),
            Type::Extend(_) if kind == Kind::Record => Ok(()),
            Type::Extend(field) if kind == Kind::Equatable => {
                let own = self.constrain(kind, &field.value);
                own.and_then(|()| self.constrain(kind, &field.rest))
            }
            _ => refused(),
        };
        self.leave();
        result
    }

    /// Makes two types one; what stands in the way is added to the problems.
    pub(super) fn unify(&mut self, wanted: &Type, found: &Type, problems: &mut Vec<Problem>) {
        if self.enter() {
            let (wanted, found) = (self.shallow(wanted), self.shallow(found));
            self.unify_shallow(&wanted, &found, problems);
        }
        self.leave();
    }

    fn unify_shallow(&mut self, wanted: &Type, found: &Type, problems: &mut Vec<Problem>) {
        match (wanted, found) {
            (Type::Unknown, _) | (_, Type::Unknown) | (Type::Empty, Type::Empty) => {}
            (Type::Var(one), Type::Var(other)) if one == other => {}
            (Type::Var(var), ty) | (ty, Type::Var(var)) => self.bind(*var, ty, problems),
            (Type::Basic(wanted), Type::Basic(found)) if wanted == found => {}
            (Type::Array(wanted), Type::Array(found))
            | (Type::Stream(wanted), Type::Stream(found)) => self.unify(wanted, found, problems),
            (Type::Array(one), Type::Stream(other)) | (Type::Stream(one), Type::Array(other)) => {
                problems.push(Problem::Different { wanted: wanted.clone(), found: found.clone() });
                self.unify(one, other, problems);
            }
            (Type::Dict(wanted), Type::Dict(found)) => {
                self.unify(&wanted.0, &found.0, problems);
                self.unify(&wanted.1, &found.1, problems);
            }
            (Type::Extend(field), Type::Empty) => {
                problems.push(Problem::MissingLabel(Name::clone(&field.label)));
            }
            (Type::Empty, Type::Extend(field)) => {
                problems.push(Problem::ExtraLabel(Name::clone(&field.label)));
            }
            (Type::Extend(_), Type::Extend(_)) => self.unify_records(wanted, found, problems),
            (Type::Function(wanted), Type::Function(found)) => {
                for (_, problem) in self.unify_functions(wanted, found) {
                    problems.push(problem);
                }
            }
            _ => {
                problems.push(Problem::Different { wanted: wanted.clone(), found: found.clone() });
            }
        }
    }

    fn bind(&mut self, var: usize, ty: &Type, problems: &mut Vec<Problem>) {
        let mut inner = Vec::new();
        self.unknowns(ty, &mut inner);
        if inner.contains(&var) {
            problems.push(Problem::Recursive { var, ty: ty.clone() });
            return;
        }
        let kinds = std::mem::take(&mut self.kinds[var]);
        self.found[var] = Some(ty.clone());
        for kind in kinds {
            if let Err(problem) = self.constrain(kind, ty) {
                problems.push(problem);
            }
        }
    }

    fn unify_records(&mut self, wanted: &Type, found: &Type, problems: &mut Vec<Problem>) {
        let (Type::Extend(one), Type::Extend(other)) = (wanted, found) else { return };
        let (rest, other_rest) = (self.shallow(&one.rest), self.shallow(&other.rest));
        let shared = match (&rest, &other_rest) {
            (Type::Var(one), Type::Var(other)) => one == other,
            _ => false,
        };
        if one.label == other.label {
            self.unify(&one.value, &other.value, problems);
            if !shared {
                self.unify(&rest, &other_rest, problems);
            }
        } else if shared {
            problems.push(Problem::Different { wanted: wanted.clone(), found: found.clone() });
        } else {
            // Each lacks the other's field, so each rest has it.
            let common = self.fresh();
            let with = |field: &super::ty::Field| {
                Type::extend(&field.label, field.value.clone(), common.clone())
            };
            let (with_other, with_one) = (with(other), with(one));
            self.unify(&rest, &with_other, problems);
            self.unify(&with_one, &other_rest, problems);
        }
    }

    /// Makes the types of two functions one. Each problem comes with the argument that it is about;
    /// those of the whole call have none.
    pub(super) fn unify_functions(
        &mut self,
        wanted: &Function,
        found: &Function,
    ) -> Vec<(Option<Name>, Problem)> {
        let mut problems = Vec::new();
        let (mut wanted, mut found) = (wanted.clone(), found.clone());
        match (wanted.pipe.take(), found.pipe.take()) {
            (Some((name, one)), Some((other_name, other))) => {
                if &*name != PIPE && &*other_name != PIPE && name != other_name {
                    let problem = Problem::OtherPipe { wanted: name, found: other_name };
                    problems.push((None, problem));
                } else {
                    wanted.required.insert(Name::clone(&name), one);
                    found.required.insert(name, other);
                }
            }
            (Some((name, ty)), None) if &*name != PIPE => {
                wanted.required.insert(name, ty);
            }
            (None, Some((name, ty))) if &*name != PIPE => {
                found.required.insert(name, ty);
            }
            (None, None) => {}
            _ => problems.push((None, Problem::MissingPipe)),
        }
        self.unify_arguments(&wanted, &found, &mut problems);
        let result = |function: &Function| function.result.clone().unwrap_or(Type::Unknown);
        let (wanted, found) = (result(&wanted), result(&found));
        let mut own = Vec::new();
        self.unify(&wanted, &found, &mut own);
        problems.extend(own.into_iter().map(|cause| {
            let (wanted, found) = (wanted.clone(), found.clone());
            (None, Problem::Result { wanted, found, cause: Box::new(cause) })
        }));
        problems
    }

    fn unify_arguments(
        &mut self,
        wanted: &Function,
        found: &Function,
        problems: &mut Vec<(Option<Name>, Problem)>,
    ) {
        let given = |name: &Name| found.required.get(name).or_else(|| found.optional.get(name));
        let parameters = || wanted.required.iter().chain(&wanted.optional);
        for name in found.required.keys() {
            if parameters().all(|(own, _)| own != name) {
                let free = parameters().filter(|(own, _)| given(own).is_none());
                let expected = free.map(|(own, _)| Name::clone(own)).collect();
                let unexpected = Name::clone(name);
                let problem = Problem::ExtraArgument { unexpected, expected };
                problems.push((Some(Name::clone(name)), problem));
            }
        }
        for (name, ty) in parameters() {
            let Some(own) = given(name) else {
                if wanted.required.contains_key(name) {
                    problems.push((None, Problem::MissingArgument(Name::clone(name))));
                }
                continue;
            };
            let mut inner = Vec::new();
            self.unify(ty, own, &mut inner);
            problems.extend(inner.into_iter().map(|cause| {
                let problem = Problem::Argument { name: Name::clone(name), cause: Box::new(cause) };
                (Some(Name::clone(name)), problem)
            }));
        }
    }
}
