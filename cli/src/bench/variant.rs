//! What is measured, and how each variant is configured for the runtime.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use pimms_edge::core::ids::{id_bytes, object_id};
use pimms_edge::core::link::{LinkRecord, RECORD_VERSION};

use super::load::{self, CF_HEADER, Expected, HOST};
use crate::clock;
use crate::failure::{Failure, OrFail};
use crate::files;
use crate::identity::Identity;
use crate::process::run_logged;
use crate::progress::Progress;
use crate::project::Project;

/// More links than an isolate remembers.
const MANY_KEYS: usize = 5_000;
/// Few enough to stay in its memory.
const FEW_KEYS: usize = 50;

/// The compatibility date of wrangler.toml.
const COMPATIBILITY: &str = "2026-04-01";

/// One contestant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Variant {
    /// A constant 302 in plain JavaScript.
    Constant,
    /// The same after reading of the request what the Worker reads of it: what is left for the decision.
    Reads,
    /// A constant 302 after a KV read.
    ConstantAfterKv,
    /// A minimal redirect in Hono.
    Hono,
    /// The Worker, links in its memory.
    Memory,
    /// The Worker, every link read from KV.
    Kv,
    /// The Worker without the short way, links in its memory.
    Ordinary,
}

impl Variant {
    /// All, the yardstick first.
    pub const ALL: [Self; 7] = [
        Self::Constant,
        Self::Reads,
        Self::Hono,
        Self::Memory,
        Self::Ordinary,
        Self::ConstantAfterKv,
        Self::Kv,
    ];

    /// As it is printed.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Constant => "constant 302, JavaScript",
            Self::Reads => "constant 302 after the same reads, JavaScript",
            Self::ConstantAfterKv => "302 after a KV read, JavaScript",
            Self::Hono => "Hono, link in memory, no click",
            Self::Memory => "pimms-edge, link in memory",
            Self::Kv => "pimms-edge, link from KV",
            Self::Ordinary => "pimms-edge without the short way, link in memory",
        }
    }

    /// For `--json`.
    #[must_use]
    pub fn id(self) -> &'static str {
        match self {
            Self::Constant => "constant",
            Self::Reads => "reads",
            Self::ConstantAfterKv => "constantAfterKv",
            Self::Hono => "hono",
            Self::Memory => "memory",
            Self::Kv => "kv",
            Self::Ordinary => "ordinary",
        }
    }

    /// How many links are asked for in turn.
    #[must_use]
    pub fn keys(self) -> usize {
        match self {
            Self::Memory | Self::Ordinary => FEW_KEYS,
            Self::Constant | Self::Reads | Self::ConstantAfterKv | Self::Hono | Self::Kv => MANY_KEYS,
        }
    }

    /// What every answer must be.
    #[must_use]
    pub fn expected(self) -> Expected {
        match self {
            Self::Constant | Self::Reads => Expected::Constant("https://shop.example/constant"),
            Self::ConstantAfterKv | Self::Hono => Expected::Destination,
            Self::Memory | Self::Kv | Self::Ordinary => Expected::Click,
        }
    }

    /// Whether each answer takes one KV read.
    #[must_use]
    pub fn reads_kv_always(self) -> bool {
        matches!(self, Self::ConstantAfterKv | Self::Kv)
    }

    /// Whether it is the built Worker.
    #[must_use]
    pub fn is_ours(self) -> bool {
        self.expected() == Expected::Click
    }

    /// The modules of its isolate, the main one first.
    fn modules(self) -> &'static [Module] {
        const ENTRY: Module = ("entry.js", "esModule");
        const INDEX: Module = ("index.js", "esModule");
        const WASM: Module = ("index_bg.wasm", "wasm");
        match self {
            Self::Constant => &[("constant.js", "esModule")],
            Self::Reads => &[("reads.js", "esModule")],
            Self::ConstantAfterKv => &[("constant_kv.js", "esModule")],
            Self::Hono => &[("hono.js", "esModule")],
            Self::Memory | Self::Kv => &[ENTRY, INDEX, WASM],
            Self::Ordinary => &[INDEX, WASM],
        }
    }
}

type Module = (&'static str, &'static str);

/// Puts everything that the variants are made of into a folder.
pub fn prepare(project: &Project, folder: &Path) -> Result<(), Failure> {
    files::create_folder(folder)?;
    for file in ["entry.js", "index.js", "index_bg.wasm"] {
        let from = project.path("build").join(file);
        std::fs::copy(&from, folder.join(file)).or_fail(|| format!("cannot copy {}", from.display()))?;
    }
    files::write(&folder.join("constant.js"), include_str!("constant.js"))?;
    files::write(&folder.join("constant_kv.js"), include_str!("constant_kv.js"))?;
    files::write(&folder.join("reads.js"), include_str!("reads.js"))?;
    files::write(&folder.join("stores.js"), include_str!("stores.js"))?;
    files::write(&folder.join("records.json"), &records()?)?;
    let mut esbuild = Command::new(project.node_program("esbuild"));
    // Next to node_modules, where it finds the pinned Hono.
    esbuild
        .arg(project.path("cli/src/bench/hono.js"))
        .args(["--bundle", "--minify", "--format=esm", "--log-level=warning"])
        .arg(format!("--outfile={}", folder.join("hono.js").display()));
    run_logged(&mut esbuild, &project.scratch().join("bench-esbuild.log"), &Progress::silent())
}

/// KV's content: what the Worker writes for each link, under the name it writes it under.
fn records() -> Result<String, Failure> {
    let identity = Identity::generate()?;
    let mut records = BTreeMap::new();
    for key in 0..MANY_KEYS {
        let mut random = [0; 10];
        getrandom::fill(&mut random).or_fail(|| "the system gives no randomness".into())?;
        let record = LinkRecord {
            version: RECORD_VERSION,
            id: object_id("link_", id_bytes(clock::now(), random)),
            workspace_id: identity.workspace_id.clone(),
            domain: HOST.to_owned(),
            key: format!("k{key}"),
            url: load::destination(key),
            track_conversion: true,
            archived: false,
            expires_at: None,
            disabled_at: None,
            title: None,
            description: None,
            options: pimms_edge::core::link::Options::default(),
        };
        let text = serde_json::to_string(&record).or_fail(|| "cannot write a record".into())?;
        records.insert(format!("link:{HOST}/k{key}"), text);
    }
    serde_json::to_string(&records).or_fail(|| "cannot write the records".into())
}

/// Where a variant listens.
#[derive(Debug, Clone, Copy)]
pub struct Ports {
    /// For the load.
    pub load: u16,
    /// Tells what arrived at the stores.
    pub stores: u16,
}

/// Writes the runtime's configuration of a variant beside its modules.
pub fn configure(variant: Variant, folder: &Path, ports: Ports) -> Result<PathBuf, Failure> {
    let identity = Identity::generate()?;
    let mut modules = String::new();
    for (name, kind) in variant.modules() {
        let _ = write!(modules, "(name = \"{name}\", {kind} = embed \"{name}\"), ");
    }
    let objects = if variant.is_ours() {
        r#"
  durableObjectNamespaces = [
    (className = "Directory", uniqueKey = "directory", enableSql = true),
    (className = "CustomerLedger", uniqueKey = "ledger", enableSql = true)],
  durableObjectStorage = (inMemory = void),"#
    } else {
        ""
    };
    let object_bindings = if variant.is_ours() {
        r#"
    (name = "DIRECTORY", durableObjectNamespace = "Directory"),
    (name = "LEDGER", durableObjectNamespace = "CustomerLedger"),"#
    } else {
        ""
    };
    let text = format!(
        r#"using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [(name = "main", worker = .main), (name = "stores", worker = .stores)],
  sockets = [
    (name = "load", address = "127.0.0.1:{load}", service = "main",
     http = (cfBlobHeader = "{CF_HEADER}", forwardedProtoHeader = "X-Forwarded-Proto")),
    (name = "stores", address = "127.0.0.1:{stores}", service = "stores", http = ()),
  ],
);

const main :Workerd.Worker = (
  compatibilityDate = "{COMPATIBILITY}",
  modules = [{modules}],{objects}
  bindings = [
    (name = "LINKS", kvNamespace = (name = "stores", entrypoint = "kv")),
    (name = "CLICKS", queue = (name = "stores", entrypoint = "queue")),
    (name = "DB", wrapped = (moduleName = "cloudflare-internal:d1-api", innerBindings = [
      (name = "fetcher", service = (name = "stores", entrypoint = "d1"))])),{object_bindings}
    (name = "CLICK_ID_KEYS", text = "{click_id_keys}"),
    (name = "ENCRYPTION_KEY", text = "{encryption_key}"),
  ],
);

const stores :Workerd.Worker = (
  compatibilityDate = "{COMPATIBILITY}",
  modules = [
    (name = "stores.js", esModule = embed "stores.js"),
    (name = "records.json", json = embed "records.json"),
  ],
);
"#,
        load = ports.load,
        stores = ports.stores,
        click_id_keys = identity.click_id_keys,
        encryption_key = identity.encryption_key,
    );
    let path = folder.join(format!("{}.capnp", variant.id()));
    files::write_private(&path, &text)?;
    Ok(path)
}
