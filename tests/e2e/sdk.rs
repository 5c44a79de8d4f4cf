//! The `dub` and `pimms` packages of npm, unmodified, as clients: what their own types accept, and what they call.

use std::process::Command;

use pimms_cli::project::Project;

use crate::shared;
use crate::support::Workspace;

#[test]
fn both_sdks_complete_their_tour() {
    let acme = Workspace::new("sdk-tour");
    let url = format!("{}/api", shared().ready().url);
    let output = Command::new("node")
        .arg(Project::find().unwrap().path("tests/sdk/tour.mjs"))
        .args([&url, &acme.key, &acme.domain])
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && errors.is_empty(), "{told}{errors}\n{}", shared().log());
    // The script names what failed; this is against a tour that ends before it has begun.
    let steps: usize = told.trim().trim_end_matches(" steps").parse().unwrap();
    assert!(steps > 70, "{told}");
}
