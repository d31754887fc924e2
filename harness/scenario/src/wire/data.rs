//! Data sets: a file, and how its columns map onto a measurement.

use crate::shape::{choice, record};

use super::Names;
use super::scalar::{
    Bucket, Column, Delimiter, FilePath, Measurement, SeriesKey, TimeFormat, Zone,
};

record! {
    /// A file, and how its columns map onto a measurement.
    struct DataWire, ExactlyOneOf("csv", "parquet") {
        /// A file of separated values with a header line.
        csv: optional CsvWire,
        /// A Parquet file.
        parquet: optional ParquetWire,
        /// Where the instant of a row comes from.
        time: required TimeWire,
        /// The InfluxDB bucket and Timestream database.
        bucket: required Bucket,
        /// The InfluxDB measurement and Timestream table.
        measurement: required Measurement,
        /// The column of each tag (Timestream: dimension). An empty cell is an absent tag.
        tags: optional Names<SeriesKey, Column, 0>,
        /// The column and type of each field (Timestream: measure). An empty cell is absent.
        fields: required Names<SeriesKey, FieldWire, 1>,
    }
}

record! {
    /// A file of separated values with a header line.
    struct CsvWire {
        /// The file, from the folder of this file.
        path: required FilePath,
        /// The character between two cells. Default: `","`.
        delimiter: optional Delimiter,
    }
}

record! {
    /// A Parquet file.
    struct ParquetWire {
        /// The file, from the folder of this file.
        path: required FilePath,
    }
}

record! {
    /// Where the instant of a row comes from.
    struct TimeWire {
        /// The column of the file.
        column: required Column,
        /// How the instant is written, in `strftime` notation. Not needed for a Parquet timestamp.
        format: optional TimeFormat,
        /// The IANA name of the zone that the column is local to.
        zone: required Zone,
    }
}

record! {
    /// Where the values of a field come from.
    struct FieldWire {
        /// The column of the file.
        column: required Column,
        /// What the cell is read as.
        field_type as "type": required FieldTypeWire,
    }
}

choice! {
    /// What a cell is read as.
    enum FieldTypeWire {
        words {
            /// A 64-bit float.
            Float = "float",
            /// A signed 64-bit integer.
            Integer = "integer",
            /// A string.
            Text = "text",
            /// A boolean.
            Boolean = "boolean",
        }
    }
}
