//! Pages in a real browser, driven by the scripts of tests/browser: each case is told by name.

use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

use pimms_cli::process::kill_group;
use pimms_cli::project::Project;
use serde_json::json;

use crate::shared;
use crate::support::Workspace;

/// Runs a script of tests/browser against a workspace of its own.
fn run(script: &str, name: &str) {
    let workspace = Workspace::new(name);
    let url = &shared().ready().url;
    let webhook =
        json!({"url": format!("{url}/stripe/webhook/{}", workspace.id), "secret": workspace.secret});
    let world = json!({"url": url, "domain": workspace.domain, "key": workspace.key, "webhook": webhook});
    let mut node = Command::new("node")
        .arg(format!("tests/browser/{script}"))
        .current_dir(Project::find().unwrap().root())
        .env("PIMMS_WORLD", world.to_string())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .process_group(0)
        .spawn()
        .unwrap();
    let group = node.id();
    let mut last = String::new();
    for line in BufReader::new(node.stdout.take().unwrap()).lines() {
        last = line.unwrap();
        println!("{last}");
    }
    let status = node.wait().unwrap();
    // The browser's processes, whatever became of the script.
    kill_group(group);
    assert!(status.success() && last.ends_with(" cases, 0 failed"), "{status}\n{}", shared().log());
}

#[test]
fn the_browser_script_keeps_clicks_as_visitors_allow() {
    run("script.mjs", "browser");
}

#[test]
fn the_example_shop_has_its_sales_attributed() {
    run("shop.mjs", "shop");
}
