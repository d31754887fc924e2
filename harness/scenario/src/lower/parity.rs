//! The parity step.

use std::collections::BTreeSet;

use cutover_model::FieldType;
use cutover_model::scenario::{ParityExpect, ParitySabotage, ParityStep, Tolerance};

use super::Lowering;
use super::data::field_type_of;
use crate::diagnostic::excerpt;
use crate::mistakes::Place;
use crate::reader::At;
use crate::suggest::{listing, suggest};
use crate::wire::parity::{
    ParityExpectWire, ParityFieldWire, ParitySabotageWire, ParityWire, ToleranceWire,
};
use crate::wire::scalar::Count;
use crate::wire::{entries, items};

impl Lowering<'_> {
    pub(super) fn parity(&mut self, wire: &ParityWire) -> Option<ParityStep> {
        let ParityWire { data, fields, expect, sabotage } = wire;
        let named = self.migrated_sets(items(data.as_ref()));
        let known = self.fields_of(&named);
        let mut tolerances = Vec::new();
        for (field, wire) in entries(fields.as_ref()) {
            let types = self.field_types(&field.value.0, &field.place, known.as_ref());
            let tolerance = wire.as_ref().and_then(|wire| self.tolerance(&wire.value, &types));
            tolerances.extend(tolerance.map(|tolerance| (field.value.0.clone(), tolerance)));
        }
        let expect = expect.as_ref().and_then(|expect| parity_expect(&expect.value));
        let mut breaks = Vec::new();
        for wire in items(sabotage.as_ref()) {
            let sabotage = self.parity_sabotage(wire, known.as_ref());
            let hidden_by = expect.and_then(|expect| hidden_by(&sabotage, &tolerances, expect));
            if let Some(key) = hidden_by {
                let message = format!("`{key}` of this step may hide this sabotage");
                let help = "a sabotage that stays green proves nothing: make it larger";
                self.mistakes.warning(&wire.place, message, help);
            }
            breaks.push(sabotage);
        }
        data.as_ref()?;
        Some(ParityStep { data: self.names(named)?, tolerances, expect: expect?, sabotage: breaks })
    }

    /// The fields of the named data sets with their types. `None` when not all are known.
    fn fields_of(&self, named: &[Option<usize>]) -> Option<Vec<(String, FieldType)>> {
        let mut fields = Vec::new();
        for index in named {
            let wire = self.sets[(*index)?].wire?;
            for (key, field) in &wire.value.fields.as_ref()?.value.0 {
                let field_type = field.as_ref()?.value.field_type.as_ref()?;
                fields.push((key.value.0.clone(), field_type_of(&field_type.value)));
            }
        }
        Some(fields)
    }

    /// The types that a field has in the data sets of the step. None when it is in none of them.
    fn field_types(
        &mut self,
        field: &str,
        place: &Place,
        known: Option<&Vec<(String, FieldType)>>,
    ) -> Vec<FieldType> {
        let Some(known) = known else {
            // Which fields there are is not clear because of another mistake.
            return Vec::new();
        };
        let types: Vec<_> =
            known.iter().filter(|(name, _)| name == field).map(|(_, types)| *types).collect();
        if types.is_empty() {
            let names: BTreeSet<&str> = known.iter().map(|(name, _)| name.as_str()).collect();
            let help = match suggest(field, names.iter().copied()) {
                Some(meant) => format!("did you mean `{meant}`?"),
                None => format!("the fields of this step's data are {}", listing(names)),
            };
            let message = format!("unknown field `{}`", excerpt(field));
            self.mistakes.error(place, message, help);
        }
        types
    }

    fn tolerance(&mut self, wire: &ParityFieldWire, types: &[FieldType]) -> Option<Tolerance> {
        let wire = wire.tolerance.as_ref()?;
        let tolerance = tolerance_of(&wire.value);
        let fits = |field_type: &FieldType| match tolerance {
            Tolerance::Exact => true,
            Tolerance::Absolute(_) | Tolerance::Relative(_) => {
                matches!(field_type, FieldType::Float | FieldType::Integer)
            }
            Tolerance::Ulps(_) => *field_type == FieldType::Float,
        };
        if let Some(misfit) = types.iter().find(|field_type| !fits(field_type)) {
            let message = format!("a field of type {} has no such tolerance", misfit.word());
            self.mistakes.error(&wire.place, message, "leave it out, or write `exact`");
        }
        Some(tolerance)
    }

    fn parity_sabotage(
        &mut self,
        sabotage: &At<ParitySabotageWire>,
        known: Option<&Vec<(String, FieldType)>>,
    ) -> ParitySabotage {
        match &sabotage.value {
            ParitySabotageWire::DropRows(rows) => ParitySabotage::DropRows(rows.value.0),
            ParitySabotageWire::AddRows(rows) => ParitySabotage::AddRows(rows.value.0),
            ParitySabotageWire::ShiftTime(by) => ParitySabotage::ShiftTime(by.value.0),
            ParitySabotageWire::FlipLowestBit(field) => {
                let types = self.field_types(&field.value.0, &field.place, known);
                let numeric =
                    |kind: &FieldType| matches!(kind, FieldType::Float | FieldType::Integer);
                if let Some(misfit) = types.iter().find(|kind| !numeric(kind)) {
                    let message = format!("a field of type {} has no lowest bit", misfit.word());
                    self.mistakes.error(&field.place, message, "name a float or an integer");
                }
                ParitySabotage::FlipLowestBit(field.value.0.clone())
            }
        }
    }
}

/// The key of the step that may let a sabotage through.
fn hidden_by(
    sabotage: &ParitySabotage,
    tolerances: &[(String, Tolerance)],
    expect: ParityExpect,
) -> Option<&'static str> {
    let ParityExpect { missing, extra, different, min_rows: _ } = expect;
    let tolerated = |field: &str| {
        let tolerance = tolerances.iter().find(|(name, _)| name == field);
        tolerance.is_some_and(|(_, tolerance)| *tolerance != Tolerance::Exact)
    };
    match sabotage {
        ParitySabotage::DropRows(rows) => (u64::from(*rows) <= missing).then_some("missing"),
        ParitySabotage::AddRows(rows) => (u64::from(*rows) <= extra).then_some("extra"),
        ParitySabotage::ShiftTime(_) => (missing > 0 && extra > 0).then_some("missing"),
        ParitySabotage::FlipLowestBit(_) if different > 0 => Some("different"),
        ParitySabotage::FlipLowestBit(field) => tolerated(field).then_some("tolerance"),
    }
}

fn parity_expect(wire: &ParityExpectWire) -> Option<ParityExpect> {
    let ParityExpectWire { missing, extra, different, min_rows } = wire;
    let count = |wire: &Option<At<Count>>| wire.as_ref().map_or(0, |count| count.value.0);
    Some(ParityExpect {
        missing: count(missing),
        extra: count(extra),
        different: count(different),
        min_rows: min_rows.as_ref()?.value.0,
    })
}

/// The model's word for a tolerance.
pub(super) fn tolerance_of(wire: &ToleranceWire) -> Tolerance {
    match wire {
        ToleranceWire::Exact => Tolerance::Exact,
        ToleranceWire::Absolute(by) => Tolerance::Absolute(by.value.0),
        ToleranceWire::Relative(by) => Tolerance::Relative(by.value.0),
        ToleranceWire::Ulps(by) => Tolerance::Ulps(by.value.0),
    }
}
