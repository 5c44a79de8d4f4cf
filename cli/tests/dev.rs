//! `pimms dev` as a person or a script sees it: its line, its exit, and what it leaves behind.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a failing step ends the test")]

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use pimms_cli::http_client::Client;
use pimms_cli::runtime::{free_port, port_is_free};
use pimms_cli::seed::{DEMO_DESTINATION, Ready};
use rustix::process::{Pid, Signal, kill_process};

/// A data folder that goes with the value.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        Self(std::env::temp_dir().join(format!("pimms-dev-{name}-{}", std::process::id())))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn pimms(folder: &Folder, port: u16) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pimms"));
    command.args(["--json", "--port", &port.to_string(), "--data"]).arg(&folder.0).stdin(Stdio::null());
    command
}

/// Starts it and reads its first line.
fn start(folder: &Folder, port: u16) -> (Child, Ready) {
    fs::create_dir_all(&folder.0).unwrap();
    let log = folder.0.join("stderr.log");
    let stderr = fs::File::create(&log).unwrap();
    let mut child = pimms(folder, port).stdout(Stdio::piped()).stderr(stderr).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    let ready = serde_json::from_str(&line);
    let _ = ready.is_err().then(|| child.kill());
    (child, ready.unwrap_or_else(|e| panic!("{e}: {line}\n{}", fs::read_to_string(log).unwrap())))
}

fn send(child: &Child, signal: Signal) {
    kill_process(Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap(), signal).unwrap();
}

fn answers(url: &str) -> bool {
    Client::new(url).get("/_pimms/health").send().is_ok_and(|answer| answer.status == 200)
}

fn goes_silent(url: &str) -> bool {
    let deadline = Instant::now() + Duration::from_secs(10);
    while Instant::now() < deadline {
        if !answers(url) {
            return true;
        }
        sleep(Duration::from_millis(50));
    }
    false
}

#[test]
fn it_serves_stops_on_a_signal_and_keeps_its_state() {
    let folder = Folder::new("signal");
    let port = free_port().unwrap();
    let (mut child, ready) = start(&folder, port);
    assert_eq!(ready.url, format!("http://127.0.0.1:{port}"));
    let visit = Client::new(&ready.url).get("/launch").send().unwrap();
    assert_eq!(visit.status, 302, "{}", visit.text());
    assert!(visit.header("location").unwrap().starts_with(DEMO_DESTINATION));

    let second = pimms(&folder, free_port().unwrap()).output().unwrap();
    assert_failed(&second, "already runs");

    send(&child, Signal::TERM);
    let mut rest = String::new();
    child.stdout.as_mut().unwrap().read_to_string(&mut rest).unwrap();
    assert!(child.wait().unwrap().success());
    assert_eq!(rest, "", "stdout is one line");
    assert!(!answers(&ready.url), "the runtime outlived its parent");

    // Not on the port of before: whatever connects from this machine may have been given it meanwhile.
    let (mut child, again) = start(&folder, free_port().unwrap());
    assert_ne!(again.sign_in_url, ready.sign_in_url, "a link that signs in is made for each start");
    let kept = |ready: &Ready| {
        [&ready.api_key, &ready.workspace_id, &ready.webhook_secret, &ready.webhook_secret_test]
            .map(String::clone)
    };
    assert_eq!(kept(&again), kept(&ready), "keys and secrets are made once");
    send(&child, Signal::INT);
    assert!(child.wait().unwrap().success());
}

#[test]
fn the_runtime_dies_with_a_killed_parent() {
    let folder = Folder::new("kill");
    let (mut child, ready) = start(&folder, free_port().unwrap());
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(goes_silent(&ready.url), "the runtime outlived its parent");
}

#[test]
fn a_taken_port_is_one_clear_line() {
    let folder = Folder::new("port");
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let output = pimms(&folder, taken.local_addr().unwrap().port()).output().unwrap();
    assert_failed(&output, "is in use: stop what listens there, or choose another with --port");
}

#[test]
fn a_port_that_is_given_up_in_a_moment_is_free() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let giving_up = std::thread::spawn(move || {
        sleep(Duration::from_millis(100));
        drop(taken);
    });
    assert!(port_is_free(port));
    giving_up.join().unwrap();
}

#[test]
fn a_missing_node_is_one_clear_line() {
    let folder = Folder::new("node");
    // Rust without Node: its programs, and a shell.
    let rust = PathBuf::from(std::env::var_os("CARGO").unwrap());
    let path = std::env::join_paths([rust.parent().unwrap(), "/bin".as_ref()]).unwrap();
    if Command::new("/bin/node").arg("--version").output().is_ok() {
        return;
    }
    let output = pimms(&folder, free_port().unwrap()).env("PATH", path).output().unwrap();
    assert_failed(&output, "`node` was not found: install Node.js 20 or newer");
}

/// It failed, said why in its last line, and printed nothing for scripts to misread.
fn assert_failed(output: &Output, why: &str) {
    let stderr = String::from_utf8_lossy(&output.stderr);
    let last = stderr.lines().next_back().unwrap_or_default();
    assert!(!output.status.success());
    assert!(last.starts_with("error: ") && last.contains(why), "{stderr}");
    assert_eq!(output.stdout, b"");
}
