//! Wrangler, call by call: what an account has, and each change of it.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use super::plan::{Found, Step, Wanted};
use crate::failure::{Failure, OrFail};
use crate::runtime;
use crate::target::text;

/// The program, and the configuration it is about.
#[derive(Debug, Clone)]
pub struct Wrangler {
    /// `node_modules/.bin/wrangler`, or what stands in for it in tests.
    pub program: PathBuf,
    /// The configuration of production.
    pub config: PathBuf,
    /// Where it runs.
    pub folder: PathBuf,
}

/// What one call said.
struct Said {
    is_ok: bool,
    out: String,
    err: String,
}

impl Wrangler {
    /// Whether an account lets us in.
    ///
    /// # Errors
    /// When wrangler does not start.
    pub fn is_signed_in(&self) -> Result<bool, Failure> {
        let said = self.call(&["whoami"], None)?;
        Ok(said.is_ok && !said.out.contains("not authenticated"))
    }

    /// Looks up everything but the schema.
    ///
    /// # Errors
    /// When the account cannot be read.
    pub fn find(&self, wanted: &Wanted) -> Result<Found, Failure> {
        let kv = self.json(&["kv", "namespace", "list"])?;
        let databases = self.json(&["d1", "list", "--json"])?;
        let mut found = Found {
            kv: pairs(&kv, "title", "id"),
            databases: pairs(&databases, "name", "uuid"),
            ..Found::default()
        };
        for queue in &wanted.queues {
            if self.has(&["queues", "info", queue], "does not exist")?.is_some() {
                found.queues.insert(queue.clone());
            }
        }
        let secrets = ["secret", "list", "--name", &wanted.worker, "--format", "json"];
        // 10007: the Worker itself is not there yet.
        if let Some(secrets) = self.has(&secrets, "10007")? {
            let list: Value = read(&secrets, "the list of secrets")?;
            found.secrets.extend(list.as_array().into_iter().flatten().map(|s| text(s, "name").to_owned()));
            found.tag = self.tag(&wanted.worker)?;
        }
        Ok(found)
    }

    /// The tag of the version that serves everybody; `None` when nobody can tell: then it is uploaded again.
    fn tag(&self, worker: &str) -> Result<Option<String>, Failure> {
        let status = self.call(&["deployments", "status", "--name", worker, "--json"], None)?;
        let status: Value = serde_json::from_str(&status.out).unwrap_or_default();
        let Some([version]) = status.get("versions").and_then(Value::as_array).map(Vec::as_slice) else {
            return Ok(None);
        };
        let id = text(version, "version_id");
        let version = self.call(&["versions", "view", id, "--name", worker, "--json"], None)?;
        let version: Value = serde_json::from_str(&version.out).unwrap_or_default();
        Ok(version.pointer("/annotations/workers~1tag").and_then(Value::as_str).map(str::to_owned))
    }

    /// Whether every migration is applied.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn is_migrated(&self) -> Result<bool, Failure> {
        let said = self.configured(&["d1", "migrations", "list", "DB", "--remote"], None)?;
        Ok(said.contains("No migrations to apply"))
    }

    /// Takes a step; `secrets` is the JSON of those that the step names, `tag` names the upload. Gives what was said.
    ///
    /// # Errors
    /// When wrangler refuses.
    pub fn take(&self, step: &Step, secrets: &str, tag: &str) -> Result<String, Failure> {
        match step {
            Step::Kv(title) => self.must(&["kv", "namespace", "create", title], None),
            Step::Database(name) => self.must(&["d1", "create", name], None),
            Step::Queue(name) => self.must(&["queues", "create", name], None),
            Step::Migrate => self.configured(&["d1", "migrations", "apply", "DB", "--remote"], None),
            // Through its input: no file, no argument that others can read.
            Step::Secrets(_) => self.configured(&["secret", "bulk"], Some(secrets)),
            Step::Upload => self.configured(&["deploy", "--tag", tag], None),
        }
    }

    /// Bundles what would be uploaded into `folder`; asks nobody.
    ///
    /// # Errors
    /// When it cannot be bundled.
    pub fn bundle(&self, folder: &Path) -> Result<(), Failure> {
        let folder = folder.to_string_lossy();
        self.configured(&["deploy", "--dry-run", "--outdir", &folder], None).map(|_| ())
    }

    fn json(&self, arguments: &[&str]) -> Result<Value, Failure> {
        read(&self.must(arguments, None)?, &arguments.join(" "))
    }

    /// What a look-up says; `None` when it fails with a text that means: not there.
    fn has(&self, arguments: &[&str], absent: &str) -> Result<Option<String>, Failure> {
        let said = self.call(arguments, None)?;
        if said.is_ok {
            return Ok(Some(said.out));
        }
        if format!("{}{}", said.out, said.err).contains(absent) {
            Ok(None)
        } else {
            Err(refusal(arguments, &said))
        }
    }

    fn configured(&self, arguments: &[&str], input: Option<&str>) -> Result<String, Failure> {
        let config = self.config.to_string_lossy();
        self.must(&[arguments, &["-c", &config]].concat(), input)
    }

    fn must(&self, arguments: &[&str], input: Option<&str>) -> Result<String, Failure> {
        let said = self.call(arguments, input)?;
        if said.is_ok { Ok(said.out) } else { Err(refusal(arguments, &said)) }
    }

    fn call(&self, arguments: &[&str], input: Option<&str>) -> Result<Said, Failure> {
        let doing = || format!("{} does not run: run `cargo run -- setup` first", self.program.display());
        let mut command = Command::new(&self.program);
        runtime::quiet(&mut command);
        command.args(arguments).current_dir(&self.folder).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.stdin(if input.is_some() { Stdio::piped() } else { Stdio::null() });
        let mut child = command.spawn().or_fail(doing)?;
        if let (Some(input), Some(mut stdin)) = (input, child.stdin.take()) {
            stdin.write_all(input.as_bytes()).or_fail(doing)?;
        }
        let output = child.wait_with_output().or_fail(doing)?;
        let words = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Ok(Said { is_ok: output.status.success(), out: words(&output.stdout), err: words(&output.stderr) })
    }
}

fn refusal(arguments: &[&str], said: &Said) -> Failure {
    let lines: Vec<String> =
        said.out.lines().chain(said.err.lines()).map(|line| format!("    {line}\n")).collect();
    Failure::new(format!(
        "`wrangler {}` failed: see above, then run the same command again",
        arguments.join(" ")
    ))
    .with_evidence(lines.concat())
}

/// JSON, after whatever wrangler had to say first.
fn read(said: &str, what: &str) -> Result<Value, Failure> {
    let from = said.find(['[', '{']).unwrap_or(0);
    serde_json::from_str(said.get(from..).unwrap_or_default())
        .or_fail(|| format!("wrangler's answer to {what}"))
}

fn pairs(list: &Value, name: &str, id: &str) -> std::collections::BTreeMap<String, String> {
    let list = list.as_array().into_iter().flatten();
    list.map(|entry| (text(entry, name).to_owned(), text(entry, id).to_owned())).collect()
}
