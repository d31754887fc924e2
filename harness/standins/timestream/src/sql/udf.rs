//! One shape for our own scalar functions: fixed argument kinds, one return type, one body.
//!
//! A [`Simple`] checks the types of its arguments with the service's names for types, and turns
//! what can be turned (a date into a timestamp, an integer into a double).

use std::hash::{Hash, Hasher};

use arrow::array::ArrayRef;
use arrow::datatypes::{DataType, IntervalUnit, TimeUnit};
use datafusion::common::plan_err;
use datafusion::error::Result;
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

/// What a function takes in one place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Any,
    BigInt,
    Double,
    Interval,
    Text,
    Timestamp,
}

/// A function of ours.
#[derive(Debug)]
pub(super) struct Simple {
    pub(super) name: &'static str,
    pub(super) takes: &'static [Kind],
    pub(super) gives: DataType,
    pub(super) body: fn(&[ArrayRef]) -> Result<ArrayRef>,
}

/// A timestamp as tables have it.
pub(super) const TIMESTAMP: DataType = DataType::Timestamp(TimeUnit::Nanosecond, None);

impl Simple {
    pub(super) fn into_udf(self) -> (&'static str, ScalarUDF) {
        let name = self.name;
        let signature = Signature::user_defined(Volatility::Immutable);
        (name, ScalarUDF::new_from_impl(Registered { simple: self, signature }))
    }
}

#[derive(Debug)]
struct Registered {
    simple: Simple,
    signature: Signature,
}

// A name is registered once, so it stands for the function.
impl PartialEq for Registered {
    fn eq(&self, other: &Self) -> bool {
        self.simple.name == other.simple.name
    }
}

impl Eq for Registered {}

impl Hash for Registered {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.simple.name.hash(state);
    }
}

impl ScalarUDFImpl for Registered {
    fn name(&self) -> &str {
        self.simple.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arg_types: &[DataType]) -> Result<DataType> {
        Ok(self.simple.gives.clone())
    }

    fn coerce_types(&self, arg_types: &[DataType]) -> Result<Vec<DataType>> {
        let kinds = self.simple.takes;
        let coerced: Option<Vec<DataType>> = (arg_types.len() == kinds.len())
            .then(|| kinds.iter().zip(arg_types).map(|(kind, from)| kind.coerced(from)).collect())
            .flatten();
        let Some(coerced) = coerced else {
            let found: Vec<String> = arg_types.iter().map(type_name).collect();
            let expected: Vec<&str> = kinds.iter().map(|kind| kind.name()).collect();
            return plan_err!(
                "Unexpected parameters ({}) for function {}. Expected: {}({})",
                found.join(", "),
                self.simple.name,
                self.simple.name,
                expected.join(", ")
            );
        };
        Ok(coerced)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let arrays: Result<Vec<ArrayRef>> =
            args.args.into_iter().map(|value| value.into_array(args.number_rows)).collect();
        Ok(ColumnarValue::Array((self.simple.body)(&arrays?)?))
    }
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Any => "any",
            Self::BigInt => "bigint",
            Self::Double => "double",
            Self::Interval => "interval",
            Self::Text => "varchar",
            Self::Timestamp => "timestamp",
        }
    }

    /// The type as which the body gets an argument of type `from`.
    fn coerced(self, from: &DataType) -> Option<DataType> {
        let interval = DataType::Interval(IntervalUnit::MonthDayNano);
        match (self, from) {
            (Self::Any, any) => Some(any.clone()),
            (Self::BigInt, DataType::Null) => Some(DataType::Int64),
            (Self::BigInt, integer) if integer.is_integer() => Some(DataType::Int64),
            (Self::Double, DataType::Null) => Some(DataType::Float64),
            (Self::Double, number) if number.is_numeric() => Some(DataType::Float64),
            (Self::Interval, DataType::Null | DataType::Interval(_)) => Some(interval),
            (Self::Text, DataType::Null | DataType::Utf8 | DataType::Utf8View) => {
                Some(DataType::Utf8)
            }
            (Self::Timestamp, DataType::Null | DataType::Timestamp(_, None) | DataType::Date32) => {
                Some(TIMESTAMP)
            }
            _ => None,
        }
    }
}

/// Each value computed, nulls left null.
pub(super) fn each<T, R>(
    values: impl Iterator<Item = Option<T>>,
    compute: impl Fn(T) -> Result<R>,
) -> impl Iterator<Item = Result<Option<R>>> {
    values.map(move |value| value.map(&compute).transpose())
}

/// The service's name for a type, as far as it has one.
pub(super) fn type_name(data_type: &DataType) -> String {
    let name = match data_type {
        DataType::Boolean => "boolean",
        DataType::Int64 => "bigint",
        DataType::Int32 => "integer",
        DataType::Float64 => "double",
        DataType::Utf8 | DataType::Utf8View => "varchar",
        DataType::Timestamp(..) => "timestamp",
        DataType::Date32 => "date",
        DataType::Interval(_) | DataType::Duration(_) => "interval",
        DataType::Null => "unknown",
        other => return other.to_string(),
    };
    name.to_owned()
}
