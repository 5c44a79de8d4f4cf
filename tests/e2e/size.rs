//! What the Worker weighs: a small one starts fast.

use pimms_cli::project::Project;
use pimms_cli::size::{BUDGET_BYTES, measure};

use crate::shared;

#[test]
fn the_worker_is_within_its_budget() {
    // Whoever starts the instance has the Worker built.
    let _ = shared();
    let size = measure(&Project::find().unwrap()).unwrap();
    assert!(size.gzip <= BUDGET_BYTES, "{} bytes of gzip, {BUDGET_BYTES} are allowed", size.gzip);
    assert!(size.raw > size.gzip && size.gzip > 10_000, "{size:?} is no Worker");
}
