//! Writes the golden samples of every format into `reports/samples/`.

#[path = "../tests/it/sample.rs"]
mod sample;

use std::path::PathBuf;

use cutover_report::{Format, render};

fn main() -> std::io::Result<()> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../reports/samples");
    std::fs::create_dir_all(&folder)?;
    for format in Format::ALL {
        std::fs::write(folder.join(format.file_name()), render(format, &sample::report()))?;
    }
    Ok(())
}
