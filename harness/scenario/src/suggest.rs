//! What a misspelt word was probably meant to be.

/// The candidate that `word` is a plausible misspelling of, if any.
pub(crate) fn suggest<'c>(
    word: &str,
    candidates: impl IntoIterator<Item = &'c str>,
) -> Option<&'c str> {
    let length = word.chars().count();
    // Nobody misspells a page of text, and the distance costs the product of both lengths.
    if length > 64 {
        return None;
    }
    let folded = word.to_lowercase();
    let limit = (length / 3).clamp(1, 3);
    candidates
        .into_iter()
        .enumerate()
        .filter_map(|(order, candidate)| {
            // Every letter more or less is a change, so most candidates need no closer look.
            if candidate.len().abs_diff(word.len()) > 3 * limit {
                return None;
            }
            let known = candidate.to_lowercase();
            let distance = strsim::osa_distance(&folded, &known);
            // A word of one or two letters has none of them left after that many changes.
            let plausible = distance <= limit && distance < known.chars().count().max(1);
            // Among equals, swapped letters are likelier than other ones, then the first letter.
            let rank = (distance, letters(&folded) != letters(&known), initials(&folded, &known));
            plausible.then_some((rank, order, candidate))
        })
        .min()
        .map(|(_, _, candidate)| candidate)
}

fn letters(word: &str) -> Vec<char> {
    let mut letters: Vec<char> = word.chars().collect();
    letters.sort_unstable();
    letters
}

fn initials(word: &str, known: &str) -> bool {
    word.chars().next() != known.chars().next()
}

/// A list of words for a message: `` `a`, `b` or `c` ``.
pub(crate) fn alternatives<'w>(words: impl IntoIterator<Item = &'w str>) -> String {
    joined(words, " or ")
}

/// A list of words for a message: `` `a`, `b` and `c` ``.
pub(crate) fn listing<'w>(words: impl IntoIterator<Item = &'w str>) -> String {
    joined(words, " and ")
}

fn joined<'w>(words: impl IntoIterator<Item = &'w str>, last: &str) -> String {
    let mut words: Vec<String> =
        words.into_iter().map(|word| format!("`{}`", crate::diagnostic::excerpt(word))).collect();
    // A file with a thousand columns would otherwise drown its own message.
    if words.len() > 20 {
        let more = words.len() - 20;
        words.truncate(20);
        return format!("{} … ({more} more)", words.join(", "));
    }
    match words.pop() {
        None => "none".to_owned(),
        Some(only) if words.is_empty() => only,
        Some(end) => format!("{}{last}{end}", words.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn swapped_letters_are_preferred_to_other_letters() {
        assert_eq!(suggest("p59", ["p50", "p90", "p95", "p99"]), Some("p95"));
    }

    #[test]
    fn a_word_like_no_other_has_no_suggestion() {
        assert_eq!(suggest("colour", ["path", "delimiter"]), None);
    }

    #[test]
    fn case_does_not_make_a_word_unlike() {
        assert_eq!(
            suggest("america/sao_paulo", ["UTC", "America/Sao_Paulo"]),
            Some("America/Sao_Paulo")
        );
    }

    #[test]
    fn a_list_of_one_names_only_it() {
        assert_eq!(alternatives(["a"]), "`a`");
        assert_eq!(listing(["a", "b", "c"]), "`a`, `b` and `c`");
    }
}
