//! Databases of both kinds for tests: a SQLite file, or a PostgreSQL server of the test's own on the loopback interface.
#![allow(dead_code, reason = "every test file uses a part of it")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

pub(crate) mod server;

use hotline::store::{Database, Store};
use server::Server;
use tempfile::TempDir;

/// Where a test's store is; goes away with the test.
pub(crate) struct Home {
    pub(crate) dir: TempDir,
    pub(crate) server: Option<Server>,
}

impl Home {
    pub(crate) fn sqlite() -> Self {
        Self { dir: TempDir::new().unwrap(), server: None }
    }

    pub(crate) fn postgres() -> Self {
        Self { dir: TempDir::new().unwrap(), server: Some(Server::start()) }
    }

    pub(crate) fn database(&self) -> Database {
        match &self.server {
            Some(server) => Database::postgres(&server.url(), None),
            None => Database::sqlite(self.dir.path().join("calls.db")),
        }
    }

    /// The store as its service has it.
    pub(crate) async fn open(&self) -> Store {
        Store::open_database(&self.database().for_service("default")).await.unwrap()
    }

    /// The store as a command sees it.
    pub(crate) async fn look(&self) -> Store {
        Store::open_database(&self.database()).await.unwrap()
    }
}

/// Each of these scenarios, `async fn name(home: Home)`, on both kinds of database.
#[macro_export]
macro_rules! on_both {
    ($($name:ident),* $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                super::$name(super::store_support::Home::sqlite()).await;
            })*
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                super::$name(super::store_support::Home::postgres()).await;
            })*
        }
    };
}
