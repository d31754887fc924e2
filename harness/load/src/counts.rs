//! How often each duration occurred in one second, in very little memory.
//!
//! The main type is [`Counts`]: first the steps from value to value and then the counts, which
//! deflates better than both in turn, as numbers of variable length. A long load keeps one for
//! each second and operation, so that any window of it can be judged later. [`LiveCounts`] is the
//! same while it still grows: quick and large.

use std::time::Duration;

use flate2::{Compress, Compression, FlushCompress, Status};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::histogram::{LONGEST_NS, quantised_ns, whole_ns};

/// The buckets of three digits: 1,024 for each power of two, and all values below 2,048.
const BUCKETS: usize = 38 * 1024;

/// Durations in nanoseconds, with three significant digits, and how often each occurred.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Deflated; empty if nothing occurred.
    packed: Box<[u8]>,
}

/// Counts that still grow.
#[derive(Clone, Debug)]
pub(crate) struct LiveCounts {
    counts: Vec<u64>,
    /// The buckets that may be above zero.
    first: usize,
    last: usize,
}

/// Makes counts small. Its memory is used again and again.
#[derive(Debug)]
pub(crate) struct Packer {
    compress: Compress,
    /// The buckets that are not empty.
    occupied: Vec<usize>,
    plain: Vec<u8>,
    packed: Vec<u8>,
}

impl Counts {
    /// The values in ascending order, each with its count.
    pub fn iter(&self) -> impl Iterator<Item = (Duration, u64)> {
        self.buckets()
            .into_iter()
            .map(|(bucket, count)| (Duration::from_nanos(greatest_ns(bucket)), count))
    }

    /// How many durations there are.
    pub fn samples(&self) -> u64 {
        self.buckets().into_iter().map(|(_, count)| count).sum()
    }

    fn buckets(&self) -> Vec<(usize, u64)> {
        if self.packed.is_empty() {
            return Vec::new();
        }
        let mut plain = Vec::new();
        let mut decoder = flate2::write::DeflateDecoder::new(&mut plain);
        std::io::Write::write_all(&mut decoder, &self.packed).expect("deflated by ourselves");
        decoder.finish().expect("deflated by ourselves");
        let mut left = plain.as_slice();
        let len = take(&mut left);
        let steps: Vec<u64> = (0..len).map(|_| take(&mut left)).collect();
        let at = steps.into_iter().scan(0, |bucket, step| {
            *bucket += usize::try_from(step).expect("a number of buckets");
            Some(*bucket)
        });
        at.map(|bucket| (bucket, take(&mut left))).collect()
    }

    /// Adds other counts.
    pub(crate) fn merge(&mut self, other: &Self) {
        if self.packed.is_empty() {
            self.packed.clone_from(&other.packed);
        } else if !other.packed.is_empty() {
            let mut live = LiveCounts::new();
            live.add(self);
            live.add(other);
            *self = live.pack(&mut Packer::new());
        }
    }
}

impl LiveCounts {
    pub(crate) fn new() -> Self {
        Self { counts: vec![0; BUCKETS], first: BUCKETS, last: 0 }
    }

    pub(crate) fn record(&mut self, duration: Duration) {
        self.record_bucket(bucket(whole_ns(duration)), 1);
    }

    fn record_bucket(&mut self, bucket: usize, count: u64) {
        self.counts[bucket] += count;
        self.first = self.first.min(bucket);
        self.last = self.last.max(bucket);
    }

    pub(crate) fn add(&mut self, counts: &Counts) {
        for (bucket, count) in counts.buckets() {
            self.record_bucket(bucket, count);
        }
    }

    /// Hands out what was recorded and begins anew.
    pub(crate) fn pack(&mut self, packer: &mut Packer) -> Counts {
        if self.first > self.last {
            return Counts::default();
        }
        let Packer { plain, occupied, .. } = packer;
        occupied.clear();
        occupied.extend((self.first..=self.last).filter(|bucket| self.counts[*bucket] > 0));
        plain.clear();
        put(plain, occupied.len() as u64);
        let mut before = 0;
        for bucket in &*occupied {
            put(plain, (bucket - before) as u64);
            before = *bucket;
        }
        for bucket in &*occupied {
            put(plain, std::mem::take(&mut self.counts[*bucket]));
        }
        (self.first, self.last) = (BUCKETS, 0);
        Counts { packed: packer.deflate().into() }
    }
}

impl Packer {
    pub(crate) fn new() -> Self {
        Self {
            compress: Compress::new(Compression::new(4), false),
            occupied: Vec::new(),
            plain: Vec::new(),
            packed: Vec::new(),
        }
    }

    fn deflate(&mut self) -> &[u8] {
        let Self { compress, plain, packed, .. } = self;
        compress.reset();
        packed.clear();
        loop {
            let used = usize::try_from(compress.total_in()).expect("no more than was given");
            packed.reserve(plain.len() - used + 64);
            let status = compress.compress_vec(&plain[used..], packed, FlushCompress::Finish);
            match status.expect("a compressor that is fed in order has no error") {
                Status::StreamEnd => return packed,
                Status::Ok | Status::BufError => {}
            }
        }
    }
}

/// The bucket of a value: its power of two, and the ten bits below the leading one.
fn bucket(ns: u64) -> usize {
    let ns = ns.min(LONGEST_NS);
    let dropped = (u64::BITS - ns.leading_zeros()).saturating_sub(11);
    usize::try_from((u64::from(dropped) << 10) + (ns >> dropped)).expect("fewer than BUCKETS")
}

/// The greatest value of a bucket.
fn greatest_ns(bucket: usize) -> u64 {
    let dropped = (bucket / 1024).saturating_sub(1);
    let leading = (bucket - dropped * 1024) as u64;
    (leading << dropped) | ((1 << dropped) - 1)
}

/// Seven bits to a byte, the lowest first; all bytes but the last have the eighth.
fn put(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push(u8::try_from(number & 0x7f).expect("seven bits") | 0x80);
        number >>= 7;
    }
    bytes.push(u8::try_from(number).expect("seven bits"));
}

fn take(bytes: &mut &[u8]) -> u64 {
    let mut number = 0;
    for place in 0.. {
        let (byte, rest) = bytes.split_first().expect("written whole by ourselves");
        *bytes = rest;
        number |= u64::from(byte & 0x7f) << (7 * place);
        if byte & 0x80 == 0 {
            break;
        }
    }
    number
}

/// A list of pairs: JSON would make texts of the keys of a map.
impl Serialize for Counts {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let pairs = self.buckets().into_iter().map(|(at, count)| (greatest_ns(at), count));
        serializer.collect_seq(pairs)
    }
}

impl<'de> Deserialize<'de> for Counts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut live = LiveCounts::new();
        let mut last = None;
        for (ns, count) in Vec::<(u64, u64)>::deserialize(deserializer)? {
            if last.is_some_and(|last| last >= ns) || count == 0 {
                return Err(D::Error::custom(format!("the counts are not in order at {ns}")));
            }
            if quantised_ns(ns) != ns {
                return Err(D::Error::custom(format!("{ns} has more than three digits")));
            }
            live.record_bucket(bucket(ns), count);
            last = Some(ns);
        }
        Ok(live.pack(&mut Packer::new()))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn packed(values: &[u64]) -> Counts {
        let mut live = LiveCounts::new();
        for ns in values {
            live.record(Duration::from_nanos(*ns));
        }
        live.pack(&mut Packer::new())
    }

    fn values() -> impl Strategy<Value = Vec<u64>> {
        let wide = (0_u32..64).prop_flat_map(|bits| 0..=u64::MAX >> bits);
        proptest::collection::vec(wide, 0..200)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn a_value_counts_as_the_greatest_of_its_bucket(ns: u64, bits in 0_u32..64) {
            let ns = ns >> bits;
            prop_assert_eq!(greatest_ns(bucket(ns)), quantised_ns(ns));
        }

        #[test]
        fn counts_are_those_of_what_was_recorded(values in values()) {
            let mut due = std::collections::BTreeMap::new();
            for ns in &values {
                *due.entry(Duration::from_nanos(quantised_ns(*ns))).or_insert(0) += 1;
            }
            let counts = packed(&values);
            prop_assert_eq!(counts.iter().collect::<Vec<_>>(), due.into_iter().collect::<Vec<_>>());
            prop_assert_eq!(counts.samples(), values.len() as u64);
        }

        #[test]
        fn merged_counts_are_those_of_the_whole(values in values(), cut: prop::sample::Index) {
            let (left, right) = values.split_at(cut.index(values.len() + 1));
            let mut merged = packed(right);
            merged.merge(&packed(left));
            prop_assert_eq!(merged, packed(&values));
        }

        #[test]
        fn counts_survive_json(values in values()) {
            let counts = packed(&values);
            let json = serde_json::to_string(&counts).unwrap();
            prop_assert_eq!(serde_json::from_str::<Counts>(&json).unwrap(), counts);
        }
    }

    #[test]
    fn written_counts_that_are_not_in_order_are_refused() {
        for json in ["[[2,1],[1,1]]", "[[2,1],[2,1]]", "[[2,0]]", "[[5000,1]]"] {
            assert!(serde_json::from_str::<Counts>(json).is_err(), "{json}");
        }
    }

    #[test]
    fn a_second_of_a_hundred_thousand_requests_takes_a_few_kilobytes() {
        // An exponential law around half a millisecond.
        let draw = |n| cutover_model::draw::draw_unit(1, 2, n);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "positive")]
        let values: Vec<u64> = (0..100_000).map(|n| ((1.0 - draw(n)).ln() * -5e5) as u64).collect();
        let bytes = packed(&values).packed.len();
        assert!(bytes < 8 * 1024, "{bytes}");
    }
}
