//! Where calls are kept: the data directory and the database.

use std::{
    fs::{self, DirBuilder},
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
};

use serde::Deserialize;

use super::ServiceError;
use crate::store::Database;

/// Where calls are kept.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Data {
    /// Directory for recordings, journals and, unless `database` names another one, the database.
    pub dir: PathBuf,
    /// Directory of rendered prompts, when it is not `prompts` in `dir`.
    pub prompts: Option<PathBuf>,
    /// A PostgreSQL database, such as `postgres://hotline@db.example/hotline`, in place of `hotline.db` in `dir`.
    pub database: Option<String>,
    /// A file with the password of its user, when it is not in `PGPASSWORD` or `~/.pgpass`.
    pub database_password_file: Option<PathBuf>,
    /// This service's name among those that share the database.
    pub node: String,
}

impl Default for Data {
    fn default() -> Self {
        let (dir, node) = ("data".into(), "default".to_owned());
        Self { dir, prompts: None, database: None, database_password_file: None, node }
    }
}

impl Data {
    /// The database, for a command.
    ///
    /// # Errors
    /// [`ServiceError::Data`] when its address or its password cannot be used.
    pub fn database(&self) -> Result<Database, ServiceError> {
        let Some(url) = &self.database else { return Ok(Database::sqlite(self.file())) };
        if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
            return Err(ServiceError::Data {
                option: "database",
                problem: "it is no address like postgres://user@host/database; without one, SQLite in data.dir is used"
                    .to_owned(),
            });
        }
        let password = self.database_password_file.as_deref().map(secret).transpose()?;
        Ok(Database::postgres(url, password.as_deref()))
    }

    /// Makes the directory, for this user alone, when it is not there.
    ///
    /// # Errors
    /// [`ServiceError::DataDir`] when that cannot be done.
    pub fn make_dir(&self) -> Result<(), ServiceError> {
        let made = DirBuilder::new().recursive(true).mode(0o700).create(&self.dir);
        made.map_err(|e| ServiceError::DataDir { path: self.dir.clone(), problem: e.to_string() })
    }

    /// The database, for the service itself.
    pub(super) fn own_database(&self) -> Result<Database, ServiceError> {
        Ok(self.database()?.for_service(&self.node))
    }

    /// Where a call's files are: by the day with which its id begins.
    pub fn call_dir(&self, id: &str) -> PathBuf {
        let day: String = id.chars().take(8).collect();
        self.dir.join("calls").join(day).join(id)
    }

    /// The file of a SQLite database.
    pub fn file(&self) -> PathBuf {
        self.dir.join("hotline.db")
    }

    pub(super) fn paths(&mut self) -> impl Iterator<Item = &mut PathBuf> {
        let Self { dir, prompts, database_password_file, .. } = self;
        [dir].into_iter().chain(prompts).chain(database_password_file)
    }
}

fn secret(path: &Path) -> Result<String, ServiceError> {
    let problem = |what: String| ServiceError::Data {
        option: "database_password_file",
        problem: format!("{}: {what}", path.display()),
    };
    let text = fs::read_to_string(path).map_err(|e| problem(e.to_string()))?;
    let text = text.trim_end_matches(['\r', '\n']);
    if text.is_empty() {
        return Err(problem("it is empty: write the password into it".to_owned()));
    }
    Ok(text.to_owned())
}
