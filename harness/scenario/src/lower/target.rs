//! What a scenario wants of the destination itself.

use cutover_model::scenario::{Bucket, ContainerLimits, DataSet, FindRateStep, LoadStep, Step};

use super::Lowering;
use crate::diagnostic::excerpt;
use crate::reader::{At, Named};
use crate::suggest::{listing, suggest};
use crate::wire::scalar;
use crate::wire::target::{BucketSettingsWire, ContainerWire};

impl Lowering<'_> {
    /// The buckets that data sets and load steps use, by name, each with the retention that the
    /// file gives it.
    pub(super) fn buckets(
        &mut self,
        declared: &[Named<scalar::Bucket, BucketSettingsWire>],
        data: &[DataSet],
        steps: &[Step],
    ) -> Vec<Bucket> {
        let of_data = data.iter().map(|set| set.bucket.as_str());
        let of_load = steps.iter().filter_map(|step| match step {
            Step::Load(load) | Step::FindRate(FindRateStep { load, .. }) => {
                load.write.as_ref().map(|_| LoadStep::BUCKET)
            }
            _ => None,
        });
        let mut used: Vec<&str> = of_data.chain(of_load).collect();
        used.sort_unstable();
        used.dedup();
        for (name, _) in declared {
            let text = name.value.0.as_str();
            // A data set that could not be read may be the one that uses it.
            if self.mistakes.errors() > 0 || used.contains(&text) {
                continue;
            }
            let help = match suggest(text, used.iter().copied()) {
                Some(meant) => format!("did you mean `{meant}`?"),
                None if used.is_empty() => "remove it".to_owned(),
                None => format!("the buckets are {}", listing(used.iter().copied())),
            };
            let message = format!("nothing uses the bucket `{}`", excerpt(text));
            self.mistakes.error(&name.place, message, help);
        }
        let retention = |bucket: &str| {
            let (_, wire) = declared.iter().find(|(name, _)| name.value.0 == bucket)?;
            Some(wire.as_ref()?.value.retention.as_ref()?.value.0)
        };
        let bucket = |name: &str| Bucket { name: name.to_owned(), retention: retention(name) };
        used.into_iter().map(bucket).collect()
    }
}

pub(super) fn container_limits(wire: Option<&At<ContainerWire>>) -> ContainerLimits {
    let Some(At { value: ContainerWire { memory, cpus }, .. }) = wire else {
        return ContainerLimits::default();
    };
    ContainerLimits {
        memory_bytes: memory.as_ref().map(|memory| memory.value.0),
        millicpus: cpus.as_ref().map(|cpus| cpus.value.0),
    }
}
