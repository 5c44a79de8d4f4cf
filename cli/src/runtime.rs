//! The real local runtime (workerd with KV, D1, Durable Objects and queues, as `wrangler dev` starts it) as
//! one process group that cannot outlive us.
//!
//! A watchdog holds the other end of a pipe: when this process ends, however it ends, the pipe closes and the
//! watchdog kills the group. Killing node alone would leave workerd running.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write, stderr};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::failure::{Failure, OrFail};
use crate::files;
use crate::http_client::Client;
use crate::process::{kill_group, last_lines, terminate_group};
use crate::project::Project;

/// Starting takes two seconds; a machine busy with a build needs more.
const READY_WITHIN: Duration = Duration::from_mins(2);

/// How long the runtime may take to end by itself.
const STOP_WITHIN: Duration = Duration::from_secs(5);

/// What to start, and where.
#[derive(Debug, Clone)]
pub struct Launch {
    /// The folder of wrangler.toml or wrangler.json.
    pub config_folder: PathBuf,
    /// Where KV, D1 and Durable Objects keep their data.
    pub state: PathBuf,
    /// The Worker's secrets, as a dotenv file.
    pub env_file: PathBuf,
    /// What the runtime prints.
    pub log: PathBuf,
    /// The port on 127.0.0.1.
    pub port: u16,
    /// A person is watching: requests are logged, an edit of the source rebuilds, and what is printed after
    /// the start also goes to stderr.
    pub interactive: bool,
    /// Whether its log also has what is no warning; when interactive it has.
    pub logs_all: bool,
    /// The folder to delete when this process dies without stopping the runtime.
    pub disposable: Option<PathBuf>,
}

/// A running local runtime. Dropping it stops it.
#[derive(Debug)]
pub struct Runtime {
    child: Child,
    watchdog: Child,
    log: PathBuf,
    url: String,
    speaking: Arc<AtomicBool>,
}

impl Runtime {
    /// Starts it and waits until the Worker answers.
    pub fn start(project: &Project, launch: &Launch) -> Result<Self, Failure> {
        if let Some(folder) = launch.log.parent() {
            files::create_folder(folder)?;
        }
        let mut command = command(project, launch)?;
        let log = File::create(&launch.log).or_fail(|| format!("cannot create {}", launch.log.display()))?;
        let speaking = Arc::new(AtomicBool::new(false));
        if launch.interactive {
            command.stdout(Stdio::piped()).stderr(Stdio::piped());
        } else {
            let err = log.try_clone().or_fail(|| format!("cannot use {}", launch.log.display()))?;
            command.stdout(log.try_clone().or_fail(|| "cannot use the log".into())?).stderr(err);
        }
        let mut child = command.stdin(Stdio::null()).process_group(0).spawn().or_fail(|| {
            "the runtime does not start: is Node.js there, and node_modules? Run `cargo run -- setup`".into()
        })?;
        let watchdog = match watch_over(child.id(), launch.disposable.as_deref()) {
            Ok(watchdog) => watchdog,
            Err(failure) => {
                kill_group(child.id());
                return Err(failure);
            }
        };
        if let Some(out) = child.stdout.take() {
            forward(out, &log, &speaking);
        }
        if let Some(err) = child.stderr.take() {
            forward(err, &log, &speaking);
        }
        let url = format!("http://127.0.0.1:{}", launch.port);
        let mut runtime = Self { child, watchdog, log: launch.log.clone(), url, speaking };
        runtime.wait_ready()?;
        Ok(runtime)
    }

    /// `http://127.0.0.1:<port>`.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// From now on, what the runtime prints is shown (when it was launched as interactive).
    pub fn speak(&self) {
        self.speaking.store(true, Ordering::Relaxed);
    }

    /// Whether the runtime has ended by itself.
    pub fn has_ended(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None))
    }

    /// The end of its log.
    #[must_use]
    pub fn last_lines(&self) -> String {
        last_lines(&self.log, 30)
    }

    /// Ends every process at once, as a power cut would.
    pub fn kill9(mut self) {
        self.end(Duration::ZERO);
    }

    /// Ends it the polite way, then the other.
    pub fn stop(mut self) {
        self.end(STOP_WITHIN);
    }

    fn end(&mut self, patience: Duration) {
        // The watchdog first: it must not fire at a process id that has been given to somebody else.
        let _ = self.watchdog.kill();
        let _ = self.watchdog.wait();
        if !patience.is_zero() && !self.has_ended() {
            terminate_group(self.child.id());
            let deadline = Instant::now() + patience;
            while !self.has_ended() && Instant::now() < deadline {
                thread::sleep(Duration::from_millis(20));
            }
        }
        // The group, not the child: workerd may outlive its parent.
        kill_group(self.child.id());
        let _ = self.child.wait();
    }

    fn wait_ready(&mut self) -> Result<(), Failure> {
        let client = Client::new(&self.url);
        let deadline = Instant::now() + READY_WITHIN;
        while Instant::now() < deadline {
            if self.has_ended() {
                return Err(Failure::new("the runtime ended while starting: see the lines above")
                    .with_evidence(self.last_lines()));
            }
            if client.get("/_pimms/health").send().is_ok_and(|answer| answer.status == 200) {
                return Ok(());
            }
            thread::sleep(Duration::from_millis(30));
        }
        Err(Failure::new(format!("the Worker did not answer within {} s", READY_WITHIN.as_secs()))
            .with_evidence(self.last_lines()))
    }
}

impl Drop for Runtime {
    fn drop(&mut self) {
        self.end(STOP_WITHIN);
    }
}

/// How long a port may be held by a program that is just being ended, or started.
const PORT_FREE_WITHIN: Duration = Duration::from_secs(1);

/// Whether nobody listens on this port of 127.0.0.1, or nobody does in a moment.
#[must_use]
pub fn port_is_free(port: u16) -> bool {
    let started = Instant::now();
    loop {
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return true;
        }
        if started.elapsed() > PORT_FREE_WITHIN {
            return false;
        }
        thread::sleep(Duration::from_millis(50));
    }
}

/// A port of 127.0.0.1 that was free a moment ago.
pub fn free_port() -> Result<u16, Failure> {
    let doing = || "no free port".to_owned();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).or_fail(doing)?;
    Ok(listener.local_addr().or_fail(doing)?.port())
}

/// Keeps wrangler from calling home, asking questions and colouring logs.
pub fn quiet(wrangler: &mut Command) {
    wrangler
        .env("WRANGLER_SEND_METRICS", "false")
        .env("WRANGLER_SEND_ERROR_REPORTS", "false")
        .env("WRANGLER_HIDE_BANNER", "true")
        // Without it each start asks a server for the caller's location, and waits 3 s when there is none.
        .env("CLOUDFLARE_CF_FETCH_ENABLED", "false")
        .env("FORCE_COLOR", "0");
}

fn command(project: &Project, launch: &Launch) -> Result<Command, Failure> {
    let mut command = Command::new(project.node_program("wrangler"));
    quiet(&mut command);
    let parent = launch.state.parent().unwrap_or(&launch.state);
    command
        .current_dir(&launch.config_folder)
        .args(["dev", "--local", "--ip", "127.0.0.1", "--port", &launch.port.to_string()])
        // A port of its own, or two instances on one machine would meet there.
        .args(["--inspector-port", &free_port()?.to_string()])
        .args(["--show-interactive-dev-session=false", "--log-level"])
        .arg(if launch.interactive || launch.logs_all { "log" } else { "warn" })
        .arg("--persist-to")
        .arg(&launch.state)
        .arg("--env-file")
        .arg(&launch.env_file)
        // Instances must not find each other through wrangler's registry in the home folder.
        .env("WRANGLER_REGISTRY_PATH", parent.join("registry"))
        .env("WRANGLER_LOG_PATH", parent.join("wrangler-logs"));
    if let Ok(tool) = std::env::current_exe() {
        // So that the `[build]` command need not ask cargo for the tool that is already running.
        command.env("PIMMS_TOOL", tool);
    }
    Ok(command)
}

/// A shell that kills the group when our end of its input closes.
pub(crate) fn watch_over(group: u32, disposable: Option<&Path>) -> Result<Child, Failure> {
    const SCRIPT: &str =
        r#"cat >/dev/null; kill -KILL "-$1"; if [ -n "$2" ]; then sleep 1; rm -rf -- "$2"; fi"#;
    Command::new("sh")
        .args(["-c", SCRIPT, "pimms-watchdog", &group.to_string()])
        .arg(disposable.unwrap_or(Path::new("")))
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        // A group of its own: Ctrl-C in the terminal is for us, not for the watchdog.
        .process_group(0)
        .spawn()
        .or_fail(|| "`sh` does not start".into())
}

/// Copies what the runtime prints to its log, and to stderr once it may speak.
fn forward(from: impl Read + Send + 'static, log: &File, speaking: &Arc<AtomicBool>) {
    let Ok(mut log) = log.try_clone() else { return };
    let speaking = Arc::clone(speaking);
    thread::spawn(move || {
        for line in BufReader::new(from).lines().map_while(Result::ok) {
            let _ = writeln!(log, "{line}");
            if speaking.load(Ordering::Relaxed) && !line.trim().is_empty() {
                let _ = writeln!(stderr(), "{line}");
            }
        }
    });
}
