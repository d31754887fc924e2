//! The migration's flags, in the form in which AppConfig hands them to an application.
//!
//! The main type is [`Flags`]. [`Flags::parse`] reads the simplified document (`{"flag":
//! {"enabled": …, attributes}}`), [`Flags::render`] writes it. Whatever is missing or disabled
//! means the source: a flag that nobody has set must never send traffic to InfluxDB. What is
//! malformed is an error, and the application stays with [`Flags::SOURCE_ONLY`] or with the flags
//! it had. An empty answer of AppConfig means "unchanged"; that is the poller's business.

use std::fmt;

use cutover_model::Ratio;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::bucketing;

/// The flag that switches ingestion into InfluxDB on.
pub const INGESTION: &str = "use_influxdb_for_data_ingestion";
/// The flag that switches queries from InfluxDB on.
pub const QUERIES: &str = "use_influxdb_for_api_queries";
/// The flag whose attribute `percentage` says how much of the traffic the other two are for.
pub const SHARE: &str = "influxdb_traffic_percentage";

/// What the flags document says.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Flags {
    /// Whether writes of the devices in the share go to InfluxDB too.
    pub ingestion: bool,
    /// Whether queries of the devices in the share are answered from InfluxDB.
    pub queries: bool,
    /// The share of the devices.
    pub share: Ratio,
}

impl Flags {
    /// Everything from and to Timestream: the state before the rollout and after a rollback, and
    /// what an application without flags must do.
    pub const SOURCE_ONLY: Self = Self { ingestion: false, queries: false, share: Ratio::ZERO };

    /// Reads a flags document.
    pub fn parse(document: &str) -> Result<Self, FlagsError> {
        let document: Value = serde_json::from_str(document).map_err(FlagsError::NotJson)?;
        let Value::Object(flags) = document else { return Err(FlagsError::NotAnObject) };
        let share = enabled_flag(&flags, SHARE)?.map_or(Ok(Ratio::ZERO), percentage)?;
        Ok(Self {
            ingestion: enabled_flag(&flags, INGESTION)?.is_some(),
            queries: enabled_flag(&flags, QUERIES)?.is_some(),
            share,
        })
    }

    /// The document that says this, with a percentage as a person writes it.
    pub fn render(&self) -> String {
        let mut share = json!({ "enabled": self.share > Ratio::ZERO });
        // AppConfig gives no attributes of a disabled flag.
        if self.share > Ratio::ZERO {
            share["percentage"] = percentage_value(self.share);
        }
        let flags = json!({
            INGESTION: { "enabled": self.ingestion },
            QUERIES: { "enabled": self.queries },
            SHARE: share,
        });
        flags.to_string()
    }

    /// Whether queries are on for devices whose writes do not reach InfluxDB. No rollout may pass
    /// through this state.
    pub fn is_torn(&self) -> bool {
        self.queries && !self.ingestion
    }

    /// Whether the writes of `device` go to InfluxDB too.
    pub fn feeds(&self, device: &str) -> bool {
        self.ingestion && self.holds(device)
    }

    /// Whether the queries of `device` are answered from InfluxDB.
    pub fn reads(&self, device: &str) -> bool {
        self.queries && self.holds(device)
    }

    fn holds(&self, device: &str) -> bool {
        bucketing::holds(self.share, bucketing::fraction(SHARE, device))
    }
}

impl fmt::Display for Flags {
    /// For people: `25%, ingestion on, queries off`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = |on| if on { "on" } else { "off" };
        let (ingestion, queries) = (word(self.ingestion), word(self.queries));
        write!(f, "{}, ingestion {ingestion}, queries {queries}", self.share)
    }
}

/// A flags document that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum FlagsError {
    /// It is no JSON.
    #[error("the flags document is not JSON")]
    NotJson(#[source] serde_json::Error),
    /// It is JSON, and no object.
    #[error("the flags document is not an object of flags")]
    NotAnObject,
    /// A flag is no object with `enabled`.
    #[error("flag `{flag}` must be an object with a boolean `enabled`, and is `{found}`")]
    NotAFlag {
        /// The flag.
        flag: &'static str,
        /// What is there instead.
        found: String,
    },
    /// The percentage is no number from 0 to 100.
    #[error("flag `{SHARE}` must have a `percentage` from 0 to 100, and has `{found}`")]
    Percentage {
        /// What is there instead.
        found: String,
    },
}

/// The flag as an object if it is there and enabled.
fn enabled_flag<'a>(
    flags: &'a Map<String, Value>,
    flag: &'static str,
) -> Result<Option<&'a Map<String, Value>>, FlagsError> {
    let Some(value) = flags.get(flag) else { return Ok(None) };
    let not_a_flag = || FlagsError::NotAFlag { flag, found: value.to_string() };
    let object = value.as_object().ok_or_else(not_a_flag)?;
    let enabled = object.get("enabled").and_then(Value::as_bool).ok_or_else(not_a_flag)?;
    Ok(enabled.then_some(object))
}

fn percentage(flag: &Map<String, Value>) -> Result<Ratio, FlagsError> {
    // An attribute that is not set is not in the document.
    let Some(value) = flag.get("percentage") else { return Ok(Ratio::ZERO) };
    let percent = value.as_f64().and_then(|percent| Ratio::from_percent(percent).ok());
    percent.ok_or_else(|| FlagsError::Percentage { found: value.to_string() })
}

/// The shortest percentage that reads back as `share`: 7 and not 7.000000000000001.
fn percentage_value(share: Ratio) -> Value {
    let percent = share.get() * 100.0;
    let rounded = (percent * 1e6).round() / 1e6;
    let reads_back = Ratio::from_percent(rounded).is_ok_and(|read| read == share);
    match rounded {
        whole if reads_back && whole.fract() == 0.0 => {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "a whole number from 0 to 100"
            )]
            let whole = whole as u8;
            json!(whole)
        }
        rounded if reads_back => json!(rounded),
        _ => json!(percent),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn refused(document: &str) -> String {
        Flags::parse(document).unwrap_err().to_string()
    }

    #[test]
    fn a_document_reads_as_it_stands() {
        let flags = Flags::parse(
            r#"{"use_influxdb_for_data_ingestion": {"enabled": true},
                "use_influxdb_for_api_queries": {"enabled": false},
                "influxdb_traffic_percentage": {"enabled": true, "percentage": 25},
                "enable_query_performance_monitoring": {"enabled": true}}"#,
        )
        .unwrap();
        let share = Ratio::from_percent(25.0).unwrap();
        assert_eq!(flags, Flags { ingestion: true, queries: false, share });
    }

    #[test]
    fn an_empty_document_means_the_source() {
        assert_eq!(Flags::parse("{}").unwrap(), Flags::SOURCE_ONLY);
    }

    #[test]
    fn a_disabled_percentage_means_nothing_of_the_traffic() {
        let document = r#"{"influxdb_traffic_percentage": {"enabled": false, "percentage": 75}}"#;
        assert_eq!(Flags::parse(document).unwrap().share, Ratio::ZERO);
    }

    #[test]
    fn a_percentage_that_is_not_set_means_nothing_of_the_traffic() {
        let document = r#"{"influxdb_traffic_percentage": {"enabled": true}}"#;
        assert_eq!(Flags::parse(document).unwrap().share, Ratio::ZERO);
    }

    #[test]
    fn an_empty_text_is_refused_rather_than_read_as_no_flags() {
        assert_eq!(refused(""), "the flags document is not JSON");
    }

    #[test]
    fn a_list_is_refused() {
        assert_eq!(refused("[]"), "the flags document is not an object of flags");
    }

    #[test]
    fn a_text_for_a_boolean_is_refused_by_name() {
        assert_eq!(
            refused(r#"{"use_influxdb_for_api_queries": {"enabled": "true"}}"#),
            "flag `use_influxdb_for_api_queries` must be an object with a boolean `enabled`, \
             and is `{\"enabled\":\"true\"}`"
        );
    }

    #[test]
    fn percentages_outside_of_0_to_100_and_texts_are_refused() {
        for found in ["-1", "100.5", "1e9", "\"25\"", "null", "true"] {
            let document = format!(
                r#"{{"influxdb_traffic_percentage": {{"enabled": true, "percentage": {found}}}}}"#
            );
            assert!(refused(&document).starts_with(
                "flag `influxdb_traffic_percentage` must have a `percentage` from 0 to 100"
            ));
        }
    }

    #[test]
    fn queries_without_ingestion_are_torn() {
        let torn = Flags { queries: true, ..Flags::SOURCE_ONLY };
        assert!(torn.is_torn());
        assert!(!Flags { ingestion: true, ..torn }.is_torn());
        assert!(!Flags::SOURCE_ONLY.is_torn());
    }

    #[test]
    fn a_device_outside_the_share_stays_with_the_source() {
        let all = Flags { ingestion: true, queries: true, share: Ratio::ONE };
        assert!(all.feeds("d") && all.reads("d"));
        let none = Flags { share: Ratio::ZERO, ..all };
        assert!(!none.feeds("d") && !none.reads("d"));
    }

    #[test]
    fn a_rendered_percentage_has_no_needless_digits() {
        let share = Ratio::from_percent(7.0).unwrap();
        assert!(Flags { share, ..Flags::SOURCE_ONLY }.render().contains(r#""percentage":7}"#));
    }

    proptest! {
        #[test]
        fn a_rendered_document_reads_back(
            ingestion: bool,
            queries: bool,
            ten_thousandths in 0_u32..=1_000_000,
        ) {
            let share = Ratio::from_percent(f64::from(ten_thousandths) / 10_000.0).unwrap();
            let flags = Flags { ingestion, queries, share };
            prop_assert_eq!(Flags::parse(&flags.render()).unwrap(), flags);
        }

        #[test]
        fn no_text_makes_the_parser_panic(document in ".*") {
            let read = Flags::parse(&document);
            prop_assert!(read.is_err() || read.unwrap() == Flags::SOURCE_ONLY);
        }
    }
}
