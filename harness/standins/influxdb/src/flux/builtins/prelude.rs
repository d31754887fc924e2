//! Functions that are written in Flux itself, because they are compositions of others.
//!
//! [`functions`] reads the scripts in `prelude/`, one a package.

use std::sync::Arc;

use crate::flux::ast::{ExprKind, Name, Statement};
use crate::flux::interpreter::{Env, Function};
use crate::flux::parser::parse;
use crate::flux::value::Value;

/// The packages that each script makes, and the script.
const SCRIPTS: [(&[&str], &str); 2] = [
    (&[""], include_str!("prelude/universe.flux")),
    (
        &["influxdata/influxdb/schema", "influxdata/influxdb/v1"],
        include_str!("prelude/schema.flux"),
    ),
];

/// All functions: the path of their package, their name, and the function. Each can use those above
/// it in its script.
pub(super) fn functions() -> Vec<(&'static str, Name, Value)> {
    let mut functions = Vec::new();
    for (packages, script) in SCRIPTS {
        let file = parse(script).expect("the scripts of the prelude are read in the tests");
        let mut env: Option<Arc<Env>> = None;
        for statement in file.statements {
            let Statement::Assignment(assigned) = statement else { continue };
            let ExprKind::Function(expr) = assigned.value.kind else { continue };
            let function = Value::Function(Arc::new(Function::Own { expr, env: env.clone() }));
            env = Some(Env::of(Name::clone(&assigned.name), function.clone(), env.as_ref()));
            for package in packages {
                functions.push((*package, Name::clone(&assigned.name), function.clone()));
            }
        }
    }
    functions
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_script_of_the_prelude_defines_functions() {
        let functions = functions();
        for (packages, _) in SCRIPTS {
            assert!(functions.iter().any(|(path, ..)| *path == packages[0]));
        }
    }
}
