//! The engine: plans a rewritten query with `DataFusion` and runs it.
//!
//! The main type is [`Engine`]. It resolves names itself, against the catalog and the list of
//! functions, so that nothing of `DataFusion` shows that the service does not have.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, SchemaRef};
use datafusion::common::TableReference;
use datafusion::common::config::ConfigOptions;
use datafusion::datasource::provider_as_source;
use datafusion::error::DataFusionError;
use datafusion::execution::session_state::{SessionState, SessionStateBuilder};
use datafusion::logical_expr::planner::{ContextProvider, ExprPlanner};
use datafusion::logical_expr::{
    AggregateUDF, HigherOrderUDF, LogicalPlan, ScalarUDF, TableSource, WindowUDF,
};
use datafusion::optimizer::OptimizerRule;
use datafusion::optimizer::decorrelate_lateral_join::DecorrelateLateralJoin;
use datafusion::optimizer::decorrelate_predicate_subquery::DecorrelatePredicateSubquery;
use datafusion::optimizer::eliminate_cross_join::EliminateCrossJoin;
use datafusion::optimizer::extract_equijoin_predicate::ExtractEquijoinPredicate;
use datafusion::optimizer::optimize_projections::OptimizeProjections;
use datafusion::optimizer::push_down_filter::PushDownFilter;
use datafusion::optimizer::push_down_limit::PushDownLimit;
use datafusion::optimizer::replace_distinct_aggregate::ReplaceDistinctWithAggregate;
use datafusion::optimizer::rewrite_set_comparison::RewriteSetComparison;
use datafusion::optimizer::scalar_subquery_to_join::ScalarSubqueryToJoin;
use datafusion::optimizer::simplify_expressions::SimplifyExpressions;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_optimizer::ensure_coop::EnsureCooperative;
use datafusion::physical_optimizer::ensure_requirements::EnsureRequirements;
use datafusion::physical_optimizer::join_selection::JoinSelection;
use datafusion::physical_optimizer::output_requirements::OutputRequirements;
use datafusion::physical_plan::execute_stream;
use datafusion::prelude::SessionConfig;
use datafusion::sql::parser::{DFParserBuilder, Statement};
use datafusion::sql::planner::{ParserOptions, SqlToRel};
use futures_util::StreamExt;

use super::dialect::{self, OutputNames};
use super::failure::explain;
use super::functions::Functions;
use super::operators::{self, Operators};
use super::scan::SnapshotTable;
use super::tokens::{TimestreamDialect, Tokens};
use super::{Output, OutputColumn, World, show};
use crate::error::{ApiError, ErrorKind};
use crate::store::Snapshot;

/// How long a query may run, as with the service.
const TIME_LIMIT: Duration = Duration::from_mins(1);
/// Most of it is never touched, and so never takes memory.
const STACK_BYTES: usize = 256 * 1024 * 1024;
/// How large a result may become in memory.
const MAX_RESULT_BYTES: usize = 512 * 1024 * 1024;

/// Runs queries. It keeps no state between them.
#[derive(Debug)]
pub(crate) struct Engine {
    state: SessionState,
    functions: Functions,
    /// Our operators before `DataFusion`'s: the first that plans an expression wins.
    planners: Vec<Arc<dyn ExprPlanner>>,
}

impl Engine {
    pub(crate) fn new() -> Self {
        let config = SessionConfig::new()
            .with_target_partitions(1)
            .with_information_schema(false)
            .set_str("datafusion.sql_parser.default_null_ordering", "nulls_last")
            .set_usize("datafusion.optimizer.max_passes", 1)
            .set_bool("datafusion.sql_parser.map_string_types_to_utf8view", false);
        let state = SessionStateBuilder::new_with_default_features()
            .with_config(config)
            .with_optimizer_rules(logical_rules())
            .with_physical_optimizer_rules(physical_rules())
            .with_session_id("timestream".to_owned())
            .build();
        let mut planners: Vec<Arc<dyn ExprPlanner>> = vec![Arc::new(Operators::new())];
        planners.extend(state.expr_planners().iter().cloned());
        Self { functions: Functions::new(&state), planners, state }
    }

    /// Runs one statement.
    ///
    /// Parser, planner and plan work recursively, down to the depth of the query, so every step of
    /// the way is taken on a stack that is large enough for any query that `tokens` lets pass.
    pub(crate) async fn run(&self, world: World<'_>, query: &str) -> Result<Output, ApiError> {
        let mut running = pin!(self.run_here(world, query));
        poll_fn(|cx| stacker::grow(STACK_BYTES, || running.as_mut().poll(cx))).await
    }

    async fn run_here(&self, world: World<'_>, query: &str) -> Result<Output, ApiError> {
        let mut tokens = Tokens::read(query)?;
        if let Some(answer) = show::answer(&tokens, world)? {
            return Ok(answer);
        }
        let parsed = std::mem::take(&mut tokens.list);
        let statement = parse(parsed.clone()).map_err(|error| explain(&error, &tokens))?;
        tokens.list = parsed;
        let (statement, names) =
            dialect::rewrite(statement, &tokens, &self.functions, world.now_ns)?;
        let tables = Tables::new(self, world, &tokens);
        let planner = SqlToRel::new_with_options(&tables, parser_options());
        let plan = planner.statement_to_plan(statement);
        let plan = plan.and_then(|plan| operators::check(&plan).map(|()| plan));
        let plan = plan.map_err(|error| explain(&error, &tokens))?;
        let result = tokio::time::timeout(TIME_LIMIT, self.execute(&plan)).await;
        let result = result.unwrap_or_else(|_| {
            let message = format!("the query took more than {} s", TIME_LIMIT.as_secs());
            Err(DataFusionError::Execution(message))
        });
        let (schema, batches) = result.map_err(|error| explain(&error, &tokens))?;
        let columns = output_columns(&schema, &names, &tables, &tokens);
        let bytes_scanned = tables.scanned.load(Ordering::Relaxed);
        Ok(Output { columns, batches, bytes_scanned })
    }

    async fn execute(
        &self,
        plan: &LogicalPlan,
    ) -> Result<(SchemaRef, Vec<RecordBatch>), DataFusionError> {
        let plan = self.state.create_physical_plan(plan).await?;
        // The types as they are after coercion, which the logical plan did not know yet.
        let schema = plan.schema();
        let mut stream = execute_stream(plan, self.state.task_ctx())?;
        let (mut batches, mut bytes) = (Vec::new(), 0);
        while let Some(batch) = stream.next().await {
            let batch = batch?;
            bytes += batch.get_array_memory_size();
            if bytes > MAX_RESULT_BYTES {
                let message = format!("the result has more than {MAX_RESULT_BYTES} bytes");
                return Err(DataFusionError::Execution(message));
            }
            if batch.num_rows() > 0 {
                batches.push(batch);
            }
        }
        Ok((schema, batches))
    }
}

/// The rules that a plan cannot do without, and those that pay for themselves on small tables:
/// all of `DataFusion`'s rules take longer than most of our queries run.
fn logical_rules() -> Vec<Arc<dyn OptimizerRule + Send + Sync>> {
    vec![
        Arc::new(RewriteSetComparison::new()),
        Arc::new(SimplifyExpressions::new()),
        Arc::new(ReplaceDistinctWithAggregate::new()),
        Arc::new(DecorrelatePredicateSubquery::new()),
        Arc::new(ScalarSubqueryToJoin::new()),
        Arc::new(DecorrelateLateralJoin::new()),
        Arc::new(ExtractEquijoinPredicate::new()),
        Arc::new(EliminateCrossJoin::new()),
        Arc::new(PushDownLimit::new()),
        Arc::new(PushDownFilter::new()),
        Arc::new(OptimizeProjections::new()),
    ]
}

/// As with [`logical_rules`]; the order is `DataFusion`'s.
fn physical_rules() -> Vec<Arc<dyn PhysicalOptimizerRule + Send + Sync>> {
    vec![
        Arc::new(OutputRequirements::new_add_mode()),
        Arc::new(JoinSelection::new()),
        Arc::new(EnsureRequirements::new()),
        Arc::new(OutputRequirements::new_remove_mode()),
        Arc::new(EnsureCooperative::new()),
    ]
}

fn parse(
    tokens: Vec<datafusion::sql::sqlparser::tokenizer::TokenWithSpan>,
) -> Result<Statement, DataFusionError> {
    let mut parser = DFParserBuilder::new(tokens).with_dialect(&TimestreamDialect).build()?;
    let mut statements = parser.parse_statements()?;
    match (statements.pop_front(), statements.is_empty()) {
        (Some(statement), true) => Ok(statement),
        (None, _) => Err(DataFusionError::Plan("The query is empty.".to_owned())),
        (Some(_), false) => Err(DataFusionError::Plan(
            "The query syntax is invalid: a request has one statement only".to_owned(),
        )),
    }
}

fn parser_options() -> ParserOptions {
    ParserOptions::new()
        .with_enable_ident_normalization(true)
        .with_map_string_types_to_utf8view(false)
        .with_default_null_ordering("nulls_last".into())
}

/// The names and types of the answer's columns.
fn output_columns(
    schema: &SchemaRef,
    names: &OutputNames,
    tables: &Tables<'_>,
    tokens: &Tokens,
) -> Vec<OutputColumn> {
    let fields = schema.fields().iter().enumerate();
    fields
        .map(|(number, field)| {
            let plain = names.plain(field.name(), number);
            let spelled = tokens.alias(&plain).map(str::to_owned);
            let spelled = spelled.or_else(|| tables.written_name(&plain));
            let spelled = spelled.or_else(|| tokens.spelling(&plain).map(str::to_owned));
            OutputColumn { name: spelled.unwrap_or(plain), data_type: field.data_type().clone() }
        })
        .collect()
}

/// The tables of one query, each as it was when the query first named it.
struct Tables<'a> {
    engine: &'a Engine,
    world: World<'a>,
    tokens: &'a Tokens,
    found: Mutex<BTreeMap<(String, String), Arc<Snapshot>>>,
    scanned: Arc<AtomicU64>,
}

impl<'a> Tables<'a> {
    fn new(engine: &'a Engine, world: World<'a>, tokens: &'a Tokens) -> Self {
        let scanned = Arc::new(AtomicU64::new(0));
        Self { engine, world, tokens, found: Mutex::default(), scanned }
    }

    fn snapshot(&self, database: &str, table: &str) -> Result<Arc<Snapshot>, ApiError> {
        let key = (database.to_owned(), table.to_owned());
        let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(snapshot) = found.get(&key) {
            return Ok(Arc::clone(snapshot));
        }
        let snapshot = show::with_table(self.world, self.tokens, (database, table), |entry| {
            entry.rows.snapshot()
        })?;
        found.insert(key, Arc::clone(&snapshot));
        Ok(snapshot)
    }

    /// How the column of a table was written when it was first stored.
    fn written_name(&self, lower: &str) -> Option<String> {
        let found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        let mut names = found.values().flat_map(|snapshot| &snapshot.names);
        names.find(|name| name.to_lowercase() == lower).cloned()
    }
}

impl ContextProvider for Tables<'_> {
    fn get_table_source(
        &self,
        name: TableReference,
    ) -> Result<Arc<dyn TableSource>, DataFusionError> {
        let TableReference::Partial { schema, table } = &name else {
            let message = format!("The table '{name}' must be named as \"database\".\"table\".");
            return Err(DataFusionError::External(Box::new(ApiError::validation(message))));
        };
        let snapshot = self.snapshot(schema, table);
        let snapshot = snapshot.map_err(|error| DataFusionError::External(Box::new(error)))?;
        let provider = SnapshotTable::new(snapshot, Arc::clone(&self.scanned));
        Ok(provider_as_source(Arc::new(provider)))
    }

    fn create_cte_work_table(
        &self,
        _name: &str,
        _schema: SchemaRef,
    ) -> Result<Arc<dyn TableSource>, DataFusionError> {
        let error = ApiError::new(ErrorKind::Validation, "WITH RECURSIVE is not supported.");
        Err(DataFusionError::External(Box::new(error)))
    }

    fn get_expr_planners(&self) -> &[Arc<dyn ExprPlanner>] {
        &self.engine.planners
    }

    fn get_function_meta(&self, name: &str) -> Option<Arc<ScalarUDF>> {
        self.engine.functions.scalar(name)
    }

    fn get_higher_order_meta(&self, _name: &str) -> Option<Arc<HigherOrderUDF>> {
        None
    }

    fn get_aggregate_meta(&self, name: &str) -> Option<Arc<AggregateUDF>> {
        self.engine.functions.aggregate(name)
    }

    fn get_window_meta(&self, name: &str) -> Option<Arc<WindowUDF>> {
        self.engine.functions.window(name)
    }

    fn get_variable_type(&self, _variable_names: &[String]) -> Option<DataType> {
        None
    }

    fn options(&self) -> &ConfigOptions {
        self.engine.state.config_options()
    }

    // The lists serve suggestions in error messages, which `dialect` gives before planning.
    fn udf_names(&self) -> Vec<String> {
        Vec::new()
    }

    fn higher_order_function_names(&self) -> Vec<String> {
        Vec::new()
    }

    fn udaf_names(&self) -> Vec<String> {
        Vec::new()
    }

    fn udwf_names(&self) -> Vec<String> {
        Vec::new()
    }
}
