//! The instance itself: it answers, keeps its state over a power cut, and leaves nothing behind.

use pimms_cli::instance::Instance;
use pimms_cli::seed::{DEMO_DESTINATION, DEMO_KEY};
use serde_json::json;

use crate::shared;

#[test]
fn it_answers() {
    let answer = shared().client().get("/_pimms/health").send().unwrap();
    assert_eq!((answer.status, answer.json()), (200, json!({"status": "ok"})), "{}", shared().log());
}

#[test]
fn it_starts_again_after_a_power_cut() {
    let mut instance = Instance::start().unwrap();
    let folder = instance.folder().to_path_buf();
    let before = instance.ready().url.clone();
    instance.kill9();
    assert!(instance.client().get("/_pimms/health").send().is_err(), "nothing may answer after a kill");
    instance.restart().unwrap();
    assert_ne!(instance.ready().url, before);
    let answer = instance.client().get(&format!("/{DEMO_KEY}")).send().unwrap();
    assert_eq!(answer.status, 302, "{}\n{}", answer.text(), instance.log());
    assert!(answer.header("location").is_some_and(|to| to.starts_with(DEMO_DESTINATION)), "{answer:?}");
    drop(instance);
    assert!(!folder.exists(), "{} was left behind", folder.display());
}
