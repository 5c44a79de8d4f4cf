//! What a deployment takes: from what wrangler.toml wants and what the account has, to the steps between them. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::{Map, Value, json};

use crate::failure::{Failure, OrFail};

/// The Worker's secrets that are made here when they are missing.
pub const SECRETS: [&str; 3] = ["CLICK_ID_KEYS", "ENCRYPTION_KEY", "BOOTSTRAP_TOKEN"];

/// Stands for an id that nobody knows before the thing is made.
const UNKNOWN_ID: &str = "00000000000000000000000000000000";

/// What production is to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// The Worker.
    pub worker: String,
    /// Titles of KV namespaces.
    pub kv: Vec<String>,
    /// Names of D1 databases.
    pub databases: Vec<String>,
    /// Names of queues, those of dead letters among them.
    pub queues: Vec<String>,
}

/// What the account has.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// Ids of KV namespaces by title.
    pub kv: BTreeMap<String, String>,
    /// Ids of D1 databases by name.
    pub databases: BTreeMap<String, String>,
    /// Queues that are there.
    pub queues: BTreeSet<String>,
    /// Names of the Worker's secrets.
    pub secrets: BTreeSet<String>,
    /// Whether every migration is applied.
    pub is_migrated: bool,
    /// The tag of the version that serves everybody.
    pub tag: Option<String>,
}

/// One change of the account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Creates a KV namespace.
    Kv(String),
    /// Creates a D1 database.
    Database(String),
    /// Creates a queue.
    Queue(String),
    /// Applies the migrations that are not applied.
    Migrate,
    /// Makes and stores secrets.
    Secrets(Vec<&'static str>),
    /// Uploads Worker and assets; sets routes, domains, crons and consumers.
    Upload,
}

impl Step {
    /// In words.
    #[must_use]
    pub fn words(&self) -> String {
        match self {
            Self::Kv(title) => format!("KV namespace {title}"),
            Self::Database(name) => format!("D1 database {name}"),
            Self::Queue(name) => format!("Queue {name}"),
            Self::Migrate => "Migrations".to_owned(),
            Self::Secrets(names) => format!("Secrets {}", names.join(", ")),
            Self::Upload => "Worker, assets, domains and crons".to_owned(),
        }
    }

    /// The arguments of wrangler, for a person to read; `config` is the file they are about.
    #[must_use]
    pub fn command(&self, config: &str) -> String {
        match self {
            Self::Kv(title) => format!("wrangler kv namespace create {title}"),
            Self::Database(name) => format!("wrangler d1 create {name}"),
            Self::Queue(name) => format!("wrangler queues create {name}"),
            Self::Migrate => format!("wrangler d1 migrations apply DB --remote -c {config}"),
            Self::Secrets(_) => format!("wrangler secret bulk -c {config}"),
            Self::Upload => format!("wrangler deploy -c {config}"),
        }
    }
}

/// The steps from what is there to what is wanted, in an order that may stop anywhere: a thing is made before what needs
/// it, the schema grows before the Worker that reads it, and a Worker never starts without its secrets.
#[must_use]
pub fn plan(wanted: &Wanted, found: &Found, tag: &str) -> Vec<Step> {
    let mut steps = Vec::new();
    steps.extend(wanted.kv.iter().filter(|title| !found.kv.contains_key(*title)).cloned().map(Step::Kv));
    let missing = wanted.databases.iter().filter(|name| !found.databases.contains_key(*name));
    steps.extend(missing.cloned().map(Step::Database));
    steps.extend(wanted.queues.iter().filter(|name| !found.queues.contains(*name)).cloned().map(Step::Queue));
    if !found.is_migrated {
        steps.push(Step::Migrate);
    }
    let missing: Vec<&'static str> =
        SECRETS.into_iter().filter(|name| !found.secrets.contains(*name)).collect();
    if !missing.is_empty() {
        steps.push(Step::Secrets(missing));
    }
    if found.tag.as_deref() != Some(tag) {
        steps.push(Step::Upload);
    }
    steps
}

/// wrangler.toml as production has it: with `[env.production]` laid over it and without its build, whose work is done.
/// A consumer there is laid over the one of the same queue, anything else takes the place of what was there.
///
/// # Errors
/// When it is no TOML.
pub fn production(wrangler_toml: &str) -> Result<Map<String, Value>, Failure> {
    let unreadable = || "wrangler.toml cannot be read".to_owned();
    let table: toml::Table = wrangler_toml.parse().or_fail(unreadable)?;
    let Value::Object(mut config) = serde_json::to_value(table).or_fail(unreadable)? else {
        return Err(Failure::new(unreadable()));
    };
    config.remove("build");
    let overlay = config.remove("env").and_then(|mut env| env.get_mut("production").map(Value::take));
    if let Some(Value::Object(mut overlay)) = overlay {
        let consumers =
            overlay.remove("queues").and_then(|mut queues| Some(queues.get_mut("consumers")?.take()));
        for laid in consumers.as_ref().and_then(Value::as_array).into_iter().flatten() {
            lay_over_consumer(&mut config, laid);
        }
        config.extend(overlay);
    }
    Ok(config)
}

fn lay_over_consumer(config: &mut Map<String, Value>, laid: &Value) {
    let consumers = config.get_mut("queues").and_then(|queues| queues.get_mut("consumers")?.as_array_mut());
    for consumer in consumers.into_iter().flatten().filter(|known| known.get("queue") == laid.get("queue")) {
        if let (Some(consumer), Some(laid)) = (consumer.as_object_mut(), laid.as_object()) {
            consumer.extend(laid.clone());
        }
    }
}

/// What this configuration needs in an account.
#[must_use]
pub fn wanted(config: &Map<String, Value>) -> Wanted {
    let worker = config.get("name").and_then(Value::as_str).unwrap_or("pimms-edge").to_owned();
    let names = |path: &str, field: &str| -> Vec<String> {
        let list = config.get(path).and_then(Value::as_array).into_iter().flatten();
        list.filter_map(|entry| entry.get(field)?.as_str().map(str::to_owned)).collect()
    };
    let mut queues: Vec<String> = Vec::new();
    for (kind, field) in [("producers", "queue"), ("consumers", "queue"), ("consumers", "dead_letter_queue")]
    {
        let list = config.get("queues").and_then(|queues| queues.get(kind)).and_then(Value::as_array);
        for name in list.into_iter().flatten().filter_map(|entry| entry.get(field)?.as_str()) {
            if !queues.iter().any(|known| known == name) {
                queues.push(name.to_owned());
            }
        }
    }
    let kv = names("kv_namespaces", "id").iter().map(|id| title(&worker, id)).collect();
    Wanted { kv, databases: names("d1_databases", "database_name"), queues, worker }
}

/// A namespace's title: its name in wrangler.toml, marked as this Worker's.
fn title(worker: &str, id: &str) -> String {
    format!("{worker}-{id}")
}

/// What in a configuration cannot work together, in words; build.rs compares the names of bindings.
#[must_use]
pub fn contradictions(config: &Map<String, Value>) -> Vec<String> {
    let queues = |kind: &str, field: &str| -> BTreeSet<String> {
        let list = config.get("queues").and_then(|queues| queues.get(kind)).and_then(Value::as_array);
        list.into_iter().flatten().filter_map(|entry| Some(entry.get(field)?.as_str()?.to_owned())).collect()
    };
    let (written, read) = (queues("producers", "queue"), queues("consumers", "queue"));
    let dead = queues("consumers", "dead_letter_queue");
    let mut wrong = Vec::new();
    wrong.extend(written.difference(&read).map(|name| format!("nobody reads the queue {name}")));
    wrong.extend(dead.difference(&read).map(|name| format!("nobody keeps the dead letters of {name}")));
    wrong.extend(
        dead.iter().filter(|name| !name.ends_with("-dead")).map(|name| {
            format!("the dead-letter queue {name} must end in -dead: the Worker knows it by that")
        }),
    );
    let crons = config.get("triggers").and_then(|triggers| triggers.get("crons")).and_then(Value::as_array);
    if crons.is_none_or(Vec::is_empty) {
        wrong.push("there are no crons".to_owned());
    }
    for field in ["main", "name", "compatibility_date"] {
        if config.get(field).and_then(Value::as_str).is_none_or(str::is_empty) {
            wrong.push(format!("{field} is missing"));
        }
    }
    wrong
}

/// The whole configuration for this account: real ids, absolute paths, these custom domains.
#[must_use]
pub fn for_account(
    mut config: Map<String, Value>,
    found: &Found,
    domains: &[String],
    root: &Path,
) -> Map<String, Value> {
    let worker = wanted(&config).worker;
    let id_of =
        |ids: &BTreeMap<String, String>, name: &str| json!(ids.get(name).map_or(UNKNOWN_ID, String::as_str));
    for entry in entries(&mut config, "kv_namespaces") {
        if let Some(id) = entry.get("id").and_then(Value::as_str) {
            let id = id_of(&found.kv, &title(&worker, id));
            entry.insert("id".to_owned(), id);
        }
    }
    for entry in entries(&mut config, "d1_databases") {
        if let Some(name) = entry.get("database_name").and_then(Value::as_str) {
            let id = id_of(&found.databases, name);
            entry.insert("database_id".to_owned(), id);
        }
        absolute(entry, "migrations_dir", root);
    }
    absolute(&mut config, "main", root);
    if let Some(assets) = config.get_mut("assets").and_then(Value::as_object_mut) {
        absolute(assets, "directory", root);
    }
    let mut routes = config.get("routes").and_then(Value::as_array).cloned().unwrap_or_default();
    let is_there = |routes: &[Value], domain: &str| routes.iter().any(|route| pattern(route) == domain);
    for domain in domains {
        if !is_there(&routes, domain) {
            routes.push(json!({"pattern": domain, "custom_domain": true}));
        }
    }
    if !routes.is_empty() {
        config.insert("routes".to_owned(), Value::Array(routes));
    }
    config
}

/// Where the Worker answers, if the configuration says so: its first custom domain.
#[must_use]
pub fn first_domain(config: &Map<String, Value>) -> Option<&str> {
    let routes = config.get("routes")?.as_array()?;
    routes.iter().find(|route| route.get("custom_domain") == Some(&Value::Bool(true))).map(pattern)
}

fn pattern(route: &Value) -> &str {
    route.as_str().or_else(|| route.get("pattern")?.as_str()).unwrap_or_default()
}

fn entries<'a>(
    config: &'a mut Map<String, Value>,
    name: &str,
) -> impl Iterator<Item = &'a mut Map<String, Value>> {
    let list = config.get_mut(name).and_then(Value::as_array_mut);
    list.into_iter().flatten().filter_map(Value::as_object_mut)
}

fn absolute(table: &mut Map<String, Value>, field: &str, root: &Path) {
    if let Some(path) = table.get(field).and_then(Value::as_str) {
        let path = json!(root.join(path));
        table.insert(field.to_owned(), path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOML: &str = r#"
        name = "shop"
        main = "build/entry.js"
        [build]
        command = "make"
        [assets]
        directory = "build/assets"
        [[kv_namespaces]]
        binding = "LINKS"
        id = "links"
        [[d1_databases]]
        binding = "DB"
        database_name = "pimms"
        database_id = "pimms"
        migrations_dir = "migrations"
        [[queues.producers]]
        binding = "CLICKS"
        queue = "clicks"
        [[queues.consumers]]
        queue = "clicks"
        dead_letter_queue = "clicks-dead"
        [[queues.consumers]]
        queue = "clicks-dead"
        [env.production]
        workers_dev = false
        routes = [{ pattern = "go.example.com", custom_domain = true }]
        [env.production.vars]
        FX_URL = "off"
        [[env.production.queues.consumers]]
        queue = "clicks"
        max_batch_timeout = 10
    "#;

    fn whole() -> Found {
        Found {
            kv: [("shop-links".to_owned(), "k1".to_owned())].into(),
            databases: [("pimms".to_owned(), "d1".to_owned())].into(),
            queues: ["clicks", "clicks-dead", "another"].map(str::to_owned).into(),
            secrets: SECRETS.map(str::to_owned).into(),
            is_migrated: true,
            tag: Some("v1".to_owned()),
        }
    }

    type Row = (&'static str, fn(&mut Found), Vec<Step>);

    #[test]
    fn only_what_is_missing_is_made() {
        let wanted = wanted(&production(TOML).unwrap());
        let queue = |name: &str| Step::Queue(name.to_owned());
        let rows: Vec<Row> = vec![
            ("all is there", |_| {}, vec![]),
            ("no namespace", |f| f.kv.clear(), vec![Step::Kv("shop-links".into())]),
            (
                "another one",
                |f| f.kv = [("links".into(), "x".into())].into(),
                vec![Step::Kv("shop-links".into())],
            ),
            ("no database", |f| f.databases.clear(), vec![Step::Database("pimms".into())]),
            (
                "no dead letters",
                |f| {
                    f.queues.remove("clicks-dead");
                },
                vec![queue("clicks-dead")],
            ),
            ("old schema", |f| f.is_migrated = false, vec![Step::Migrate]),
            (
                "a secret",
                |f| {
                    f.secrets.remove("ENCRYPTION_KEY");
                },
                vec![Step::Secrets(vec!["ENCRYPTION_KEY"])],
            ),
            ("another Worker", |f| f.tag = Some("v0".into()), vec![Step::Upload]),
            ("two versions", |f| f.tag = None, vec![Step::Upload]),
            (
                "an empty account",
                |f| *f = Found::default(),
                vec![
                    Step::Kv("shop-links".into()),
                    Step::Database("pimms".into()),
                    queue("clicks"),
                    queue("clicks-dead"),
                    Step::Migrate,
                    Step::Secrets(SECRETS.to_vec()),
                    Step::Upload,
                ],
            ),
        ];
        for (name, change, steps) in rows {
            let mut found = whole();
            change(&mut found);
            assert_eq!(plan(&wanted, &found, "v1"), steps, "{name}");
        }
    }

    #[test]
    fn contradictions_are_named() {
        let whole =
            format!("compatibility_date = \"2026-04-01\"\ntriggers = {{ crons = [\"7 * * * *\"] }}\n{TOML}");
        for (from, to, wrong) in [
            ("", "", None),
            ("crons = [\"7 * * * *\"]", "crons = []", Some("there are no crons")),
            ("name = \"shop\"", "", Some("name is missing")),
            (
                "queue = \"clicks-dead\"\n        [env",
                "queue = \"x\"\n        [env",
                Some("nobody keeps the dead letters of clicks-dead"),
            ),
            (
                "binding = \"CLICKS\"\n        queue = \"clicks\"",
                "queue = \"hooks\"",
                Some("nobody reads the queue hooks"),
            ),
        ] {
            let text = if from.is_empty() { whole.clone() } else { whole.replace(from, to) };
            let found = contradictions(&production(&text).unwrap());
            assert_eq!(found.first().map(String::as_str), wrong, "{found:?}");
        }
        let checkout = include_str!("../../../wrangler.toml");
        assert_eq!(contradictions(&production(checkout).unwrap()), Vec::<String>::new());
    }

    #[test]
    fn the_configuration_is_that_of_production_with_the_accounts_ids() {
        let config = production(TOML).unwrap();
        let domains = ["go.example.com".to_owned(), "s.example.com".to_owned()];
        let config = Value::Object(for_account(config, &whole(), &domains, Path::new("/code")));
        let expected = json!({
            "name": "shop", "main": "/code/build/entry.js", "workers_dev": false,
            "assets": {"directory": "/code/build/assets"},
            "kv_namespaces": [{"binding": "LINKS", "id": "k1"}],
            "d1_databases": [{"binding": "DB", "database_name": "pimms", "database_id": "d1",
                "migrations_dir": "/code/migrations"}],
            "queues": {
                "producers": [{"binding": "CLICKS", "queue": "clicks"}],
                "consumers": [
                    {"queue": "clicks", "dead_letter_queue": "clicks-dead", "max_batch_timeout": 10},
                    {"queue": "clicks-dead"},
                ],
            },
            "routes": [
                {"pattern": "go.example.com", "custom_domain": true},
                {"pattern": "s.example.com", "custom_domain": true},
            ],
            "vars": {"FX_URL": "off"},
        });
        assert_eq!(config, expected);
        assert_eq!(first_domain(config.as_object().unwrap()), Some("go.example.com"));
        assert!(production("[[").is_err());
    }
}
