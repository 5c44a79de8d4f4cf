//! A local instance of its own for tests: its own port, its own data, gone with the value.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use crate::failure::Failure;
use crate::files;
use crate::http_client::{Answer, Client, Request};
use crate::identity::Identity;
use crate::local_config;
use crate::migrations;
use crate::progress::Progress;
use crate::project::Project;
use crate::runtime::{self, Launch, Runtime};
use crate::seed::{Ready, seed};
use crate::{clock, stripe, toolchain, worker_build};

/// How often another port is tried when somebody took the free one first.
const PORT_ATTEMPTS: u32 = 3;

/// The built Worker on the real local runtime, with a demo workspace.
///
/// Dropping it stops the runtime and deletes its folder, also in a panic; if the whole test process dies, the
/// runtime's watchdog does both.
#[derive(Debug)]
pub struct Instance {
    project: Project,
    runtime: Option<Runtime>,
    folder: PathBuf,
    identity: Identity,
    ready: Ready,
    client: Client,
    logs_all: bool,
}

impl Instance {
    /// Builds the Worker if need be, starts it and creates the demo workspace.
    pub fn start() -> Result<Self, Failure> {
        Self::start_with(&[])
    }

    /// As [`Instance::start`], with more variables for the Worker. With `REQUEST_LOG` among them its log has those lines.
    pub fn start_with(variables: &[(&str, &str)]) -> Result<Self, Failure> {
        let project = Project::find()?;
        toolchain::prepare_tests(&project, &Progress::silent())?;
        worker_build::from_scratch(&project)?;
        let folder = new_folder(&project)?;
        local_config::write(&project, &folder)?;
        migrations::copy_template(&project, &folder.join("state"))?;
        let identity = Identity::load_or_create(&folder)?;
        let logs_all = variables.iter().any(|(name, _)| *name == "REQUEST_LOG");
        let mut variables: Vec<String> =
            variables.iter().map(|(name, value)| format!("{name}=\"{value}\"\n")).collect();
        variables.insert(0, identity.worker_env());
        files::write_private(&folder.join("worker.env"), &variables.concat())?;
        let ready = Ready::new("http://127.0.0.1:0", &identity);
        let client = Client::new(&ready.url);
        let mut instance = Self { project, runtime: None, folder, identity, ready, client, logs_all };
        instance.restart()?;
        seed(&instance.client, &instance.identity)?;
        Ok(instance)
    }

    /// Addresses, keys and secrets.
    #[must_use]
    pub fn ready(&self) -> &Ready {
        &self.ready
    }

    /// Where its state and its log are.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Sends requests to this instance.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Begins a request with the demo workspace's API key.
    #[must_use]
    pub fn api(&self, method: &str, path: &str) -> Request<'_> {
        self.client.request(method, path).bearer(&self.ready.api_key)
    }

    /// Sends a Stripe event in live mode, signed now.
    pub fn webhook(&self, body: &str) -> Result<Answer, Failure> {
        self.signed_webhook(body, &self.ready.webhook_secret)
    }

    /// Sends a Stripe event in test mode, signed now.
    pub fn test_webhook(&self, body: &str) -> Result<Answer, Failure> {
        self.signed_webhook(body, &self.ready.webhook_secret_test)
    }

    fn signed_webhook(&self, body: &str, secret: &str) -> Result<Answer, Failure> {
        let signature = stripe::sign(body, secret, clock::now_secs());
        let path = format!("/stripe/webhook/{}", self.ready.workspace_id);
        self.client
            .post(&path)
            .header("stripe-signature", &signature)
            .header("content-type", "application/json")
            .body(body)
            .send()
    }

    /// Ends every process at once, as a power cut would. The state stays for [`Instance::restart`].
    pub fn kill9(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.kill9();
        }
    }

    /// Ends the runtime as a person would. The state stays for [`Instance::restart`].
    pub fn stop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.stop();
        }
    }

    /// Starts again on the same state, with a new port; stops first if it runs.
    pub fn restart(&mut self) -> Result<(), Failure> {
        if let Some(runtime) = self.runtime.take() {
            runtime.stop();
        }
        let mut attempt = 1;
        let runtime = loop {
            match Runtime::start(&self.project, &self.launch()?) {
                Err(failure) if attempt < PORT_ATTEMPTS && failure.evidence().contains("in use") => {
                    attempt += 1;
                }
                outcome => break outcome?,
            }
        };
        self.ready = Ready::new(runtime.url(), &self.identity);
        self.client = Client::new(runtime.url());
        self.runtime = Some(runtime);
        Ok(())
    }

    /// The end of the runtime's log, for the message of a failing test.
    #[must_use]
    pub fn log(&self) -> String {
        self.runtime.as_ref().map(Runtime::last_lines).unwrap_or_default()
    }

    fn launch(&self) -> Result<Launch, Failure> {
        Ok(Launch {
            config_folder: self.folder.clone(),
            state: self.folder.join("state"),
            env_file: self.folder.join("worker.env"),
            log: self.folder.join("runtime.log"),
            port: runtime::free_port()?,
            interactive: false,
            logs_all: self.logs_all,
            disposable: Some(self.folder.clone()),
        })
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        drop(self.runtime.take());
        let _ = files::remove_folder(&self.folder);
    }
}

fn new_folder(project: &Project) -> Result<PathBuf, Failure> {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let name = format!("{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
    let folder = project.scratch().join("instances").join(name);
    files::remove_folder(&folder)?;
    files::create_folder(&folder)?;
    Ok(folder)
}
