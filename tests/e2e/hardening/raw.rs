//! Requests as bytes: what no client library would send.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use pimms_cli::instance::Instance;

use crate::shared;

/// The answer as text; bytes that are none are replaced.
///
/// Nothing may hang: ten seconds are a failure.
pub fn send(request: &[u8]) -> String {
    received(shared(), request, Duration::ZERO, false)
}

/// The same with whatever else comes on the connection within a moment: there should be no second answer.
pub fn send_and_linger(instance: &Instance, request: &[u8]) -> String {
    received(instance, request, Duration::from_millis(300), false)
}

/// The same of a sender that says nothing more.
pub fn send_and_hang_up(instance: &Instance, request: &[u8]) -> String {
    received(instance, request, Duration::ZERO, true)
}

fn received(instance: &Instance, request: &[u8], linger: Duration, hangs_up: bool) -> String {
    let address = instance.ready().url.trim_start_matches("http://").to_owned();
    let mut stream = TcpStream::connect(&address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    // A runtime that has refused already may have closed before all was written.
    let _ = stream.write_all(request);
    if hangs_up {
        stream.shutdown(Shutdown::Write).unwrap();
    }
    let mut answer = Vec::new();
    let mut piece = [0; 4096];
    let mut is_whole = false;
    loop {
        if !is_whole && ends(&String::from_utf8_lossy(&answer)) {
            if linger.is_zero() {
                break;
            }
            is_whole = true;
            stream.set_read_timeout(Some(linger)).unwrap();
        }
        match stream.read(&mut piece) {
            Ok(0) => break,
            Ok(length) => answer.extend_from_slice(&piece[..length]),
            Err(error) if is_whole || error.kind() == ErrorKind::ConnectionReset => break,
            Err(error) => panic!("no end within ten seconds: {error}: {}", String::from_utf8_lossy(&answer)),
        }
    }
    String::from_utf8_lossy(&answer).into_owned()
}

/// Whether an answer is there as a whole. The runtime keeps a connection, also when it is asked to close it.
fn ends(answer: &str) -> bool {
    let Some((head, body)) = answer.split_once("\r\n\r\n") else { return false };
    let head = head.to_lowercase();
    let length =
        head.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse::<usize>().ok());
    match length {
        Some(length) => body.len() >= length,
        None if head.contains("transfer-encoding: chunked") => body.ends_with("0\r\n\r\n"),
        None => ["204", "304"].iter().any(|status| head.split(' ').nth(1) == Some(status)),
    }
}

/// The status of such an answer; 0 for none.
pub fn status(answer: &str) -> u16 {
    answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0)
}
