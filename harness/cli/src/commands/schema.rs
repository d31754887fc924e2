//! `cutover schema`: the JSON Schema of the project's files.

use cutover_model::Exit;

use crate::args::{SchemaArgs, SchemaOf};
use crate::printer::Printer;

pub(crate) fn schema(args: SchemaArgs, printer: Printer) -> Exit {
    let schema = match args.of {
        SchemaOf::Scenario => cutover_scenario::json_schema(),
        SchemaOf::Query => cutover_scenario::query_json_schema(),
    };
    // The alternate form of a JSON value is indented and cannot fail.
    printer.out(&format!("{schema:#}\n"));
    Exit::Passed
}
