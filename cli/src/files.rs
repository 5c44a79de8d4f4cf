//! Files: private ones, locks, fingerprints and copies.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::failure::{Failure, OrFail};

/// Creates a folder and its parents.
pub fn create_folder(path: &Path) -> Result<(), Failure> {
    fs::create_dir_all(path).or_fail(|| format!("cannot create {}", path.display()))
}

/// Writes a file that only its owner may read. It is complete or it is not there.
pub fn write_private(path: &Path, text: &str) -> Result<(), Failure> {
    let draft = path.with_extension("new");
    let write = || -> std::io::Result<()> {
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&draft, path)
    };
    write().or_fail(|| format!("cannot write {}", path.display()))
}

/// Writes a file, creating its folder.
pub fn write(path: &Path, text: &str) -> Result<(), Failure> {
    if let Some(folder) = path.parent() {
        create_folder(folder)?;
    }
    fs::write(path, text).or_fail(|| format!("cannot write {}", path.display()))
}

/// The text of a file; `None` when there is none.
pub fn read_if_any(path: &Path) -> Result<Option<String>, Failure> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(None),
        Err(e) => Err(Failure::new(format!("cannot read {}: {e}", path.display()))),
    }
}

/// The text of a file that must be there.
pub fn read(path: &Path) -> Result<String, Failure> {
    fs::read_to_string(path).or_fail(|| format!("cannot read {}", path.display()))
}

/// Moves a file over another, at once.
pub fn replace(from: &Path, to: &Path) -> Result<(), Failure> {
    fs::rename(from, to).or_fail(|| format!("cannot move {} to {}", from.display(), to.display()))
}

/// Deletes a folder; none is as good.
pub fn remove_folder(path: &Path) -> Result<(), Failure> {
    match fs::remove_dir_all(path) {
        Err(e) if e.kind() != ErrorKind::NotFound => {
            Err(Failure::new(format!("cannot delete {}: {e}", path.display())))
        }
        _ => Ok(()),
    }
}

/// Waits until nobody else holds the lock; it is released when the value is dropped or the process dies.
pub fn lock(path: &Path) -> Result<File, Failure> {
    if let Some(folder) = path.parent() {
        create_folder(folder)?;
    }
    let file = File::create(path).or_fail(|| format!("cannot create {}", path.display()))?;
    file.lock().or_fail(|| format!("cannot lock {}", path.display()))?;
    Ok(file)
}

/// Copies a folder with all it holds.
pub fn copy_folder(from: &Path, to: &Path) -> Result<(), Failure> {
    create_folder(to)?;
    for path in entries(from)? {
        let Some(name) = path.file_name() else { continue };
        let target = to.join(name);
        if path.is_dir() {
            copy_folder(&path, &target)?;
        } else {
            fs::copy(&path, &target).or_fail(|| format!("cannot copy {}", path.display()))?;
        }
    }
    Ok(())
}

/// Every file below the given files and folders, sorted; a missing one is skipped.
pub fn all_files(roots: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    let mut found = Vec::new();
    let mut open: Vec<PathBuf> = roots.to_vec();
    while let Some(path) = open.pop() {
        if path.is_dir() {
            open.extend(entries(&path)?);
        } else if path.is_file() {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// SHA-256 over names and contents of the given files and folders, in hex.
pub fn fingerprint(roots: &[PathBuf]) -> Result<String, Failure> {
    let mut hash = Sha256::new();
    for path in all_files(roots)? {
        let content = fs::read(&path).or_fail(|| format!("cannot read {}", path.display()))?;
        hash.update(path.to_string_lossy().as_bytes());
        hash.update([0]);
        hash.update((content.len() as u64).to_be_bytes());
        hash.update(&content);
    }
    Ok(pimms_edge::core::ids::hex(&hash.finalize()))
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let doing = || format!("cannot list {}", folder.display());
    fs::read_dir(folder).or_fail(doing)?.map(|entry| entry.map(|entry| entry.path()).or_fail(doing)).collect()
}
