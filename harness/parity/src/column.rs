//! One field of a batch: a byte of type and eight bytes of value for each row.
//!
//! The main type is [`Column`]. The layout makes the usual question, whether two stretches are
//! the same, two comparisons of memory, whatever types the cells have; texts lie one after
//! the other in one buffer. Absence is a type of its own, with the value 0.

use cutover_model::FieldType;

use crate::cell::Cell;

/// The type byte of an absent cell.
pub(crate) const NULL: u8 = 0;
pub(crate) const FLOAT: u8 = 1;
pub(crate) const INTEGER: u8 = 2;
pub(crate) const UNSIGNED: u8 = 3;
pub(crate) const TEXT: u8 = 4;
pub(crate) const BOOLEAN: u8 = 5;
/// How many type bytes there are.
pub(crate) const KINDS: usize = 6;

#[derive(Clone, Debug, Default)]
pub(crate) struct Column {
    kinds: Vec<u8>,
    words: Vec<u64>,
    text: String,
}

/// A stretch of rows in each of two columns, of one length.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stretch {
    pub(crate) source: usize,
    pub(crate) destination: usize,
    pub(crate) rows: usize,
}

impl Column {
    pub(crate) fn with_capacity(rows: usize) -> Self {
        Self {
            kinds: Vec::with_capacity(rows),
            words: Vec::with_capacity(rows),
            text: String::new(),
        }
    }

    pub(crate) fn clear(&mut self) {
        self.kinds.clear();
        self.words.clear();
        self.text.clear();
    }

    pub(crate) fn push_null(&mut self) {
        self.kinds.push(NULL);
        self.words.push(0);
    }

    /// Gives the last row its value.
    pub(crate) fn set_last(&mut self, cell: Cell<'_>) {
        let (kind, word) = match cell {
            // Which NaN it was does not survive any wire, so it must not decide here.
            Cell::Float(value) if value.is_nan() => (FLOAT, f64::NAN.to_bits()),
            Cell::Float(value) => (FLOAT, value.to_bits()),
            Cell::Integer(value) => (INTEGER, value.cast_unsigned()),
            Cell::Unsigned(value) => (UNSIGNED, value),
            Cell::Boolean(value) => (BOOLEAN, value.into()),
            Cell::Text(value) => (TEXT, self.push_text(value)),
        };
        *self.kinds.last_mut().expect("a row was begun") = kind;
        *self.words.last_mut().expect("a row was begun") = word;
    }

    fn push_text(&mut self, value: &str) -> u64 {
        let start = u32::try_from(self.text.len()).expect("a batch holds less than 4 GiB of text");
        let len = u32::try_from(value.len()).expect("a batch holds less than 4 GiB of text");
        self.text.push_str(value);
        u64::from(start) << 32 | u64::from(len)
    }

    pub(crate) fn cell(&self, row: usize) -> Option<Cell<'_>> {
        let word = self.words[row];
        Some(match self.kinds[row] {
            NULL => return None,
            FLOAT => Cell::Float(f64::from_bits(word)),
            INTEGER => Cell::Integer(word.cast_signed()),
            UNSIGNED => Cell::Unsigned(word),
            TEXT => Cell::Text(self.text_at(word)),
            _ => Cell::Boolean(word != 0),
        })
    }

    pub(crate) fn kinds(&self) -> &[u8] {
        &self.kinds
    }

    pub(crate) fn words(&self) -> &[u64] {
        &self.words
    }

    pub(crate) fn has_text(&self) -> bool {
        // An empty text leaves no byte behind, so a column of nothing else has to be looked at.
        !self.text.is_empty() || self.kinds.contains(&TEXT)
    }

    pub(crate) fn text_at(&self, word: u64) -> &str {
        let (start, len) = text_span(word);
        &self.text[start..start + len]
    }

    pub(crate) fn bytes(&self) -> usize {
        self.kinds.len() * 9 + self.text.len()
    }

    /// Whether a stretch holds the same cells on both sides. Never wrong when it says yes; a no
    /// may come from texts that lie otherwise in memory, and [`Column::mark`] decides.
    pub(crate) fn equal(&self, other: &Self, at: Stretch) -> bool {
        let (a, b) = (at.source..at.source + at.rows, at.destination..at.destination + at.rows);
        if self.kinds[a.clone()] != other.kinds[b.clone()] {
            return false;
        }
        if self.text.is_empty() && other.text.is_empty() {
            // Texts, if any, are all empty: their words hold positions 0 and lengths 0.
            return self.words[a] == other.words[b];
        }
        self.kinds[a.clone()].iter().zip(&self.words[a]).zip(&other.words[b]).all(
            |((kind, mine), theirs)| {
                if *kind == TEXT {
                    self.text_at(*mine) == other.text_at(*theirs)
                } else {
                    mine == theirs
                }
            },
        )
    }

    /// Sets the mark of each row of the stretch whose cells are not the same.
    pub(crate) fn mark(&self, other: &Self, at: Stretch, marks: &mut [bool]) {
        for (row, mark) in marks.iter_mut().enumerate().take(at.rows) {
            *mark |= !same_cell(self.cell(at.source + row), other.cell(at.destination + row));
        }
    }

    /// How many cells of a stretch have a value.
    pub(crate) fn present(&self, from: usize, rows: usize) -> u64 {
        self.kinds[from..from + rows].iter().map(|kind| u64::from(*kind != NULL)).sum()
    }

    /// How many cells have a value of another type than the declared one.
    pub(crate) fn off_type(&self, declared: FieldType) -> u64 {
        let declared = kind_of(declared);
        self.kinds.iter().filter(|kind| **kind != declared && **kind != NULL).count() as u64
    }
}

pub(crate) fn same_cell(a: Option<Cell<'_>>, b: Option<Cell<'_>>) -> bool {
    match (a, b) {
        (None, None) => true,
        (Some(a), Some(b)) => a.same(b),
        _ => false,
    }
}

fn text_span(word: u64) -> (usize, usize) {
    // Both halves are 32 bits wide, which a usize holds on every platform that is supported.
    ((word >> 32) as usize, (word & 0xffff_ffff) as usize)
}

fn kind_of(field_type: FieldType) -> u8 {
    match field_type {
        FieldType::Float => FLOAT,
        FieldType::Integer => INTEGER,
        FieldType::Unsigned => UNSIGNED,
        FieldType::Text => TEXT,
        FieldType::Boolean => BOOLEAN,
    }
}
