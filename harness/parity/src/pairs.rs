//! Compares rows that exist on both sides, column by column.
//!
//! The way in is [`compare_pairs`]. Columns are compared in short stretches that stay in the
//! cache; a stretch whose columns are all the same is done. Otherwise the rows that are not are
//! handed to the [`Tally`] one by one, in the order of the stream, so that what is found does not
//! depend on where batches were cut.

use crate::column::Stretch;
use crate::stream::Head;
use crate::tally::Tally;

/// Rows in a stretch.
const STRETCH: usize = 1024;

/// Compares the rows of two heads of the same length, series and times.
pub(crate) fn compare_pairs(source: &Head<'_>, destination: &Head<'_>, tally: &mut Tally) {
    tally.paired(source);
    let mut done = 0;
    while done < source.rows.len() {
        let rows = STRETCH.min(source.rows.len() - done);
        let at = Stretch {
            source: source.rows.start + done,
            destination: destination.rows.start + done,
            rows,
        };
        compare_stretch(source, destination, at, tally);
        done += rows;
    }
}

fn compare_stretch(source: &Head<'_>, destination: &Head<'_>, at: Stretch, tally: &mut Tally) {
    let mut marks = [false; STRETCH];
    let mut any = false;
    for (ours, theirs) in source.batch.columns().iter().zip(destination.batch.columns()) {
        if !ours.equal(theirs, at) {
            ours.mark(theirs, at, &mut marks);
            any = true;
        }
    }
    if !any {
        return;
    }
    for (row, unequal) in marks[..at.rows].iter().enumerate() {
        if *unequal {
            let (ours, theirs) = (at.source + row, at.destination + row);
            let source = Head { rows: ours..ours + 1, ..source.clone() };
            let destination = Head { rows: theirs..theirs + 1, ..destination.clone() };
            tally.unequal_pair(&source, &destination);
        }
    }
}

/// How many times two lists have in common before they part.
pub(crate) fn common_prefix(a: &[i64], b: &[i64]) -> usize {
    let len = a.len().min(b.len());
    // Most lists agree to the end, and comparing memory is the quickest way to see that.
    if a[..len] == b[..len] {
        return len;
    }
    a.iter().zip(b).take_while(|(a, b)| a == b).count()
}
