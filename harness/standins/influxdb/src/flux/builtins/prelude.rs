//! Functions that are written in Flux itself, because they are compositions of others.
//!
//! [`define`] reads the scripts in `prelude/`, one a package.

use std::collections::HashMap;
use std::sync::Arc;

use crate::flux::ast::{Assignment, ExprKind, FunctionExpr, Name, Statement};
use crate::flux::interpreter::{Env, Function};
use crate::flux::parser::parse;
use crate::flux::value::{Record, Value};

/// The packages that each script makes, and the script.
pub(crate) const PRELUDE: &[(&[&str], &str)] = &[
    (&[""], include_str!("prelude/universe.flux")),
    (
        &["influxdata/influxdb/schema", "influxdata/influxdb/v1"],
        include_str!("prelude/schema.flux"),
    ),
    (&["experimental"], include_str!("prelude/experimental.flux")),
    (&["experimental/aggregate"], include_str!("prelude/aggregate.flux")),
    (&["experimental/date/boundaries"], include_str!("prelude/boundaries.flux")),
    (&["experimental/prometheus"], include_str!("prelude/prometheus.flux")),
    (&["influxdata/influxdb/monitor"], include_str!("prelude/monitor.flux")),
    (&["internal/promql"], include_str!("prelude/promql.flux")),
    (&["influxdata/influxdb/sample"], include_str!("prelude/sample.flux")),
    (&["testing"], include_str!("prelude/testing.flux")),
    (&["sampledata"], include_str!("prelude/sampledata.flux")),
];

/// Adds the functions to the packages. Each can use those above it in its script, and what the
/// packages hold that its script imports.
pub(super) fn define(packages: &mut HashMap<&'static str, Record>) {
    for (paths, script) in PRELUDE {
        let file = parse(script).expect("the scripts of the prelude are read in the tests");
        let mut env: Option<Arc<Env>> = None;
        for import in &file.imports {
            let package = packages.get(import.path.as_str()).cloned().unwrap_or_default();
            let name = import.path.rsplit('/').next().unwrap_or_default();
            let package = Value::Record(Arc::new(package));
            env = Some(Env::of(Name::from(name), package, env.as_ref()));
        }
        for statement in file.statements {
            let Statement::Assignment(mut assigned) = statement else { continue };
            let nothing = ExprKind::Array(Vec::new());
            let kind = std::mem::replace(&mut assigned.value.kind, nothing);
            let ExprKind::Function(expr) = kind else { continue };
            let Some(expr) = Arc::into_inner(expr) else { continue };
            let library = name_in(script, &assigned);
            let expr = Arc::new(FunctionExpr { library, ..expr });
            let function = Value::Function(Arc::new(Function::Own { expr, env: env.clone() }));
            env = Some(Env::of(Name::clone(&assigned.name), function.clone(), env.as_ref()));
            // A name that begins so is the script's own.
            if assigned.name.starts_with('_') {
                continue;
            }
            for path in *paths {
                let package = packages.entry(*path).or_default();
                package.set(Name::clone(&assigned.name), function.clone());
            }
        }
    }
}

/// The name of a function where it stands in its script.
fn name_in(script: &'static str, assigned: &Assignment) -> Option<&'static str> {
    let start = assigned.span.start;
    let line = script.lines().nth(start.line - 1)?;
    line.get(start.column - 1..start.column - 1 + assigned.name.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_script_of_the_prelude_defines_functions() {
        let mut packages = HashMap::new();
        define(&mut packages);
        for (paths, _) in PRELUDE {
            assert!(!packages[paths[0]].entries().is_empty(), "{}", paths[0]);
        }
    }
}
