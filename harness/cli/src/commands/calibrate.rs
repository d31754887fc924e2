//! `cutover calibrate`: what this machine can drive and what it adds to a latency.

use cutover_engine::StopSwitch;
use cutover_engine::calibrate::{Effort, calibrate as measure};
use cutover_model::Exit;
use cutover_report::calibration_text;

use crate::commands::run::runtime;
use crate::printer::Printer;
use crate::settings::Settings;

pub(crate) fn calibrate(settings: &Settings, printer: Printer) -> Exit {
    let runtime = match runtime() {
        Ok(runtime) => runtime,
        Err(error) => {
            printer.error(&error);
            return Exit::Error;
        }
    };
    let (_switch, stop) = StopSwitch::new();
    match runtime.block_on(measure(Effort::Thorough, &settings.clock, &stop)) {
        Ok(calibration) => {
            printer.out(&calibration_text(&calibration));
            Exit::Passed
        }
        Err(error) => {
            printer.error(&error);
            Exit::Error
        }
    }
}
