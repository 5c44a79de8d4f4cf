//! A bounded load: a few connections kept alive, each with one request under way at most.
//!
//! Every answer is checked. Requests look like those of browsers behind the platform's edge: real headers, a
//! `cf` object, cookies of a visitor who was here before on every third.

use std::fmt::Write as _;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::failure::{Failure, OrFail};

/// The header that carries `request.cf`; the runtime takes it away.
pub const CF_HEADER: &str = "CF-Blob";

/// The host that the links belong to.
pub const HOST: &str = "go.example";

/// How long an answer may take before the bench gives up.
const PATIENCE: Duration = Duration::from_secs(10);

/// How many different visitors there are.
const VISITORS: usize = 60;

/// How long the runtime may be busy with an answer after its last byte.
const SETTLED: Duration = Duration::from_micros(500);

const BROWSERS: [&str; 5] = [
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/146.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/19.3 Safari/605.1.15",
    "Mozilla/5.0 (X11; Linux x86_64; rv:149.0) Gecko/20100101 Firefox/149.0",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 19_3 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/19.3 Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/146.0.0.0 Mobile Safari/537.36",
];

/// Country, continent, region, city, latitude, longitude, data centre, languages.
const PLACES: [[&str; 8]; 3] = [
    ["FR", "EU", "IDF", "Paris", "48.85341", "2.34880", "CDG", "fr-FR,fr;q=0.9,en;q=0.8"],
    ["US", "NA", "MA", "Boston", "42.35843", "-71.05977", "BOS", "en-US,en;q=0.9"],
    ["DE", "EU", "BE", "Berlin", "52.52437", "13.41053", "TXL", "de-DE,de;q=0.9,en-US;q=0.6"],
];

/// What must be in `Location`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// Always this.
    Constant(&'static str),
    /// The destination of the key that was asked for.
    Destination,
    /// The same, and a click id.
    Click,
}

/// Where the load goes.
#[derive(Debug, Clone, Copy)]
pub struct Load {
    /// On 127.0.0.1.
    pub port: u16,
    /// How many keys are asked for, one after the other, over and over.
    pub keys: usize,
    /// The key to begin with: where the load before ended.
    pub first: usize,
    /// What every answer must be.
    pub expected: Expected,
    /// How many connections.
    pub connections: usize,
}

/// What came of it.
#[derive(Debug, Default)]
pub struct Outcome {
    /// How many answers there were, all of them right.
    pub answers: usize,
    /// The click ids in them.
    pub clicks: Vec<String>,
    /// From the first byte sent to the last received.
    pub latencies: Vec<Duration>,
    /// How long it took altogether.
    pub took: Duration,
    /// The key to go on with.
    pub next: usize,
}

impl Load {
    /// Sends one request, for the key that comes last.
    pub fn once(&self) -> Result<(), Failure> {
        let key = self.keys.saturating_sub(1);
        let request = format!("{}{}", first_line(key), headers(0));
        let location = Connection::open(self.port)?.location(request.as_bytes())?;
        self.expected.check(key, &location).map(|_| ())
    }

    /// Sends as fast as the answers come.
    pub fn full(&self, lasting: Duration) -> Result<Outcome, Failure> {
        self.run(lasting, None)
    }

    /// Sends so many a second, whatever the answers do.
    pub fn paced(&self, lasting: Duration, per_second: u32) -> Result<Outcome, Failure> {
        let connections = u32::try_from(self.connections).unwrap_or(1);
        let pause = Duration::from_secs(1) * connections / per_second.max(1);
        self.run(lasting, Some(pause))
    }

    /// Sends so many one by one, each alone in the process, and tells how far `meter` went on for each.
    pub fn alone(
        &self,
        count: usize,
        mut meter: impl FnMut() -> Option<Duration>,
    ) -> Result<(Outcome, Vec<Duration>), Failure> {
        let mut connection = Connection::open(self.port)?;
        let mut outcome = Outcome::default();
        let mut spent = Vec::with_capacity(count);
        for number in self.first..self.first.saturating_add(count) {
            let key = number % self.keys.max(1);
            let request = format!("{}{}", first_line(key), headers(number % VISITORS));
            let before = meter();
            let location = connection.location(request.as_bytes())?;
            // What is left to do after the last byte is on the bill as well.
            thread::sleep(SETTLED);
            spent.extend(meter().zip(before).map(|(after, before)| after.saturating_sub(before)));
            outcome.answers += 1;
            outcome.clicks.extend(self.expected.check(key, &location)?);
        }
        outcome.next = self.first.saturating_add(count);
        Ok((outcome, spent))
    }

    fn run(&self, lasting: Duration, pause: Option<Duration>) -> Result<Outcome, Failure> {
        let next = AtomicUsize::new(self.first);
        let started = Instant::now();
        let parts: Vec<Result<Outcome, Failure>> = thread::scope(|scope| {
            let workers: Vec<_> = (0..self.connections)
                .map(|_| scope.spawn(|| self.connection(&next, started + lasting, pause)))
                .collect();
            let ended = |worker: thread::ScopedJoinHandle<'_, _>| {
                worker.join().unwrap_or_else(|_| Err(Failure::new("a connection of the load broke down")))
            };
            workers.into_iter().map(ended).collect()
        });
        let mut whole = Outcome { took: started.elapsed(), next: next.into_inner(), ..Outcome::default() };
        for part in parts {
            let mut part = part?;
            whole.answers += part.answers;
            whole.clicks.append(&mut part.clicks);
            whole.latencies.append(&mut part.latencies);
        }
        Ok(whole)
    }

    fn connection(
        &self,
        next: &AtomicUsize,
        end: Instant,
        pause: Option<Duration>,
    ) -> Result<Outcome, Failure> {
        let mut connection = Connection::open(self.port)?;
        let visitors: Vec<String> = (0..VISITORS).map(headers).collect();
        let mut outcome = Outcome::default();
        let mut due = Instant::now();
        let mut request = String::new();
        while Instant::now() < end {
            let number = next.fetch_add(1, Ordering::Relaxed);
            let key = number % self.keys.max(1);
            request.clear();
            request.push_str(&first_line(key));
            request.push_str(visitors.get(number % visitors.len().max(1)).map_or("", String::as_str));
            if let Some(pause) = pause {
                due += pause;
                thread::sleep(due.saturating_duration_since(Instant::now()));
            }
            let sent = Instant::now();
            let location = connection.location(request.as_bytes())?;
            outcome.latencies.push(sent.elapsed());
            outcome.answers += 1;
            outcome.clicks.extend(self.expected.check(key, &location)?);
        }
        Ok(outcome)
    }
}

impl Expected {
    /// The click id of a right `Location`.
    fn check(self, key: usize, location: &str) -> Result<Option<String>, Failure> {
        let wrong = || Failure::new(format!("k{key} led to {location}"));
        let destination = destination(key);
        match self {
            Self::Constant(expected) => (location == expected).then_some(None),
            Self::Destination => (location == destination).then_some(None),
            Self::Click => location
                .strip_prefix(destination.as_str())
                .and_then(|rest| rest.strip_prefix("?pimms_id="))
                .filter(|id| id.len() > 16 && id.bytes().all(|b| b.is_ascii_alphanumeric()))
                .map(|id| Some(id.to_owned())),
        }
        .ok_or_else(wrong)
    }
}

/// Where the link of a key leads.
#[must_use]
pub fn destination(key: usize) -> String {
    format!("https://shop.example/item/{key}")
}

fn first_line(key: usize) -> String {
    format!("GET /k{key} HTTP/1.1\r\n")
}

/// Everything of a request but its first line.
fn headers(visitor: usize) -> String {
    let browser = BROWSERS.get(visitor % BROWSERS.len()).copied().unwrap_or_default();
    let place = PLACES.get(visitor % PLACES.len()).copied().unwrap_or_default();
    let [country, continent, region, city, latitude, longitude, colo, languages] = place;
    // As long as the platform's own, and in its order.
    let cf = json!({
        "clientTcpRtt": 12, "longitude": longitude, "latitude": latitude, "tlsCipher": "AEAD-AES128-GCM-SHA256",
        "continent": continent, "asn": 3215, "clientAcceptEncoding": "gzip, deflate, br, zstd", "country": country,
        "isEUCountry": if continent == "EU" { "1" } else { "0" }, "verifiedBotCategory": "",
        "tlsClientAuth": {
            "certIssuerDNLegacy": "", "certIssuerSKI": "", "certSubjectDNRFC2253": "", "certSubjectDNLegacy": "",
            "certFingerprintSHA256": "", "certNotBefore": "", "certSKI": "", "certSerial": "", "certIssuerDN": "",
            "certVerified": "NONE", "certNotAfter": "", "certSubjectDN": "", "certPresented": "0",
            "certRevoked": "0", "certIssuerSerial": "", "certIssuerDNRFC2253": "", "certFingerprintSHA1": "",
        },
        "tlsExportedAuthenticator": {
            "clientFinished": "d4a1c9b0ee4c1f4bb2b3d1a0a2d6f6f8", "clientHandshake": "0b2f5d2b7e3a4c1d9e8f7a6b5c4d3e2f",
            "serverHandshake": "aa2f5d2b7e3a4c1d9e8f7a6b5c4d3e2f", "serverFinished": "bb2f5d2b7e3a4c1d9e8f7a6b5c4d3e2f",
        },
        "tlsVersion": "TLSv1.3", "colo": colo, "timezone": "Europe/Paris", "city": city, "edgeRequestKeepAliveStatus": 1,
        "postalCode": "75000", "requestPriority": "weight=256;exclusive=1", "httpProtocol": "HTTP/2",
        "region": region, "regionCode": region, "asOrganization": "Orange", "tlsClientRandom": "q3Jk0v2pX1k=",
    });
    let mut text = format!(
        "Host: {HOST}\r\nUser-Agent: {browser}\r\nAccept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8\r\n\
         Accept-Language: {languages}\r\nAccept-Encoding: gzip, deflate, br, zstd\r\nUpgrade-Insecure-Requests: 1\r\n\
         Sec-Fetch-Dest: document\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Site: cross-site\r\nSec-Fetch-User: ?1\r\n\
         CF-IPCountry: {country}\r\nCF-Connecting-IP: 203.0.113.{}\r\nCF-Ray: 8f2b3c4d5e6f7a8b-{colo}\r\nCF-Visitor: {{\"scheme\":\"https\"}}\r\n\
         X-Forwarded-Proto: https\r\nX-Real-IP: 203.0.113.{}\r\n{CF_HEADER}: {cf}\r\n",
        visitor + 1,
        visitor + 1,
    );
    if visitor.is_multiple_of(2) {
        text.push_str("Referer: https://news.example/\r\n");
    }
    if visitor.is_multiple_of(3) {
        // Somebody who opened another link before.
        let _ = write!(
            text,
            "Cookie: _ga=GA1.1.1234567890.1780000000; pimms_anonymous_id=anon_{visitor:016}; lang=fr\r\n"
        );
    }
    text.push_str("\r\n");
    text
}

/// A connection kept alive.
struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    fn open(port: u16) -> Result<Self, Failure> {
        let open = || -> std::io::Result<TcpStream> {
            let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
            stream.set_nodelay(true)?;
            stream.set_read_timeout(Some(PATIENCE))?;
            Ok(stream)
        };
        Ok(Self {
            stream: open().or_fail(|| "the runtime takes no connection".into())?,
            buffer: vec![0; 16 * 1024],
        })
    }

    /// The `Location` of the 302 that answers `request`.
    fn location(&mut self, request: &[u8]) -> Result<String, Failure> {
        let doing = || "no answer from the runtime".to_owned();
        self.stream.write_all(request).or_fail(doing)?;
        let mut filled = 0;
        loop {
            let free = self.buffer.get_mut(filled..).unwrap_or_default();
            let count = self.stream.read(free).or_fail(doing)?;
            filled += count;
            let received = self.buffer.get(..filled).unwrap_or_default();
            if count == 0 {
                return Err(
                    Failure::new(doing()).with_evidence(String::from_utf8_lossy(received).into_owned())
                );
            }
            if let Some(location) = read_redirect(received)? {
                return Ok(location);
            }
        }
    }
}

/// `Location`, once the whole answer is there.
fn read_redirect(received: &[u8]) -> Result<Option<String>, Failure> {
    let wrong =
        || Failure::new("not a redirect").with_evidence(String::from_utf8_lossy(received).into_owned());
    let mut headers = [httparse::EMPTY_HEADER; 32];
    let mut response = httparse::Response::new(&mut headers);
    let length = match response.parse(received).or_fail(|| "not HTTP".into())? {
        httparse::Status::Partial => return Ok(None),
        httparse::Status::Complete(length) => length,
    };
    let header = |name: &str| {
        let found = response.headers.iter().find(|header| header.name.eq_ignore_ascii_case(name))?;
        std::str::from_utf8(found.value).ok()
    };
    if response.code != Some(302) || header("content-length") != Some("0") || length != received.len() {
        return Err(wrong());
    }
    header("location").map(|location| Some(location.to_owned())).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_whole_redirect_passes() {
        let right = b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: /x\r\n\r\n";
        assert_eq!(read_redirect(right).unwrap().as_deref(), Some("/x"));
        assert_eq!(read_redirect(&right[..30]).unwrap(), None);
        for wrong in [
            "HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n",
            "HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n",
            "HTTP/1.1 302 Found\r\nContent-Length: 1\r\nLocation: /x\r\n\r\nx",
            "HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: /x\r\n\r\nx",
            "no HTTP at all\r\n\r\n",
        ] {
            assert!(read_redirect(wrong.as_bytes()).is_err(), "{wrong}");
        }
    }

    #[test]
    fn locations_are_checked() {
        let id = "abcdefghijklmnopq";
        for (expected, location, click) in [
            (Expected::Constant("/x"), "/x", Some(None)),
            (Expected::Constant("/x"), "/y", None),
            (Expected::Destination, "https://shop.example/item/7", Some(None)),
            (Expected::Destination, "https://shop.example/item/8", None),
            (Expected::Click, "https://shop.example/item/7", None),
            (Expected::Click, "https://shop.example/item/7?pimms_id=short", None),
            (Expected::Click, "https://shop.example/item/7?pimms_id=abcdefghijklmnopq", Some(Some(id))),
        ] {
            let found = expected.check(7, location).ok();
            assert_eq!(found, click.map(|id| id.map(str::to_owned)), "{location}");
        }
    }
}
