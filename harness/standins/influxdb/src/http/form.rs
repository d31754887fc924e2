//! Parameters of a query string or of a form in a body.

/// Decoded parameters in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Form(Vec<(String, String)>);

impl Form {
    /// Reads pairs; those that are not well encoded are left out, as on the server.
    pub(super) fn parse(text: &[u8]) -> Self {
        let pairs = text.split(|byte| *byte == b'&').filter_map(|pair| {
            if pair.is_empty() || pair.contains(&b';') {
                return None;
            }
            let at = pair.iter().position(|byte| *byte == b'=');
            let (key, value) = at.map_or((pair, &pair[..0]), |at| (&pair[..at], &pair[at + 1..]));
            Some((decode(key)?, decode(value)?))
        });
        Self(pairs.collect())
    }

    /// This form, and behind it another.
    pub(super) fn with(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }

    /// The first parameter of this name, or an empty text.
    pub(super) fn value(&self, name: &str) -> &str {
        self.0.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
    }
}

fn decode(text: &[u8]) -> Option<String> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text.iter();
    while let Some(byte) = rest.next() {
        decoded.push(match byte {
            b'+' => b' ',
            b'%' => {
                let mut digit = || char::from(*rest.next()?).to_digit(16);
                let (high, low) = (digit()?, digit()?);
                u8::try_from(high * 16 + low).ok()?
            }
            other => *other,
        });
    }
    Some(String::from_utf8_lossy(&decoded).into_owned())
}

/// The text behind a Basic authorisation: base64 with padding.
pub(super) fn decode_base64(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(4) {
        return None;
    }
    let mut decoded = Vec::with_capacity(text.len() / 4 * 3);
    let groups = text.as_bytes().chunks(4);
    let last = groups.len().checked_sub(1);
    for (index, group) in groups.enumerate() {
        let padding = group.iter().rev().take_while(|byte| **byte == b'=').count();
        if padding > 2 || (padding > 0 && Some(index) != last) {
            return None;
        }
        let mut bits: u32 = 0;
        for byte in &group[..4 - padding] {
            bits = bits << 6 | sextet(*byte)?;
        }
        bits <<= 6 * padding;
        decoded.extend_from_slice(&bits.to_be_bytes()[1..4 - padding]);
    }
    Some(decoded)
}

fn sextet(byte: u8) -> Option<u32> {
    let value = match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    };
    Some(value.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plus_signs_and_percent_codes_are_decoded() {
        let form = Form::parse(b"q=SELECT+%22v%22&db=b%2Frp&empty");
        assert_eq!(form.value("q"), "SELECT \"v\"");
        assert_eq!((form.value("db"), form.value("empty")), ("b/rp", ""));
    }

    #[test]
    fn a_pair_with_a_broken_code_is_left_out() {
        let form = Form::parse(b"q=%zz&q=1&db=%4");
        assert_eq!((form.value("q"), form.value("db")), ("1", ""));
    }

    #[test]
    fn base64_is_decoded_with_any_padding() {
        assert_eq!(decode_base64("dTp0b2s="), Some(b"u:tok".to_vec()));
        assert_eq!(decode_base64("dTp0"), Some(b"u:t".to_vec()));
        assert_eq!(decode_base64("dTo="), Some(b"u:".to_vec()));
        assert_eq!(decode_base64("dQ=="), Some(b"u".to_vec()));
        for wrong in ["d", "d===", "d=Tp", "d Tp"] {
            assert_eq!(decode_base64(wrong), None, "{wrong}");
        }
    }
}
