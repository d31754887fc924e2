//! A fixed number of decimal digits, written two at a time.
//!
//! [`push_fixed`] appends them to a buffer, leading zeros included.

const PAIRS: [[u8; 2]; 100] = pairs();

const fn pairs() -> [[u8; 2]; 100] {
    let mut pairs = [[b'0'; 2]; 100];
    let mut at = 0;
    let mut digit = 0_u8;
    while at < 100 {
        pairs[at] = [b'0' + digit / 10, b'0' + digit % 10];
        at += 1;
        digit += 1;
    }
    pairs
}

/// Appends the last `digits` digits of a number, at most 20.
pub(super) fn push_fixed(out: &mut Vec<u8>, mut number: u64, digits: usize) {
    let mut text = [b'0'; 20];
    let from = 20 - digits;
    let mut end = 20;
    while end >= from + 2 {
        let pair = (number % 100) as usize;
        number /= 100;
        text[end - 2..end].copy_from_slice(&PAIRS[pair]);
        end -= 2;
    }
    if end > from {
        let digit = (number % 10) as u8;
        text[from] = b'0' + digit;
    }
    out.extend_from_slice(&text[from..]);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_fixed_number_of_digits_keeps_the_last(
            number in 0_u64..1_000_000,
            digits in 1_usize..=20,
        ) {
            let all = format!("{number:020}");
            let mut out = Vec::new();
            push_fixed(&mut out, number, digits);
            prop_assert_eq!(String::from_utf8(out).unwrap(), &all[20 - digits..]);
        }
    }
}
