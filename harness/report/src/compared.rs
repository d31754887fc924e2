//! A comparison for people: the figures of each operation with what is said of them, and the trend
//! of the last runs, as text and as Markdown.

use std::time::Duration;

use cutover_model::ShortDuration;

use crate::baselines::KeptStatistic;
use crate::comparison::{Ceilings, Change, Compared, Comparison, ENOUGH_RUNS, Quotient};
use crate::markdown::escaped;
use crate::text::{decimal, many, utc, visible};

/// The trend shows no more runs than these before the one that is compared.
const TREND: usize = 14;

/// The heights of a spark line.
const SPARKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// What a comparison comes to, in a sentence.
pub fn conclusion(comparison: &Comparison) -> String {
    let all = comparison.figures.len();
    let count = |change: &Change| comparison.count(|it| it == change);
    let unknown = comparison.count(|it| matches!(it, Change::Unknown(_)));
    format!(
        "{}: {} slower, {} slower by less than {}, {} faster, {} without a difference that can be \
         told, {unknown} not comparable",
        many(all, "figure"),
        count(&Change::Slower),
        count(&Change::LittleSlower),
        comparison.at_least,
        count(&Change::Faster),
        count(&Change::NoDifference),
    )
}

/// The comparison as text.
pub fn comparison_text(comparison: &Comparison) -> String {
    let mut text = format!("run {}\n", visible(comparison.run.as_str()));
    for operation in comparison.figures.chunk_by(Compared::is_of_operation) {
        text.extend(["\n", &*visible(&title(&operation[0])), "\n"]);
        for figure in operation {
            let cells = cells(figure);
            let line = format!(
                "  {:<22}  {:<30}  {:<24}  {:<24}  {}",
                cells.statistic, cells.change, cells.values, cells.quotient, cells.spark
            );
            text.extend([line.trim_end(), "\n"]);
        }
        for why in reasons(operation) {
            text.extend(["    ", &*visible(&why), "\n"]);
        }
        text += &trend_text(operation);
    }
    text.push('\n');
    for remark in remarks(comparison) {
        text.extend([&remark, "\n"]);
    }
    text + &conclusion(comparison) + "\n"
}

/// The comparison as Markdown.
pub fn comparison_markdown(comparison: &Comparison) -> String {
    let mut page = format!(
        "## cutover compare: {}\n\n{}\n",
        escaped(comparison.run.as_str()),
        escaped(&conclusion(comparison))
    );
    for operation in comparison.figures.chunk_by(Compared::is_of_operation) {
        page.extend(["\n### ", &escaped(&title(&operation[0])), "\n\n"]);
        page += "| figure | | now and before | ratio (95 %) | trend |\n|---|---|---|---|---|\n";
        for figure in operation {
            let Cells { statistic, change, values, quotient, spark } = cells(figure);
            let alarm = matches!(figure.change, Change::Slower);
            let change = if alarm { format!("**{change}**") } else { change.to_owned() };
            let row = [statistic, &change, &values, &quotient, &spark].join(" | ");
            page.extend(["| ", &row, " |\n"]);
        }
        for why in reasons(operation) {
            page.extend(["\n", &escaped(&why), "\n"]);
        }
        page += &trend_markdown(operation);
    }
    for remark in remarks(comparison) {
        page.extend(["\n", &remark, "\n"]);
    }
    page
}

fn title(figure: &Compared) -> String {
    let Compared { scenario, target, step, operation, .. } = figure;
    format!("{scenario} on {} / {step} {operation}", target.word())
}

/// A figure in words.
struct Cells {
    statistic: &'static str,
    change: &'static str,
    values: String,
    quotient: String,
    spark: String,
}

fn cells(figure: &Compared) -> Cells {
    let value = |value: f64| shown(figure.statistic, value);
    let now = figure.now.map_or_else(|| "nothing".to_owned(), value);
    let (values, quotient) = match figure.quotient {
        Some(Quotient { value: times, low, high, before, .. }) => (
            format!("{now}, before {}", value(before)),
            format!("× {times:.2} ({low:.2} to {high:.2})"),
        ),
        None => (now, String::new()),
    };
    Cells {
        statistic: figure.statistic.word(),
        change: figure.change.words(),
        values,
        quotient,
        spark: spark(figure),
    }
}

/// Why figures cannot be compared, each reason once.
fn reasons(operation: &[Compared]) -> Vec<String> {
    let mut reasons: Vec<(&str, Vec<&str>)> = Vec::new();
    for figure in operation {
        let Change::Unknown(why) = &figure.change else { continue };
        match reasons.iter_mut().find(|(reason, _)| reason == why) {
            Some((_, figures)) => figures.push(figure.statistic.word()),
            None => reasons.push((why, vec![figure.statistic.word()])),
        }
    }
    reasons.into_iter().map(|(why, figures)| format!("{}: {why}", figures.join(", "))).collect()
}

/// What has to be known of the machine and of the chance of a false alarm.
fn remarks(comparison: &Comparison) -> impl Iterator<Item = String> {
    let machine = comparison.ceilings.map(|Ceilings { now, before }| {
        format!(
            "The machine by itself drives {}/s, and before {}/s (× {:.2}).",
            decimal(now),
            decimal(before),
            now / before
        )
    });
    machine.into_iter().chain(few_runs(comparison))
}

fn few_runs(comparison: &Comparison) -> Option<String> {
    let mut runs = comparison.figures.iter().filter_map(|it| it.quotient.map(|it| it.runs));
    let few = runs.any(|runs| runs < ENOUGH_RUNS);
    few.then(|| {
        format!(
            "Fewer than {ENOUGH_RUNS} runs are kept, so that it is not known how much one run \
             differs from the next; a difference may be that."
        )
    })
}

/// The last runs of a figure and this one, as heights between the lowest and the highest.
fn spark(figure: &Compared) -> String {
    let values: Vec<f64> = latest(figure).map(|it| it.value).chain(figure.now).collect();
    if values.len() < 2 {
        return String::new();
    }
    let low = values.iter().copied().fold(f64::INFINITY, f64::min);
    let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    values.iter().map(|value| SPARKS[height((value - low) / (high - low))]).collect()
}

/// The place of a share from 0 to 1 among the heights; the middle where there is no spread.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a share from 0 to 1 of a small number"
)]
fn height(share: f64) -> usize {
    if share.is_finite() { (share.clamp(0.0, 1.0) * 7.0).round() as usize } else { 3 }
}

fn latest(figure: &Compared) -> impl Iterator<Item = &crate::comparison::Earlier> {
    figure.trend.iter().skip(figure.trend.len().saturating_sub(TREND))
}

/// The runs of an operation with a value of each figure, oldest first.
fn trend_rows(operation: &[Compared]) -> Vec<Vec<String>> {
    let Some(longest) = operation.iter().max_by_key(|it| it.trend.len()) else { return Vec::new() };
    let row = |run: &crate::comparison::Earlier| {
        let cell = |figure: &Compared| {
            let value = figure.trend.iter().find(|it| it.run == run.run);
            value.map_or_else(String::new, |it| shown(figure.statistic, it.value))
        };
        let named = [utc_second(run.started_at_ns), run.run.to_string()];
        named.into_iter().chain(operation.iter().map(cell)).collect()
    };
    latest(longest).map(row).collect()
}

fn trend_text(operation: &[Compared]) -> String {
    let line = |row: Vec<String>| {
        let cells = row.iter().map(|cell| format!("{:<24}", visible(cell)));
        format!("    {}\n", cells.collect::<String>().trim_end())
    };
    let head = std::iter::once("started".to_owned()).chain(["run".to_owned()]);
    let head = head.chain(operation.iter().map(|it| it.statistic.word().to_owned()));
    let rows = trend_rows(operation);
    if rows.is_empty() {
        return String::new();
    }
    std::iter::once(head.collect()).chain(rows).map(line).collect()
}

fn trend_markdown(operation: &[Compared]) -> String {
    let rows = trend_rows(operation);
    if rows.is_empty() {
        return String::new();
    }
    let line = |row: Vec<String>| {
        let cells: Vec<_> = row.iter().map(|cell| escaped(cell)).collect();
        format!("| {} |\n", cells.join(" | "))
    };
    let figures = operation.iter().map(|it| it.statistic.word());
    let head: Vec<_> = ["started", "run"].into_iter().chain(figures).collect();
    let rule = "---|".repeat(head.len());
    let rows: String = rows.into_iter().map(line).collect();
    format!("\n| {} |\n|{rule}\n{rows}", head.join(" | "))
}

fn utc_second(nanos: i64) -> String {
    let text = utc(nanos);
    text.split_once('.').map_or_else(|| text.clone(), |(seconds, _)| format!("{seconds}Z"))
}

fn shown(statistic: KeptStatistic, value: f64) -> String {
    if statistic.is_latency() {
        ShortDuration(Duration::try_from_secs_f64(value).unwrap_or_default()).to_string()
    } else {
        format!("{}/s", decimal(value))
    }
}

#[cfg(test)]
mod tests {
    use cutover_model::{Ratio, RunId, ScenarioId, StepId, TargetKind};

    use super::*;
    use crate::comparison::Earlier;

    fn figure(values: &[f64], change: Change) -> Compared {
        let earlier = |(at, value): (i64, &f64)| Earlier {
            run: RunId::new(format!("run-{at}")),
            started_at_ns: at,
            value: *value,
        };
        Compared {
            scenario: ScenarioId::new("s|<b>"),
            target: TargetKind::Process,
            step: StepId::new("1-load"),
            operation: "write\u{1b}[31m".to_owned(),
            statistic: KeptStatistic::P95,
            now: Some(0.004),
            quotient: None,
            late: None,
            change,
            trend: (0..).zip(values).map(earlier).collect(),
        }
    }

    fn comparison(figures: Vec<Compared>) -> Comparison {
        let at_least = Ratio::from_percent(5.0).unwrap();
        Comparison { run: RunId::new("now"), at_least, ceilings: None, figures }
    }

    #[test]
    fn a_spark_line_goes_from_the_lowest_to_the_highest_and_ends_with_now() {
        assert_eq!(spark(&figure(&[0.001, 0.008, 0.001], Change::Slower)), "▁█▁▄");
        assert_eq!(spark(&figure(&[0.004, 0.004], Change::NoDifference)), "▄▄▄");
        assert_eq!(spark(&figure(&[], Change::NoDifference)), "");
    }

    #[test]
    fn the_trend_ends_with_the_latest_runs() {
        let values: Vec<f64> = (1..=40).map(f64::from).collect();
        let rows = trend_rows(&[figure(&values, Change::NoDifference)]);
        assert_eq!(rows.len(), TREND);
        assert_eq!(rows[TREND - 1][1], "run-39");
    }

    #[test]
    fn text_from_outside_steers_neither_terminal_nor_markdown() {
        let comparison = comparison(vec![figure(&[0.001], Change::Unknown("a|b\n<c>".to_owned()))]);
        let text = comparison_text(&comparison);
        assert!(!text.contains('\u{1b}') && text.contains("a|b\\n<c>"), "{text}");
        let page = comparison_markdown(&comparison);
        assert!(!page.contains('<') && !page.contains('\u{1b}'), "{page}");
    }

    #[test]
    fn every_figure_is_counted_once() {
        let changes = [
            Change::Slower,
            Change::LittleSlower,
            Change::Faster,
            Change::NoDifference,
            Change::Unknown(String::new()),
        ];
        let figures = changes.map(|change| figure(&[], change)).to_vec();
        let told = conclusion(&comparison(figures));
        assert_eq!(told.matches(": 1 ").count() + told.matches(", 1 ").count(), 5, "{told}");
    }
}
