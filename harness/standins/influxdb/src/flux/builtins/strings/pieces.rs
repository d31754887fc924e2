//! Splitting text at a separator, or between characters when the separator is empty.

/// The pieces between separators, at most `limit` of them; the last is the rest.
pub(super) fn split<'t>(text: &'t str, separator: &str, limit: usize) -> Vec<&'t str> {
    match (limit, separator) {
        (0, _) => Vec::new(),
        (_, "") => characters(text, limit),
        _ => text.splitn(limit, separator).collect(),
    }
}

/// [`split`] with each piece keeping the separator that ends it.
pub(super) fn split_after<'t>(text: &'t str, separator: &str, limit: usize) -> Vec<&'t str> {
    if separator.is_empty() {
        return characters(text, limit);
    }
    let mut pieces = Vec::new();
    let mut rest = text;
    while pieces.len() + 1 < limit
        && let Some(at) = rest.find(separator)
    {
        let (piece, after) = rest.split_at(at + separator.len());
        pieces.push(piece);
        rest = after;
    }
    if limit > 0 {
        pieces.push(rest);
    }
    pieces
}

fn characters(text: &str, limit: usize) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        if pieces.len() == limit {
            return pieces;
        }
        let last = pieces.len() + 1 == limit;
        let (piece, after) = rest.split_at(if last { rest.len() } else { first.len_utf8() });
        pieces.push(piece);
        rest = after;
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_of_limited_pieces_is_the_rest() {
        assert_eq!(split("a,b,c", ",", 2), ["a", "b,c"]);
        assert_eq!(split_after("a,b,c", ",", 2), ["a,", "b,c"]);
        assert_eq!(split("äöü", "", 2), ["ä", "öü"]);
    }

    #[test]
    fn an_empty_text_is_one_piece_unless_characters_are_asked_for() {
        assert_eq!(split("", ",", usize::MAX), [""]);
        assert!(split("", "", usize::MAX).is_empty());
    }
}
