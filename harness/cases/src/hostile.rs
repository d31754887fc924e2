//! Bodies that nobody means well: mutations of real scripts and lines, nested, huge, unterminated
//! and badly encoded input, and soups of tokens.
//!
//! [`request`] gives the `n`th request of a seed. No answer is expected but one in time.

use crate::draws::Draws;
use crate::exchange::Request;

mod material;

use material::{DEARER, LINES, SCRIPTS, STATEMENTS, TOKENS};

/// The longest body.
const LONGEST: usize = 1 << 18;

/// The `n`th hostile request under `seed`, to bucket `b` of organisation `o`.
pub fn request(seed: u64, n: u64) -> Request {
    let mut draws = Draws::new(seed, n);
    match draws.below(10) {
        0..=3 => Request::post("/api/v2/write?org=o&bucket=b", body(&mut draws, LINES)),
        4..=7 => flux(&mut draws),
        _ => Request::post("/query?db=b", form(&body(&mut draws, STATEMENTS)))
            .with_header("content-type", "application/x-www-form-urlencoded"),
    }
}

fn flux(draws: &mut Draws) -> Request {
    let script = body(draws, SCRIPTS);
    let request = if draws.once_in(8) {
        let mut whole =
            serde_json::json!({ "query": String::from_utf8_lossy(&script) }).to_string();
        if draws.once_in(2) {
            let mut bytes = whole.into_bytes();
            mutate(draws, &mut bytes, SCRIPTS);
            whole = String::from_utf8_lossy(&bytes).into_owned();
        }
        return Request::post("/api/v2/query?org=o", whole)
            .with_header("content-type", "application/json");
    } else {
        Request::post("/api/v2/query?org=o", script)
    };
    request.with_header("content-type", "application/vnd.flux")
}

/// `q=…` with every byte encoded that is no letter or digit.
fn form(statement: &[u8]) -> Vec<u8> {
    let mut form = b"q=".to_vec();
    for byte in statement {
        if byte.is_ascii_alphanumeric() {
            form.push(*byte);
        } else {
            form.extend_from_slice(format!("%{byte:02x}").as_bytes());
        }
    }
    form
}

fn body(draws: &mut Draws, seeds: &[&str]) -> Vec<u8> {
    let mut body = match draws.below(12) {
        0 => soup(draws),
        1 => nested(draws),
        2 => repeated(draws, seeds),
        3 => recoded(draws, draws_seed(seeds)),
        4 => noise(draws),
        5 => draws.pick(DEARER).as_bytes().to_vec(),
        _ => draws.pick(seeds).as_bytes().to_vec(),
    };
    for _ in 0..draws.below(6) {
        mutate(draws, &mut body, seeds);
    }
    body.truncate(LONGEST);
    body
}

/// A stable one of the seeds, for the encodings.
fn draws_seed<'a>(seeds: &[&'a str]) -> &'a str {
    seeds.first().copied().unwrap_or_default()
}

/// Changes something somewhere.
fn mutate(draws: &mut Draws, body: &mut Vec<u8>, seeds: &[&str]) {
    let at = draws.below(body.len() + 1);
    let end = (at + draws.below(24)).min(body.len());
    match draws.below(9) {
        0 => body.truncate(at),
        1 => drop(body.drain(at..end)),
        2 => {
            let copy = body[at..end].repeat(1 + draws.below(40));
            body.splice(at..at, copy);
        }
        3 => drop(body.splice(at..at, draws.pick(TOKENS).bytes())),
        4 => drop(body.splice(at..end, draws.pick(TOKENS).bytes())),
        5 => drop(body.splice(at..end, number(draws).into_bytes())),
        6 => {
            let other = draws.pick(seeds).as_bytes();
            let from = draws.below(other.len());
            body.splice(at.., other[from..].iter().copied());
        }
        7 => {
            if let Some(byte) = body.get_mut(at) {
                *byte ^= 1 << draws.below(8);
            }
        }
        _ => body.insert(at, u8::try_from(draws.below(256)).unwrap_or(0)),
    }
}

fn number(draws: &mut Draws) -> String {
    let whole = draws.bits() >> draws.below(64);
    let unit = draws.pick(&["", "i", "u", "ns", "s", "m", "h", "d", "w", "mo", "y", ".5", "e308"]);
    let sign = draws.pick(&["", "-", "--", "+"]);
    format!("{sign}{whole}{unit}")
}

fn soup(draws: &mut Draws) -> Vec<u8> {
    let tokens = 1 + draws.below(200);
    let gap = draws.pick(&["", " ", "\n"]);
    let soup: Vec<&str> = (0..tokens).map(|_| draws.pick(TOKENS)).collect();
    soup.join(gap).into_bytes()
}

/// Something within itself, many times, closed or not.
fn nested(draws: &mut Draws) -> Vec<u8> {
    let pairs = [
        ("(", ")"),
        ("[", "]"),
        ("{a: ", "}"),
        ("() => ", ""),
        ("not ", ""),
        ("-", ""),
        ("\"${", "}\""),
        ("if true then ", " else 1"),
        ("f(x: ", ")"),
        ("{ return ", "}"),
        ("1 + ", ""),
        ("x |> ", ""),
        ("a.", "b"),
        ("a[", "]"),
        ("exists ", ""),
        ("((", ")"),
        ("{r with a: ", "}"),
        ("[\"a\": ", "]"),
        ("(r) => {", "}"),
        ("SELECT * FROM (", ")"),
    ];
    let (open, close) = pairs[draws.below(pairs.len())];
    let depth = 1_usize << draws.below(16);
    let lead = draws.pick(&["", "x = ", "from(bucket: ", "import \"", "SELECT ", "m,t="]);
    let closed = draws.once_in(2);
    let closing = if closed { close.repeat(depth) } else { String::new() };
    format!("{lead}{}1{closing}", open.repeat(depth)).into_bytes()
}

fn repeated(draws: &mut Draws, seeds: &[&str]) -> Vec<u8> {
    let part = if draws.once_in(2) { draws.pick(seeds) } else { draws.pick(TOKENS) };
    let times = 1 + draws.below(LONGEST / part.len().max(1)) / (1 + draws.below(16));
    part.repeat(times).into_bytes()
}

fn recoded(draws: &mut Draws, seed: &str) -> Vec<u8> {
    match draws.below(5) {
        0 => seed.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        1 => seed.encode_utf16().flat_map(u16::to_be_bytes).collect(),
        2 => [b"\xef\xbb\xbf", seed.as_bytes()].concat(),
        3 => seed.bytes().flat_map(|byte| [byte, 0]).collect(),
        _ => seed.bytes().map(|byte| byte | 0x80).collect(),
    }
}

fn noise(draws: &mut Draws) -> Vec<u8> {
    (0..draws.below(600)).map(|_| draws.bits().to_le_bytes()[0]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_the_same_each_time_it_is_made() {
        for n in 0..200 {
            assert_eq!(request(3, n), request(3, n));
        }
    }

    #[test]
    fn every_way_in_is_tried() {
        let paths: std::collections::BTreeSet<String> =
            (0..100).map(|n| request(3, n).path).collect();
        assert_eq!(paths.len(), 3, "{paths:?}");
    }

    #[test]
    fn no_body_is_longer_than_the_longest() {
        // A form triples its bytes.
        assert!((0..2_000).all(|n| request(5, n).body.len() <= 3 * LONGEST + 64));
    }
}
