//! From wire types to the model: defaults, references, and what the parts mean together.
//!
//! [`scenario`] goes on after a mistake wherever it can, so that one pass finds them all; a part
//! that cannot be made is `None`, and its mistake is noted. What is legal but unwise is noted as
//! a warning where it is found.

mod arrival;
pub(crate) mod data;
mod find_rate;
mod latency;
mod load;
mod parity;
mod points;
mod query;
mod rollback;
mod target;
mod trigger;

use std::collections::BTreeSet;
use std::path::Path;

use cutover_model::scenario::{MigrateStep, SeedStep, Step};
use cutover_model::{DataName, Scenario, ScenarioId};

use crate::diagnostic::excerpt;
use crate::mistakes::{Mistakes, Place};
use crate::reader::At;
use crate::suggest::{listing, suggest};
use crate::wire::data::DataWire;
use crate::wire::items;
use crate::wire::scalar::Slug;
use crate::wire::scenario::{MigrateWire, ScenarioWire, SeedWire, StepWire};

pub(crate) use query::Library;

/// Points per write request of a migration that does not say.
const DEFAULT_BATCH: u32 = 5_000;

/// Samples without which a limit that does not say is not judged.
const DEFAULT_MIN_SAMPLES: u64 = 200;

/// What lowering needs beside the file's own content.
pub(crate) struct Lowering<'a> {
    /// The scenario file, as the user named it.
    pub(crate) file: &'a Path,
    /// Where mistakes go.
    pub(crate) mistakes: &'a mut Mistakes,
    /// The query files that were read so far.
    pub(crate) library: &'a mut Library,
    /// The data sets that the file declares, and how far each has come.
    sets: Vec<DeclaredSet<'a>>,
}

/// A data set as the file declares it. Its own mistakes do not make its name unknown.
struct DeclaredSet<'a> {
    name: &'a str,
    wire: Option<&'a At<DataWire>>,
    seeded: bool,
    migrated: bool,
}

impl<'a> Lowering<'a> {
    /// Starts on the scenario in `file`.
    pub(crate) fn new(
        file: &'a Path,
        mistakes: &'a mut Mistakes,
        library: &'a mut Library,
    ) -> Self {
        Self { file, mistakes, library, sets: Vec::new() }
    }

    /// The scenario, unless something in it is wrong.
    pub(crate) fn scenario(mut self, wire: &'a ScenarioWire) -> Option<Scenario> {
        let ScenarioWire { version, id, title, tags, buckets, container, data, steps } = wire;
        let declared = crate::wire::entries(data.as_ref());
        self.sets = declared
            .iter()
            .map(|(name, wire)| DeclaredSet {
                name: &name.value.0,
                wire: wire.as_ref(),
                seeded: false,
                migrated: false,
            })
            .collect();
        let data = self.data_sets(declared);
        let steps: Vec<_> =
            items(steps.as_ref()).iter().filter_map(|step| self.step(step)).collect();
        let buckets = self.buckets(crate::wire::entries(buckets.as_ref()), &data, &steps);
        self.check_tags(items(tags.as_ref()));
        // Parts that could not be made are missing from here on.
        if self.mistakes.errors() > 0 {
            return None;
        }
        version.as_ref()?;
        Some(Scenario {
            id: ScenarioId::new(&id.as_ref()?.value.0),
            title: title.as_ref()?.value.0.clone(),
            tags: items(tags.as_ref()).iter().map(|tag| tag.value.0.clone()).collect(),
            file: self.file.to_owned(),
            buckets,
            container: target::container_limits(container.as_ref()),
            data,
            steps,
        })
    }

    fn check_tags(&mut self, tags: &[At<Slug>]) {
        let mut known = BTreeSet::new();
        for tag in tags {
            if !known.insert(tag.value.0.as_str()) {
                let message = format!("the tag `{}` is there twice", tag.value.0);
                self.mistakes.error(&tag.place, message, "remove one");
            }
        }
    }

    fn step(&mut self, step: &'a At<StepWire>) -> Option<Step> {
        match &step.value {
            StepWire::Seed(wire) => self.seed(&wire.value).map(Step::Seed),
            StepWire::Migrate(wire) => self.migrate(wire).map(Step::Migrate),
            StepWire::Parity(wire) => self.parity(&wire.value).map(Step::Parity),
            StepWire::Latency(wire) => self.latency(wire).map(Step::Latency),
            StepWire::Load(wire) => self.load(wire).map(Step::Load),
            StepWire::FindRate(wire) => self.find_rate(wire).map(Step::FindRate),
            StepWire::Rollback(wire) => self.rollback(wire).map(Step::Rollback),
        }
    }

    fn seed(&mut self, wire: &SeedWire) -> Option<SeedStep> {
        let SeedWire { store, data } = wire;
        let named = self.named_sets(items(data.as_ref()));
        for index in named.iter().flatten() {
            self.sets[*index].seeded = true;
        }
        store.as_ref()?;
        data.as_ref()?;
        Some(SeedStep { data: self.names(named)? })
    }

    fn migrate(&mut self, wire: &At<MigrateWire>) -> Option<MigrateStep> {
        let MigrateWire { batch, data } = &wire.value;
        let named = match data {
            Some(data) => self.seeded_sets(&data.value.0),
            None => self.all_seeded_sets(&wire.place),
        };
        for index in named.iter().flatten() {
            self.sets[*index].migrated = true;
        }
        let batch = batch.as_ref().map_or(DEFAULT_BATCH, |batch| batch.value.0);
        Some(MigrateStep { data: self.names(named)?, batch })
    }

    fn seeded_sets(&mut self, data: &[At<Slug>]) -> Vec<Option<usize>> {
        let named = self.named_sets(data);
        for (name, index) in data.iter().zip(&named) {
            if index.is_some_and(|index| !self.sets[index].seeded) {
                let message = format!("the data set `{}` is not seeded before", name.value.0);
                let help = "name it in a `seed` step above this one";
                self.mistakes.error(&name.place, message, help);
            }
        }
        named
    }

    fn all_seeded_sets(&mut self, place: &Place) -> Vec<Option<usize>> {
        let seeded: Vec<_> =
            (0..self.sets.len()).filter(|index| self.sets[*index].seeded).map(Some).collect();
        if seeded.is_empty() {
            self.mistakes.error(
                place,
                "there is nothing to migrate: no data set is seeded before",
                "add a `seed` step above this one",
            );
        }
        seeded
    }

    /// The data sets of `data`, each of which must have been migrated before.
    fn migrated_sets(&mut self, data: &[At<Slug>]) -> Vec<Option<usize>> {
        let named = self.named_sets(data);
        for (name, index) in data.iter().zip(&named) {
            if index.is_some_and(|index| !self.sets[index].migrated) {
                let message = format!("the data set `{}` is not migrated before", name.value.0);
                let help = "add a `migrate` step that covers it above this one";
                self.mistakes.error(&name.place, message, help);
            }
        }
        named
    }

    /// Says so when a step asks for data and none was migrated before.
    fn expect_migrated_data(&mut self, place: &Place) {
        if !self.sets.iter().any(|set| set.migrated) {
            self.mistakes.error(
                place,
                "the queries would find nothing: no data set is migrated before",
                "add a `seed` and a `migrate` step above this one",
            );
        }
    }

    /// The places of named data sets among the declared ones.
    fn named_sets(&mut self, data: &[At<Slug>]) -> Vec<Option<usize>> {
        let mut named = Vec::new();
        let mut before = BTreeSet::new();
        for name in data {
            let text = name.value.0.as_str();
            let index = self.sets.iter().position(|set| set.name == text);
            if !before.insert(text) {
                let message = format!("the data set `{text}` is named twice");
                self.mistakes.error(&name.place, message, "remove one");
            } else if index.is_none() {
                let known = || self.sets.iter().map(|set| set.name);
                let help = match suggest(text, known()) {
                    Some(meant) => format!("did you mean `{meant}`?"),
                    None => format!("under `data` there is {}", listing(known())),
                };
                let message = format!("unknown data set `{}`", excerpt(text));
                self.mistakes.error(&name.place, message, help);
            }
            named.push(index);
        }
        named
    }

    /// The names of data sets, if all are known.
    fn names(&self, named: Vec<Option<usize>>) -> Option<Vec<DataName>> {
        let name = |index: Option<usize>| Some(DataName::new(self.sets[index?].name));
        named.into_iter().map(name).collect()
    }
}

/// Samples without which nothing is judged.
fn min_samples(wire: Option<&At<crate::wire::scalar::PositiveCount>>) -> u64 {
    wire.map_or(DEFAULT_MIN_SAMPLES, |count| count.value.0)
}
