//! The functions that queries can call: the service's names, each with what computes it.
//!
//! Functions of `DataFusion` are listed only where they compute what the service does. Names that
//! begin with `$` are what `rewrite` calls; queries cannot.

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::execution::session_state::SessionState;
use datafusion::logical_expr::{AggregateUDF, ScalarUDF, WindowUDF};

use super::sum::checked_sum;
use super::udf::Simple;
use super::{casts, time_functions};

/// The service's name and `DataFusion`'s.
type Named = (&'static str, &'static str);

const SCALARS: &[Named] = &[
    ("abs", "abs"),
    ("acos", "acos"),
    ("asin", "asin"),
    ("atan", "atan"),
    ("atan2", "atan2"),
    ("cbrt", "cbrt"),
    ("ceil", "ceil"),
    ("ceiling", "ceil"),
    ("chr", "chr"),
    ("coalesce", "coalesce"),
    ("cos", "cos"),
    ("cosh", "cosh"),
    ("date_trunc", "date_trunc"),
    ("degrees", "degrees"),
    ("exp", "exp"),
    ("floor", "floor"),
    ("is_nan", "isnan"),
    ("length", "character_length"),
    ("ln", "ln"),
    ("log10", "log10"),
    ("log2", "log2"),
    ("lower", "lower"),
    ("lpad", "lpad"),
    ("ltrim", "ltrim"),
    ("nullif", "nullif"),
    ("pi", "pi"),
    ("pow", "power"),
    ("power", "power"),
    ("radians", "radians"),
    ("regexp_like", "regexp_like"),
    ("replace", "replace"),
    ("reverse", "reverse"),
    ("round", "round"),
    ("rpad", "rpad"),
    ("rtrim", "rtrim"),
    ("sign", "signum"),
    ("sin", "sin"),
    ("sqrt", "sqrt"),
    ("starts_with", "starts_with"),
    ("strpos", "strpos"),
    ("substr", "substr"),
    ("substring", "substr"),
    ("tan", "tan"),
    ("tanh", "tanh"),
    ("trim", "btrim"),
    ("truncate", "trunc"),
    ("upper", "upper"),
    ("$greatest", "greatest"),
    ("$least", "least"),
];

const AGGREGATES: &[Named] = &[
    ("approx_distinct", "approx_distinct"),
    ("arbitrary", "any_value"),
    ("avg", "avg"),
    ("bool_and", "bool_and"),
    ("bool_or", "bool_or"),
    ("corr", "corr"),
    ("count", "count"),
    ("covar_pop", "covar_pop"),
    ("covar_samp", "covar_samp"),
    ("every", "bool_and"),
    ("max", "max"),
    ("min", "min"),
    ("regr_intercept", "regr_intercept"),
    ("regr_slope", "regr_slope"),
    ("stddev", "stddev"),
    ("stddev_pop", "stddev_pop"),
    ("stddev_samp", "stddev"),
    ("sum", "sum"),
    ("var_pop", "var_pop"),
    ("var_samp", "var"),
    ("variance", "var"),
    ("$approx_percentile", "approx_percentile_cont"),
    ("$first_value", "first_value"),
];

const WINDOWS: &[Named] = &[
    ("cume_dist", "cume_dist"),
    ("dense_rank", "dense_rank"),
    ("first_value", "first_value"),
    ("lag", "lag"),
    ("last_value", "last_value"),
    ("lead", "lead"),
    ("nth_value", "nth_value"),
    ("ntile", "ntile"),
    ("percent_rank", "percent_rank"),
    ("rank", "rank"),
    ("row_number", "row_number"),
];

/// The functions by the service's names.
#[derive(Debug)]
pub(super) struct Functions {
    scalars: BTreeMap<&'static str, Arc<ScalarUDF>>,
    aggregates: BTreeMap<&'static str, Arc<AggregateUDF>>,
    windows: BTreeMap<&'static str, Arc<WindowUDF>>,
}

impl Functions {
    /// Takes `DataFusion`'s functions from `state` and adds our own.
    pub(super) fn new(state: &SessionState) -> Self {
        let mut scalars: BTreeMap<_, _> = SCALARS
            .iter()
            .map(|&(name, own)| (name, found(state.scalar_functions().get(own), own)))
            .collect();
        let own = time_functions::all().into_iter().chain(casts::all()).map(Simple::into_udf);
        scalars.extend(own.map(|(name, function)| (name, Arc::new(function))));
        let mut aggregates: BTreeMap<_, _> = AGGREGATES
            .iter()
            .map(|&(name, own)| (name, found(state.aggregate_functions().get(own), own)))
            .collect();
        if let Some(plain) = aggregates.remove("sum") {
            aggregates.insert("sum", Arc::new(checked_sum(plain)));
        }
        let windows = WINDOWS
            .iter()
            .map(|&(name, own)| (name, found(state.window_functions().get(own), own)))
            .collect();
        Self { scalars, aggregates, windows }
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.scalars.contains_key(name)
            || self.aggregates.contains_key(name)
            || self.windows.contains_key(name)
    }

    pub(super) fn scalar(&self, name: &str) -> Option<Arc<ScalarUDF>> {
        self.scalars.get(name).cloned()
    }

    pub(super) fn aggregate(&self, name: &str) -> Option<Arc<AggregateUDF>> {
        self.aggregates.get(name).cloned()
    }

    pub(super) fn window(&self, name: &str) -> Option<Arc<WindowUDF>> {
        self.windows.get(name).cloned()
    }
}

fn found<T>(function: Option<&Arc<T>>, name: &str) -> Arc<T> {
    match function {
        Some(function) => Arc::clone(function),
        None => unreachable!("DataFusion is built with the features that have `{name}`"),
    }
}
