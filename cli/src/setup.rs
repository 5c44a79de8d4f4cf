//! `pimms setup`, and the steps it shares with `pimms dev`: everything between a clone and a start.

use std::fs::File;
use std::path::{Path, PathBuf};

use clap::Args;

use crate::failure::{Failure, OrFail};
use crate::files;
use crate::http_client::Client;
use crate::identity::Identity;
use crate::migrations;
use crate::progress::Progress;
use crate::project::{DEFAULT_DATA, Project};
use crate::runtime::{self, Launch, Runtime};
use crate::seed::{Ready, seed};
use crate::{toolchain, worker_build};

/// How many steps [`Prepared::new`] takes.
pub const STEPS: usize = toolchain::STEPS + 2;

/// Options of `pimms setup`.
#[derive(Debug, Clone, Args)]
pub struct Options {
    /// Where the state is kept.
    #[arg(long, value_name = "DIR", default_value = DEFAULT_DATA)]
    pub data: PathBuf,
    /// Deletes the state first. Keys and secrets stay.
    #[arg(long)]
    pub fresh: bool,
}

/// `pimms setup`.
pub fn run(options: &Options) -> Result<(), Failure> {
    let project = Project::find()?;
    let progress = Progress::new(STEPS + 1);
    let prepared = Prepared::new(&project, options, &progress)?;
    progress.step("Demo workspace", || {
        let runtime = Runtime::start(&project, &prepared.launch(&project, runtime::free_port()?))?;
        seed(&Client::new(runtime.url()), &prepared.identity)?;
        runtime.stop();
        Ok("ready".into())
    })?;
    println!("Ready. `cargo run` or `npx wrangler dev` will serve:");
    print!("{}", Ready::new("http://127.0.0.1:8787", &prepared.identity).table());
    Ok(())
}

/// A built Worker and a data folder to start it on.
#[derive(Debug)]
pub struct Prepared {
    /// Ids and secrets of the data folder.
    pub identity: Identity,
    /// The data folder, absolute.
    pub data: PathBuf,
    /// Held as long as the folder is in use: two runtimes on one state would damage it.
    _lock: File,
}

impl Prepared {
    /// Runs every step up to the start.
    pub fn new(project: &Project, options: &Options, progress: &Progress) -> Result<Self, Failure> {
        let data = project.data_folder(&options.data);
        files::create_folder(&data)?;
        let shown = || format!("cannot use {}", options.data.display());
        let data = data.canonicalize().or_fail(shown)?;
        let lock = File::create(data.join("lock")).or_fail(shown)?;
        lock.try_lock().map_err(|_| {
            let folder = options.data.display();
            Failure::new(format!(
                "pimms already runs on {folder}: stop it, or name another folder with --data"
            ))
        })?;
        if options.fresh {
            files::remove_folder(&data.join("state"))?;
        }
        toolchain::prepare(project, progress)?;
        progress.step("Worker", || worker_build::ensure(project, progress))?;
        let identity = Identity::load_or_create(&data)?;
        files::write_private(&data.join("worker.env"), &identity.worker_env())?;
        progress.step("Database", || migrations::apply(project, &data.join("state"), progress))?;
        let prepared = Self { identity, data, _lock: lock };
        prepared.serve_bare_wrangler(project)?;
        Ok(prepared)
    }

    /// How to start on this data folder, for a person who watches.
    #[must_use]
    pub fn launch(&self, project: &Project, port: u16) -> Launch {
        Launch {
            config_folder: project.root().to_path_buf(),
            state: self.data.join("state"),
            env_file: self.data.join("worker.env"),
            log: self.data.join("runtime.log"),
            port,
            interactive: true,
            logs_all: true,
            disposable: None,
        }
    }

    /// Lets a bare `npx wrangler dev` serve the same secrets and the same state, if this is the default folder.
    fn serve_bare_wrangler(&self, project: &Project) -> Result<(), Failure> {
        let default = project.path(DEFAULT_DATA).canonicalize();
        if default.ok().as_deref() != Some(self.data.as_path()) {
            return Ok(());
        }
        files::write_private(&project.path(".dev.vars"), &self.identity.worker_env())?;
        let link = project.path(".wrangler/state");
        if std::fs::symlink_metadata(&link).is_ok() {
            // Ours from before, or a folder of somebody who used wrangler first: both stay as they are.
            return Ok(());
        }
        files::create_folder(&project.path(".wrangler"))?;
        std::os::unix::fs::symlink(Path::new("..").join(DEFAULT_DATA).join("state"), &link)
            .or_fail(|| format!("cannot link {}", link.display()))
    }
}
