//! Names and credentials that nobody can guess.

use std::io;

use cutover_model::Secret;

/// `bytes` random bytes, two hexadecimal digits each.
pub(crate) fn random_hex(bytes: usize) -> io::Result<String> {
    let mut drawn = vec![0; bytes];
    getrandom::fill(&mut drawn).map_err(io::Error::other)?;
    Ok(drawn.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// A token or a password.
pub(crate) fn random_secret() -> io::Result<Secret> {
    random_hex(24).map(Secret::new)
}
