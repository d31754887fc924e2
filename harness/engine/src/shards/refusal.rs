//! Which records are those of all shards of one run, each once.
//!
//! The main type is [`MergeRefusal`]: why records cannot be put together, naming the folder, and
//! what to do about it.

use std::path::PathBuf;

use cutover_model::{RunEventKind, Shard};

use super::{Known, ShardRecord};

/// Records that are not all shards of one run, each once.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MergeRefusal {
    /// There is no record.
    #[error("there is no shard to put together")]
    Nothing,
    /// A record is not that of a shard.
    #[error("`{}` is no record of a shard", .0.display())]
    NoShard(PathBuf),
    /// A shard did not run to its end.
    #[error("`{}` has no end: shard {shard} was interrupted or still goes on", folder.display())]
    NotEnded {
        /// Where its record is.
        folder: PathBuf,
        /// Which.
        shard: Shard,
    },
    /// A shard is of another run.
    #[error("`{}` is no shard of the run of `{}`: {why}", folder.display(), run.display())]
    Foreign {
        /// Where its record is.
        folder: PathBuf,
        /// Where the record is that it was held against.
        run: PathBuf,
        /// What differs.
        why: String,
    },
    /// A shard is there twice.
    #[error("`{}` and `{}` are both shard {shard}", first.display(), second.display())]
    Doubled {
        /// Which.
        shard: Shard,
        /// Where one record is.
        first: PathBuf,
        /// Where the other is.
        second: PathBuf,
    },
    /// Shards are not there.
    #[error("{} missing beside `{}`", listed(shards), folder.display())]
    Missing {
        /// Which.
        shards: Vec<Shard>,
        /// Where the record of a shard is that is there.
        folder: PathBuf,
    },
}

fn listed(shards: &[Shard]) -> String {
    let names: Vec<String> = shards.iter().map(ToString::to_string).collect();
    match names.as_slice() {
        [name] => format!("shard {name} is"),
        names => format!("shards {} are", names.join(", ")),
    }
}

impl MergeRefusal {
    /// What to do about it.
    pub fn remedy(&self) -> String {
        match self {
            Self::Nothing | Self::NoShard(_) => {
                "name the folders of runs made with `cutover run … --shard K/N`".to_owned()
            }
            Self::NotEnded { shard, .. } => {
                format!("run it again with --shard {shard} and name the new folder instead")
            }
            Self::Foreign { .. } => "leave it out; the shards of a run have the same scenarios, \
                 --seed, target and N"
                .to_owned(),
            Self::Doubled { .. } => "name each shard once".to_owned(),
            Self::Missing { shards, .. } => {
                let options: Vec<String> =
                    shards.iter().map(|shard| format!("--shard {shard}")).collect();
                format!("name its folder too, or run what is missing: {}", options.join(", "))
            }
        }
    }
}

/// The shards by number, if they are all of one run.
pub(super) fn in_order(records: Vec<ShardRecord>) -> Result<Vec<Known>, MergeRefusal> {
    let mut shards = records.into_iter().map(known).collect::<Result<Vec<_>, _>>()?;
    let Some(one) = shards.first() else { return Err(MergeRefusal::Nothing) };
    for other in &shards[1..] {
        if let Some(why) = difference(one, other) {
            let (folder, run) = (other.record.folder.clone(), one.record.folder.clone());
            return Err(MergeRefusal::Foreign { folder, run, why });
        }
    }
    let (of, folder) = (one.shard.of(), one.record.folder.clone());
    shards.sort_by_key(|it| it.shard);
    if let Some([first, second]) =
        shards.array_windows().find(|[first, second]| first.shard == second.shard)
    {
        let (shard, first, second) = (first.shard, &first.record.folder, &second.record.folder);
        let (first, second) = (first.clone(), second.clone());
        return Err(MergeRefusal::Doubled { shard, first, second });
    }
    let all = (1..=of).filter_map(|number| Shard::new(number, of).ok());
    let missing: Vec<Shard> =
        all.filter(|shard| !shards.iter().any(|it| it.shard == *shard)).collect();
    if missing.is_empty() {
        Ok(shards)
    } else {
        Err(MergeRefusal::Missing { shards: missing, folder })
    }
}

/// Which shard a record is of; it has to have its end.
fn known(record: ShardRecord) -> Result<Known, MergeRefusal> {
    let start = match record.events.first().map(|event| &event.kind) {
        Some(RunEventKind::RunStarted(start)) => start.clone(),
        _ => return Err(MergeRefusal::NoShard(record.folder)),
    };
    let Some(shard) = start.shard else { return Err(MergeRefusal::NoShard(record.folder)) };
    let is = |kind: &RunEventKind| record.events.iter().any(|event| event.kind == *kind);
    if !is(&RunEventKind::RunFinished) || is(&RunEventKind::Interrupted) {
        return Err(MergeRefusal::NotEnded { folder: record.folder, shard });
    }
    Ok(Known { shard, start, record })
}

/// What tells two shards apart that are not of one run.
fn difference(one: &Known, other: &Known) -> Option<String> {
    let (ours, theirs) = (&one.start, &other.start);
    let words = [
        ("version of cutover", ours.version.clone(), theirs.version.clone()),
        ("number of shards", one.shard.of().to_string(), other.shard.of().to_string()),
        ("seed", ours.seed.to_string(), theirs.seed.to_string()),
        ("target", ours.target.word().to_owned(), theirs.target.word().to_owned()),
        ("target's options", ours.options.join(" "), theirs.options.join(" ")),
    ];
    let word = words.into_iter().find(|(_, ours, theirs)| ours != theirs);
    if let Some((what, ours, theirs)) = word {
        return Some(format!("its {what} is `{theirs}`, and there it is `{ours}`"));
    }
    let (ours, theirs) = (&one.record.plan.scenarios, &other.record.plan.scenarios);
    if let Some((_, theirs)) = ours.iter().zip(theirs).find(|(ours, theirs)| ours != theirs) {
        let (id, file) = (&theirs.id, theirs.file.display());
        return Some(format!("its scenario `{id}` of `{file}` is another, or reads differently"));
    }
    let (ours, theirs) = (ours.len(), theirs.len());
    (ours != theirs).then(|| format!("it has {theirs} scenarios, and there are {ours} there"))
}
