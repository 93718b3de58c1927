//! What the kernel says of a running process.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::process::{self, Error, file_error};

/// Seconds of processor that it has used.
pub(crate) fn cpu_seconds(process: u32) -> Result<f64, Error> {
    let ticks = process::read(Command::new("getconf").arg("CLK_TCK"))?;
    let stat = stat(process)?;
    let used: Option<f64> = stat.iter().skip(11).take(2).map(|field| field.parse::<f64>().ok()).sum();
    let seconds = used.zip(ticks.parse::<f64>().ok()).map(|(used, ticks)| used / ticks);
    seconds.ok_or_else(|| Error::Refused(format!("/proc says something else than expected: {stat:?}")))
}

/// The fields of `/proc/<process>/stat` from the state on. The name of the program before it may hold spaces.
pub(crate) fn stat(process: u32) -> Result<Vec<String>, Error> {
    let stat = told(process, "stat")?;
    let fields = stat.rsplit_once(") ").map_or("", |(_, fields)| fields);
    Ok(fields.split(' ').map(str::to_owned).collect())
}

/// Its memory by one of the names of `/proc/<process>/status`, in MB.
pub(crate) fn memory_mb(process: u32, name: &str) -> Result<f64, Error> {
    let status = told(process, "status")?;
    let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    let kib = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<f64>().ok());
    kib.map(|kib| kib * 1_024.0 / 1e6).ok_or_else(|| Error::Refused(format!("/proc does not say {name}")))
}

fn told(process: u32, file: &str) -> Result<String, Error> {
    let path = format!("/proc/{process}/{file}");
    fs::read_to_string(&path).map_err(|source| file_error(Path::new(&path), "read", source))
}
