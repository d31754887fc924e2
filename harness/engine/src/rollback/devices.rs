//! The devices: who sends writes and queries, and when.
//!
//! Arrivals are open: a device sends its next request when it is due, whether or not the last one
//! was answered. The gaps are drawn evenly between nothing and twice their mean.

use std::sync::Arc;
use std::time::Duration;

use cutover_model::Rate;
use cutover_model::scenario::Workload;
use tokio::task::JoinSet;

use super::backend::Instance;
use super::names::at_ns;
use super::stage::{Chance, Stage};
use super::stores::Point;

/// Ids of one device's writes lie below this distance from the next device's.
const IDS_PER_DEVICE: u64 = 1 << 32;

/// Starts all devices. They stop when the set is dropped; what they have sent goes on.
pub(super) fn start(
    workload: &Workload,
    stage: &Arc<Stage>,
    instances: &[Arc<Instance>],
) -> JoinSet<()> {
    let mut devices = JoinSet::new();
    let gap = |rate: Rate| Duration::from_secs_f64(f64::from(workload.devices) / rate.per_second());
    let (between_writes, between_queries) = (gap(workload.writes), gap(workload.queries));
    for number in 0..workload.devices {
        let instance = &instances[number as usize % instances.len()];
        let device = Device { number, stage: stage.clone(), instance: instance.clone() };
        devices.spawn(device.run(between_writes, between_queries));
    }
    devices
}

struct Device {
    number: u32,
    stage: Arc<Stage>,
    instance: Arc<Instance>,
}

impl Device {
    /// Sends a first point, so that there is something to ask for, and then both streams.
    async fn run(self, between_writes: Duration, between_queries: Duration) {
        self.instance.clone().write(self.point(Duration::ZERO, 0)).await;
        tokio::join!(self.write(between_writes), self.query(between_queries));
    }

    async fn write(&self, mean_gap: Duration) {
        let mut due = Duration::ZERO;
        for n in 1.. {
            due += self.gap(mean_gap, Chance::Writes, n);
            self.stage.until(due).await;
            self.stage.spawn(self.instance.clone().write(self.point(due, n)));
        }
    }

    async fn query(&self, mean_gap: Duration) {
        let mut due = Duration::ZERO;
        for n in 1.. {
            due += self.gap(mean_gap, Chance::Queries, n);
            self.stage.until(due).await;
            self.stage.spawn(self.instance.clone().query(self.number));
        }
    }

    fn point(&self, due: Duration, n: u64) -> Point {
        let id = u64::from(self.number) * IDS_PER_DEVICE + n;
        Point { id, device: self.number, time_ns: at_ns(due) }
    }

    fn gap(&self, mean: Duration, chance: Chance, n: u64) -> Duration {
        // Never nothing: two points of one device at one instant would be one point.
        self.stage.draw_below(2 * mean, chance, (self.number, n)) + Duration::from_nanos(1)
    }
}
