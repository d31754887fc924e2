//! Results as `MessagePack`, which the clients of release 1 prefer to JSON.
//!
//! [`encode`] writes one answer. Numbers, texts and containers take the shortest form that the
//! server's encoder has for their type; a signed integer never takes an unsigned form.

use super::result::{Cell, Epoch, Series, StatementResult};
use super::value::Value;

const NS_PER_S: i64 = 1_000_000_000;

/// One answer with its results.
pub(crate) fn encode(results: &[StatementResult], epoch: Option<Epoch>) -> Vec<u8> {
    let mut packed = Packed(Vec::new());
    packed.map(1);
    packed.text("results");
    packed.array(results.len());
    for result in results {
        packed.result(result, epoch);
    }
    packed.0
}

struct Packed(Vec<u8>);

impl Packed {
    fn result(&mut self, result: &StatementResult, epoch: Option<Epoch>) {
        if let Some(error) = result.error.as_deref().filter(|error| !error.is_empty()) {
            self.map(1);
            self.text("error");
            return self.text(error);
        }
        self.map(2 + usize::from(result.partial));
        self.text("statement_id");
        self.integer(i64::try_from(result.statement).unwrap_or(i64::MAX));
        self.text("series");
        self.array(result.series.len());
        for series in &result.series {
            self.series(series, epoch);
        }
        self.partial(result.partial);
    }

    fn series(&mut self, series: &Series, epoch: Option<Epoch>) {
        let (named, tagged) = (!series.name.is_empty(), !series.tags.is_empty());
        self.map(2 + [named, tagged, series.partial].map(usize::from).iter().sum::<usize>());
        if named {
            self.text("name");
            self.text(&series.name);
        }
        if tagged {
            self.text("tags");
            self.map(series.tags.len());
            for (key, value) in &series.tags {
                self.text(key);
                self.text(value);
            }
        }
        self.text("columns");
        self.array(series.columns.len());
        for column in &series.columns {
            self.text(column);
        }
        self.text("values");
        self.array(series.rows().count());
        for row in series.rows() {
            self.array(row.len());
            for cell in row {
                self.cell(cell, epoch);
            }
        }
        self.partial(series.partial);
    }

    /// Says that more follows; where nothing does, nothing is said.
    fn partial(&mut self, partial: bool) {
        if partial {
            self.text("partial");
            self.byte(0xc3);
        }
    }

    fn cell(&mut self, cell: &Cell, epoch: Option<Epoch>) {
        match cell {
            Cell::Time(time_ns) => match epoch {
                Some(epoch) => self.integer(epoch.count(*time_ns)),
                None => self.instant(*time_ns),
            },
            Cell::Count(count) => self.integer(*count),
            Cell::Value(Value::Null) => self.byte(0xc0),
            Cell::Value(Value::Float(number)) => {
                self.byte(0xcb);
                self.bytes(&number.to_be_bytes());
            }
            Cell::Value(Value::Integer(number)) => self.integer(*number),
            Cell::Value(Value::Unsigned(number)) => self.unsigned(*number),
            Cell::Value(Value::String(text)) => self.text(text),
            Cell::Value(Value::Boolean(value)) => self.byte(if *value { 0xc3 } else { 0xc2 }),
        }
    }

    /// An extension of type 5 and 12 bytes: whole seconds and the nanoseconds beyond them.
    fn instant(&mut self, time_ns: i64) {
        self.bytes(&[0xc7, 12, 5]);
        self.bytes(&time_ns.div_euclid(NS_PER_S).to_be_bytes());
        let beyond = i32::try_from(time_ns.rem_euclid(NS_PER_S)).expect("a second has 10⁹ ns");
        self.bytes(&beyond.to_be_bytes());
    }

    fn integer(&mut self, number: i64) {
        if let Ok(small @ -32..=127) = i8::try_from(number) {
            self.bytes(&small.to_be_bytes());
        } else if let Ok(small @ ..=-1) = i8::try_from(number) {
            self.byte(0xd0);
            self.bytes(&small.to_be_bytes());
        } else if let Ok(small) = i16::try_from(number) {
            self.byte(0xd1);
            self.bytes(&small.to_be_bytes());
        } else if let Ok(small) = i32::try_from(number) {
            self.byte(0xd2);
            self.bytes(&small.to_be_bytes());
        } else {
            self.byte(0xd3);
            self.bytes(&number.to_be_bytes());
        }
    }

    fn unsigned(&mut self, number: u64) {
        if let Ok(small @ ..=127) = u8::try_from(number) {
            self.byte(small);
        } else if let Ok(small) = u8::try_from(number) {
            self.bytes(&[0xcc, small]);
        } else if let Ok(small) = u16::try_from(number) {
            self.byte(0xcd);
            self.bytes(&small.to_be_bytes());
        } else if let Ok(small) = u32::try_from(number) {
            self.byte(0xce);
            self.bytes(&small.to_be_bytes());
        } else {
            self.byte(0xcf);
            self.bytes(&number.to_be_bytes());
        }
    }

    fn text(&mut self, text: &str) {
        match u8::try_from(text.len()) {
            Ok(length @ ..=31) => self.byte(0xa0 | length),
            Ok(length) => self.bytes(&[0xd9, length]),
            Err(_) => self.length(0xda, text.len()),
        }
        self.bytes(text.as_bytes());
    }

    fn array(&mut self, length: usize) {
        match u8::try_from(length) {
            Ok(short @ ..=15) => self.byte(0x90 | short),
            _ => self.length(0xdc, length),
        }
    }

    fn map(&mut self, length: usize) {
        match u8::try_from(length) {
            Ok(short @ ..=15) => self.byte(0x80 | short),
            _ => self.length(0xde, length),
        }
    }

    /// A length in two bytes behind `marker`, or in four behind the marker after it.
    fn length(&mut self, marker: u8, length: usize) {
        if let Ok(length) = u16::try_from(length) {
            self.byte(marker);
            self.bytes(&length.to_be_bytes());
        } else {
            self.byte(marker + 1);
            self.bytes(&u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes());
        }
    }

    fn byte(&mut self, byte: u8) {
        self.0.push(byte);
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packed(write: impl Fn(&mut Packed)) -> Vec<u8> {
        let mut packed = Packed(Vec::new());
        write(&mut packed);
        packed.0
    }

    #[test]
    fn an_answer_is_the_server_s_byte_for_byte() {
        let cells = vec![
            Cell::Time(1_672_531_200_000_000_000),
            Cell::Value(Value::Float(f64::from_bits(0xfe1f_dafb_6000_9cd0))),
            Cell::Time(1_672_533_000_000_000_000),
            Cell::Value(Value::Null),
        ];
        let series = Series { cells, ..Series::plain("m", &["time", "mean"]) };
        let result = StatementResult { series: vec![series], ..StatementResult::default() };
        // Of `SELECT mean(f) FROM m … GROUP BY time(30m)`.
        let recorded = "81a7726573756c74739182ac73746174656d656e745f696400a67365726965739183a4\
                        6e616d65a16da7636f6c756d6e7392a474696d65a46d65616ea676616c7565739292c7\
                        0c050000000063b0cd0000000000cbfe1fdafb60009cd092c70c050000000063b0d408\
                        00000000c0";
        let bytes = encode(&[result], None);
        let hex: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex.concat(), recorded);
    }

    /// Numbers and their bytes as a server of release 2.7.12 writes them.
    #[test]
    fn a_signed_integer_takes_the_shortest_signed_form() {
        for (number, bytes) in [
            (0, &[0][..]),
            (127, &[0x7f]),
            (-7, &[0xf9]),
            (-33, &[0xd0, 0xdf]),
            (128, &[0xd1, 0, 0x80]),
            (300, &[0xd1, 1, 0x2c]),
            (70_000, &[0xd2, 0, 1, 0x11, 0x70]),
            (-40_000, &[0xd2, 0xff, 0xff, 0x63, 0xc0]),
            (i64::MAX, &[0xd3, 0x7f, 255, 255, 255, 255, 255, 255, 255]),
        ] {
            assert_eq!(packed(|packed| packed.integer(number)), bytes, "{number}");
        }
    }

    #[test]
    fn an_instant_before_1970_has_nanoseconds_that_count_forward() {
        let bytes = [0xc7, 12, 5, 255, 255, 255, 255, 255, 255, 255, 255, 0x3b, 0x9a, 0xc9, 0xfb];
        assert_eq!(packed(|packed| packed.instant(-5)), bytes);
    }

    #[test]
    fn a_length_takes_as_many_bytes_as_it_needs() {
        assert_eq!(packed(|packed| packed.array(15)), [0x9f]);
        assert_eq!(packed(|packed| packed.array(16)), [0xdc, 0, 16]);
        assert_eq!(packed(|packed| packed.array(70_000)), [0xdd, 0, 1, 0x11, 0x70]);
        assert_eq!(packed(|packed| packed.text(&"a".repeat(40)))[..2], [0xd9, 40]);
        assert_eq!(packed(|packed| packed.text(&"a".repeat(300)))[..3], [0xda, 1, 0x2c]);
    }
}
