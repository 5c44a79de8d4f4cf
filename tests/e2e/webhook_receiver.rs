//! A merchant's server that webhooks are sent to: keeps what arrives and answers as its path says.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use base64ct::{Base64, Encoding};
use hmac::{Hmac, Mac};
use serde_json::Value;
use sha2::Sha256;

use crate::shared;

/// One message as it came.
#[derive(Debug, Clone)]
pub struct Message {
    pub path: String,
    headers: BTreeMap<String, String>,
    pub text: String,
    pub body: Value,
}

/// `/slow` answers after two seconds, `/status/500` answers 500, `/status/500/2` answers 500 twice to each message and then 200, `/open` what is told.
#[derive(Clone)]
pub struct Receiver {
    address: String,
    messages: Arc<Mutex<Vec<Message>>>,
    /// What `/open` answers.
    status: Arc<Mutex<u16>>,
}

impl Receiver {
    /// Listens until the process ends.
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let receiver = Self { address, messages: Arc::default(), status: Arc::new(Mutex::new(200)) };
        let serving = receiver.clone();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let serving = serving.clone();
                thread::spawn(move || serving.answer(&stream.unwrap()));
            }
        });
        receiver
    }

    /// An address of this server.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.address)
    }

    /// What `/open` answers from now on.
    pub fn becomes(&self, status: u16) {
        *self.status.lock().unwrap() = status;
    }

    /// What arrived at a path so far.
    pub fn at(&self, path: &str) -> Vec<Message> {
        self.messages.lock().unwrap().iter().filter(|message| message.path == path).cloned().collect()
    }

    /// Waits until so many messages have arrived at a path.
    pub fn wait(&self, path: &str, count: usize) -> Vec<Message> {
        let started = Instant::now();
        loop {
            let found = self.at(path);
            if found.len() >= count {
                return found;
            }
            let kinds: Vec<&Value> = found.iter().map(|message| &message.body["event"]).collect();
            let late = started.elapsed() > Duration::from_secs(40);
            assert!(!late, "{path}: {} of {count}: {kinds:?}\n{}", found.len(), shared().log());
            thread::sleep(Duration::from_millis(50));
        }
    }

    fn answer(&self, mut stream: &TcpStream) {
        let mut reader = BufReader::new(stream);
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        let path = line.split(' ').nth(1).unwrap_or_default().to_owned();
        let mut headers = BTreeMap::new();
        loop {
            line.clear();
            reader.read_line(&mut line).unwrap();
            let Some((name, value)) = line.trim_end().split_once(':') else { break };
            headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
        }
        let length = headers.get("content-length").and_then(|text| text.parse().ok()).unwrap_or(0);
        let mut bytes = vec![0; length];
        reader.read_exact(&mut bytes).unwrap();
        let text = String::from_utf8(bytes).unwrap();
        let body = serde_json::from_str(&text).unwrap();
        let message = Message { path: path.clone(), headers, text, body };
        let status = {
            let mut messages = self.messages.lock().unwrap();
            let before = messages.iter().filter(|m| m.path == path && m.id() == message.id()).count();
            messages.push(message);
            self.status_of(&path, before)
        };
        if path == "/slow" {
            thread::sleep(Duration::from_secs(2));
        }
        let answer = format!("{status} it is");
        let more =
            if status == 302 { format!("Location: {}/stolen\r\n", self.address) } else { String::new() };
        let length = answer.len();
        let head =
            format!("HTTP/1.1 {status} X\r\n{more}Connection: close\r\nContent-Length: {length}\r\n\r\n");
        let _ = stream.write_all(format!("{head}{answer}").as_bytes());
    }

    fn status_of(&self, path: &str, before: usize) -> u16 {
        let mut parts = path.split('/').skip(1);
        match (parts.next(), parts.next().and_then(|text| text.parse().ok()), parts.next()) {
            (Some("status"), Some(status), None) => status,
            (Some("status"), Some(status), Some(times)) if before < times.parse().unwrap() => status,
            (Some("open"), ..) => *self.status.lock().unwrap(),
            _ => 200,
        }
    }
}

impl Message {
    /// A header, or nothing.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    /// The same in every attempt.
    pub fn id(&self) -> &str {
        self.header("webhook-id")
    }

    /// `sale.created`, …
    pub fn event(&self) -> &str {
        self.body["event"].as_str().unwrap_or_default()
    }

    /// Checks both signatures as a receiver would that knows no code of ours.
    pub fn verify(&self, secret: &str) {
        let plain = base16ct::lower::encode_string(&mac(secret.as_bytes(), &self.text));
        assert_eq!(self.header("pimms-signature"), plain, "{self:?}");
        assert_eq!(self.header("dub-signature"), plain);
        let timestamp: i64 = self.header("webhook-timestamp").parse().unwrap();
        assert!((pimms_cli::clock::now_secs() - timestamp).abs() < 300, "{timestamp}");
        let key = Base64::decode_vec(secret.strip_prefix("whsec_").unwrap()).unwrap();
        let signed = format!("{}.{timestamp}.{}", self.id(), self.text);
        let standard = format!("v1,{}", Base64::encode_string(&mac(&key, &signed)));
        assert!(self.header("webhook-signature").split(' ').any(|one| one == standard), "{self:?}");
    }
}

fn mac(key: &[u8], text: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}
