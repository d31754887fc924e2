//! When shards were together the load of the file, and when they were not.

use std::time::Duration;

use cutover_model::TargetKind;

use super::divided;

const MS: i128 = 1_000_000;
const MINUTE: Duration = Duration::from_mins(1);

#[test]
fn shards_that_began_together_on_one_destination_are_the_load() {
    assert_eq!(divided(TargetKind::Deployed, &[0, 590 * MS, 20 * MS], MINUTE), None);
}

#[test]
fn shards_that_began_apart_are_not_the_load() {
    let why = divided(TargetKind::Deployed, &[0, 610 * MS], MINUTE).unwrap();
    assert!(why.contains("610ms apart"), "{why}");
}

#[test]
fn shards_with_destinations_of_their_own_are_not_the_load() {
    for target in [TargetKind::Embedded, TargetKind::Process, TargetKind::Container] {
        assert!(divided(target, &[0, 0], MINUTE).is_some());
    }
}

#[test]
fn a_shard_that_is_all_of_the_run_is_the_load() {
    assert_eq!(divided(TargetKind::Process, &[5], MINUTE), None);
}
