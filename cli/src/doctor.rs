//! `pimms doctor`: whether an instance is well, and whether this machine can build and deploy one.

use std::path::PathBuf;
use std::process::Command;

use clap::Args;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::deploy::plan;
use crate::failure::{Failure, OrFail};
use crate::files;
use crate::http_client::{Answer, Client};
use crate::identity::Identity;
use crate::process::output_of;
use crate::project::{DEFAULT_DATA, Project};
use crate::seed::Ready;
use crate::table::Table;
use crate::{runtime, toolchain};

/// Options of `pimms doctor`.
#[derive(Debug, Clone, Args)]
pub struct Options {
    /// The instance to ask, such as `https://go.example.com`; without it, the one that runs on the data folder, if any.
    #[arg(long)]
    pub url: Option<String>,
    /// An API key that may write workspaces, or the instance's bootstrap token. Without it only the overall answer is seen.
    #[arg(long, value_name = "KEY", env = "PIMMS_API_KEY", hide_env_values = true, requires = "url")]
    pub api_key: Option<String>,
    /// The data folder of the local instance.
    #[arg(long, value_name = "DIR", default_value = DEFAULT_DATA)]
    pub data: PathBuf,
    /// Also whether wrangler is signed in to Cloudflare, as a deployment needs.
    #[arg(long)]
    pub deploy: bool,
    /// One line of JSON instead of a table.
    #[arg(long)]
    pub json: bool,
}

/// One line of the table, of the instance or of this machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// What was looked at.
    pub name: String,
    /// `green`, `yellow`, `red`
    pub status: String,
    /// What was found.
    pub figure: String,
    /// What to do; empty when there is nothing to do.
    pub action: String,
}

impl Check {
    fn new(name: &str, is_well: bool, figure: impl Into<String>, action: &str) -> Self {
        let (status, action) = if is_well { ("green", "") } else { ("red", action) };
        Self {
            name: name.to_owned(),
            status: status.to_owned(),
            figure: figure.into(),
            action: action.to_owned(),
        }
    }

    fn yellow(name: &str, figure: &str, action: &str) -> Self {
        Self { status: "yellow".to_owned(), ..Self::new(name, false, figure, action) }
    }
}

/// `pimms doctor`.
///
/// # Errors
/// When something is red.
pub fn run(options: &Options) -> Result<(), Failure> {
    let project = Project::find()?;
    let mut all = machine(&project, options.deploy)?;
    all.extend(instance(&project, options)?);
    if options.json {
        let line = json!({"ok": red(&all) == 0, "checks": all});
        println!("{line}");
    } else {
        print!("{}", shown(&all));
    }
    verdict(&all)
}

/// What the answer to `GET /api/health` says.
///
/// # Errors
/// When it is no such answer.
pub fn checks(answer: &Answer) -> Result<Vec<Check>, Failure> {
    let said = answer.json();
    if let Some(checks) = said.get("checks") {
        return serde_json::from_value(checks.clone()).or_fail(|| "the health table".into());
    }
    match said.get("status").and_then(serde_json::Value::as_str) {
        Some("ok") => Ok(vec![Check::new("instance", true, "ok", "")]),
        Some(_) => Ok(vec![Check::new(
            "instance",
            false,
            "something is red",
            "Give --api-key a key that may write workspaces, or the bootstrap token, to see what.",
        )]),
        None => Err(Failure::new(format!("GET /api/health answered {}", answer.status))),
    }
}

/// The table for a person.
#[must_use]
pub fn shown(checks: &[Check]) -> String {
    let mut table = Table::new(&["check", "status", "found", "what to do"]);
    for check in checks {
        table.row([&check.name, &check.status, &check.figure, &check.action]);
    }
    table.to_string()
}

/// `13 green, 2 yellow`
#[must_use]
pub fn summary(checks: &[Check]) -> String {
    let count = |status: &str| checks.iter().filter(|check| check.status == status).count();
    let counts = ["green", "yellow", "red"].map(|status| (count(status), status));
    let words =
        counts.iter().filter(|(count, _)| *count > 0).map(|(count, status)| format!("{count} {status}"));
    words.collect::<Vec<_>>().join(", ")
}

/// A failure when anything is red.
///
/// # Errors
/// It names what is.
pub fn verdict(checks: &[Check]) -> Result<(), Failure> {
    let names: Vec<&str> = checks.iter().filter(|c| c.status == "red").map(|c| c.name.as_str()).collect();
    if names.is_empty() { Ok(()) } else { Err(Failure::new(format!("red: {}", names.join(", ")))) }
}

fn red(checks: &[Check]) -> usize {
    checks.iter().filter(|check| check.status == "red").count()
}

fn instance(project: &Project, options: &Options) -> Result<Vec<Check>, Failure> {
    let (url, key) = if let Some(url) = &options.url {
        (url.clone(), options.api_key.clone().unwrap_or_default())
    } else {
        let data = project.data_folder(&options.data);
        let Ok(ready) = Ready::load(&data) else {
            let action = "Start one with `cargo run`, or name one with --url.";
            return Ok(vec![Check::yellow("instance", "none runs here", action)]);
        };
        (ready.url, Identity::load_or_create(&data)?.bootstrap_token)
    };
    match Client::new(&url).get("/api/health").bearer(&key).send() {
        Ok(answer) => checks(&answer),
        Err(e) => Ok(vec![Check::new(
            "instance",
            false,
            e.to_string().as_str(),
            "Does it run, and is the address right, https:// included?",
        )]),
    }
}

/// What a build, a start and a deployment need of this machine.
fn machine(project: &Project, deploys: bool) -> Result<Vec<Check>, Failure> {
    let version = |program: &str| output_of(Command::new(program).arg("--version"));
    let node = version("node").unwrap_or_default();
    let npm = version("npm").unwrap_or_default();
    let mut all = vec![
        Check::new(
            "node",
            toolchain::node_is_recent(&node),
            or_none(&node),
            "Install Node.js 20 or newer (https://nodejs.org).",
        ),
        Check::new("npm", !npm.is_empty(), or_none(&npm), "It comes with Node.js (https://nodejs.org)."),
        Check::new(
            "rust-target",
            toolchain::has_wasm_target(project),
            toolchain::WASM_TARGET,
            "Run `rustup target add wasm32-unknown-unknown`.",
        ),
    ];
    let mut wrangler = Command::new(project.node_program("wrangler"));
    runtime::quiet(&mut wrangler);
    let found = output_of(wrangler.arg("--version")).unwrap_or_default();
    all.push(if found.is_empty() {
        // Nothing is wrong with a fresh clone.
        Check::yellow(
            "wrangler",
            "not installed yet",
            "The first `cargo run`, or `cargo run -- deploy`, installs it.",
        )
    } else {
        Check::new("wrangler", true, found.as_str(), "")
    });
    all.push(configuration(&files::read(&project.path("wrangler.toml"))?));
    if deploys {
        let mut whoami = Command::new(project.node_program("wrangler"));
        runtime::quiet(&mut whoami);
        let said = output_of(whoami.arg("whoami")).unwrap_or_default();
        let is_in = !said.is_empty() && !said.contains("not authenticated");
        let figure = if is_in { "signed in" } else { "not signed in" };
        all.push(Check::new(
            "cloudflare",
            is_in,
            figure,
            "Run `npx wrangler login`, or set CLOUDFLARE_API_TOKEN.",
        ));
    }
    Ok(all)
}

fn or_none(version: &str) -> &str {
    if version.is_empty() { "not found" } else { version }
}

/// Whether what wrangler.toml names fits together: every queue that is written is read, every one that is read has dead
/// letters that are kept, the crons are those the Worker knows.
fn configuration(wrangler_toml: &str) -> Check {
    let wrong = match plan::production(wrangler_toml) {
        Ok(config) => plan::contradictions(&config),
        Err(failure) => vec![failure.to_string()],
    };
    let figure = if wrong.is_empty() { "consistent".to_owned() } else { wrong.join("; ") };
    Check::new(
        "wrangler.toml",
        wrong.is_empty(),
        figure,
        "Correct wrangler.toml; `git diff` shows what was changed.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &str) -> Answer {
        Answer { status, headers: Vec::new(), body: body.as_bytes().to_vec() }
    }

    #[test]
    fn a_red_row_is_a_failure_that_names_it() {
        let body = r#"{"status":"failing","checks":[
            {"name":"kv","status":"green","figure":"answers","action":""},
            {"name":"crons","status":"yellow","figure":"none","action":"wait"},
            {"name":"dead-letters","status":"red","figure":"2","action":"read them"}]}"#;
        let found = checks(&answer(503, body)).unwrap();
        assert_eq!(summary(&found), "1 green, 1 yellow, 1 red");
        assert_eq!(verdict(&found).unwrap_err().to_string(), "red: dead-letters");
        assert!(shown(&found).contains("read them"));
        let rest: Vec<Check> = found.into_iter().filter(|check| check.status != "red").collect();
        assert!(verdict(&rest).is_ok(), "yellow is no failure");
    }

    #[test]
    fn strangers_learn_the_overall_answer() {
        assert!(verdict(&checks(&answer(200, r#"{"status":"ok"}"#)).unwrap()).is_ok());
        assert!(verdict(&checks(&answer(503, r#"{"status":"failing"}"#)).unwrap()).is_err());
        assert!(checks(&answer(404, "<html>")).is_err());
    }

    #[test]
    fn a_configuration_that_cannot_work_is_red() {
        assert_eq!(configuration(include_str!("../../wrangler.toml")).status, "green");
        for text in ["[[", "name = \"x\""] {
            assert_eq!(configuration(text).status, "red", "{text}");
        }
    }
}
