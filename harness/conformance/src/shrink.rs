//! Making a disagreement small: fewer stages, simpler arguments, fewer points.
//!
//! [`smaller`] proposes what is one step smaller than a subject; the caller says which of the
//! proposals still shows the disagreement.

use std::collections::BTreeMap;

use crate::generate::influxql::Statement;
use crate::generate::{DataSet, Script};

/// What is asked about which data.
#[derive(Clone, Debug)]
pub(crate) struct Subject {
    pub(crate) query: Query,
    pub(crate) data: DataSet,
}

/// A query in parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Query {
    Flux(Script),
    InfluxQl(Statement),
}

impl Query {
    /// The text that is sent.
    pub(crate) fn text(&self) -> String {
        match self {
            Self::Flux(script) => script.to_string(),
            Self::InfluxQl(statement) => statement.to_string(),
        }
    }

    /// The functions that it is made of, as a name for a file.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Flux(script) => {
                let stages = script.pipes.iter().flat_map(|pipe| {
                    std::iter::once(&pipe.source).chain(&pipe.stages).map(|it| it.call.as_str())
                });
                let mut calls: Vec<&str> =
                    stages.filter(|call| !["from", "range", "filter"].contains(call)).collect();
                calls.dedup();
                if calls.is_empty() { "read".to_owned() } else { calls.join("-") }
            }
            Self::InfluxQl(statement) => {
                let words = statement.head.split(|it: char| !it.is_ascii_alphabetic());
                let words: Vec<&str> = words.filter(|word| !word.is_empty()).take(3).collect();
                words.join("-").to_lowercase()
            }
        }
    }
}

/// Queries that are one step smaller, the smallest first.
pub(crate) fn smaller(query: &Query) -> Vec<Query> {
    match query {
        Query::Flux(script) => smaller_scripts(script).into_iter().map(Query::Flux).collect(),
        Query::InfluxQl(statement) => (0..statement.clauses.len())
            .map(|at| {
                let mut statement = statement.clone();
                statement.clauses.remove(at);
                Query::InfluxQl(statement)
            })
            .collect(),
    }
}

fn smaller_scripts(script: &Script) -> Vec<Script> {
    let mut scripts = Vec::new();
    let mut propose = |change: &dyn Fn(&mut Script)| {
        let mut changed = script.clone();
        change(&mut changed);
        if changed != *script && changed.is_safe() && changed.is_whole() {
            scripts.push(changed);
        }
    };
    for at in 0..script.options.len() {
        propose(&|script| drop(script.options.remove(at)));
    }
    for (at, pipe) in script.pipes.iter().enumerate() {
        // The range stays: a read without bounds is refused.
        let droppable = pipe.stages.iter().enumerate().rev().filter(|(_, it)| it.call != "range");
        for (stage, _) in droppable {
            propose(&|script| script.pipes[at].stages.truncate(stage));
            propose(&|script| drop(script.pipes[at].stages.remove(stage)));
        }
        for (stage, call) in pipe.stages.iter().enumerate() {
            for (argument, it) in call.arguments.iter().enumerate() {
                if it.optional {
                    propose(&|script| {
                        script.pipes[at].stages[stage].arguments.remove(argument);
                    });
                }
                for text in &it.simpler {
                    propose(&|script| {
                        let argument = &mut script.pipes[at].stages[stage].arguments[argument];
                        argument.text.clone_from(text);
                        argument.simpler.retain(|it| it != text && it.len() < text.len());
                    });
                }
            }
        }
    }
    scripts
}

/// Data with fewer points or fewer parts of points, the smallest first.
pub(crate) fn smaller_data(data: &DataSet) -> Vec<DataSet> {
    let count = data.points.len();
    let mut sets = Vec::new();
    let mut width = count.div_ceil(2);
    while width >= 1 && count > 1 {
        for from in (0..count).step_by(width) {
            let mut points = data.points.clone();
            points.drain(from..(from + width).min(count));
            if !points.is_empty() {
                sets.push(data.with_points(points));
            }
        }
        width = if width == 1 { 0 } else { width.div_ceil(2) };
    }
    if count <= 12 {
        sets.extend(without_parts(data));
    }
    sets
}

/// Data in which one tag or one field of all points is gone.
fn without_parts(data: &DataSet) -> Vec<DataSet> {
    let mut labels: BTreeMap<(bool, &String), usize> = BTreeMap::new();
    for point in &data.points {
        point.tags.keys().for_each(|label| *labels.entry((true, label)).or_default() += 1);
        point.fields.keys().for_each(|label| *labels.entry((false, label)).or_default() += 1);
    }
    let sets = labels.keys().map(|(is_tag, label)| {
        let mut points = data.points.clone();
        for point in &mut points {
            if *is_tag {
                point.tags.remove(*label);
            } else if point.fields.len() > 1 {
                point.fields.remove(*label);
            }
        }
        data.with_points(points)
    });
    sets.filter(|smaller| smaller.points != data.points).collect()
}

#[cfg(test)]
mod tests {
    use cutover_cases::Draws;

    use super::*;
    use crate::generate::flux;

    fn subject(n: u64) -> Subject {
        let mut draws = Draws::new(3, n);
        let data = DataSet::generate(&mut draws);
        let query = Query::Flux(flux::script(&mut draws, &data));
        Subject { query, data }
    }

    /// Takes the first proposal that `shows`, until there is none.
    fn shrunk(mut query: Query, shows: impl Fn(&str) -> bool) -> Query {
        while let Some(next) = smaller(&query).into_iter().find(|it| shows(&it.text())) {
            query = next;
        }
        query
    }

    #[test]
    fn making_a_query_smaller_comes_to_an_end_at_what_shows_the_fault() {
        let tried = (0..300).map(subject).filter(|it| it.query.text().contains("sort("));
        for subject in tried {
            let small = shrunk(subject.query, |text| text.contains("sort("));
            assert!(small.text().contains("sort("));
            assert!(small.text().matches("|>").count() <= 8, "{}", small.text());
        }
    }

    #[test]
    fn no_step_makes_a_query_that_harms_the_real_server() {
        for n in 0..200 {
            for smaller in smaller(&subject(n).query) {
                let Query::Flux(script) = smaller else { continue };
                assert!(script.is_safe());
            }
        }
    }

    #[test]
    fn one_point_can_be_found_among_many() {
        let mut data = subject(1).data;
        let wanted = data.points[data.points.len() / 2].clone();
        while let Some(next) =
            smaller_data(&data).into_iter().find(|it| it.points.contains(&wanted))
        {
            data = next;
        }
        assert_eq!(data.points.len(), 1);
    }
}
