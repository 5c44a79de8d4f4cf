//! Child processes: run to the end with the output in a log, and signals to whole groups.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};

use crate::failure::{Failure, OrFail};
use crate::files;
use crate::progress::Progress;

/// How often a long step shows a sign of life.
const TICK: Duration = Duration::from_secs(2);

/// Runs a command to its end; everything it prints goes to `log`.
///
/// On failure the end of the log is the evidence: what the person needs is there.
pub fn run_logged(command: &mut Command, log: &Path, progress: &Progress) -> Result<(), Failure> {
    if let Some(folder) = log.parent() {
        files::create_folder(folder)?;
    }
    let create = || format!("cannot create {}", log.display());
    let out = File::create(log).or_fail(create)?;
    let err = out.try_clone().or_fail(create)?;
    let name = command.get_program().to_string_lossy().into_owned();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(out)
        .stderr(err)
        .spawn()
        .or_fail(|| format!("cannot start {name}"))?;
    let mut last_tick = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().or_fail(|| format!("lost track of {name}"))? {
            break status;
        }
        if last_tick.elapsed() >= TICK {
            progress.tick();
            last_tick = Instant::now();
        }
        sleep(Duration::from_millis(20));
    };
    if status.success() {
        return Ok(());
    }
    Err(Failure::new(format!("{name} failed ({status})")).with_evidence(last_lines(log, 30)))
}

/// What a command prints on stdout, trimmed; `None` when it cannot be started or fails.
#[must_use]
pub fn output_of(command: &mut Command) -> Option<String> {
    let output = command.stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    output.status.success().then_some(text)
}

/// The last `count` lines of a log, each indented; nothing when it cannot be read.
#[must_use]
pub fn last_lines(log: &Path, count: usize) -> String {
    let text = fs::read(log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    let from = lines.len().saturating_sub(count);
    lines.iter().skip(from).map(|line| format!("    {line}\n")).collect::<Vec<_>>().concat()
}

/// Asks every process of a group to end.
pub fn terminate_group(leader: u32) {
    signal_group(leader, Signal::TERM);
}

/// Ends every process of a group at once, as a power cut would.
pub fn kill_group(leader: u32) {
    signal_group(leader, Signal::KILL);
}

fn signal_group(leader: u32, signal: Signal) {
    // Id 0 would mean our own group; an error means that the group is gone, which is what was wanted.
    if let Some(pid) = i32::try_from(leader).ok().filter(|id| *id > 1).and_then(Pid::from_raw) {
        let _ = kill_process_group(pid, signal);
    }
}
