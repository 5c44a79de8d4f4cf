//! The instance itself: it answers, keeps its state over a power cut, and leaves nothing behind.

use pimms_cli::instance::Instance;
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
    assert_eq!(instance.client().get("/_pimms/health").send().unwrap().status, 200, "{}", instance.log());
    drop(instance);
    assert!(!folder.exists(), "{} was left behind", folder.display());
}
