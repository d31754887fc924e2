//! The measured path of load beside wrk and oha, against a server of known latency.
//!
//! Everything that is timed runs as a process of its own, bound to one core: this program starts
//! itself again as the server (`sink`), as our generator (`ours`), and as a loop that only looks at
//! the clock (`bare`). Rounds are interleaved, and
//! what is printed is the median of the rounds' quotients. A number that is not reached is
//! printed as missed; nothing is asserted. `benches/README.md` has the commands and the figures.

#![expect(clippy::print_stdout, reason = "a program, whose figures are its output")]

mod children;
mod find_rate;
mod peers;
mod sections;

use std::process::ExitCode;

use sections::{Section, Settings};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["sink", order] => children::sink(order),
        ["ours", order] => children::ours(order),
        ["bare", order] => children::bare(order),
        _ => measure(&arguments),
    }
}

fn measure(arguments: &[String]) -> ExitCode {
    let mut settings = Settings::new();
    let mut sections = Vec::new();
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().cloned().unwrap_or_default();
        match argument.as_str() {
            // `cargo bench` says so.
            "--bench" => {}
            "--wrk" => settings.wrk = value(),
            "--oha" => settings.oha = value(),
            "--rounds" => settings.rounds = value().parse().expect("a number of rounds"),
            "--ms" => settings.ms = value().parse().expect("a number of milliseconds"),
            "--asleep" => settings.awake = false,
            name => {
                let Some(section) = Section::named(name) else {
                    println!("`{name}` is no section; there are {}", Section::NAMES.join(", "));
                    return ExitCode::from(2);
                };
                sections.push(section);
            }
        }
    }
    if sections.is_empty() {
        sections.extend(Section::NAMES.iter().filter_map(|name| Section::named(name)));
    }
    for section in sections {
        section.measure(&settings);
    }
    ExitCode::SUCCESS
}
