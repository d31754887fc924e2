//! `sum`, which on integers is an error when it overflows.
//!
//! Everything but the sum of integers is `DataFusion`'s own.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray};
use arrow::datatypes::{DataType, FieldRef, Int64Type};
use datafusion::common::ScalarValue;
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, GroupsAccumulator, Signature,
};

/// The function, around `DataFusion`'s.
pub(super) fn checked_sum(plain: Arc<AggregateUDF>) -> AggregateUDF {
    AggregateUDF::new_from_impl(CheckedSum { plain })
}

#[derive(Debug)]
struct CheckedSum {
    plain: Arc<AggregateUDF>,
}

// There is one of them.
impl PartialEq for CheckedSum {
    fn eq(&self, _other: &Self) -> bool {
        true
    }
}

impl Eq for CheckedSum {}

impl Hash for CheckedSum {
    fn hash<H: Hasher>(&self, state: &mut H) {
        "$sum".hash(state);
    }
}

impl AggregateUDFImpl for CheckedSum {
    fn name(&self) -> &'static str {
        "$sum"
    }

    fn signature(&self) -> &Signature {
        self.plain.signature()
    }

    fn coerce_types(&self, arg_types: &[DataType]) -> Result<Vec<DataType>> {
        self.plain.coerce_types(arg_types)
    }

    fn return_type(&self, arg_types: &[DataType]) -> Result<DataType> {
        self.plain.return_type(arg_types)
    }

    fn accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        if is_integer_sum(&args) {
            return Ok(Box::new(IntegerSum::default()));
        }
        self.plain.accumulator(args)
    }

    fn state_fields(&self, args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        self.plain.state_fields(args)
    }

    fn groups_accumulator_supported(&self, args: AccumulatorArgs) -> bool {
        // Without one, the executor keeps an accumulator for each group.
        !is_integer_sum(&args) && self.plain.groups_accumulator_supported(args)
    }

    fn create_groups_accumulator(
        &self,
        args: AccumulatorArgs,
    ) -> Result<Box<dyn GroupsAccumulator>> {
        self.plain.create_groups_accumulator(args)
    }

    fn create_sliding_accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        if is_integer_sum(&args) {
            return Ok(Box::new(IntegerSum::default()));
        }
        self.plain.create_sliding_accumulator(args)
    }
}

fn is_integer_sum(args: &AccumulatorArgs) -> bool {
    !args.is_distinct && args.return_field.data_type() == &DataType::Int64
}

#[derive(Debug, Default)]
struct IntegerSum {
    total: i64,
    /// How many values it is the sum of: of none, the sum is null.
    count: u64,
}

impl IntegerSum {
    fn add(&mut self, values: &ArrayRef) -> Result<()> {
        for value in values.as_primitive::<Int64Type>().iter().flatten() {
            self.total = self.total.checked_add(value).ok_or_else(overflow)?;
            self.count += 1;
        }
        Ok(())
    }
}

impl Accumulator for IntegerSum {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.add(&values[0])
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        Ok(ScalarValue::Int64((self.count > 0).then_some(self.total)))
    }

    fn size(&self) -> usize {
        size_of_val(self)
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![self.evaluate()?])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.add(&states[0])
    }

    // A window that moves on takes back what it leaves behind.
    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        for value in values[0].as_primitive::<Int64Type>().iter().flatten() {
            self.total = self.total.checked_sub(value).ok_or_else(overflow)?;
            self.count -= 1;
        }
        Ok(())
    }

    fn supports_retract_batch(&self) -> bool {
        true
    }
}

fn overflow() -> DataFusionError {
    DataFusionError::Execution("bigint addition overflow in sum".to_owned())
}
