//! The texts of sizes of machines: memory and processors.

use crate::diagnostic::excerpt;
use crate::shape::Complaint;

/// An InfluxDB does not start with less.
const LEAST_MEMORY: u64 = 64 << 20;

/// Bytes of memory: `4GiB`, `512MiB`.
pub(crate) fn memory(text: &str) -> Result<u64, Complaint> {
    let shown = excerpt(text);
    let end = text.find(|c: char| !(c.is_ascii_digit() || c == '_')).unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let shift = match unit.trim_start() {
        "MiB" => 20,
        "GiB" => 30,
        "" => {
            return Err(Complaint::new(format!("needs a unit, and is `{shown}`"))
                .with_help("write such as `4GiB` or `512MiB`"));
        }
        other => {
            let message = format!("has the unknown unit `{}`: `{shown}`", excerpt(other));
            return Err(Complaint::new(message).with_help("the units are `MiB` and `GiB`"));
        }
    };
    let number = number.replace('_', "").parse::<u64>().ok();
    let bytes = number.and_then(|number| number.checked_mul(1 << shift));
    match bytes.filter(|bytes| *bytes <= 1 << 45) {
        Some(bytes) if bytes >= LEAST_MEMORY => Ok(bytes),
        Some(_) => Err(Complaint::new(format!("must be at least `64MiB`, and is `{shown}`"))),
        None => Err(Complaint::new(format!("must be a size of memory, and is `{shown}`"))
            .with_help("write such as `4GiB` or `512MiB`")),
    }
}

/// Thousandths of a processor: `2`, `0.5`.
pub(crate) fn cpus(text: &str) -> Result<u32, Complaint> {
    let number = crate::value::positive(text)?;
    if !(0.01..=1_024.0).contains(&number) {
        let message = format!("must be from 0.01 to 1024 processors, and is `{}`", excerpt(text));
        return Err(Complaint::new(message));
    }
    // At most about a million, so that the digits always are a number that fits.
    Ok(format!("{:.0}", number * 1_000.0).parse().unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_counted_in_bytes() {
        assert_eq!(memory("4GiB"), Ok(4 << 30));
        assert_eq!(memory("512 MiB"), Ok(512 << 20));
    }

    #[test]
    fn memory_without_a_unit_is_refused() {
        assert!(memory("4").unwrap_err().what.contains("needs a unit"));
    }

    #[test]
    fn a_unit_of_a_thousand_is_refused() {
        assert!(memory("4GB").unwrap_err().what.contains("unknown unit `GB`"));
    }

    #[test]
    fn so_little_memory_that_no_server_starts_is_refused() {
        assert!(memory("1MiB").is_err());
    }

    #[test]
    fn parts_of_a_processor_are_thousandths() {
        assert_eq!(cpus("0.5"), Ok(500));
        assert_eq!(cpus("2"), Ok(2_000));
    }
}
