//! The browser script's files: there, small, and readable by every page; its sources strict.

use std::process::Command;

use pimms_cli::project::Project;
use pimms_cli::size::Size;

use crate::shared;

/// Every file, and the most that it may weigh after gzip.
const FILES: [(&str, usize); 7] = [
    ("script.js", 1000),
    ("script.site-visit.js", 1020),
    ("script.outbound-domains.js", 1650),
    ("script.site-visit.outbound-domains.js", 1670),
    ("script.detection.js", 2100),
    ("script.expose.js", 420),
    ("script.inject-form.js", 650),
];

#[test]
fn the_files_are_small_and_served_to_every_page() {
    let client = shared().client();
    for (name, limit) in FILES {
        let answer = client.get(&format!("/analytics/{name}")).send().unwrap();
        assert_eq!(answer.status, 200, "{name}");
        assert!(answer.header("content-type").unwrap().contains("javascript"), "{name}");
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
        let text = answer.text();
        assert!(!text.contains("console"), "{name} is silent");
        let size = Size::of(text.as_bytes()).unwrap();
        assert!(
            size.gzip <= limit && size.gzip > 200,
            "{name}: {} bytes of gzip, {limit} are allowed",
            size.gzip
        );
        let own = client.get(&format!("/_pimms/{name}")).send().unwrap();
        assert_eq!((own.status, own.text() == text), (200, true), "{name}");
    }
    assert_eq!(client.get("/_pimms/base.js").send().unwrap().status, 404);
}

#[test]
fn the_sources_are_free_of_type_errors() {
    // Whoever starts the instance has the npm packages installed.
    let _ = shared();
    let project = Project::find().unwrap();
    let output = Command::new(project.node_program("tsc"))
        .args(["--project", "script"])
        .current_dir(project.root())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}
