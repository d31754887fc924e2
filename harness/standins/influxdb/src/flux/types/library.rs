//! The types of what scripts can use without defining it.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use super::infer::Inference;
use super::signature;
use super::ty::Scheme;
use crate::flux::ast::Name;
use crate::flux::builtins::PRELUDE;
use crate::flux::parser::parse;

/// The types of functions: `package names : type` a line, where the package of what needs no import
/// is `-`.
const SIGNATURES: &str = include_str!("signatures.txt");

/// Types by import path and name; what needs no import is under the empty path.
pub(super) type Library = HashMap<String, HashMap<Name, Arc<Scheme>>>;

/// The types of the whole library. Those of functions that are written in Flux are inferred.
pub(super) fn library() -> &'static Library {
    static LIBRARY: LazyLock<Library> = LazyLock::new(|| {
        let mut library = listed();
        for (paths, script) in PRELUDE {
            let Ok(file) = parse(script) else { continue };
            let mut inference = Inference::new(Some(&library));
            for import in &file.imports {
                inference.import(import);
            }
            inference.statements(&file.statements);
            let found = inference.defined();
            for path in *paths {
                let package = library.entry((*path).to_owned()).or_default();
                for (name, scheme) in &found {
                    package.entry(Name::clone(name)).or_insert_with(|| Arc::clone(scheme));
                }
            }
        }
        library
    });
    &LIBRARY
}

fn listed() -> Library {
    let mut library = Library::new();
    for line in SIGNATURES.lines().filter(|line| !line.starts_with('#')) {
        let Some((names, ty)) = line.split_once(" : ") else { continue };
        let mut names = names.split_whitespace();
        let path = names.next().filter(|path| *path != "-").unwrap_or_default();
        let Some(scheme) = signature::parse(ty) else { continue };
        let scheme = Arc::new(scheme);
        let package = library.entry(path.to_owned()).or_default();
        package.extend(names.map(|name| (Name::from(name), Arc::clone(&scheme))));
    }
    library
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_list_is_a_type() {
        for line in SIGNATURES.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
            let (_, ty) = line.split_once(" : ").unwrap_or_default();
            assert!(signature::parse(ty).is_some(), "{line}");
        }
    }
}
