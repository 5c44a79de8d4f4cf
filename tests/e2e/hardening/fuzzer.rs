//! Random requests made from the API's own document by schemathesis, where that is installed.

use std::env;
use std::io::{Write, stderr};
use std::path::PathBuf;
use std::process::Command;

use pimms_cli::instance::Instance;
use pimms_cli::project::Project;

/// How long it may try, unless `FUZZ_SECONDS` says otherwise.
const SECONDS: &str = "25";

/// Where `.ci/run` puts it; else whichever is on the path.
fn program() -> Option<PathBuf> {
    let own = Project::find().unwrap().scratch().join("schemathesis/bin/schemathesis");
    let found = if own.exists() { own } else { PathBuf::from("schemathesis") };
    let runs = Command::new(&found).arg("--version").output().is_ok_and(|output| output.status.success());
    runs.then_some(found)
}

#[test]
fn no_random_request_is_a_failure_of_ours() {
    let Some(program) = program() else {
        // Not through `eprintln!`, which the test runner would keep to itself.
        let _ = writeln!(
            stderr(),
            "schemathesis is not installed: no random requests were sent (docs/security.md)"
        );
        return;
    };
    // An instance of its own: whatever these requests delete is nobody else's.
    let instance = Instance::start().unwrap();
    let url = &instance.ready().url;
    let seconds = env::var("FUZZ_SECONDS").unwrap_or_else(|_| SECONDS.to_owned());
    let output = Command::new(program)
        .args(["run", &format!("{url}/api/openapi.json"), "--url", &format!("{url}/api")])
        .args(["--header", &format!("Authorization: Bearer {}", instance.ready().api_key)])
        .args(["--checks", "not_a_server_error", "--phases", "examples,coverage,fuzzing"])
        // These are below another address than the rest.
        .args(["--exclude-path-regex", "^/(stripe/webhook|_pimms)"])
        .args(["--workers", "2", "--max-time", &seconds, "--continue-on-failure", "--no-shrink"])
        .args([
            "--request-timeout",
            "20",
            "--suppress-health-check",
            "all",
            "--warnings",
            "off",
            "--no-color",
        ])
        .args(["--generation-database", "none"])
        .current_dir(instance.folder())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let is_summary = |line: &&str| line.contains(" generated, ");
    let summary = said.lines().find(is_summary).unwrap_or_default().trim().to_owned();
    // It also ends badly when it trips over itself, which is an error to it and no failure.
    assert!(
        !said.contains("FAILURES") && !summary.contains("failed"),
        "{said}\n{}\n{}",
        String::from_utf8_lossy(&output.stderr),
        instance.log()
    );
    let count: u32 =
        summary.split(' ').next().and_then(|count| count.replace(',', "").parse().ok()).unwrap_or(0);
    assert!(count > 200, "hardly anything was sent: {said}");
    assert_eq!(instance.client().get("/_pimms/health").send().unwrap().status, 200, "the next request");
}
