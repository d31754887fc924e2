//! The search for the highest rate that a load still holds.
//!
//! The main type is [`FindRateStep`].

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::arrivals::{Arrivals, LoadModel};
use super::limits::Limit;
use super::load::{LoadStep, LoadSubject, WriteSource};
use crate::units::{Rate, Ratio};

/// Looks for the highest rate at which limits still hold.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FindRateStep {
    /// What is driven, at the lowest rate, and what has to hold of it: writers or readers, made
    /// up or asked at a rate.
    pub load: LoadStep,
    /// The lowest rate that is tried. For writers, rates count points.
    pub from: Rate,
    /// The highest rate that is tried.
    pub to: Rate,
    /// How near to the truth the found rate has to be, as a share of it.
    pub precision: Ratio,
    /// How long one trial is.
    pub trial: Duration,
    /// How long all trials take together.
    pub within: Duration,
    /// What the found rate must be.
    pub expect: Limit,
}

impl FindRateStep {
    /// Who is driven.
    pub fn subject(&self) -> LoadSubject {
        if self.load.write.is_some() { LoadSubject::Write } else { LoadSubject::Read }
    }

    /// How many units of the rate one request is.
    pub fn units_per_request(&self) -> u32 {
        self.load.write.as_ref().map_or(1, |write| write.batch)
    }

    /// The load of one trial.
    pub fn at(&self, rate: Rate, (warm_up, duration): (Duration, Duration)) -> LoadStep {
        let model = LoadModel::Open(Arrivals::constant(rate));
        let mut load = LoadStep { warm_up, duration, ..self.load.clone() };
        if let Some(read) = &mut load.read {
            read.model = model.clone();
        }
        if let Some(write) = &mut load.write
            && let WriteSource::Generated { model: writers, .. } = &mut write.source
        {
            *writers = model;
        }
        load
    }
}
