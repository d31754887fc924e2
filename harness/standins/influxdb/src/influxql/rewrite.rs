//! Puts names in the place of asterisks and regular expressions, gives names their types, and
//! names the columns.

use std::collections::{BTreeMap, BTreeSet};

use super::ast::Wildcard;
use super::ast::{Call, DataType, Expr, Field, Measurement, Select, Source, VarRef};
use super::error::{Outcome, QueryError};
use super::pattern::Pattern;
use super::types::{Names, Typing};

/// What the sources of a statement offer.
pub(crate) struct Schema<'a> {
    /// The type of a name of a measurement.
    pub(crate) of_field: &'a dyn Fn(&Measurement, &str) -> DataType,
    /// All names of a measurement.
    pub(crate) names: &'a dyn Fn(&Measurement) -> Names,
}

impl Schema<'_> {
    /// The statement with names for its wildcards, and types for its names.
    pub(crate) fn rewrite(&self, select: &Select) -> Outcome<Select> {
        let mut select = select.clone();
        for source in &mut select.sources {
            if let Source::SubQuery(inner) = source {
                **inner = self.rewrite(inner)?;
            }
        }
        self.give_types(&mut select);
        let is_wild = |expr: &Expr| matches!(expr, Expr::Wildcard(_) | Expr::Regex(_));
        let mut wild_fields = false;
        for field in &select.fields {
            field.expr.walk(&mut |expr| wild_fields |= is_wild(expr));
        }
        let wild_dimensions = select.dimensions.iter().any(is_wild);
        if !wild_fields && !wild_dimensions {
            return Ok(select);
        }
        let mut names = self.names_of(&select.sources);
        if !wild_dimensions {
            for dimension in &select.dimensions {
                if let Expr::Ref(tag) = dimension {
                    names.tags.remove(&tag.name);
                }
            }
        }
        let refs = columns(&names, wild_dimensions);
        if wild_fields {
            let fields = std::mem::take(&mut select.fields);
            for field in fields {
                expand_field(field, &refs, &mut select.fields)?;
            }
        }
        if wild_dimensions {
            let dimensions = std::mem::take(&mut select.dimensions);
            select.dimensions = expand_dimensions(dimensions, &names.tags);
        }
        Ok(select)
    }

    fn give_types(&self, select: &mut Select) {
        let Select { fields, condition, sources, .. } = select;
        let typing = Typing { sources, of_field: self.of_field };
        let mut give = |expr: &mut Expr| {
            let Expr::Ref(name) = expr else { return };
            if !matches!(name.data_type, DataType::Unknown | DataType::AnyField) {
                return;
            }
            let found = typing.of(&Expr::Ref(name.clone()));
            if found != DataType::Tag || name.data_type != DataType::AnyField {
                name.data_type = found;
            }
        };
        for field in fields {
            field.expr.walk_mut(&mut give);
        }
        if let Some(condition) = condition {
            condition.walk_mut(&mut give);
        }
    }

    fn names_of(&self, sources: &[Source]) -> Names {
        let mut names = Names::default();
        for source in sources {
            match source {
                Source::Measurement(measurement) => {
                    let own = (self.names)(measurement);
                    for (name, data_type) in &own.fields {
                        names.add_field(name, *data_type);
                    }
                    names.tags.extend(own.tags);
                }
                Source::SubQuery(select) => {
                    let typing = Typing { sources: &select.sources, of_field: self.of_field };
                    for field in &select.fields {
                        names.add_field(&field.name(), typing.of(&field.expr));
                    }
                    names.tags.extend(select.dimensions.iter().filter_map(|dimension| {
                        match dimension {
                            Expr::Ref(tag) => Some(tag.name.clone()),
                            _ => None,
                        }
                    }));
                }
            }
        }
        names
    }
}

/// The columns that an asterisk stands for, sorted. Tags are among them unless they group.
fn columns(names: &Names, wild_dimensions: bool) -> Vec<VarRef> {
    let refs = |(name, data_type): (&String, &DataType)| VarRef {
        name: name.clone(),
        data_type: *data_type,
    };
    let mut columns: Vec<VarRef> = names.fields.iter().map(refs).collect();
    if !columns.is_empty() && !wild_dimensions {
        let tag = |name: &String| VarRef { name: name.clone(), data_type: DataType::Tag };
        columns.extend(names.tags.iter().map(tag));
    }
    columns.sort();
    columns
}

fn expand_field(field: Field, refs: &[VarRef], fields: &mut Vec<Field>) -> Outcome<()> {
    let plain = |name: &VarRef| Field::plain(Expr::Ref(name.clone()));
    match &field.expr {
        Expr::Wildcard(wildcard) => {
            let shown = |name: &&VarRef| match wildcard {
                Wildcard::All => true,
                Wildcard::Fields => name.data_type != DataType::Tag,
                Wildcard::Tags => name.data_type == DataType::Tag,
            };
            fields.extend(refs.iter().filter(shown).map(plain));
        }
        Expr::Regex(pattern) => {
            let shown = |name: &&VarRef| pattern.is_match(&name.name);
            fields.extend(refs.iter().filter(shown).map(plain));
        }
        Expr::Call(call) => {
            let mut call = call.clone();
            match wild_argument(&mut call)? {
                Some(wild) => expand_call(&field, &call, &wild, (refs, fields)),
                None => fields.push(field),
            }
        }
        Expr::Binary(_) => {
            let (mut regex, mut wildcard) = (false, false);
            field.expr.walk(&mut |expr| {
                regex |= matches!(expr, Expr::Regex(_));
                wildcard |= matches!(expr, Expr::Wildcard(_));
            });
            let expr = &field.expr;
            if wildcard {
                let message = format!("unsupported expression with wildcard: {expr}");
                return Err(QueryError::new(message));
            }
            if regex {
                let message = format!("unsupported expression with regex field: {expr}");
                return Err(QueryError::new(message));
            }
            fields.push(field);
        }
        _ => fields.push(field),
    }
    Ok(())
}

/// What the innermost call of a field is applied to, where that is a wildcard.
struct WildArgument {
    function: String,
    pattern: Option<Pattern>,
}

/// The innermost of nested calls.
fn innermost(call: &mut Call) -> &mut Call {
    if !matches!(call.args.first(), Some(Expr::Call(_))) {
        return call;
    }
    match call.args.first_mut() {
        Some(Expr::Call(inner)) => innermost(inner),
        _ => unreachable!("the first argument was seen to be a call"),
    }
}

fn wild_argument(call: &mut Call) -> Outcome<Option<WildArgument>> {
    let call = innermost(call);
    let function = call.name.clone();
    match call.args.first() {
        Some(Expr::Wildcard(Wildcard::Tags)) => {
            Err(QueryError::new(format!("unable to use tag wildcard in {function}()")))
        }
        Some(Expr::Wildcard(_)) => Ok(Some(WildArgument { function, pattern: None })),
        Some(Expr::Regex(pattern)) => {
            Ok(Some(WildArgument { function, pattern: Some(pattern.clone()) }))
        }
        _ => Ok(None),
    }
}

fn expand_call(
    field: &Field,
    call: &Call,
    wild: &WildArgument,
    (refs, fields): (&[VarRef], &mut Vec<Field>),
) {
    let any = matches!(
        &*wild.function,
        "count" | "first" | "last" | "distinct" | "elapsed" | "mode" | "sample"
    );
    let booleans = any || matches!(&*wild.function, "min" | "max");
    let supported = |data_type: DataType| match data_type {
        DataType::Boolean => booleans,
        DataType::String => any,
        other => other.is_numeric(),
    };
    for name in refs.iter().filter(|name| supported(name.data_type)) {
        if wild.pattern.as_ref().is_some_and(|pattern| !pattern.is_match(&name.name)) {
            continue;
        }
        let mut own = call.clone();
        innermost(&mut own).args[0] = Expr::Ref(name.clone());
        let alias = format!("{}_{}", field.name(), name.name);
        fields.push(Field { expr: Expr::Call(own), alias });
    }
}

fn expand_dimensions(dimensions: Vec<Expr>, tags: &BTreeSet<String>) -> Vec<Expr> {
    let mut expanded = Vec::new();
    for dimension in dimensions {
        let matches = |tag: &&String| match &dimension {
            Expr::Regex(pattern) => pattern.is_match(tag),
            _ => true,
        };
        match dimension {
            Expr::Wildcard(_) | Expr::Regex(_) => expanded
                .extend(tags.iter().filter(matches).map(|tag| Expr::Ref(VarRef::untyped(tag)))),
            other => expanded.push(other),
        }
    }
    expanded
}

impl Select {
    /// The names of the columns, `time` included. Names that would come twice are numbered.
    pub(crate) fn column_names(&self) -> Vec<String> {
        let mut fields: Vec<Field> = Vec::new();
        for field in &self.fields {
            fields.push(field.clone());
            if self.target.is_none() {
                let extra = field.expr.extra_columns().iter();
                fields.extend(extra.map(|arg| Field::plain(arg.clone())));
            }
        }
        let mut taken: BTreeMap<String, u64> = BTreeMap::new();
        for field in fields.iter().filter(|field| !field.alias.is_empty()) {
            taken.insert(field.alias.clone(), 1);
        }
        let mut columns = Vec::new();
        if !self.omit_time {
            let named = !self.time_alias.is_empty();
            columns.push(if named { self.time_alias.clone() } else { "time".to_owned() });
        }
        for field in &fields {
            if !field.alias.is_empty() {
                columns.push(field.alias.clone());
                continue;
            }
            let mut name = field.name();
            if let Some(&count) = taken.get(&name) {
                let mut count = count;
                while taken.contains_key(&format!("{name}_{count}")) {
                    count += 1;
                }
                taken.insert(name.clone(), count + 1);
                name = format!("{name}_{count}");
            }
            *taken.entry(name.clone()).or_default() += 1;
            columns.push(name);
        }
        columns
    }
}
