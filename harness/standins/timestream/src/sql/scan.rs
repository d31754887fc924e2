//! Reading a table's snapshot: the columns that a query needs, of the batches that can match.
//!
//! Batches are left out by time alone; the filters themselves stay in the plan.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arrow::array::{Array, RecordBatch};
use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::Session;
use datafusion::common::ScalarValue;
use datafusion::datasource::memory::MemorySourceConfig;
use datafusion::datasource::{TableProvider, TableType};
use datafusion::error::Result;
use datafusion::logical_expr::{BinaryExpr, Expr, Operator, TableProviderFilterPushDown};
use datafusion::physical_plan::ExecutionPlan;

use crate::store::Snapshot;

/// A snapshot as `DataFusion` reads it.
#[derive(Debug)]
pub(super) struct SnapshotTable {
    snapshot: Arc<Snapshot>,
    scanned: Arc<AtomicU64>,
}

impl SnapshotTable {
    /// `scanned` counts the bytes that scans of this table read.
    pub(super) fn new(snapshot: Arc<Snapshot>, scanned: Arc<AtomicU64>) -> Self {
        Self { snapshot, scanned }
    }
}

#[async_trait]
impl TableProvider for SnapshotTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.snapshot.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn supports_filters_pushdown(
        &self,
        filters: &[&Expr],
    ) -> Result<Vec<TableProviderFilterPushDown>> {
        Ok(vec![TableProviderFilterPushDown::Inexact; filters.len()])
    }

    async fn scan(
        &self,
        _state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        _limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let range = filters.iter().fold(TimeBounds::ALL, TimeBounds::narrowed);
        let matching = self.snapshot.batches.iter().filter(|(_, times)| range.meets(*times));
        let batches: Vec<RecordBatch> = matching.map(|(batch, _)| batch.clone()).collect();
        let bytes = batches.iter().map(|batch| projected_bytes(batch, projection)).sum();
        self.scanned.fetch_add(bytes, Ordering::Relaxed);
        let plan = MemorySourceConfig::try_new_exec(
            &[batches],
            Arc::clone(&self.snapshot.schema),
            projection.cloned(),
        )?;
        Ok(plan)
    }
}

fn projected_bytes(batch: &RecordBatch, projection: Option<&Vec<usize>>) -> u64 {
    let bytes = |number: usize| {
        // Nulls have no size in store, and a null column none at all.
        let column = batch.column(number);
        let slice = column.to_data().get_slice_memory_size().unwrap_or_default();
        if column.null_count() == column.len() { 0 } else { slice as u64 }
    };
    match projection {
        Some(columns) => columns.iter().map(|&number| bytes(number)).sum(),
        None => (0..batch.num_columns()).map(bytes).sum(),
    }
}

/// The times that a query can want, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct TimeBounds {
    earliest: i64,
    latest: i64,
}

impl TimeBounds {
    const ALL: Self = Self { earliest: i64::MIN, latest: i64::MAX };

    fn meets(self, (first, last): (i64, i64)) -> bool {
        self.earliest <= last && first <= self.latest
    }

    /// Narrower by one filter, where that is a comparison of `time` with a constant.
    fn narrowed(self, filter: &Expr) -> Self {
        match filter {
            Expr::BinaryExpr(BinaryExpr { left, op: Operator::And, right }) => {
                self.narrowed(left).narrowed(right)
            }
            Expr::BinaryExpr(BinaryExpr { left, op, right }) if is_time(left) => {
                self.compared(*op, right)
            }
            Expr::BinaryExpr(BinaryExpr { left, op, right }) if is_time(right) => {
                op.swap().map_or(self, |op| self.compared(op, left))
            }
            Expr::Between(between) if !between.negated && is_time(&between.expr) => {
                self.compared(Operator::GtEq, &between.low).compared(Operator::LtEq, &between.high)
            }
            _ => self,
        }
    }

    fn compared(mut self, op: Operator, constant: &Expr) -> Self {
        let Expr::Literal(ScalarValue::TimestampNanosecond(Some(ns), None), _) = constant else {
            return self;
        };
        match op {
            Operator::Gt | Operator::GtEq => self.earliest = self.earliest.max(*ns),
            Operator::Lt | Operator::LtEq => self.latest = self.latest.min(*ns),
            Operator::Eq => {
                self.earliest = self.earliest.max(*ns);
                self.latest = self.latest.min(*ns);
            }
            _ => {}
        }
        self
    }
}

fn is_time(expr: &Expr) -> bool {
    matches!(expr, Expr::Column(column) if column.name == "time")
}

#[cfg(test)]
mod tests {
    use datafusion::prelude::{col, lit};

    use super::*;

    fn time(ns: i64) -> Expr {
        lit(ScalarValue::TimestampNanosecond(Some(ns), None))
    }

    #[test]
    fn comparisons_of_time_narrow_the_bounds_from_both_sides() {
        let filters = [col("time").gt_eq(time(5)), time(9).gt(col("time"))];
        let bounds = filters.iter().fold(TimeBounds::ALL, TimeBounds::narrowed);
        assert_eq!(bounds, TimeBounds { earliest: 5, latest: 9 });
    }

    #[test]
    fn a_disjunction_or_another_column_narrows_nothing() {
        let filters = [col("time").gt(time(5)).or(col("x").gt(time(1))), col("x").gt(time(5))];
        let bounds = filters.iter().fold(TimeBounds::ALL, TimeBounds::narrowed);
        assert_eq!(bounds, TimeBounds::ALL);
    }

    #[test]
    fn a_batch_that_touches_the_bounds_is_read() {
        let bounds = TimeBounds { earliest: 5, latest: 9 };
        assert!(bounds.meets((9, 12)) && bounds.meets((1, 5)));
        assert!(!bounds.meets((10, 12)) && !bounds.meets((1, 4)));
    }
}
