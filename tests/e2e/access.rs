//! Signing in by Cloudflare Access, with a server on this machine in place of the team's keys.

use std::fs::OpenOptions;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use pimms_cli::http_client::Answer;
use pimms_cli::instance::Instance;
use pimms_cli::project::Project;
use serde_json::{Value, json};

use crate::shared;

const AUDIENCE: &str = "4714c1358e65fe4b408ad6d432a5f878f08194bdb4752441fd56faefa9b2b6f2";
const HEADER: &str = "cf-access-jwt-assertion";
const OWN: (&str, &str) = ("sec-fetch-site", "same-origin");

/// Keys and tokens of a team called `acme`.
fn made() -> Value {
    let output = Command::new("node")
        .arg(Project::find().unwrap().path("tests/dashboard/access-tokens.mjs"))
        .args(["https://acme.cloudflareaccess.com", AUDIENCE])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Serves the keys: `host:port`, what was asked for, and whether it answers.
struct Certs {
    address: String,
    asked: Arc<Mutex<Vec<String>>>,
    works: Arc<AtomicBool>,
}

impl Certs {
    fn serve(document: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let certs = Self { address, asked: Arc::default(), works: Arc::default() };
        let (asked, works) = (Arc::clone(&certs.asked), Arc::clone(&certs.works));
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let mut lines = BufReader::new(stream.try_clone().unwrap()).lines().map_while(Result::ok);
                asked.lock().unwrap().push(lines.next().unwrap_or_default());
                let _ = lines.take_while(|line| !line.is_empty()).count();
                let status = if works.load(Ordering::SeqCst) { 200 } else { 500 };
                let head = format!("HTTP/1.1 {status} X\r\nContent-Length: {}", document.len());
                let _ = write!(stream, "{head}\r\nConnection: close\r\n\r\n{document}");
            }
        });
        certs
    }
}

fn send(on: &Instance, method: &str, path: &str, headers: &[(&str, &str)], body: Option<&Value>) -> Answer {
    let mut request = on.client().request(method, path);
    for (name, value) in headers {
        request = request.header(name, value);
    }
    if let Some(body) = body {
        request = request.json(body);
    }
    request.send().unwrap()
}

fn sign_in(on: &Instance, headers: &[(&str, &str)]) -> Answer {
    send(on, "POST", "/api/session", headers, Some(&json!({"access": true})))
}

fn cookie(answer: &Answer) -> String {
    answer.header("set-cookie").unwrap().split(';').next().unwrap().to_owned()
}

fn is_signed_in(on: &Instance, cookie: &str) -> bool {
    send(on, "GET", "/api/session", &[("cookie", cookie)], None).status == 200
}

fn is_configured(on: &Instance) -> bool {
    send(on, "GET", "/api/session/access", &[], None).json()["configured"] == true
}

#[test]
fn access_signs_in_whom_its_signature_names_and_nobody_else() {
    let made = made();
    let token = |name: &str| made["tokens"][name].as_str().unwrap();
    let good = [OWN, (HEADER, token("good"))];
    let certs = Certs::serve(made["certs"].to_string());
    let asked = || certs.asked.lock().unwrap().len();
    let mut instance = Instance::start_with(&[
        ("CF_ACCESS_TEAM_DOMAIN", "acme"),
        ("CF_ACCESS_AUD", AUDIENCE),
        ("LOCAL_ACCESS_CERTS", &certs.address),
    ])
    .unwrap();

    // Before it is said whose access people get, there is none.
    assert!(!is_configured(&instance));
    assert_eq!((sign_in(&instance, &good).status, asked()), (404, 0));
    let wanted = json!({"name": "Access", "scopes": ["links.read"]});
    let key = instance.api("POST", "/api/tokens").json(&wanted).send().unwrap().json();
    let key_id = key["id"].as_str().unwrap().to_owned();
    let variables = instance.folder().join("worker.env");
    let mut variables = OpenOptions::new().append(true).open(variables).unwrap();
    writeln!(variables, "CF_ACCESS_KEY_ID=\"{key_id}\"").unwrap();
    instance.restart().unwrap();
    assert!(is_configured(&instance));

    // While the team's keys cannot be read nobody gets in, and that is not remembered.
    assert_eq!(sign_in(&instance, &good).status, 503);
    certs.works.store(true, Ordering::SeqCst);
    let answer = sign_in(&instance, &good);
    assert_eq!(answer.status, 200, "{}\n{}", answer.text(), instance.log());
    assert_eq!(certs.asked.lock().unwrap()[0], "GET /cdn-cgi/access/certs HTTP/1.1");
    let who = answer.json();
    assert_eq!((who["keyId"].as_str(), &who["permissions"]), (Some(key_id.as_str()), &json!(["links.read"])));
    let ends = chrono::DateTime::parse_from_rfc3339(who["expiresAt"].as_str().unwrap()).unwrap();
    let left = ends.timestamp_millis() - pimms_cli::clock::now().0;
    assert!((1..=3_600_000).contains(&left), "the session ends with its token: {left}");
    let ada = cookie(&answer);
    assert_eq!(send(&instance, "GET", "/api/links", &[("cookie", &ada)], None).status, 200);
    assert_eq!(send(&instance, "GET", "/api/tags", &[("cookie", &ada)], None).status, 403);
    assert_eq!(sign_in(&instance, &[OWN, (HEADER, token("of two audiences"))]).status, 200);

    // Whatever a forger tries.
    let before = asked();
    for (name, forged) in made["forged"].as_object().unwrap() {
        let answer = sign_in(&instance, &[OWN, (HEADER, forged.as_str().unwrap())]);
        assert_eq!((answer.status, answer.header("set-cookie")), (401, None), "{name}: {}", answer.text());
    }
    assert_eq!(sign_in(&instance, &[OWN]).status, 401, "without the header");
    assert_eq!(asked(), before, "forgers do not make the keys be fetched again and again");
    // The header signs in at that one call, asked for, from the dashboard's own pages, and nowhere else.
    for (method, path) in [("GET", "/api/session"), ("GET", "/api/links"), ("POST", "/api/session/link")] {
        assert_eq!(send(&instance, method, path, &good, None).status, 401, "{method} {path}");
    }
    assert_eq!(send(&instance, "POST", "/api/session", &good, Some(&json!({}))).status, 422);
    let foreign = [("sec-fetch-site", "cross-site"), (HEADER, token("good"))];
    assert_eq!(sign_in(&instance, &foreign).status, 403);

    // Signing out everywhere is one person's; revoking the key is everybody's.
    let again = cookie(&sign_in(&instance, &good));
    let bob = cookie(&sign_in(&instance, &[OWN, (HEADER, token("bob"))]));
    let all = send(&instance, "DELETE", "/api/session/all", &[OWN, ("cookie", &again)], None);
    assert_eq!(all.status, 200);
    let now = [&ada, &again, &bob].map(|one| is_signed_in(&instance, one));
    assert_eq!(now, [false, false, true]);
    assert_eq!(instance.api("DELETE", &format!("/api/tokens/{key_id}")).send().unwrap().status, 200);
    assert!(!is_signed_in(&instance, &bob));
    let refused = sign_in(&instance, &good);
    assert!(refused.status == 403 && refused.text().contains("CF_ACCESS_KEY_ID"), "{}", refused.text());
}

#[test]
fn without_its_settings_access_is_nobody() {
    let made = made();
    let good = [OWN, (HEADER, made["tokens"]["good"].as_str().unwrap())];
    let on = shared();
    assert!(!is_configured(on));
    assert_eq!(sign_in(on, &good).status, 404);
    assert_eq!(send(on, "GET", "/api/links", &good, None).status, 401);
}
