//! The fields of made-up points.
//!
//! The main type is [`Field`]; [`Prepared`] writes the value of one for a given point.

use cutover_model::draw::{draw, draw_unit};

use super::push_escaped;

/// The length of a day.
const DAY_NS: i64 = 86_400_000_000_000;

/// A field of every point.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    /// Its name.
    pub name: String,
    /// What its values are.
    pub kind: FieldKind,
}

/// What the values of a field are.
#[derive(Clone, Debug, PartialEq)]
pub enum FieldKind {
    /// The number of the point, an integer: no two points share it.
    Number,
    /// Floats from 0 to 1,000.
    Float {
        /// How many decimals are written, at most 9; all that tell it apart if absent.
        decimals: Option<u8>,
        /// How they go over a day.
        shape: Shape,
    },
    /// Integers of all sizes and signs.
    Integer,
    /// Unsigned integers of all sizes.
    Unsigned,
    /// Either.
    Boolean,
    /// Texts of so many letters.
    Text(u16),
}

/// How values go over a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// As they come.
    Even,
    /// As the demand of a grid: low before dawn, high in the evening, with some chance.
    Diurnal,
}

/// A field that is ready to be written.
#[derive(Clone, Debug)]
pub(super) struct Prepared {
    /// `,name=`, with a space for the comma of the first.
    label: Vec<u8>,
    kind: FieldKind,
    /// Its stream of chance.
    stream: u64,
}

impl Prepared {
    pub(super) fn new(field: &Field, at: usize, stream: u64) -> Self {
        let mut label = vec![if at == 0 { b' ' } else { b',' }];
        push_escaped(&mut label, &field.name, b",= ");
        label.push(b'=');
        Self { label, kind: field.kind.clone(), stream }
    }

    /// Appends the value of point `number`.
    pub(super) fn write(&self, seed: u64, number: u64, time_ns: i64, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.label);
        match &self.kind {
            FieldKind::Number => {
                push_integer(out, number);
                out.push(b'i');
            }
            FieldKind::Float { decimals, shape } => {
                let chance = draw_unit(seed, self.stream, number);
                let value = 1_000.0
                    * match shape {
                        Shape::Even => chance,
                        Shape::Diurnal => 0.9 * demand(time_ns) + 0.1 * chance,
                    };
                push_float(out, value, *decimals);
            }
            FieldKind::Integer => {
                push_integer(out, draw(seed, self.stream, number).cast_signed());
                out.push(b'i');
            }
            FieldKind::Unsigned => {
                push_integer(out, draw(seed, self.stream, number));
                out.push(b'u');
            }
            FieldKind::Boolean => {
                let value = draw(seed, self.stream, number) & 1 == 0;
                out.extend_from_slice(if value { b"true" } else { b"false" });
            }
            FieldKind::Text(letters) => {
                out.push(b'"');
                let mut chance = draw(seed, self.stream, number);
                for at in 0..*letters {
                    if at % 12 == 11 {
                        chance = draw(seed ^ u64::from(at), self.stream, number);
                    }
                    out.push(b'a' + (chance % 26) as u8);
                    chance /= 26;
                }
                out.push(b'"');
            }
        }
    }
}

fn push_integer(out: &mut Vec<u8>, number: impl itoa::Integer) {
    out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

/// The demand at an instant: from 0, six hours after midnight, to 1, twelve hours later.
fn demand(time_ns: i64) -> f64 {
    let of_day = time_ns.rem_euclid(DAY_NS) as f64 / DAY_NS as f64;
    0.5 - 0.5 * (std::f64::consts::TAU * (of_day - 0.25)).cos()
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "values are from 0 to 1,000 and have at most nine decimals"
)]
fn push_float(out: &mut Vec<u8>, value: f64, decimals: Option<u8>) {
    match decimals {
        None => {
            out.extend_from_slice(ryu::Buffer::new().format_finite(value).as_bytes());
        }
        Some(decimals) => {
            let decimals = usize::from(decimals.min(9));
            // Half up: values are positive, and rounding to even costs a call.
            let scaled = (value * 10_u64.pow(decimals as u32) as f64 + 0.5) as u64;
            let mut text = [b'0'; 24];
            let mut digits = itoa::Buffer::new();
            let digits = digits.format(scaled).as_bytes();
            // At least one digit stands before the point, and one behind it.
            let whole = digits.len().saturating_sub(decimals).max(1);
            let padding = (whole + decimals).saturating_sub(digits.len());
            let (before, behind) = text.split_at_mut(whole);
            for (at, place) in before.iter_mut().chain(&mut behind[1..=decimals]).enumerate() {
                *place = if at < padding { b'0' } else { digits[at - padding] };
            }
            behind[0] = b'.';
            out.extend_from_slice(&text[..=whole + decimals.max(1)]);
        }
    }
}
