//! Upper, lower and title case, letter by letter.
//!
//! The standard library maps some letters to several; the server to one, as Unicode's simple
//! mappings do. The difference is in the few ranges that are spelt out here.

/// The one capital of a letter.
pub(super) fn upper(letter: char) -> char {
    let mut mapped = letter.to_uppercase();
    match (mapped.next(), mapped.next()) {
        (Some(only), None) => only,
        // Greek vowels with an iota below have capitals with an iota beside.
        _ => with_iota(letter).unwrap_or(letter),
    }
}

fn with_iota(letter: char) -> Option<char> {
    let code = u32::from(letter);
    match code {
        0x1F80..=0x1FAF => char::from_u32(code | 8),
        0x1FB3 | 0x1FC3 | 0x1FF3 => char::from_u32(code + 9),
        _ => None,
    }
}

/// The one small letter of a letter.
pub(super) fn lower(letter: char) -> char {
    // The one letter with more than one, the dotted capital i, begins with the one that counts.
    letter.to_lowercase().next().unwrap_or(letter)
}

/// The letter as it begins a word.
pub(super) fn titled(letter: char) -> char {
    match letter {
        '\u{01C4}'..='\u{01C6}' => '\u{01C5}',
        '\u{01C7}'..='\u{01C9}' => '\u{01C8}',
        '\u{01CA}'..='\u{01CC}' => '\u{01CB}',
        '\u{01F1}'..='\u{01F3}' => '\u{01F2}',
        // Georgian words begin without a capital.
        '\u{10D0}'..='\u{10FA}' | '\u{10FD}'..='\u{10FF}' => letter,
        letter => upper(letter),
    }
}

/// A text whose words begin with a capital; what is no letter, digit or `_` stands between words.
pub(super) fn title(text: &str) -> String {
    let mut previous = ' ';
    let letters = text.chars().map(|letter| {
        let begins = separates(previous);
        previous = letter;
        if begins { titled(letter) } else { letter }
    });
    letters.collect()
}

fn separates(letter: char) -> bool {
    if letter.is_ascii() {
        return !letter.is_ascii_alphanumeric() && letter != '_';
    }
    // Beyond ASCII only blanks do.
    !letter.is_alphanumeric() && letter.is_whitespace()
}

/// Whether two texts are equal but for the case of their letters.
pub(super) fn equal_fold(left: &str, right: &str) -> bool {
    let same = |(left, right): (char, char)| {
        left == right || lower(left) == lower(right) || upper(left) == upper(right)
    };
    left.chars().count() == right.chars().count() && left.chars().zip(right.chars()).all(same)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_letter_with_a_long_capital_stays() {
        assert_eq!("straße".chars().map(upper).collect::<String>(), "STRAßE");
    }

    #[test]
    fn words_begin_after_what_is_no_letter() {
        assert_eq!(title("it's a_b c-d éa"), "It'S A_b C-D Éa");
    }

    #[test]
    fn the_kelvin_sign_equals_a_k() {
        assert!(equal_fold("\u{212A}", "k"));
    }
}
