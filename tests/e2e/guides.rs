//! The guides of docs/guides, followed as they are written: every command of a page is run, in its order, in a
//! workspace of its own; every piece of JavaScript stands in the example shop.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::SystemTime;

use pimms_cli::project::Project;
use pimms_cli::seed::Ready;

use crate::shared;
use crate::support::Workspace;

fn root() -> PathBuf {
    Project::find().unwrap().root().to_owned()
}

/// The pages of both languages.
fn pages() -> Vec<PathBuf> {
    let mut pages = Vec::new();
    for folder in ["docs/guides", "docs/guides/fr"] {
        let found = fs::read_dir(root().join(folder)).unwrap().map(|entry| entry.unwrap().path());
        pages.extend(found.filter(|path| path.extension().is_some_and(|extension| extension == "md")));
    }
    pages.sort();
    pages
}

/// The fenced blocks of a language.
fn blocks(page: &str, language: &str) -> Vec<String> {
    let fence = format!("```{language}\n");
    let starts = page.split(&fence).skip(1);
    starts.map(|rest| rest.split("\n```").next().unwrap_or_default().to_owned()).collect()
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap()
}

/// A folder with what `cargo run` leaves behind, for a new workspace.
struct Checkout(PathBuf);

impl Checkout {
    fn new(name: &str) -> Self {
        let workspace = Workspace::new(name);
        let ready = shared().ready();
        let ready = Ready {
            webhook_url: format!("{}/stripe/webhook/{}", ready.url, workspace.id),
            api_key: workspace.key,
            webhook_secret: workspace.secret,
            short_domain: workspace.domain,
            workspace_id: workspace.id,
            ..ready.clone()
        };
        let folder = std::env::temp_dir().join(format!("pimms-guide-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(folder.join(".pimms")).unwrap();
        ready.save(&folder.join(".pimms")).unwrap();
        Self(folder)
    }
}

impl Drop for Checkout {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// The newest change below a path.
fn changed(path: &Path) -> SystemTime {
    let own = fs::metadata(path).and_then(|it| it.modified()).unwrap();
    let inside = fs::read_dir(path).into_iter().flatten().map(|entry| changed(&entry.unwrap().path()));
    inside.fold(own, SystemTime::max)
}

/// The tool beside this test, as `cargo test` has built it. It is built here only where it is missing or old: in the
/// middle of `cargo test` that would replace the library which the tests of the documentation are about to use.
fn tool() -> PathBuf {
    let tool = std::env::current_exe().unwrap().ancestors().nth(2).unwrap().join("pimms");
    let source = ["src", "cli/src", "Cargo.lock"].map(|name| changed(&root().join(name)));
    if !tool.exists() || source.into_iter().any(|change| change > changed(&tool)) {
        let build =
            Command::new("cargo").args(["build", "--quiet", "-p", "pimms-cli"]).current_dir(root()).status();
        assert!(build.unwrap().success());
    }
    tool
}

/// Runs the commands of a page as a reader would who has read the first page, and how to play Stripe.
fn follow(page: &Path) {
    let name: String = page.strip_prefix(root().join("docs/guides")).unwrap().to_string_lossy().into_owned();
    let name = name.trim_end_matches(".md").replace('/', "-").to_lowercase();
    let text = read(page);
    let commands = blocks(&text, "sh");
    assert!(!commands.is_empty(), "{name} has nothing to do");
    let checkout = Checkout::new(&format!("guide-{name}"));
    let known = blocks(&read(&root().join("docs/guides/README.md")), "sh").concat();
    let stripe = read(&root().join("docs/guides/stripe-checkout.md"));
    let hook = blocks(&stripe, "sh").into_iter().find(|block| block.starts_with("hook()")).unwrap();
    let hook = hook.split("\n}\n").next().unwrap();
    let script = format!(
        "set -euo pipefail\npimms() {{ '{}' \"$@\" --data \"$PWD/.pimms\"; }}\n{known}\n{hook}\n}}\n{}\n",
        tool().display(),
        commands.join("\n")
    );
    let output = Command::new("bash")
        .args(["-c", &script])
        .current_dir(&checkout.0)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{name}: {}\n{out}\n{err}\n{}", output.status, shared().log());
}

#[test]
fn every_command_of_every_guide_does_what_it_says() {
    let pages = pages();
    assert!(pages.len() >= 11, "{pages:?}");
    for page in &pages {
        follow(page);
    }
}

#[test]
fn the_code_of_the_guides_is_the_code_of_the_example_shop() {
    let plain = |text: &str| {
        text.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
    };
    let shop = plain(&read(&root().join("examples/shop/shop.mjs")));
    let mut pieces = 0;
    for page in pages() {
        for code in blocks(&read(&page), "js") {
            assert!(shop.contains(&plain(&code)), "{}:\n{code}", page.display());
            pieces += 1;
        }
    }
    assert!(pieces >= 6, "{pieces}");
}

#[test]
fn links_of_the_documentation_lead_somewhere() {
    let mut pages = pages();
    pages.extend(
        ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "examples/shop/README.md"]
            .map(|page| root().join(page)),
    );
    let docs = fs::read_dir(root().join("docs")).unwrap().map(|entry| entry.unwrap().path());
    pages.extend(docs.filter(|path| path.extension().is_some_and(|extension| extension == "md")));
    for page in pages {
        for target in read(&page).split("](").skip(1).map(|rest| rest.split(')').next().unwrap_or_default()) {
            if target.starts_with("http") {
                continue;
            }
            let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
            let file = if file.is_empty() { page.clone() } else { page.parent().unwrap().join(file) };
            assert!(file.exists(), "{}: {target}", page.display());
            let is_there = anchor.is_empty()
                || read(&file).lines().any(|line| anchor_of(line) == Some(anchor.to_owned()));
            assert!(is_there, "{}: {target}", page.display());
        }
    }
}

/// The anchor of a heading, as code hosts make it.
fn anchor_of(line: &str) -> Option<String> {
    let title = line.strip_prefix('#')?.trim_start_matches('#').trim();
    let letters = title.to_lowercase();
    Some(
        letters
            .chars()
            .filter(|c| c.is_alphanumeric() || " -_".contains(*c))
            .map(|c| if c == ' ' { '-' } else { c })
            .collect(),
    )
}
