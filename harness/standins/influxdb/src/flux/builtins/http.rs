//! The part of `http` that sends nothing.

use std::fmt::Write;

use super::{Builtin, Call, required};
use crate::flux::error::FluxError;
use crate::flux::value::Value;

pub(super) const BUILTINS: &[Builtin] = &[
    Builtin {
        package: "http",
        name: "pathEscape",
        parameters: &[required("inputString")],
        run: |call| Ok(Value::string(&escaped(&call.string_or("inputString", "")?))),
    },
    Builtin {
        package: "http",
        name: "basicAuth",
        parameters: &[required("u"), required("p")],
        run: |call: &Call<'_>| -> Result<Value, FluxError> {
            let (user, password) = (call.string_or("u", "")?, call.string_or("p", "")?);
            let text = base64(format!("{user}:{password}").as_bytes());
            Ok(Value::string(&format!("Basic {text}")))
        },
    },
];

/// A text as one part of a path.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~$&+=:@".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            write!(escaped, "%{byte:02X}").expect("writing to memory does not fail");
        }
    }
    escaped
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let byte = |at: usize| u32::from(group.get(at).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for (at, shift) in [18, 12, 6, 0].into_iter().enumerate() {
            let digit = (bits >> shift & 63) as usize;
            text.push(if at > group.len() { '=' } else { char::from(DIGITS[digit]) });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_path_may_hold_is_escaped() {
        assert_eq!(escaped("a b/ö?:@"), "a%20b%2F%C3%B6%3F:@");
    }

    #[test]
    fn base64_is_padded_to_groups_of_four() {
        assert_eq!(
            ["", "f", "fo", "foo", "foob"].map(|text| base64(text.as_bytes())),
            ["", "Zg==", "Zm8=", "Zm9v", "Zm9vYg=="]
        );
    }
}
