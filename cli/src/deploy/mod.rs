//! `pimms deploy`: from an empty account to a production instance that answers, and again after every change.
//!
//! [`plan`] says what is missing, [`wrangler`] makes it, [`service`] does what needs the running Worker. A run that is
//! interrupted is repeated; a run that finds everything changes nothing.

pub mod bundle;
pub mod endpoint;
pub mod plan;
pub mod service;
pub mod wrangler;

use std::path::{Path, PathBuf};

use clap::Args;
use pimms_edge::core::domain::is_name;
use pimms_edge::core::ids::sha256_hex;
use serde_json::{Map, Value, json};

use crate::doctor::{self, Check};
use crate::failure::{Failure, OrFail};
use crate::files;
use crate::identity::Identity;
use crate::progress::Progress;
use crate::project::Project;
use crate::stripe_api::{self, StripeApi};
use crate::{toolchain, worker_build};
use plan::{Found, Step};
use service::Service;
use wrangler::Wrangler;

/// Where the secrets of production and its configuration are kept.
const DEFAULT_DATA: &str = ".pimms/production";

/// Options of `pimms deploy`.
#[derive(Debug, Clone, Args)]
pub struct Options {
    /// Says what would be done and bundles the Worker; needs no account, and no network once the tools are installed.
    #[arg(long)]
    pub dry_run: bool,
    /// A custom domain that is to lead to the Worker; its zone is in the same Cloudflare account. May be repeated.
    #[arg(long, value_name = "HOST", value_parser = host)]
    pub domain: Vec<String>,
    /// Where the instance answers, when neither a custom domain nor workers.dev says so.
    #[arg(long, value_name = "URL")]
    pub url: Option<String>,
    /// The name of the first workspace.
    #[arg(long, value_name = "NAME", default_value = "Main")]
    pub workspace: String,
    /// Where the secrets that are made, and the configuration, are kept.
    #[arg(long, value_name = "DIR", default_value = DEFAULT_DATA)]
    pub data: PathBuf,
    /// With a key that may write webhook endpoints, the instance's endpoint is registered.
    #[command(flatten)]
    pub stripe: stripe_api::Access,
}

/// A host, as the platform wants it.
fn host(text: &str) -> Result<String, String> {
    let name = text.to_ascii_lowercase();
    if is_name(&name) && name.contains('.') {
        return Ok(name);
    }
    Err("a host such as go.example.com, without https:// and without a path".to_owned())
}

/// What one run came to.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// The changes of the account.
    pub steps: Vec<Step>,
    /// Where the instance answers.
    pub url: String,
    /// Its health table.
    pub checks: Vec<Check>,
}

/// `pimms deploy`.
///
/// # Errors
/// When a step fails; running it again goes on from there.
pub fn run(options: &Options) -> Result<(), Failure> {
    if options.stripe.stripe_key.is_some() {
        // Before anything is made: a key of the wrong kind is found now, not after the upload.
        StripeApi::new(&options.stripe)?;
    }
    let project = Project::find()?;
    let progress = Progress::new(toolchain::STEPS + 1);
    toolchain::prepare(&project, &progress)?;
    progress.step("Worker", || worker_build::ensure(&project, &progress))?;
    let program = project.node_program("wrangler");
    if options.dry_run {
        print!("{}", dry_run(&project, &program, options)?);
        return Ok(());
    }
    let outcome = deploy(&project, &program, options)?;
    println!("\n{}\n\n{}", outcome.url, doctor::shown(&outcome.checks));
    if outcome.steps.is_empty() {
        println!("Nothing was missing, nothing was changed.");
    }
    println!("Keys and secrets: {}", data(&project, options).join("instance.json").display());
    doctor::verdict(&outcome.checks)
}

/// Deploys what is built. `program`: wrangler.
///
/// # Errors
/// When a step fails; running it again goes on from there.
pub fn deploy(project: &Project, program: &Path, options: &Options) -> Result<Outcome, Failure> {
    let data = data(project, options);
    files::create_folder(&data)?;
    let _lock = files::lock(&data.join("lock"))?;
    let wrangler = wrangler_of(project, program, &data);
    if !wrangler.is_signed_in()? {
        let words = "wrangler is not signed in: run `npx wrangler login`, or set CLOUDFLARE_API_TOKEN";
        return Err(Failure::new(words));
    }
    // Before anything else: what is generated here must outlive an interruption.
    let identity = Identity::load_or_create(&data)?;
    let base = plan::production(&files::read(&project.path("wrangler.toml"))?)?;
    let wanted = plan::wanted(&base);
    let mut found = wrangler.find(&wanted)?;
    let mut config = configure(project, &wrangler, &base, &found, options)?;
    if wanted.databases.iter().all(|name| found.databases.contains_key(name)) {
        found.is_migrated = wrangler.is_migrated()?;
    }
    let is_complete = |found: &Found| {
        wanted.kv.iter().all(|title| found.kv.contains_key(title))
            && wanted.databases.iter().all(|name| found.databases.contains_key(name))
    };
    // While an id is unknown nobody can tell what would be uploaded, only that it must be.
    let mut tag = tag(project, &config)?;
    let steps = plan::plan(&wanted, &found, &tag);
    let progress = Progress::new(steps.len());
    for step in &steps {
        let is_resource = matches!(step, Step::Kv(_) | Step::Database(_) | Step::Queue(_));
        if !is_resource && !is_complete(&found) {
            found = wrangler.find(&wanted)?;
            config = configure(project, &wrangler, &base, &found, options)?;
            tag = self::tag(project, &config)?;
        }
        let said = progress.step_giving(&step.words(), || {
            let said = wrangler.take(step, &secrets(step, &identity)?, &tag)?;
            Ok(("done".into(), said))
        })?;
        if let Some(url) = said.split_whitespace().find(|word| is_workers_dev(word)) {
            files::write(&data.join("url"), url)?;
        }
    }
    let url = address(options, &config, &data)?;
    let service = Service::new(&url, &identity, &data);
    let checks = service.settle(options, &config)?;
    Ok(Outcome { steps, url, checks })
}

/// What a first deployment would do, and what would be uploaded.
///
/// # Errors
/// When the Worker cannot be bundled.
pub fn dry_run(project: &Project, program: &Path, options: &Options) -> Result<String, Failure> {
    let folder = project.scratch().join("deploy");
    let wrangler = wrangler_of(project, program, &folder);
    let base = plan::production(&files::read(&project.path("wrangler.toml"))?)?;
    let found = Found::default();
    let config = configure(project, &wrangler, &base, &found, options)?;
    let out = folder.join("bundle");
    files::remove_folder(&out)?;
    wrangler.bundle(&out)?;
    let size = bundle::measure(&out)?;
    let mut lines =
        vec!["For an empty account; what is there already is found and left as it is.\n".to_owned()];
    for (index, step) in plan::plan(&plan::wanted(&base), &found, "").iter().enumerate() {
        let command = step.command(&format!("{DEFAULT_DATA}/wrangler.json"));
        lines.push(format!("  {:>2}. {:<55} {command}", index + 1, step.words()));
    }
    let stripe = if options.stripe.stripe_key.is_some() {
        format!("{} events", endpoint::EVENTS.len())
    } else {
        "left out: no --stripe-key".to_owned()
    };
    lines.push(format!(
        "\nThen: workspace {}, Stripe endpoint ({stripe}), a signed test event, the health table.",
        options.workspace
    ));
    if let Some(domain) = plan::first_domain(&config) {
        lines.push(format!("It would answer at https://{domain}."));
    }
    lines.push(format!("\n{size}\n"));
    size.verdict().map(|()| lines.join("\n"))
}

fn data(project: &Project, options: &Options) -> PathBuf {
    if options.data == Path::new(DEFAULT_DATA) { project.path(DEFAULT_DATA) } else { options.data.clone() }
}

fn wrangler_of(project: &Project, program: &Path, folder: &Path) -> Wrangler {
    Wrangler {
        program: program.to_path_buf(),
        config: folder.join("wrangler.json"),
        folder: project.root().to_path_buf(),
    }
}

/// Writes the configuration that wrangler is to read.
fn configure(
    project: &Project,
    wrangler: &Wrangler,
    base: &Map<String, Value>,
    found: &Found,
    options: &Options,
) -> Result<Map<String, Value>, Failure> {
    let config = plan::for_account(base.clone(), found, &options.domain, project.root());
    let text = serde_json::to_string_pretty(&config).or_fail(|| "cannot write the configuration".into())?;
    files::write(&wrangler.config, &text)?;
    Ok(config)
}

/// Names what would be uploaded by its content.
fn tag(project: &Project, config: &Map<String, Value>) -> Result<String, Failure> {
    let built = files::fingerprint(&[project.path("build")])?;
    let all = sha256_hex(format!("{built} {}", json!(config)).as_bytes());
    Ok(format!("pimms-{}", all.get(..16).unwrap_or(&all)))
}

/// The secrets a step stores, as JSON; only those it names.
fn secrets(step: &Step, identity: &Identity) -> Result<String, Failure> {
    let Step::Secrets(names) = step else { return Ok(String::new()) };
    let value = |name: &str| match name {
        "CLICK_ID_KEYS" => Ok(identity.click_id_keys.as_str()),
        "ENCRYPTION_KEY" => Ok(identity.encryption_key.as_str()),
        "BOOTSTRAP_TOKEN" => Ok(identity.bootstrap_token.as_str()),
        other => Err(Failure::new(format!("nobody knows how to make the secret {other}"))),
    };
    let mut all = Map::new();
    for name in names {
        all.insert((*name).to_owned(), json!(value(name)?));
    }
    Ok(Value::Object(all).to_string())
}

fn is_workers_dev(word: &str) -> bool {
    word.starts_with("https://") && word.ends_with(".workers.dev")
}

fn address(options: &Options, config: &Map<String, Value>, data: &Path) -> Result<String, Failure> {
    if let Some(url) = &options.url {
        return Ok(url.trim_end_matches('/').to_owned());
    }
    if let Some(domain) = plan::first_domain(config) {
        return Ok(format!("https://{domain}"));
    }
    files::read_if_any(&data.join("url"))?
        .ok_or_else(|| Failure::new("nobody knows where the instance answers: name it with --url https://…"))
}

#[cfg(test)]
mod tests {
    use super::host;

    #[test]
    fn a_domain_is_a_host_and_nothing_more() {
        for (text, expected) in [
            ("go.example.com", Some("go.example.com")),
            ("Go.Example.com", Some("go.example.com")),
            ("https://go.example.com", None),
            ("go.example.com/", None),
            ("go.example.com:443", None),
            ("localhost", None),
            ("", None),
        ] {
            assert_eq!(host(text).ok().as_deref(), expected, "{text}");
        }
    }
}
