//! The one `match` over the kinds of step. A new kind does not compile until it is wired here.

use cutover_migrate::{Migrated, Options, Progress, migrate};
use cutover_model::event::Fact;
use cutover_model::scenario::{DataSet, FindRateStep, MigrateStep, SeedStep, Step};
use cutover_model::{Finding, FindingCode};
use cutover_targets::Capabilities;

use crate::checks::find_rate::FindRateCheck;
use crate::checks::latency::LatencyCheck;
use crate::checks::load::LoadCheck;
use crate::checks::parity::ParityCheck;
use crate::checks::rollback::RollbackCheck;
use crate::checks::run_check;
use crate::plan::PlannedScenario;
use crate::seed::{retry_policy, seed};
use crate::step::{Ended, StepCx};

/// Why a target does not do a step, where it may not.
pub(crate) fn refused<'t>(
    step: &Step,
    planned: &PlannedScenario,
    (index, can): (usize, &'t Capabilities),
) -> Option<&'t str> {
    let breaks = planned.break_of(index).is_some();
    match step {
        Step::Seed(_) => can.seeding.refusal(),
        Step::Migrate(_) => can.writing.refusal(),
        // Its breaks are made in the stored rows.
        Step::Parity(_) if breaks => can.breaking.refusal(),
        Step::Load(load) | Step::FindRate(FindRateStep { load, .. }) if load.write.is_some() => {
            can.writing.refusal()
        }
        // They read, or bring stores of their own.
        Step::Parity(_)
        | Step::Latency(_)
        | Step::Load(_)
        | Step::FindRate(_)
        | Step::Rollback(_) => None,
    }
}

pub(crate) async fn run_step(step: &Step, cx: &StepCx<'_>) -> Ended {
    match step {
        Step::Seed(step) => run_seed(step, cx).await,
        Step::Migrate(step) => run_migrate(step, cx).await,
        Step::Parity(step) => {
            let sabotage = cx.sabotage(&step.sabotage);
            run_check(&ParityCheck { step, sabotage }, cx).await
        }
        Step::Latency(step) => {
            let sabotage = cx.sabotage(&step.sabotage);
            run_check(&LatencyCheck { step, sabotage }, cx).await
        }
        Step::Load(step) => {
            let sabotage = cx.sabotage(&step.sabotage);
            run_check(&LoadCheck { step, sabotage, shard: cx.planned.shard }, cx).await
        }
        Step::FindRate(step) => {
            let sabotage = cx.sabotage(&step.load.sabotage);
            run_check(&FindRateCheck { step, sabotage }, cx).await
        }
        Step::Rollback(step) => {
            let sabotage = cx.sabotage(&step.sabotage).copied();
            run_check(&RollbackCheck { step, sabotage }, cx).await
        }
    }
}

async fn run_seed(step: &SeedStep, cx: &StepCx<'_>) -> Ended {
    let (mut facts, mut findings, mut before) = (Vec::new(), Vec::new(), 0);
    for data in cx.data(&step.data) {
        let progress = |lines| cx.progress(before + lines, None, "rows");
        let chance = (cx.planned.seed, &cx.cx.stop);
        match seed(&cx.stores.source, data, chance, progress).await {
            Ok(seeded) => {
                before += seeded.lines;
                facts.extend(seeded.facts(data));
                let told = seeded.findings.len() as u64;
                findings.extend(seeded.findings);
                findings.extend(more_findings(seeded.left_out - told));
            }
            Err(error) => return cx.fail(&error),
        }
    }
    cx.finish(facts, findings)
}

fn more_findings(count: u64) -> Option<Finding> {
    (count > 0).then(|| Finding {
        code: FindingCode::ValueUnreadable,
        message: format!("{count} more lines are not in the source"),
        witness: None,
    })
}

async fn run_migrate(step: &MigrateStep, cx: &StepCx<'_>) -> Ended {
    let (mut facts, mut findings, mut before) = (Vec::new(), Vec::new(), 0);
    let batch = usize::try_from(step.batch).unwrap_or(usize::MAX);
    let options = Options { batch, retry: retry_policy(cx.planned.seed) };
    for data in cx.data(&step.data) {
        let progress = |rows| {
            cx.progress(before + rows, None, "rows");
            if cx.cx.stop.is_asked() { Progress::Stop } else { Progress::GoOn }
        };
        let (source, destination) = (&cx.stores.source, &cx.stores.destination);
        match migrate(source, destination, (data, options), progress).await {
            Ok(migrated) => {
                before += migrated.rows_read;
                facts.extend(migrate_facts(data, &migrated));
                findings.extend(migrate_findings(data, &migrated));
            }
            Err(error) => return cx.fail(&error),
        }
    }
    cx.finish(facts, findings)
}

fn migrate_facts(data: &DataSet, migrated: &Migrated) -> Vec<Fact> {
    let fact = |what: &str, count| Fact::count(format!("{}: {what}", data.name), count);
    let mut facts = vec![
        fact("rows read from the source", migrated.rows_read),
        fact("points acknowledged by the destination", migrated.points_acknowledged),
        fact("write requests", migrated.requests),
    ];
    if migrated.retries > 0 {
        facts.push(fact("requests sent again", migrated.retries));
    }
    facts
}

fn migrate_findings(data: &DataSet, migrated: &Migrated) -> Vec<Finding> {
    let finding = |message| Finding { code: FindingCode::RowMissing, message, witness: None };
    let dropped = (migrated.points_dropped > 0).then(|| {
        let (count, reasons) = (migrated.points_dropped, migrated.drop_reasons.join("; "));
        finding(format!("{}: the destination dropped {count} points: {reasons}", data.name))
    });
    let unwritable = migrated.unwritable.iter().map(|row| {
        let at = row.time_ns;
        finding(format!("{}: the row at {at} is not written: {}", data.name, row.reason))
    });
    let told = migrated.unwritable.len() as u64;
    let more = (migrated.rows_unwritable > told).then(|| {
        let count = migrated.rows_unwritable - told;
        finding(format!("{}: {count} more rows are not written", data.name))
    });
    dropped.into_iter().chain(unwritable).chain(more).collect()
}
