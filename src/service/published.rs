//! Dialplans as they were published: each version whole, in a folder of its own that nobody writes to again.
//!
//! `DATA/published/NAME/VERSION/` holds the dialplan, the files that it includes and refers to, and `published.json`;
//! `DATA/published/NAME/current` the version that `published:NAME` stands for, `log.jsonl` what was done when by whom.

use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use crate::dialplan::Dialplan;

/// How a number's dialplan in the configuration begins that is a published one.
const PREFIX: &str = "published:";
/// The dialplan's file in its folder.
const MAIN: &str = "dialplan.yaml";

/// Published dialplans in a data directory.
#[derive(Debug, Clone)]
pub struct Published {
    root: PathBuf,
}

/// A published version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Version {
    /// The dialplan's name.
    pub name: String,
    /// Its version.
    pub version: u32,
    /// Its content hash.
    pub hash: String,
    /// Who published it.
    pub author: String,
    /// When, in universal time, RFC 3339.
    pub time: String,
    /// Why.
    pub note: String,
}

/// What cannot be published, or found.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PublishError {
    /// Another content was published under the same version.
    #[error("version {version} of `{name}` was published with other content: set `version: {}` in the dialplan", .next)]
    Changed {
        /// The dialplan.
        name: String,
        /// Its version.
        version: u32,
        /// The next version that is free.
        next: u32,
    },
    /// The name cannot be that of a folder.
    #[error("`{0}` cannot be published: use letters, digits, `-`, `_` and spaces in `dialplan:`")]
    Name(String),
    /// There is no such version.
    #[error(
        "no published dialplan `{0}`: `hotline publish DIALPLAN` publishes one, `hotline publish --list` shows them"
    )]
    Unknown(String),
    /// There is nothing to go back to.
    #[error("`{0}` has no version before the current one: name one with --to")]
    NoEarlier(String),
    /// What was published is not what is there now.
    #[error("{path}: {problem}")]
    Damaged {
        /// The version's folder.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// A file cannot be read or written.
    #[error("{path}: {source}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl Published {
    /// Those in the data directory `data`.
    pub fn new(data: &Path) -> Self {
        Self { root: data.join("published") }
    }

    /// Keeps `plan` as a version, and makes `published:NAME` stand for it. Publishing the same content again
    /// only does the latter.
    ///
    /// # Errors
    /// [`PublishError::Changed`] for another content of a version that is published, and what the disk says.
    pub fn publish(
        &self,
        plan: &Dialplan,
        author: &str,
        time: &str,
        note: &str,
    ) -> Result<Version, PublishError> {
        let name = plan.name();
        let plain = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | ' ');
        if name.is_empty() || !name.chars().all(plain) || name.trim() != name {
            return Err(PublishError::Name(name.to_owned()));
        }
        let version = Version {
            name: name.to_owned(),
            version: plan.version(),
            hash: plan.content_hash().to_owned(),
            author: author.to_owned(),
            time: time.to_owned(),
            note: note.to_owned(),
        };
        match self.version(name, plan.version())? {
            Some(known) if known.hash != version.hash => {
                let highest = self.versions(name)?.last().map_or(0, |last| last.version);
                let (name, version) = (known.name, known.version);
                return Err(PublishError::Changed { name, version, next: highest + 1 });
            }
            Some(_) => {}
            None => self.keep(plan, &version)?,
        }
        self.set_current(&version, "publish", author, time, note)?;
        Ok(version)
    }

    /// Makes `published:NAME` stand for the version `to`, or for the one before the current one.
    ///
    /// # Errors
    /// [`PublishError::Unknown`], [`PublishError::NoEarlier`], and what the disk says.
    pub fn roll_back(
        &self,
        name: &str,
        to: Option<u32>,
        author: &str,
        time: &str,
        note: &str,
    ) -> Result<Version, PublishError> {
        let current = self.current(name)?;
        let versions = self.versions(name)?;
        let found = match to {
            Some(to) => versions.into_iter().find(|version| version.version == to),
            None => {
                let earlier = versions.into_iter().rfind(|version| version.version < current);
                Some(earlier.ok_or_else(|| PublishError::NoEarlier(name.to_owned()))?)
            }
        };
        let unknown = || PublishError::Unknown(format!("{name}@{}", to.unwrap_or_default()));
        let version = found.ok_or_else(unknown)?;
        self.set_current(&version, "rollback", author, time, note)?;
        Ok(version)
    }

    /// All versions of a dialplan, the first one first.
    ///
    /// # Errors
    /// What the disk says.
    pub fn versions(&self, name: &str) -> Result<Vec<Version>, PublishError> {
        let mut versions = Vec::new();
        for number in numbers(&self.root.join(name))? {
            versions.extend(self.version(name, number)?);
        }
        versions.sort_by_key(|version| version.version);
        Ok(versions)
    }

    /// The names of all published dialplans.
    ///
    /// # Errors
    /// What the disk says.
    pub fn names(&self) -> Result<Vec<String>, PublishError> {
        entries(&self.root)
    }

    /// The version that `published:NAME` stands for.
    ///
    /// # Errors
    /// [`PublishError::Unknown`].
    pub fn current(&self, name: &str) -> Result<u32, PublishError> {
        let text = fs::read_to_string(self.root.join(name).join("current")).ok();
        let number = text.and_then(|text| text.trim().parse().ok());
        number.ok_or_else(|| PublishError::Unknown(name.to_owned()))
    }

    /// The file of a published dialplan, `published:NAME` or `published:NAME@VERSION`; any other path is returned
    /// as it is.
    ///
    /// # Errors
    /// [`PublishError::Unknown`].
    pub fn path(&self, path: &Path) -> Result<PathBuf, PublishError> {
        let Some(wanted) = path.to_str().and_then(|path| path.strip_prefix(PREFIX)) else {
            return Ok(path.to_owned());
        };
        let unknown = || PublishError::Unknown(wanted.to_owned());
        let (name, version) = match wanted.split_once('@') {
            Some((name, version)) => (name, version.parse().map_err(|_| unknown())?),
            None => (wanted, self.current(wanted)?),
        };
        if name.contains(['/', '\\', '.']) {
            return Err(unknown());
        }
        let main = self.folder(name, version).join(MAIN);
        if main.exists() { Ok(main) } else { Err(unknown()) }
    }

    /// Refuses a dialplan that was published and changed afterwards.
    ///
    /// # Errors
    /// [`PublishError::Damaged`].
    pub fn verify(&self, path: &Path, plan: &Dialplan) -> Result<(), PublishError> {
        let folder = path.parent().unwrap_or(Path::new(""));
        if !folder.starts_with(&self.root) {
            return Ok(());
        }
        match self.version(plan.name(), plan.version())? {
            Some(version) if version.hash == plan.content_hash() => Ok(()),
            _ => Err(PublishError::Damaged {
                path: folder.to_owned(),
                problem: "it is not what was published: publish it as a version of its own"
                    .to_owned(),
            }),
        }
    }

    fn folder(&self, name: &str, version: u32) -> PathBuf {
        self.root.join(name).join(version.to_string())
    }

    fn version(&self, name: &str, version: u32) -> Result<Option<Version>, PublishError> {
        let path = self.folder(name, version).join("published.json");
        let Ok(text) = fs::read_to_string(&path) else { return Ok(None) };
        let damaged = |e: serde_json::Error| PublishError::Damaged { path, problem: e.to_string() };
        serde_json::from_str(&text).map(Some).map_err(damaged)
    }

    /// Writes a version aside and moves it into place, so that half of one is never there.
    fn keep(&self, plan: &Dialplan, version: &Version) -> Result<(), PublishError> {
        let folder = self.folder(&version.name, version.version);
        let aside = folder.with_extension("tmp");
        let _ = fs::remove_dir_all(&aside);
        let source = plan.source();
        write(&aside.join(MAIN), source.text.as_bytes())?;
        for (name, text) in &source.tables {
            write(&aside.join(name), text.as_bytes())?;
        }
        let from = Path::new(&source.file).parent().unwrap_or(Path::new(""));
        for name in source.recordings.keys() {
            let recording = from.join(name);
            write(&aside.join(name), &fs::read(&recording).map_err(at(&recording))?)?;
        }
        let about = serde_json::to_string_pretty(version).unwrap_or_default();
        write(&aside.join("published.json"), about.as_bytes())?;
        fs::rename(&aside, &folder).map_err(at(&folder))
    }

    fn set_current(
        &self,
        version: &Version,
        action: &str,
        author: &str,
        time: &str,
        note: &str,
    ) -> Result<(), PublishError> {
        let folder = self.root.join(&version.name);
        let line = serde_json::json!({"time": time, "action": action, "version": version.version,
            "hash": version.hash, "author": author, "note": note});
        let log = folder.join("log.jsonl");
        let mut file =
            fs::File::options().create(true).append(true).open(&log).map_err(at(&log))?;
        writeln!(file, "{line}").map_err(at(&log))?;
        let (aside, current) = (folder.join("current.tmp"), folder.join("current"));
        write(&aside, format!("{}\n", version.version).as_bytes())?;
        fs::rename(&aside, &current).map_err(at(&current))
    }
}

/// Whether a path in the configuration stands for a published dialplan.
pub(super) fn is_published(path: &Path) -> bool {
    path.to_str().is_some_and(|path| path.starts_with(PREFIX))
}

fn numbers(folder: &Path) -> Result<Vec<u32>, PublishError> {
    Ok(entries(folder)?.iter().filter_map(|name| name.parse().ok()).collect())
}

/// Names of the folders in a folder; none where that is not there.
fn entries(folder: &Path) -> Result<Vec<String>, PublishError> {
    let found = match fs::read_dir(folder) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        found => found.map_err(at(folder))?,
    };
    let mut names = Vec::new();
    for entry in found {
        let entry = entry.map_err(at(folder))?;
        if entry.path().is_dir() {
            names.extend(entry.file_name().into_string());
        }
    }
    names.sort();
    Ok(names)
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), PublishError> {
    let folder = path.parent().unwrap_or(Path::new(""));
    fs::create_dir_all(folder).map_err(at(folder))?;
    fs::write(path, bytes).map_err(at(path))
}

fn at(path: &Path) -> impl Fn(io::Error) -> PublishError {
    let path = path.to_owned();
    move |source| PublishError::File { path: path.clone(), source }
}
