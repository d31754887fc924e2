//! Data sets: how rows of a file become rows of both stores.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::ids::DataName;
use crate::row::FieldType;

/// A file, and how its columns map onto a measurement.
///
/// In InfluxDB the rows live in `bucket` under `measurement`; in Timestream in the database
/// `bucket` and the table `measurement`, as multi-measure records.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DataSet {
    /// Its name within the scenario.
    pub name: DataName,
    /// The file, resolved from the scenario's folder.
    pub path: PathBuf,
    /// How the file is written.
    pub format: DataFormat,
    /// Where the instant of a row comes from.
    pub time: TimeColumn,
    /// The InfluxDB bucket and Timestream database.
    pub bucket: String,
    /// The InfluxDB measurement and Timestream table.
    pub measurement: String,
    /// The tags (Timestream: dimensions), sorted by tag key.
    pub tags: Vec<TagColumn>,
    /// The fields (Timestream: measures), in the order of the file.
    pub fields: Vec<FieldColumn>,
}

/// How a data file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DataFormat {
    /// Separated values with a header line.
    Csv {
        /// The byte between two cells.
        delimiter: u8,
    },
    /// Apache Parquet.
    Parquet,
}

/// Where the instant of a row comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimeColumn {
    /// The column of the file.
    pub column: String,
    /// How the text is written, in `strftime` notation. Not used for a Parquet timestamp.
    pub format: String,
    /// The IANA name of the zone that the text is local to.
    pub zone: String,
}

/// A tag and the column that it comes from. An empty cell is an absent tag.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TagColumn {
    /// The tag key.
    pub tag: String,
    /// The column of the file.
    pub column: String,
}

/// A field and the column that it comes from. An empty cell is an absent field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldColumn {
    /// The field key.
    pub field: String,
    /// The column of the file.
    pub column: String,
    /// What the cell is read as.
    pub field_type: FieldType,
}
