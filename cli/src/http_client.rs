//! A small blocking HTTP client: what was sent is what arrives, and redirects are looked at, not followed.

use std::time::Duration;

use serde::Serialize;
use serde_json::Value;

use crate::failure::{Failure, OrFail};

/// The longest a local answer may take. Above the Worker's own deadlines, so that theirs are seen.
const TIMEOUT: Duration = Duration::from_secs(30);

/// What `wrangler dev` says, with 503 or 500, when the connection it had kept to the Worker was gone as it wrote to it:
/// the Worker has not seen the request. That happens to the next request, anybody's, after one whose body was refused
/// unread.
const NOT_DELIVERED: [&[u8]; 2] =
    [b"Your worker restarted mid-request.", b"TypeError: Cannot reconstruct a Request with a used body."];

/// How often a request is given to a runtime that does not deliver it.
const DELIVERIES: u32 = 5;

/// Bodies above this are not what any of our routes answers.
const MAX_BODY_BYTES: u64 = 64 * 1024 * 1024;

/// Sends requests to one base URL. Cheap to clone; clones share connections.
#[derive(Debug, Clone)]
pub struct Client {
    agent: ureq::Agent,
    base: String,
}

impl Client {
    /// `base`: `http://127.0.0.1:8787`, without a slash at the end.
    #[must_use]
    pub fn new(base: &str) -> Self {
        let config = ureq::Agent::config_builder()
            .max_redirects(0)
            .max_redirects_will_error(false)
            .http_status_as_error(false)
            .allow_non_standard_methods(true)
            .timeout_global(Some(TIMEOUT))
            .max_idle_connections_per_host(32)
            .build();
        Self { agent: config.new_agent(), base: base.trim_end_matches('/').to_owned() }
    }

    /// Begins a request; `path` starts with `/` and may carry a query.
    #[must_use]
    pub fn request(&self, method: &str, path: &str) -> Request<'_> {
        Request {
            client: self,
            builder: ureq::http::Request::builder().method(method).uri(format!("{}{path}", self.base)),
            body: Vec::new(),
        }
    }

    /// Begins a GET.
    #[must_use]
    pub fn get(&self, path: &str) -> Request<'_> {
        self.request("GET", path)
    }

    /// Begins a POST.
    #[must_use]
    pub fn post(&self, path: &str) -> Request<'_> {
        self.request("POST", path)
    }
}

/// A request under construction.
#[derive(Debug)]
pub struct Request<'a> {
    client: &'a Client,
    builder: ureq::http::request::Builder,
    body: Vec<u8>,
}

impl Request<'_> {
    /// Adds a header; the same name may come more than once.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.builder = self.builder.header(name, value);
        self
    }

    /// `Authorization: Bearer …`
    #[must_use]
    pub fn bearer(self, token: &str) -> Self {
        self.header("authorization", &format!("Bearer {token}"))
    }

    /// What the runtime gives the Worker as `request.cf`, such as `{"country":"FR","city":"Paris"}`.
    #[must_use]
    pub fn cf(self, mut cf: Value) -> Self {
        // The runtime keeps the client's Accept-Encoding there, and compresses at will when it is missing.
        if let Some(cf) = cf.as_object_mut() {
            cf.entry("clientAcceptEncoding").or_insert_with(|| Value::from(""));
        }
        self.header("mf-cf-blob", &cf.to_string())
    }

    /// A body as it is.
    #[must_use]
    pub fn body(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.body = bytes.into();
        self
    }

    /// A JSON body with its content type.
    #[must_use]
    pub fn json<T: Serialize>(self, value: &T) -> Self {
        let text = serde_json::to_vec(value).unwrap_or_default();
        self.header("content-type", "application/json").body(text)
    }

    /// Sends it. An answer of any status is an answer; only no answer is a failure.
    pub fn send(self) -> Result<Answer, Failure> {
        let request = self.builder.body(self.body).or_fail(|| "not a valid request".into())?;
        for _ in 1..DELIVERIES {
            let answer = run(&self.client.agent, request.clone())?;
            if answer.status < 500 || !NOT_DELIVERED.iter().any(|text| answer.body.starts_with(text)) {
                return Ok(answer);
            }
        }
        run(&self.client.agent, request)
    }
}

fn run(agent: &ureq::Agent, request: ureq::http::Request<Vec<u8>>) -> Result<Answer, Failure> {
    let doing = format!("{} {}", request.method(), request.uri());
    let mut response = agent.run(request).or_fail(|| doing.clone())?;
    let headers = response
        .headers()
        .iter()
        .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
        .collect();
    let status = response.status().as_u16();
    let body = response.body_mut().with_config().limit(MAX_BODY_BYTES).read_to_vec().or_fail(|| doing)?;
    Ok(Answer { status, headers, body })
}

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// Names in lower case, in order, repeated ones as often as they came.
    pub headers: Vec<(String, String)>,
    /// The body, decoded by nobody.
    pub body: Vec<u8>,
}

impl Answer {
    /// The first header of this name (lower case).
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    /// Every header of this name (lower case): each `set-cookie`.
    pub fn all_headers<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.headers.iter().filter(move |(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    /// The body as text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON; `null` when it is none.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    /// This answer, if its status is in the 200s; else what was answered instead.
    pub fn success(self) -> Result<Self, Failure> {
        if (200..300).contains(&self.status) {
            return Ok(self);
        }
        Err(Failure::new(format!("answered {}: {}", self.status, self.text())))
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpListener;
    use std::thread;

    use super::*;

    /// A server that answers one request after the other with these, each on a connection of its own.
    fn answering(answers: &'static [(&'static str, &'static str)]) -> (String, thread::JoinHandle<usize>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let served = thread::spawn(move || {
            for (served, (status, body)) in answers.iter().enumerate() {
                let (mut stream, _) = listener.accept().unwrap();
                let mut request = Vec::new();
                while !request.ends_with(b"sale") {
                    let mut bytes = [0; 1024];
                    let read = stream.read(&mut bytes).unwrap();
                    if read == 0 {
                        return served;
                    }
                    request.extend_from_slice(&bytes[..read]);
                }
                let head =
                    format!("HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {}", body.len());
                write!(stream, "{head}\r\n\r\n{body}").unwrap();
            }
            answers.len()
        });
        (url, served)
    }

    const GONE: (&str, &str) =
        ("503 Service Unavailable", "Your worker restarted mid-request. Please try again.");

    #[test]
    fn what_the_runtime_did_not_deliver_is_sent_again() {
        let (url, served) = answering(&[GONE, GONE, ("201 Created", "kept")]);
        let answer = Client::new(&url).post("/x").body("sale").send().unwrap();
        assert_eq!((answer.status, answer.text().as_str()), (201, "kept"));
        assert_eq!(served.join().unwrap(), 3);
    }

    #[test]
    fn what_the_worker_answers_is_taken_as_it_is() {
        let (url, _served) = answering(&[("503 Service Unavailable", "{\"error\":1}"), ("200 OK", "")]);
        assert_eq!(Client::new(&url).post("/x").body("sale").send().unwrap().status, 503);
        let (url, served) = answering(&[GONE, GONE, GONE, GONE, GONE]);
        assert_eq!(Client::new(&url).post("/x").body("sale").send().unwrap().status, 503);
        assert_eq!(served.join().unwrap(), 5);
    }
}
