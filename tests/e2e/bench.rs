//! The bench's own checks, without its figures: a busy machine may be slow, but every answer is right and every
//! click arrives.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use pimms_cli::bench::redirect::{self, Options};
use pimms_cli::bench::serve::{self, Server};
use pimms_cli::bench::variant::{self, Variant};
use pimms_cli::bench::{analytics, ingest};
use pimms_cli::progress::Progress;
use pimms_cli::project::Project;

use crate::shared;

#[test]
fn every_answer_is_right_and_every_click_arrives() {
    // Whoever starts the instance has the Worker built.
    let _ = shared();
    let options = Options { rounds: 1, seconds: 0.3, connections: 4, rate: 200, json: false };
    let report = redirect::measure(&options, &Progress::silent()).unwrap();
    for variant in Variant::ALL {
        let (redirects, clicks) = report.counts(variant);
        assert!(redirects > 0, "{}", variant.name());
        assert_eq!(clicks, if variant.is_ours() { redirects } else { 0 }, "{}", variant.name());
    }
    let json = report.json();
    assert_eq!(json["variants"].as_array().unwrap().len(), Variant::ALL.len());
    for variant in json["variants"].as_array().unwrap() {
        assert!(variant["perSecond"].as_f64().unwrap() > 0.0, "{variant}");
        assert!(variant["latencyMicros"]["p99"].as_f64() >= variant["latencyMicros"]["p50"].as_f64());
        let cpu = &variant["singleCpuMicros"];
        assert!(
            cpu["p50"].as_f64().unwrap() > 0.0 && cpu["p99"].as_f64() >= cpu["p50"].as_f64(),
            "{variant}"
        );
    }
}

/// What breaks, as appended to the module that worker-build makes: a module may import itself.
const BREAKS: [(&str, &str); 3] = [
    ("exception", "throw new Error('broken on purpose')"),
    ("crash", "throw new WebAssembly.RuntimeError('broken on purpose')"),
    ("nonsense", r"return '7\n/\n\n'"),
];

#[test]
fn when_the_short_way_breaks_the_ordinary_one_answers() {
    let _ = shared();
    let project = Project::find().unwrap();
    let program = serve::program(&project).unwrap();
    for (name, breaks) in BREAKS {
        let folder = Folder(project.scratch().join(format!("bench/{}-{name}", std::process::id())));
        variant::prepare(&project, &folder.0).unwrap();
        let index = folder.0.join("index.js");
        let module = fs::read_to_string(&index).unwrap();
        let patch = format!(
            "\nimport Self from \"./index.js\";\nSelf.prototype.quickRedirect = () => {{ {breaks}; }};\n"
        );
        fs::write(&index, module + &patch).unwrap();
        let mut server = Server::start(&program, Variant::Memory, &folder.0).unwrap();
        // One at a time: a real crash would take those beside it along.
        let outcome = server.full(1, Duration::from_millis(300)).unwrap();
        assert!(outcome.answers > 0, "{name}");
        let arrived = server.arrived().unwrap();
        assert!(arrived.clicks.len() + 1 >= outcome.clicks.len(), "{name}: {arrived:?}");
        assert!(server.last_lines().contains("the short way failed"), "{name}: {}", server.last_lines());
    }
}

struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn clicks_arrive_once_each() {
    let measured = ingest::measure(300, 8).unwrap();
    assert_eq!((measured.lost, measured.duplicated), (0, 0), "{measured:?}");
}

/// That the questions are answered and their totals are those of the clicks; how fast, is not asked here.
#[test]
fn a_dashboards_questions_are_answered_from_sums() {
    let measured = analytics::measure(3_000, 1, 1).unwrap();
    let table = analytics::table(&[measured]);
    assert!(table.contains("countries of one link"), "{table}");
}
