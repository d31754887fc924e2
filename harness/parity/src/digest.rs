//! A sum of row hashes: equal for the same rows in whatever order and batches they come.
//!
//! The main type is [`Digest`]. A row's hash covers its tags and fields with their names, its time
//! and the type of each value; what is absent takes no part, so a column that is null throughout
//! does not change a digest. The hash is 128 bits of two independent lanes and no defence against
//! someone who builds collisions on purpose. Tolerances do not enter: a digest is exact.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::batch::RowBatch;
use crate::cell::Cell;
use crate::column::{Column, KINDS, NULL, TEXT};

/// An order-free digest of rows. Written as 32 hexadecimal digits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Digest(u128);

impl Digest {
    /// The digest of the rows of one batch.
    pub fn of(batch: &RowBatch) -> Self {
        let series = series_lanes(batch);
        digest_rows(batch, &series)
    }

    /// Adds the rows behind another digest.
    pub fn add(&mut self, other: Self) {
        self.0 = self.0.wrapping_add(other.0);
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let digits = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let value = u128::from_str_radix(&text, 16).ok().filter(|_| digits);
        value.map(Self).ok_or_else(|| serde::de::Error::custom(format!("`{text}` is not a digest")))
    }
}

/// Two independent running hashes. Each step is one-to-one in the word that it takes in, so two
/// rows that differ in a single value never collide.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Lanes(u64, u64);

impl Lanes {
    pub(crate) const START: Self = Self(0x243f_6a88_85a3_08d3, 0x1319_8a2e_0370_7344);

    #[inline]
    pub(crate) fn absorb(&mut self, word: u64) {
        self.0 = (self.0 ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.0 ^= self.0 >> 29;
        self.1 = (self.1 ^ word.rotate_left(32)).wrapping_mul(0xd6e8_feb8_6659_fd93);
        self.1 ^= self.1 >> 31;
    }

    pub(crate) fn absorb_text(&mut self, text: &str) {
        self.absorb(text.len() as u64);
        for chunk in text.as_bytes().chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.absorb(u64::from_le_bytes(word));
        }
    }

    fn finish(self) -> u128 {
        u128::from(finalise(self.0)) << 64 | u128::from(finalise(self.1))
    }

    /// One word that stands for all that was taken in.
    pub(crate) fn word(self) -> u64 {
        finalise(self.0 ^ self.1.rotate_left(17))
    }
}

fn finalise(mut word: u64) -> u64 {
    word = (word ^ (word >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    word = (word ^ (word >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    word ^ (word >> 33)
}

/// The hash of the series of each run. Tags count by name, whatever the schema's order.
pub(crate) fn series_lanes(batch: &RowBatch) -> Vec<Lanes> {
    let tags = &batch.schema().tags;
    let mut by_name: Vec<usize> = (0..tags.len()).collect();
    by_name.sort_by(|a, b| tags[*a].cmp(&tags[*b]));
    let names: Vec<u64> = tags.iter().map(|tag| name_word("tag", tag)).collect();
    let run_lanes = |run| {
        let mut lanes = Lanes::START;
        for tag in &by_name {
            if let Some(value) = batch.series(run).nth(*tag).flatten() {
                lanes.absorb(names[*tag]);
                lanes.absorb_text(value);
            }
        }
        lanes
    };
    (0..batch.run_count()).map(run_lanes).collect()
}

/// The digest of all rows of a batch, given the hashes of its series.
pub(crate) fn digest_rows(batch: &RowBatch, series: &[Lanes]) -> Digest {
    let mut rows = Vec::with_capacity(batch.len());
    for (run, lanes) in series.iter().enumerate() {
        rows.extend(batch.times()[batch.run_rows(run)].iter().map(|time| {
            let mut lanes = *lanes;
            lanes.absorb(time.cast_unsigned());
            lanes
        }));
    }
    let fields = &batch.schema().fields;
    let mut by_name: Vec<usize> = (0..fields.len()).collect();
    by_name.sort_by(|a, b| fields[*a].name.cmp(&fields[*b].name));
    for field in by_name {
        absorb_column(&mut rows, &batch.columns()[field], &salts(&fields[field].name));
    }
    Digest(rows.iter().fold(0, |sum, lanes| sum.wrapping_add(lanes.finish())))
}

fn absorb_column(rows: &mut [Lanes], column: &Column, salts: &[u64; KINDS]) {
    let cells = column.kinds().iter().zip(column.words());
    if column.has_text() {
        for (lanes, (kind, word)) in rows.iter_mut().zip(cells) {
            if *kind == TEXT {
                lanes.absorb(salts[usize::from(TEXT)]);
                lanes.absorb_text(column.text_at(*word));
            } else if *kind != NULL {
                lanes.absorb(salts[usize::from(*kind)]);
                lanes.absorb(*word);
            }
        }
    } else {
        for (lanes, (kind, word)) in rows.iter_mut().zip(cells) {
            if *kind != NULL {
                lanes.absorb(salts[usize::from(*kind)]);
                lanes.absorb(*word);
            }
        }
    }
}

/// For each type of value, a word that stands for the field's name and that type.
fn salts(name: &str) -> [u64; KINDS] {
    let name = name_word("field", name);
    std::array::from_fn(|kind| finalise(name.wrapping_add(kind as u64)))
}

fn name_word(role: &str, name: &str) -> u64 {
    let mut lanes = Lanes::START;
    lanes.absorb_text(role);
    lanes.absorb_text(name);
    lanes.word()
}

/// What a row is apart from its time, with numbers taken by their value: the same word for a row
/// that was moved in time, and for one whose integers became floats.
pub(crate) fn timeless_word(batch: &RowBatch, row: usize, series: Lanes) -> u64 {
    let mut lanes = series;
    for (field, column) in batch.schema().fields.iter().zip(batch.columns()) {
        let Some(cell) = column.cell(row) else { continue };
        lanes.absorb_text(&field.name);
        match cell {
            Cell::Float(value) => lanes.absorb(value.to_bits()),
            Cell::Integer(value) => lanes.absorb((value as f64).to_bits()),
            Cell::Unsigned(value) => lanes.absorb((value as f64).to_bits()),
            Cell::Boolean(value) => lanes.absorb(value.into()),
            Cell::Text(value) => lanes.absorb_text(value),
        }
    }
    lanes.word()
}
