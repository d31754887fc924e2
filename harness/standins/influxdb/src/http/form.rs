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
}
