//! Makes `build/assets`: the static files that are uploaded with the Worker.

use crate::browser_script;
use crate::dashboard;
use crate::failure::Failure;
use crate::files;
use crate::project::Project;
use crate::reference;

/// Makes all of them anew.
pub fn build(project: &Project) -> Result<(), Failure> {
    let target = project.path("build/assets");
    files::remove_folder(&target)?;
    // As they are.
    files::copy_folder(&project.path("public"), &target)?;
    browser_script::build(project, &target.join("analytics"))?;
    reference::build(project, &target.join("api"))?;
    dashboard::build(project, &target.join("app"))
}
