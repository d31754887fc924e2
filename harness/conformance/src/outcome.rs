//! What came out of one way of comparing.

use std::collections::BTreeMap;
use std::fmt;

/// The counts of one way, with what failed by name.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// What was compared, as a heading.
    pub title: String,
    /// How many agree.
    pub agreed: usize,
    /// What does not.
    pub failures: Vec<Failure>,
    /// What the stand-in refuses as outside its subset, by function.
    pub outside: BTreeMap<String, usize>,
    /// Where the real server gives no one answer, by reason.
    pub no_verdict: BTreeMap<String, usize>,
    /// Further lines for the report.
    pub notes: Vec<String>,
}

/// One disagreement.
#[derive(Clone, Debug)]
pub struct Failure {
    /// The class of difference.
    pub class: String,
    /// What was asked.
    pub name: String,
    /// What differs.
    pub difference: String,
}

impl Outcome {
    /// Nothing compared yet.
    pub fn new(title: &str) -> Self {
        Self { title: title.to_owned(), ..Self::default() }
    }

    /// Counts one that agrees or not.
    pub fn count(&mut self, name: &str, difference: Option<&cutover_cases::compare::Difference>) {
        match difference {
            None => self.agreed += 1,
            Some(difference) => self.failures.push(Failure {
                class: difference.class.word().to_owned(),
                name: name.to_owned(),
                difference: difference.place.clone(),
            }),
        }
    }

    /// Counts one that the stand-in refuses, by what its message names.
    pub fn count_outside(&mut self, message: &str) {
        *self.outside.entry(named_function(message)).or_default() += 1;
    }

    /// Counts one without a verdict.
    pub fn count_no_verdict(&mut self, reason: &str) {
        *self.no_verdict.entry(reason.to_owned()).or_default() += 1;
    }

    /// All that were asked.
    pub fn asked(&self) -> usize {
        let sum = |counts: &BTreeMap<String, usize>| counts.values().sum::<usize>();
        self.agreed + self.failures.len() + sum(&self.outside) + sum(&self.no_verdict)
    }

    /// Failures by class.
    pub fn by_class(&self) -> BTreeMap<&str, usize> {
        let mut classes = BTreeMap::new();
        for failure in &self.failures {
            *classes.entry(failure.class.as_str()).or_default() += 1;
        }
        classes
    }
}

/// The function in backticks or the import path that a refusal names.
fn named_function(message: &str) -> String {
    let quoted = message.split('`').nth(1);
    let import = || message.split("import path ").nth(1)?.split([':', ' ']).next();
    quoted.or_else(import).unwrap_or("(not named)").to_owned()
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sum = |counts: &BTreeMap<String, usize>| counts.values().sum::<usize>();
        writeln!(
            f,
            "{}: {} of {} agree, {} differ, {} outside the subset, {} without a verdict",
            self.title,
            self.agreed,
            self.asked(),
            self.failures.len(),
            sum(&self.outside),
            sum(&self.no_verdict),
        )?;
        for failure in &self.failures {
            writeln!(f, "  differs ({}): {}: {}", failure.class, failure.name, failure.difference)?;
        }
        for (function, count) in &self.outside {
            writeln!(f, "  outside: {function}: {count}")?;
        }
        for (reason, count) in &self.no_verdict {
            writeln!(f, "  no verdict: {reason}: {count}")?;
        }
        self.notes.iter().try_for_each(|note| writeln!(f, "  {note}"))
    }
}

/// Whether something was compared in each way, and no more differs than is known to stand.
pub fn hold(outcomes: &[Outcome], standing: usize) -> bool {
    let differing: usize = outcomes.iter().map(|outcome| outcome.failures.len()).sum();
    outcomes.iter().all(|outcome| outcome.agreed > 0) && differing <= standing
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(agreed: usize, differing: usize) -> Outcome {
        let failure =
            Failure { class: String::new(), name: String::new(), difference: String::new() };
        Outcome { agreed, failures: vec![failure; differing], ..Outcome::new("queries") }
    }

    #[test]
    fn nothing_compared_does_not_hold() {
        assert!(!hold(&[outcome(3, 0), outcome(0, 0)], 0));
    }

    #[test]
    fn one_difference_more_than_stands_does_not_hold() {
        assert!(hold(&[outcome(3, 2), outcome(3, 1)], 3));
        assert!(!hold(&[outcome(3, 2), outcome(3, 1)], 2));
    }

    #[test]
    fn a_refusal_is_counted_by_the_function_that_it_names() {
        let message = "error @1:2-1:3: `geo.asTracks` is not in the stand-in's Flux";
        assert_eq!(named_function(message), "geo.asTracks");
        let message = "invalid import path geo: not in the stand-in's Flux";
        assert_eq!(named_function(message), "geo");
    }
}
