//! Running other programs: to be seen, to be read, or both.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Command, ExitStatus, Output, Stdio};
use std::thread;

/// Why a program did not do what it was started for.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("`{command}` cannot be started")]
    Start { command: String, source: io::Error },
    #[error("`{command}` ended with {status}{said}")]
    Ended {
        command: String,
        status: ExitStatus,
        /// Its last words when nobody saw them, else empty.
        said: String,
    },
    #[error("{path} cannot be {verb}")]
    File { path: String, verb: &'static str, source: io::Error },
    /// A sentence for the reader: what is wrong and what to do.
    #[error("{0}")]
    Refused(String),
}

/// Runs a program whose output the reader sees.
pub(crate) fn run(command: &mut Command) -> Result<(), Error> {
    let status = command.status().map_err(|source| cannot_start(command, source))?;
    ended(command, status, "")
}

/// Runs a program for what it writes to its standard output, without the last line's end.
pub(crate) fn read(command: &mut Command) -> Result<String, Error> {
    let output = capture(command)?;
    ended(command, output.status, &String::from_utf8_lossy(&output.stderr))?;
    Ok(String::from_utf8_lossy(&output.stdout).trim_end().to_owned())
}

/// Runs a program for everything it writes, however it ends.
pub(crate) fn capture(command: &mut Command) -> Result<Output, Error> {
    command.stdin(Stdio::null()).output().map_err(|source| cannot_start(command, source))
}

/// Does the program start and end well? Nobody sees what it says.
pub(crate) fn succeeds(command: &mut Command) -> bool {
    capture(command).is_ok_and(|output| output.status.success())
}

/// Runs a program whose output the reader sees, and keeps the lines that `wanted` chooses.
pub(crate) fn watch(
    command: &mut Command,
    wanted: fn(&str) -> bool,
) -> Result<(Vec<String>, Result<(), Error>), Error> {
    command.stdin(Stdio::null());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|source| cannot_start(command, source))?;
    let errors = child.stderr.take();
    // The two pipes are read at once: a full one would stop the program.
    let reader = thread::spawn(move || forward(errors, io::stderr(), wanted));
    let mut lines = forward(child.stdout.take(), io::stdout(), wanted);
    lines.extend(reader.join().unwrap_or_default());
    let status = child.wait().map_err(|source| cannot_start(command, source))?;
    Ok((lines, ended(command, status, "")))
}

/// A failure about a file.
pub(crate) fn file_error(path: &Path, verb: &'static str, source: io::Error) -> Error {
    Error::File { path: path.display().to_string(), verb, source }
}

fn forward(from: Option<impl Read>, mut to: impl Write, wanted: fn(&str) -> bool) -> Vec<String> {
    let mut kept = Vec::new();
    let Some(from) = from else { return kept };
    let mut from = BufReader::new(from);
    let mut bytes = Vec::new();
    // A test may print what is no text; a line ends the loop only when the pipe does.
    while from.read_until(b'\n', &mut bytes).is_ok_and(|count| count > 0) {
        // A reader who has gone away is no reason to stop the program.
        let _ = to.write_all(&bytes);
        let line = String::from_utf8_lossy(&bytes);
        if wanted(line.trim()) {
            kept.push(line.trim().to_owned());
        }
        bytes.clear();
    }
    kept
}

fn ended(command: &Command, status: ExitStatus, said: &str) -> Result<(), Error> {
    if status.success() {
        return Ok(());
    }
    let said = said.trim();
    Err(Error::Ended {
        command: name(command),
        status,
        said: if said.is_empty() { String::new() } else { format!(":\n{said}") },
    })
}

/// A failure to start a program at all.
pub(crate) fn cannot_start(command: &Command, source: io::Error) -> Error {
    Error::Start { command: name(command), source }
}

/// The command as one would type it, without the folder of the program.
fn name(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let program = program.file_name().unwrap_or(command.get_program());
    let mut words = vec![program.to_string_lossy().into_owned()];
    words.extend(command.get_args().map(|argument| argument.to_string_lossy().into_owned()));
    words.join(" ")
}
