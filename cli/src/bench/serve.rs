//! One variant on the runtime alone, without wrangler's simulators: `workerd serve`.

use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde::Deserialize;

use super::load::{Load, Outcome};
use super::variant::{self, Ports, Variant};
use crate::failure::{Failure, OrFail};
use crate::http_client::Client;
use crate::process::{kill_group, last_lines, output_of};
use crate::project::Project;
use crate::runtime;

/// How long a start may take on a busy machine.
const READY_WITHIN: Duration = Duration::from_secs(30);

/// A running variant; dropping it ends it.
pub struct Server {
    variant: Variant,
    child: Child,
    watchdog: Child,
    ports: Ports,
    log: PathBuf,
    /// The key to ask for next.
    next: usize,
    /// From the start of the process to its first right answer.
    pub started_in: Duration,
}

/// What reached the stores since they were asked last.
#[derive(Debug, Default, Deserialize)]
pub struct Arrived {
    /// KV reads.
    pub reads: usize,
    /// Requests to D1.
    pub others: usize,
    /// Messages of the queue.
    pub messages: usize,
    /// Ids of the clicks in them.
    pub clicks: Vec<String>,
}

/// Where the runtime's program is: npm keeps one per platform.
pub fn program(project: &Project) -> Result<PathBuf, Failure> {
    let mut node = Command::new("node");
    node.args(["-p", "require('workerd').default"]).current_dir(project.root());
    output_of(&mut node)
        .map(PathBuf::from)
        .ok_or_else(|| Failure::new("the runtime was not found: run `cargo run -- setup` first"))
}

impl Server {
    /// Starts it and waits for the first right answer, of which it forgets the traces.
    pub fn start(program: &Path, variant: Variant, folder: &Path) -> Result<Self, Failure> {
        let ports = Ports { load: runtime::free_port()?, stores: runtime::free_port()? };
        let config = variant::configure(variant, folder, ports)?;
        let log = folder.join(format!("{}.log", variant.id()));
        let out = File::create(&log).or_fail(|| format!("cannot create {}", log.display()))?;
        let err = out.try_clone().or_fail(|| format!("cannot use {}", log.display()))?;
        let started = Instant::now();
        let child = Command::new(program)
            .arg("serve")
            .arg(&config)
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(out)
            .stderr(err)
            .process_group(0)
            .spawn()
            .or_fail(|| "the runtime does not start".into())?;
        let watchdog = match runtime::watch_over(child.id(), None) {
            Ok(watchdog) => watchdog,
            Err(failure) => {
                kill_group(child.id());
                return Err(failure);
            }
        };
        let mut server = Self { variant, child, watchdog, ports, log, next: 0, started_in: Duration::ZERO };
        server.wait_ready(started)?;
        server.arrived()?;
        Ok(server)
    }

    fn wait_ready(&mut self, started: Instant) -> Result<(), Failure> {
        let load = self.load(1);
        while let Err(failure) = load.once() {
            let ended = !matches!(self.child.try_wait(), Ok(None));
            if ended || started.elapsed() > READY_WITHIN {
                let evidence = format!("{}{}    {failure}\n", self.last_lines(), failure.evidence());
                return Err(
                    Failure::new(format!("{} does not answer", self.variant.name())).with_evidence(evidence)
                );
            }
            thread::sleep(Duration::from_micros(500));
        }
        self.started_in = started.elapsed();
        Ok(())
    }

    /// Load as heavy as the answers come fast.
    pub fn full(&mut self, connections: usize, lasting: Duration) -> Result<Outcome, Failure> {
        let outcome = self.load(connections).full(lasting)?;
        self.next = outcome.next;
        Ok(outcome)
    }

    /// So many requests a second.
    pub fn paced(
        &mut self,
        connections: usize,
        lasting: Duration,
        per_second: u32,
    ) -> Result<Outcome, Failure> {
        let outcome = self.load(connections).paced(lasting, per_second)?;
        self.next = outcome.next;
        Ok(outcome)
    }

    /// So many requests, one by one, and the CPU time that each took; no times where the system does not tell.
    pub fn alone(&mut self, count: usize) -> Result<(Outcome, Vec<Duration>), Failure> {
        let process = self.child.id();
        let (outcome, spent) = self.load(1).alone(count, || precise_cpu(process))?;
        self.next = outcome.next;
        Ok((outcome, spent))
    }

    fn load(&self, connections: usize) -> Load {
        let (port, first) = (self.ports.load, self.next);
        let (keys, expected) = (self.variant.keys(), self.variant.expected());
        Load { port, keys, first, expected, connections }
    }

    /// What the stores were given since this was asked last.
    pub fn arrived(&self) -> Result<Arrived, Failure> {
        let client = Client::new(&format!("http://127.0.0.1:{}", self.ports.stores));
        let answer = client.get("/").send()?.success()?;
        serde_json::from_slice(&answer.body).or_fail(|| "the stores cannot be asked".into())
    }

    /// CPU time of the process so far, of all its threads; `None` where there is no `/proc`.
    #[must_use]
    pub fn cpu(&self) -> Option<Duration> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id())).ok()?;
        cpu_ticks(&stat)
            .map(|ticks| Duration::from_secs(ticks) / u32::try_from(ticks_per_second()).unwrap_or(100))
    }

    /// The end of what it printed.
    #[must_use]
    pub fn last_lines(&self) -> String {
        last_lines(&self.log, 20)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // The watchdog first: it must not fire at a process id that has been given to somebody else.
        let _ = self.watchdog.kill();
        let _ = self.watchdog.wait();
        kill_group(self.child.id());
        let _ = self.child.wait();
    }
}

/// CPU time of a process so far to the nanosecond, of the threads that it has now; `None` where there is no `/proc`.
#[must_use]
pub fn precise_cpu(process: u32) -> Option<Duration> {
    let mut whole = Duration::ZERO;
    for thread in fs::read_dir(format!("/proc/{process}/task")).ok()? {
        let stat = fs::read_to_string(thread.ok()?.path().join("schedstat")).ok()?;
        whole += Duration::from_nanos(stat.split(' ').next()?.parse().ok()?);
    }
    Some(whole)
}

fn ticks_per_second() -> u64 {
    rustix::param::clock_ticks_per_second()
}

/// User and system time of a line of `/proc/<pid>/stat`.
fn cpu_ticks(stat: &str) -> Option<u64> {
    // The second field is a name in parentheses, which may itself contain blanks and parentheses.
    let (_, rest) = stat.rsplit_once(") ")?;
    let mut fields = rest.split(' ').skip(11);
    let (user, system) = (fields.next()?.parse::<u64>().ok()?, fields.next()?.parse::<u64>().ok()?);
    Some(user + system)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpu_time_is_found() {
        let stat = "42 (a (b) c) S 1 42 42 0 -1 4194560 5 6 7 8 120 30 9 10 20 0 4 0 100 200 300";
        assert_eq!(cpu_ticks(stat), Some(150));
        assert_eq!(cpu_ticks("42 (x) S"), None);
    }
}
