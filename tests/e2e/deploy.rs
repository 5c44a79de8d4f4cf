//! `pimms deploy` against an account that is a folder (`tests/fixtures/wrangler.sh`), a stand-in for Stripe's API, and the
//! real runtime as the instance that was deployed.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use pimms_cli::deploy::plan::{SECRETS, Step};
use pimms_cli::deploy::{Options, Outcome, deploy, dry_run, endpoint};
use pimms_cli::failure::Failure;
use pimms_cli::files;
use pimms_cli::identity::Identity;
use pimms_cli::project::Project;
use pimms_cli::stripe_api;
use serde_json::{Value, json};

use crate::fake_stripe::{FakeStripe, KEY};
use crate::shared;

/// An empty account, and a data folder whose bootstrap token is that of the running instance.
struct Account {
    folder: PathBuf,
    program: PathBuf,
    options: Options,
}

impl Account {
    fn new(name: &str) -> Self {
        let project = Project::find().unwrap();
        let folder = shared().folder().join(format!("deploy-{name}"));
        files::remove_folder(&folder).unwrap();
        let data = folder.join("data");
        files::create_folder(&data).unwrap();
        let token = Identity::load_or_create(shared().folder()).unwrap().bootstrap_token;
        let identity = Identity { bootstrap_token: token, ..Identity::generate().unwrap() };
        let text = serde_json::to_string(&identity).unwrap();
        files::write_private(&data.join("instance.json"), &text).unwrap();
        // A program of its own, which finds its account beside it. A link: what has just been written may be open in a
        // process that another test is starting, and then nobody can execute it.
        let program = folder.join("wrangler");
        symlink(project.path("tests/fixtures/wrangler.sh"), &program).unwrap();
        let options = Options {
            dry_run: false,
            domain: vec![format!("{name}.example")],
            url: Some(shared().ready().url.clone()),
            workspace: format!("Deploy {name}"),
            data,
            stripe: stripe_api::Access { stripe_key: None, stripe_url: String::new() },
        };
        Self { folder, program, options }
    }

    fn with_stripe(mut self, stripe: &FakeStripe) -> Self {
        self.options.stripe.stripe_key = Some(KEY.to_owned());
        stripe.url().clone_into(&mut self.options.stripe.stripe_url);
        self
    }

    fn deploy(&self) -> Result<Outcome, Failure> {
        deploy(&Project::find().unwrap(), &self.program, &self.options)
    }

    /// What an account's file says, line by line.
    fn lines(&self, name: &str) -> Vec<String> {
        let text = files::read_if_any(&self.folder.join(name)).unwrap().unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    fn identity(&self) -> Identity {
        Identity::load_or_create(&self.options.data).unwrap()
    }
}

fn failed(outcome: Result<Outcome, Failure>) -> String {
    let failure = outcome.err().unwrap();
    format!("{failure}\n{}", failure.evidence())
}

#[test]
fn the_first_run_makes_everything_and_the_second_changes_nothing() {
    let stripe = FakeStripe::start();
    stripe.list(
        "/v1/webhook_endpoints",
        vec![json!({"id": "we_other", "url": "https://other.example/", "created": 1})],
    );
    let account = Account::new("first").with_stripe(&stripe);
    let made = account.deploy().unwrap();
    let queues = made.steps.iter().filter(|step| matches!(step, Step::Queue(_))).count();
    assert!(queues >= 2 && made.steps.len() == queues + 5, "{:?}", made.steps);
    assert!(
        made.checks.iter().any(|check| check.name == "schema" && check.status == "green"),
        "{:?}",
        made.checks
    );

    let uploaded: Value =
        serde_json::from_str(&files::read(&account.folder.join("uploaded.json")).unwrap()).unwrap();
    assert_eq!(uploaded["kv_namespaces"][0]["id"], "id-of-pimms-edge-links");
    assert_eq!(uploaded["d1_databases"][0]["database_id"], "id-of-pimms");
    assert_eq!(uploaded["routes"], json!([{"pattern": "first.example", "custom_domain": true}]));
    assert!(uploaded["triggers"]["crons"].as_array().is_some_and(|crons| crons.len() > 1), "{uploaded}");
    assert!(uploaded["build"].is_null() && uploaded["env"].is_null(), "{uploaded}");

    // Secrets: those of the private file, given through the input of wrangler, never as an argument.
    let identity = account.identity();
    for (name, value) in
        SECRETS.iter().zip([&identity.click_id_keys, &identity.encryption_key, &identity.bootstrap_token])
    {
        assert_eq!(account.lines(&format!("value-of-{name}")), std::slice::from_ref(value));
        assert!(
            !account.lines("calls").iter().any(|call| call.contains(value.as_str())),
            "{name} was an argument"
        );
    }

    let endpoints = stripe.listed("/v1/webhook_endpoints");
    assert_eq!(endpoints.len(), 2, "{endpoints:?}");
    let ours = endpoints.iter().find(|endpoint| endpoint["id"] != "we_other").unwrap();
    assert_eq!(ours["url"], format!("{}/stripe/webhook/{}", shared().ready().url, identity.workspace_id));
    assert_eq!(ours["enabled_events"], json!(endpoint::EVENTS));
    let events = shared()
        .client()
        .get("/api/stripe/events?mode=test")
        .bearer(&identity.api_key)
        .send()
        .unwrap()
        .json();
    assert_eq!(events[0]["type"], "pimms.deploy_test", "{events}");

    let (done, corrections) = (account.lines("changes"), stripe.changes());
    let again = account.deploy().unwrap();
    assert_eq!(again.steps, [], "nothing is missing");
    assert_eq!((account.lines("changes"), stripe.changes()), (done, corrections));

    // What differs is corrected, and nothing else.
    fs::write(account.folder.join("tag"), "another").unwrap();
    fs::remove_file(account.folder.join("secrets/ENCRYPTION_KEY")).unwrap();
    stripe.change(ours["id"].as_str().unwrap(), "enabled_events", json!(["*"]));
    let repaired = account.deploy().unwrap();
    assert_eq!(repaired.steps, [Step::Secrets(vec!["ENCRYPTION_KEY"]), Step::Upload]);
    assert_eq!(account.lines("secrets-set").len(), SECRETS.len() + 1, "what is there is not overwritten");
    assert_eq!(account.lines("value-of-ENCRYPTION_KEY"), [identity.encryption_key], "the same as before");
    assert_eq!(stripe.listed("/v1/webhook_endpoints").len(), 2);
    assert_eq!(stripe.changes(), corrections + 1, "one correction");
}

#[test]
fn a_run_that_is_interrupted_anywhere_is_completed_by_the_next() {
    let whole = Account::new("whole");
    whole.deploy().unwrap();
    let all = whole.lines("changes");
    for (number, change) in all.iter().enumerate() {
        for moment in ["break-before", "break-after"] {
            // A name of its own: each of these accounts has an instance, which here is the same one.
            let account = Account::new(&format!("{moment}-{number}"));
            fs::write(account.folder.join(moment), (number + 1).to_string()).unwrap();
            let words = failed(account.deploy());
            assert!(
                words.contains("the network is gone") && words.contains("again"),
                "{moment} {change}: {words}"
            );
            fs::remove_file(account.folder.join(moment)).unwrap();
            let outcome =
                account.deploy().unwrap_or_else(|e| panic!("{moment} {change}: {e}\n{}", e.evidence()));
            assert!(account.folder.join("uploaded.json").is_file(), "{moment} {change}");
            let mut done = account.lines("changes");
            // What broke before it was done is in the list twice.
            if moment == "break-before" {
                done.remove(number);
            }
            assert_eq!(done, all, "{moment} {change}: {:?}", outcome.steps);
            assert_eq!(account.deploy().unwrap().steps, [], "{moment} {change}");
        }
    }
}

#[test]
fn an_endpoint_whose_secret_was_lost_is_made_anew() {
    let stripe = FakeStripe::start();
    stripe.list("/v1/webhook_endpoints", Vec::new());
    let account = Account::new("lost").with_stripe(&stripe);
    let url = format!("{}/stripe/webhook/{}", shared().ready().url, account.identity().workspace_id);
    stripe.list(
        "/v1/webhook_endpoints",
        vec![json!({"id": "we_old", "url": url, "created": 1, "status": "enabled"})],
    );
    account.deploy().unwrap();
    let endpoints = stripe.listed("/v1/webhook_endpoints");
    assert!(endpoints.len() == 1 && endpoints[0]["id"] != "we_old", "{endpoints:?}");
}

#[test]
fn nobody_signed_in_is_told_so_before_anything_is_done() {
    let account = Account::new("nobody");
    fs::write(account.folder.join("signed-out"), "").unwrap();
    let words = failed(account.deploy());
    assert!(words.contains("wrangler login"), "{words}");
    assert_eq!(account.lines("calls"), ["whoami"]);
}

#[test]
fn a_dry_run_bundles_the_worker_with_the_real_wrangler_and_says_what_it_would_do() {
    let project = Project::find().unwrap();
    let account = Account::new("dry");
    let text = dry_run(&project, Path::new(&project.node_program("wrangler")), &account.options)
        .unwrap_or_else(|e| panic!("{e}\n{}", e.evidence()));
    for words in [
        "1. KV namespace pimms-edge-links",
        "wrangler queues create clicks-dead",
        "Migrations",
        "secret bulk",
        "https://dry.example",
        "of 3 MiB (Workers Free)",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
    assert!(account.lines("calls").is_empty(), "nobody's account is asked");
}
