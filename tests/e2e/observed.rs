//! What an operator sees: the id of a request in its answer and in the log, figures, and no secret anywhere.

use std::collections::BTreeSet;
use std::thread;
use std::time::{Duration, Instant};

use pimms_cli::instance::Instance;
use serde_json::{Value, json};

use crate::shared;
use crate::support::{self, Workspace};

/// What the Worker has printed; the runtime's own lines about requests, which only a laptop has, are left out.
fn printed(instance: &Instance) -> String {
    instance.log().lines().filter(|line| !line.contains("[wrangler:")).collect::<Vec<_>>().join("\n")
}

/// The log's line of a request, once it is there.
fn line(instance: &Instance, id: &str) -> Value {
    let started = Instant::now();
    loop {
        let log = printed(instance);
        let found = log.lines().filter_map(|line| line.find("{\"ids\"").and_then(|at| line.get(at..)));
        let found = found.filter_map(|text| serde_json::from_str::<Value>(text.trim()).ok());
        if let Some(line) = found.into_iter().find(|line| line["request"] == id) {
            return line;
        }
        assert!(started.elapsed() < Duration::from_secs(10), "{id} is not in\n{log}");
        thread::sleep(Duration::from_millis(50));
    }
}

/// The Worker, and what it writes into Analytics Engine, of which the local runtime keeps nothing.
const POINTS: &str = r#"
import plain from "./plain.js";
export * from "./plain.js";
const points = [];
const METRICS = { writeDataPoint: (point) => points.push(point) };
export default {
  ...plain,
  fetch(request, env, ctx) {
    if (new URL(request.url).pathname === "/_points") return Response.json(points);
    // The runtime's own takes it as well.
    env.METRICS.writeDataPoint({ indexes: ["x"], blobs: ["x"], doubles: [1] });
    return plain.fetch(request, { ...env, METRICS }, ctx);
  },
};
"#;

#[test]
fn every_answer_has_an_id_that_the_log_knows_and_the_log_knows_no_secret() {
    const MARK: &str = "sekretmark";
    let mut instance = Instance::start_with(&[("REQUEST_LOG", "all")]).unwrap();
    support::wrap(&mut instance, POINTS, |config| {
        config["analytics_engine_datasets"] = json!([{"binding": "METRICS", "dataset": "pimms"}]);
    });
    let (client, own) = (instance.client(), instance.ready());
    let key = format!("pimms_{MARK}00000000000000");
    let mut ids = BTreeSet::new();
    for (request, status, route) in [
        (client.get("/_pimms/health"), 200, "/_pimms/health"),
        (client.get(&format!("/api/links?search={MARK}")).bearer(&own.api_key), 200, "/api/links"),
        (client.get(&format!("/api/links/{MARK}9")).bearer(&own.api_key), 404, "/api/links/{}"),
        (client.get("/api/links").bearer(&key).header("cookie", &format!("x={MARK}")), 401, "/api/links"),
        (
            client.post("/api/customers").bearer(&own.api_key).json(&json!({
                "externalId": format!("{MARK}-1"), "email": format!("{MARK}@example.com"), "name": MARK})),
            201,
            "/api/customers",
        ),
        (client.get(&format!("/api/customers/ext_{MARK}-1")).bearer(&own.api_key), 200, "/api/customers/{}"),
        (
            client
                .post(&format!("/stripe/webhook/{}", own.workspace_id))
                .header("stripe-signature", &format!("t=1,v1={MARK}"))
                .body(format!("{{\"{MARK}\": 1}}").into_bytes()),
            400,
            "/stripe/webhook/{}",
        ),
        (
            client.post("/api/track/lead").bearer(&own.api_key).body(format!("{{\"{MARK}").into_bytes()),
            400,
            "/api/track/lead",
        ),
        (client.get(&format!("/api/{MARK}9/x")).bearer(&own.api_key), 404, "/api/{}/x"),
    ] {
        let answer = request.send().unwrap();
        assert_eq!(answer.status, status, "{route}: {}", answer.text());
        let id = answer.header("x-request-id").unwrap().to_owned();
        let line = line(&instance, &id);
        assert_eq!((&line["route"], &line["status"]), (&json!(route), &json!(status)), "{line}");
        assert!(ids.insert(id), "an id twice");
    }
    // Short links are named as well; who asks for what is theirs.
    let answer = client.get(&format!("/{MARK}")).header("x-pimms-host", &own.short_domain).send().unwrap();
    assert_eq!(answer.status, 404);
    assert!(answer.header("x-request-id").is_some());
    // A plain redirect goes the short way, which writes its point as well.
    for _ in 0..2 {
        let answer = client.get("/launch").header("x-pimms-host", &own.short_domain).send().unwrap();
        assert_eq!(answer.status, 302);
    }
    let points = client.get("/_points").send().unwrap().text();
    let points: Vec<Value> = serde_json::from_str(&points).unwrap();
    let counted = |kind: &str, class: &str, status: u16| {
        let is_such =
            |point: &&Value| point["blobs"] == json!([kind, class]) && point["doubles"][0] == status;
        points.iter().filter(is_such).count()
    };
    for (kind, class, status, times) in [
        ("api", "2xx", 200, 2),
        ("api", "2xx", 201, 1),
        ("api", "4xx", 400, 1),
        ("api", "4xx", 401, 1),
        ("api", "4xx", 404, 2),
        ("stripe", "4xx", 400, 1),
        ("link", "4xx", 404, 1),
        ("link", "3xx", 302, 2),
    ] {
        // The runtime's start asks for the Worker's health.
        let found = counted(kind, class, status);
        assert!(found >= times && (status == 200 || found == times), "{kind} {status}: {points:?}");
    }
    let keys = |point: &Value| point.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert!(points.iter().all(|point| keys(point) == ["blobs", "doubles", "indexes"]), "{points:?}");
    let log = printed(&instance) + &json!(points).to_string();
    for secret in [MARK, &own.api_key, &own.webhook_secret] {
        assert!(!log.contains(secret), "{secret} is in\n{log}");
    }
}

#[test]
fn figures_are_for_who_administers() {
    let workspace = Workspace::new("metrics");
    let answer = shared().client().get("/api/metrics").bearer(&workspace.key).send().unwrap();
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("text/plain; version=0.0.4")));
    let text = answer.text();
    let mut typed = BTreeSet::new();
    let mut samples = 0;
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').unwrap();
            assert!(matches!(kind, "gauge" | "counter") && typed.insert(name.to_owned()), "{line}");
        } else if !line.starts_with("# HELP ") {
            let (name, value) = line.rsplit_once(' ').unwrap();
            assert!(typed.contains(name.split('{').next().unwrap()), "{line} has no type");
            value.parse::<f64>().unwrap();
            samples += 1;
        }
    }
    assert!(samples > 25, "{text}");
    let known = text.lines().find(|line| line.starts_with("pimms_migrations_known ")).unwrap();
    let applied = text.lines().find(|line| line.starts_with("pimms_migrations_applied ")).unwrap();
    assert_eq!(known.rsplit(' ').next(), applied.rsplit(' ').next());
    assert!(text.contains("pimms_isolate_answers_total{kind=\"api\",status=\"2xx\"} "));
    assert_eq!(shared().client().get("/api/metrics").send().unwrap().status, 401);
    let reader = workspace.post("/tokens", &json!({"name": "reader", "scopes": ["links.read"]}));
    let reader = reader["token"].as_str().unwrap();
    assert_eq!(shared().client().get("/api/metrics").bearer(reader).send().unwrap().status, 403);
}
