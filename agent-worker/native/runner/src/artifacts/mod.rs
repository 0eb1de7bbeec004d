//! Artifacts: which files (`glob`, `select`), in which form (`pack`), to GitLab and from it (`transfer`).

mod glob;
mod pack;
mod select;
mod transfer;

use std::io::Seek;

use crate::context::{Context, Failure};
use crate::payload::Artifact;

pub use transfer::download_all;

/// Whether a job that ended so has anything to upload.
pub fn any(job: &Context, success: bool) -> bool {
    job.payload.artifacts.iter().any(|a| wanted(a, success))
}

fn wanted(artifact: &Artifact, success: bool) -> bool {
    match artifact.when.as_str() {
        "always" => true,
        "on_failure" => !success,
        _ => success,
    }
}

/// Uploads all that the job asks for; the first that can't be is the failure, but the others are tried too.
pub fn upload_all(job: &Context, success: bool) -> Result<(), Failure> {
    let mut result = Ok(());
    for artifact in job.payload.artifacts.iter().filter(|a| wanted(a, success)) {
        job.must_stop()?;
        let uploaded = upload(job, artifact);
        if let Err(failure) = &uploaded {
            job.log.error(&format!("Uploading artifacts: {}", failure.message));
        }
        result = result.and(uploaded);
    }
    result
}

fn upload(job: &Context, artifact: &Artifact) -> Result<(), Failure> {
    job.log.notice("Uploading artifacts...");
    let files = select::select(job, artifact)?;
    if files.is_empty() {
        job.log.error("No files to upload");
        return Ok(());
    }
    let name = match job.variables.expand(&artifact.name).replace('/', "_") {
        none if none.is_empty() => "artifacts".to_string(),
        name => name,
    };
    let (format, file_name) = match artifact.artifact_format.as_str() {
        "" | "zip" => (pack::Format::Zip, format!("{name}.zip")),
        "gzip" => (pack::Format::Gzip, format!("{name}.gz")),
        "raw" => (pack::Format::Raw, name),
        other => return Err(Failure::configuration(format!("artifact format '{other}' is unknown to this runner"))),
    };
    let mut file = pack::pack(format, &job.project, &files, job.variables.files_folder()).map_err(Failure::system)?;
    file.rewind().map_err(|e| Failure::system(format!("could not read the archive: {e}")))?;
    transfer::upload(job, artifact, &file_name, &file)
}
