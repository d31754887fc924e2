//! Tests of the crate from outside: shipped files, refused files, generated mistakes, hostile text.

#![expect(clippy::unwrap_used, reason = "a test ends at its first surprise")]

mod generated;
mod hostile;
mod invalid;
mod shipped;

use std::path::{Path, PathBuf};

/// The folder of the shipped scenarios.
fn scenarios() -> PathBuf {
    // Without `..`, so that paths in messages start with it.
    let harness = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the crate is in a folder");
    harness.parent().expect("the harness is in a folder").join("scenarios")
}
