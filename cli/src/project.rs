//! Where things are in the checkout.

use std::path::{Path, PathBuf};

use crate::failure::{Failure, OrFail};

/// The data folder when none is named.
pub const DEFAULT_DATA: &str = ".pimms";

/// The checkout this tool works on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Project {
    root: PathBuf,
}

impl Project {
    /// The checkout around the working directory, else the one this tool was compiled from.
    pub fn find() -> Result<Self, Failure> {
        let here = std::env::current_dir().or_fail(|| "cannot read the working directory".into())?;
        let compiled_from = Path::new(env!("CARGO_MANIFEST_DIR")).parent();
        here.ancestors()
            .chain(compiled_from)
            .find(|path| path.join("wrangler.toml").is_file() && path.join("cli/Cargo.toml").is_file())
            .map(|root| Self { root: root.to_path_buf() })
            .ok_or_else(|| {
                Failure::new("no checkout of pimms-edge here: change into its folder and run again")
            })
    }

    /// The folder of `wrangler.toml`.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// `relative` inside the checkout.
    #[must_use]
    pub fn path(&self, relative: &str) -> PathBuf {
        self.root.join(relative)
    }

    /// The data folder a person named; the default one is the checkout's, wherever the command was called.
    #[must_use]
    pub fn data_folder(&self, named: &Path) -> PathBuf {
        if named == Path::new(DEFAULT_DATA) { self.root.join(named) } else { named.to_path_buf() }
    }

    /// Programs installed by the tool itself.
    #[must_use]
    pub fn tools(&self) -> PathBuf {
        self.root.join("target/tools")
    }

    /// Stamps, locks and logs of the tool.
    #[must_use]
    pub fn scratch(&self) -> PathBuf {
        self.root.join("target/pimms")
    }

    /// A program of the pinned npm packages.
    #[must_use]
    pub fn node_program(&self, name: &str) -> PathBuf {
        self.root.join("node_modules/.bin").join(name)
    }
}
