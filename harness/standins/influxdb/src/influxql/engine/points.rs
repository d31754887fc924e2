//! Points on their way through a query, and the series that they belong to.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::sync::Arc;

use crate::influxql::ast::{DataType, Order, Page};
use crate::influxql::value::Value;

/// Tags in order of their keys.
pub(super) type Tags = Vec<(Arc<str>, Arc<str>)>;

/// What tells one series of a result from another.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct SeriesKey {
    pub(super) name: Arc<str>,
    pub(super) tags: Tags,
}

impl SeriesKey {
    /// The series with these tags alone; those that it does not have are empty.
    pub(super) fn subset(&self, keys: &[String]) -> Self {
        Self { name: Arc::clone(&self.name), tags: subset(&self.tags, keys) }
    }
}

/// The value of a tag.
pub(super) fn tag<'a>(tags: &'a [(Arc<str>, Arc<str>)], key: &str) -> Option<&'a Arc<str>> {
    tags.iter().find(|(own, _)| **own == *key).map(|(_, value)| value)
}

/// These tags alone, in order; those that are missing are empty.
pub(super) fn subset(tags: &[(Arc<str>, Arc<str>)], keys: &[String]) -> Tags {
    let mut sorted: Vec<&String> = keys.iter().collect();
    sorted.sort();
    sorted.dedup();
    let value = |key: &str| tag(tags, key).cloned().unwrap_or_else(|| Arc::from(""));
    sorted.into_iter().map(|key| (Arc::from(key.as_str()), value(key))).collect()
}

/// A number for each series, so that points carry it instead of names.
#[derive(Debug, Default)]
pub(super) struct SeriesTable {
    keys: Vec<SeriesKey>,
    numbers: HashMap<SeriesKey, u32>,
    subsets: HashMap<(u32, Vec<String>), u32>,
}

impl SeriesTable {
    /// The number of a series, given now if it has none.
    pub(super) fn number(&mut self, key: SeriesKey) -> u32 {
        if let Some(&number) = self.numbers.get(&key) {
            return number;
        }
        let number = u32::try_from(self.keys.len()).expect("a query has fewer series than 2^32");
        self.keys.push(key.clone());
        self.numbers.insert(key, number);
        number
    }

    pub(super) fn key(&self, number: u32) -> &SeriesKey {
        &self.keys[number as usize]
    }

    /// The number of the series with these tags alone.
    pub(super) fn subset(&mut self, number: u32, keys: &[String]) -> u32 {
        let own = &self.key(number).tags;
        if own.len() == keys.len() && own.iter().all(|(key, _)| keys.iter().any(|k| **k == **key)) {
            return number;
        }
        if let Some(&known) = self.subsets.get(&(number, keys.to_vec())) {
            return known;
        }
        let subset = self.key(number).subset(keys);
        let found = self.number(subset);
        self.subsets.insert((number, keys.to_vec()), found);
        found
    }

    /// The order of two series, reversed where rows come latest first.
    pub(super) fn order(&self, left: u32, right: u32, direction: Order) -> Ordering {
        if left == right {
            return Ordering::Equal;
        }
        let order = self.key(left).cmp(self.key(right));
        match direction {
            Order::Ascending => order,
            Order::Descending => order.reverse(),
        }
    }
}

/// A point without what comes along with it.
#[derive(Clone, Debug)]
pub(super) struct Head {
    pub(super) series: u32,
    /// How many points are in it.
    pub(super) count: u32,
    pub(super) time_ns: i64,
    /// Null where the point stands for a lack of points.
    pub(super) value: Value,
}

/// Points in the order in which they are shown.
#[derive(Clone, Debug)]
pub(super) struct Points {
    pub(super) data_type: DataType,
    pub(super) width: usize,
    pub(super) heads: Vec<Head>,
    aux: Vec<Value>,
}

impl Points {
    /// No points of a type, with room for `width` values along with each.
    pub(super) fn new(data_type: DataType, width: usize) -> Self {
        Self { data_type, width, heads: Vec::new(), aux: Vec::new() }
    }

    /// Adds a point; `aux` gives `width` values.
    pub(super) fn push(&mut self, head: Head, aux: impl IntoIterator<Item = Value>) {
        self.heads.push(head);
        self.aux.extend(aux.into_iter().take(self.width));
        self.aux.resize(self.heads.len() * self.width, Value::Null);
    }

    /// Adds a point of other points of the same width.
    pub(super) fn push_from(&mut self, other: &Self, index: usize) {
        self.heads.push(other.heads[index].clone());
        self.aux.extend_from_slice(other.aux(index));
    }

    /// What comes along with a point.
    pub(super) fn aux(&self, index: usize) -> &[Value] {
        &self.aux[index * self.width..(index + 1) * self.width]
    }

    pub(super) fn append(&mut self, mut other: Self) {
        self.heads.append(&mut other.heads);
        self.aux.append(&mut other.aux);
    }

    /// The points of a page, counted anew for each series.
    pub(super) fn page(self, page: Page) -> Self {
        if page.is_all() {
            return self;
        }
        let mut kept = Self::new(self.data_type, self.width);
        let (mut series, mut seen) = (None, 0_i64);
        for index in 0..self.heads.len() {
            if series != Some(self.heads[index].series) {
                series = Some(self.heads[index].series);
                seen = 0;
            }
            seen += 1;
            let beyond = page.limit > 0 && seen - page.offset > page.limit;
            if seen > page.offset && !beyond {
                kept.push_from(&self, index);
            }
        }
        kept
    }

    /// The points without those that repeat an earlier one in all but its number.
    pub(super) fn deduped(self) -> Self {
        let mut kept = Self::new(self.data_type, self.width);
        let mut seen = std::collections::HashSet::new();
        for index in 0..self.heads.len() {
            let head = &self.heads[index];
            let text = format!("{} {} {:?}", head.series, head.time_ns, self.aux(index));
            if seen.insert(text) {
                kept.push_from(&self, index);
            }
        }
        kept
    }

    /// The points in another order.
    pub(super) fn reordered(&self, order: &[usize]) -> Self {
        let mut sorted = Self::new(self.data_type, self.width);
        for &index in order {
            sorted.push_from(self, index);
        }
        sorted
    }
}
