//! `cutover standin`: a stand-in by itself, for any other client.

use cutover_model::Exit;
use cutover_targets::{QuirkControl, influxdb_standin, timestream_standin};

use crate::args::{Service, StandinArgs};
use crate::commands::run::runtime;
use crate::interrupt;
use crate::printer::Printer;
use crate::settings::Settings;

pub(crate) fn standin(args: &StandinArgs, settings: &Settings, printer: Printer) -> Exit {
    let serve = async {
        let (name, serving) = match args.service {
            Service::Influxdb => {
                // By itself it is there to test clients, and so can be told to misbehave.
                let serving = influxdb_standin(args.listen, &settings.clock, QuirkControl::On);
                ("InfluxDB", serving.await)
            }
            Service::Timestream => {
                ("Timestream", timestream_standin(args.listen, &settings.clock).await)
            }
        };
        let serving = match serving {
            Ok(serving) => serving,
            Err(error) => {
                let message = format!("failed to listen on {}: {error}", args.listen);
                printer.mistake(&message, "give another address: --listen 127.0.0.1:0");
                return Exit::Error;
            }
        };
        printer.out(&format!("{name} stand-in listens on {}\n", serving.url()));
        interrupt::asked().await;
        if serving.stop().await { Exit::Passed } else { Exit::Unclean }
    };
    match runtime() {
        Ok(runtime) => runtime.block_on(serve),
        Err(error) => {
            printer.error(&error);
            Exit::Error
        }
    }
}
