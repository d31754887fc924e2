//! What a generator knows of the tables that flow at one place of a script.

use std::collections::{BTreeMap, BTreeSet};

use cutover_cases::Draws;

/// The type of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Float,
    Int,
    Uint,
    Text,
    Bool,
    Time,
    /// Another type in each table.
    Mixed,
}

impl Kind {
    /// Whether it can be computed with.
    pub(crate) fn is_number(self) -> bool {
        matches!(self, Self::Float | Self::Int | Self::Uint)
    }
}

/// The columns of a stream and which of them are in the group key.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shape {
    /// Types by label.
    pub(crate) columns: BTreeMap<String, Kind>,
    /// Labels of the group key.
    pub(crate) key: BTreeSet<String>,
    /// Whether the rows are still grouped as they were stored.
    pub(crate) by_series: bool,
}

impl Shape {
    /// The type of a column, where there is one.
    pub(crate) fn kind(&self, label: &str) -> Option<Kind> {
        self.columns.get(label).copied()
    }

    /// Whether a column is there.
    pub(crate) fn has(&self, label: &str) -> bool {
        self.columns.contains_key(label)
    }

    /// A column of type `kind`, by chance.
    pub(crate) fn of_kind(&self, draws: &mut Draws, kind: Kind) -> Option<String> {
        let labels: Vec<&String> =
            self.columns.iter().filter(|(_, it)| **it == kind).map(|(label, _)| label).collect();
        draws.of(&labels).map(|label| (*label).clone())
    }

    /// Any column, by chance.
    pub(crate) fn any(&self, draws: &mut Draws) -> String {
        let labels: Vec<&String> = self.columns.keys().collect();
        draws.of(&labels).map_or_else(|| "_value".to_owned(), |label| (*label).clone())
    }

    /// Up to `most` columns outside of the times of a range, by chance.
    pub(crate) fn some(&self, draws: &mut Draws, most: usize) -> Vec<String> {
        let labels: Vec<&String> = self.columns.keys().collect();
        let count = draws.below(most + 1);
        let mut some: Vec<String> = Vec::new();
        for _ in 0..count {
            if let Some(label) = draws.of(&labels)
                && !some.contains(label)
            {
                some.push((*label).clone());
            }
        }
        some
    }

    /// Takes a column away.
    pub(crate) fn remove(&mut self, label: &str) {
        self.columns.remove(label);
        self.key.remove(label);
    }

    /// Keeps the key and these columns, as an aggregate does.
    pub(crate) fn only(&mut self, labels: &[(&str, Kind)]) {
        let key = self.key.clone();
        self.columns.retain(|label, _| key.contains(label));
        for (label, kind) in labels {
            self.columns.insert((*label).to_owned(), *kind);
        }
    }
}
