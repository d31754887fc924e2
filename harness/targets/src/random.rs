//! Names and credentials that nobody can guess.

use std::io;

use cutover_model::Secret;

/// `bytes` random bytes, two hexadecimal digits each.
pub(crate) fn random_hex(bytes: usize) -> io::Result<String> {
    let mut drawn = vec![0; bytes];
    getrandom::fill(&mut drawn).map_err(io::Error::other)?;
    let digits = drawn.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    let digit = |value: u8| char::from_digit(u32::from(value), 16).unwrap_or('0');
    Ok(digits.map(digit).collect())
}

/// A token or a password.
pub(crate) fn random_secret() -> io::Result<Secret> {
    random_hex(24).map(Secret::new)
}
