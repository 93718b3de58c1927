//! What ran, how long it took, and what did not run and why: nothing is silently green.

use std::error::Error as _;
use std::time::{Duration, Instant};

use crate::process::Error;

/// The steps of one run, in order.
pub(crate) struct Report {
    began: Instant,
    steps: Vec<Step>,
}

struct Step {
    name: &'static str,
    outcome: Outcome,
    took: Duration,
}

/// How a step ended when nothing broke down on its way.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// With a remark, which may be empty.
    Passed(String),
    /// What it looked for is wrong.
    Failed(String),
    /// Why it was left out.
    NotRun(String),
}

impl Outcome {
    /// A step that passed and has nothing to add.
    pub(crate) fn passed() -> Outcome {
        Outcome::Passed(String::new())
    }
}

impl Report {
    pub(crate) fn begin() -> Report {
        Report { began: Instant::now(), steps: Vec::new() }
    }

    /// Runs a step, whatever became of those before it: one run shows everything that is wrong.
    pub(crate) fn step(&mut self, name: &'static str, work: impl FnOnce() -> Result<Outcome, Error>) {
        println!("\n== {name}");
        let began = Instant::now();
        let outcome = work().unwrap_or_else(|error| Outcome::Failed(chain(&error)));
        match &outcome {
            Outcome::Failed(why) => eprintln!("{name} failed: {why}"),
            Outcome::NotRun(why) => println!("{name} not run: {why}"),
            Outcome::Passed(_) => {}
        }
        self.steps.push(Step { name, outcome, took: began.elapsed() });
    }

    /// Notes a step that was left out.
    pub(crate) fn not_run(&mut self, name: &'static str, why: &str) {
        self.steps.push(Step { name, outcome: Outcome::NotRun(why.to_owned()), took: Duration::ZERO });
    }

    /// Did nothing fail?
    pub(crate) fn passed(&self) -> bool {
        !self.steps.iter().any(|step| matches!(step.outcome, Outcome::Failed(_)))
    }

    /// Prints a line for every step.
    pub(crate) fn print(&self) {
        println!("\n== report");
        for step in &self.steps {
            println!("{}", line(step));
        }
        println!(
            "{} in {:.1} s",
            if self.passed() { "passed" } else { "FAILED" },
            self.began.elapsed().as_secs_f64()
        );
    }
}

fn line(step: &Step) -> String {
    let (word, remark) = match &step.outcome {
        Outcome::Passed(remark) => ("passed", remark),
        Outcome::Failed(remark) => ("FAILED", remark),
        Outcome::NotRun(remark) => ("not run", remark),
    };
    // The rest of a long failure stands where it happened.
    let remark = remark.lines().next().unwrap_or_default();
    let seconds = step.took.as_secs_f64();
    format!("{word:<8}{seconds:>8.1} s  {:<24}{remark}", step.name).trim_end().to_owned()
}

/// A failure with its causes, each once.
pub(crate) fn chain(error: &Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(&format!(": {error}"));
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_step_fails_the_run_and_one_that_was_left_out_does_not() {
        let mut report = Report::begin();
        report.step("sound", || Ok(Outcome::passed()));
        report.not_run("later", "it needs the network");
        assert!(report.passed());

        report.step("broken", || Err(Error::Refused("install it\nlike this".to_owned())));

        assert!(!report.passed());
        let lines: Vec<String> = report.steps.iter().map(line).collect();
        assert_eq!(lines[0], "passed       0.0 s  sound");
        assert_eq!(lines[1], "not run      0.0 s  later                   it needs the network");
        assert_eq!(lines[2], "FAILED       0.0 s  broken                  install it");
    }
}
