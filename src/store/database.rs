//! The database itself: SQLite in a file or PostgreSQL on a server, behind the same statements.

use std::{
    fs::{File, TryLockError},
    io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use sha2::{Digest, Sha256};
use sqlx::{
    Any, AnyConnection, AnyPool, Connection, Executor, Transaction,
    any::AnyPoolOptions,
    migrate::{MigrateError, Migrator},
};

use super::StoreError;

static SQLITE: Migrator = sqlx::migrate!("src/store/migrations/sqlite");
static POSTGRES: Migrator = sqlx::migrate!("src/store/migrations/postgres");

/// How long a statement waits for a connection.
const ACQUIRE: Duration = Duration::from_secs(3);
/// How long a server is given to notice that a service which crashed is gone.
const TAKE_OVER: Duration = Duration::from_secs(10);

/// Which database, and as whom it is used.
#[derive(Debug, Clone)]
pub struct Database {
    place: Place,
    node: String,
    serving: bool,
}

#[derive(Debug, Clone)]
enum Place {
    File(PathBuf),
    Server(String),
}

impl Database {
    /// A SQLite file.
    pub fn sqlite(path: impl AsRef<Path>) -> Self {
        Self::at(Place::File(path.as_ref().to_owned()))
    }

    /// A PostgreSQL database, such as `postgres://hotline@db.example/hotline`. Without a password in
    /// it, `password` is taken, else `PGPASSWORD` and `~/.pgpass` as other clients of it do.
    pub fn postgres(url: &str, password: Option<&str>) -> Self {
        let mut url = url.to_owned();
        if let Some(password) = password {
            let mark = if url.contains('?') { '&' } else { '?' };
            url = format!("{url}{mark}password={}", escaped(password));
        }
        Self::at(Place::Server(url))
    }

    fn at(place: Place) -> Self {
        Self { place, node: "default".to_owned(), serving: false }
    }

    /// The same, for the service `node`, which alone answers for the calls that it began: what a crash
    /// of it left open is marked when it is opened again. Services that share a PostgreSQL database
    /// have different names.
    pub fn for_service(self, node: &str) -> Self {
        Self { node: node.to_owned(), serving: true, ..self }
    }

    pub(super) fn node(&self) -> &str {
        &self.node
    }

    fn name(&self) -> String {
        match &self.place {
            Place::File(path) => path.display().to_string(),
            Place::Server(url) => without_secrets(url),
        }
    }
}

/// Connections, and what errors call the database.
#[derive(Debug, Clone)]
pub(super) struct Db {
    pub(super) pool: AnyPool,
    place: Arc<Place>,
    name: Arc<str>,
}

impl Db {
    /// Connects and brings the schema up to date.
    pub(super) async fn connect(database: &Database) -> Result<Self, StoreError> {
        sqlx::any::install_default_drivers();
        let (place, name) = (Arc::new(database.place.clone()), Arc::from(database.name()));
        let options = AnyPoolOptions::new().acquire_timeout(ACQUIRE);
        let pool = match &database.place {
            Place::File(path) => {
                let options = options
                    .max_connections(4)
                    .after_connect(|connection, _| Box::pin(prepare(connection)));
                // A pool tries again for seconds, and does not say why; what is wrong with a file stays wrong.
                match AnyConnection::connect(&file_url(path)).await {
                    Ok(mut first) => match prepare(&mut first).await {
                        Ok(()) => options.connect(&file_url(path)).await,
                        Err(error) => Err(error),
                    },
                    Err(error) => Err(error),
                }
            }
            Place::Server(url) => options.max_connections(8).connect(url).await,
        };
        let pool = pool.map_err(|e| error(&place, &name, e))?;
        let db = Self { pool, place, name };
        db.migrate().await?;
        Ok(db)
    }

    async fn migrate(&self) -> Result<(), StoreError> {
        let migrations = if self.is_server() { &POSTGRES } else { &SQLITE };
        migrations.run(&self.pool).await.map_err(|e| match e {
            MigrateError::VersionMissing(found) => StoreError::NewerSchema {
                path: self.path(),
                found,
                known: migrations.iter().map(|m| m.version).max().unwrap_or(0),
            },
            MigrateError::Execute(e) | MigrateError::ExecuteMigration(e, _) => self.error(e),
            other => StoreError::Schema { path: self.path(), why: other.to_string() },
        })
    }

    pub(super) fn is_server(&self) -> bool {
        matches!(*self.place, Place::Server(_))
    }

    /// The file; of a server, its address.
    pub(super) fn path(&self) -> PathBuf {
        PathBuf::from(&*self.name)
    }

    pub(super) fn error(&self, e: sqlx::Error) -> StoreError {
        error(&self.place, &self.name, e)
    }

    /// A transaction that writes. In SQLite it takes the write lock at once, so that it cannot fail half
    /// way.
    pub(super) async fn begin(&self) -> Result<Transaction<'static, Any>, StoreError> {
        let begun = match *self.place {
            Place::File(_) => self.pool.begin_with("BEGIN IMMEDIATE").await,
            Place::Server(_) => self.pool.begin().await,
        };
        begun.map_err(|e| self.error(e))
    }
}

async fn prepare(connection: &mut AnyConnection) -> Result<(), sqlx::Error> {
    connection.execute("PRAGMA journal_mode = WAL").await?;
    // A commit that was answered outlives a power failure.
    connection.execute("PRAGMA synchronous = FULL").await?;
    Ok(())
}

/// Says that this process is the one that answers for the calls of its node; frees it when dropped.
#[derive(Debug)]
pub(super) struct Owner {
    _file: Option<File>,
    _connection: Option<tokio::sync::Mutex<AnyConnection>>,
}

impl Owner {
    /// `None` when another process has the database: in SQLite it may still be in calls.
    ///
    /// # Errors
    /// [`StoreError::NodeInUse`] when another service of a server's database has the same name.
    pub(super) async fn claim(database: &Database, db: &Db) -> Result<Option<Self>, StoreError> {
        match &database.place {
            Place::File(path) => {
                Ok(lock_beside(path).ok().map(|file| Self { _file: Some(file), _connection: None }))
            }
            Place::Server(_) if !database.serving => Ok(None),
            Place::Server(url) => {
                let mut connection = AnyConnection::connect(url).await.map_err(|e| db.error(e))?;
                let tries = TAKE_OVER.as_millis() / 200;
                for _ in 0..tries {
                    let taken: bool = sqlx::query_scalar("SELECT pg_try_advisory_lock($1)")
                        .bind(lock_number(&database.node))
                        .fetch_one(&mut connection)
                        .await
                        .map_err(|e| db.error(e))?;
                    if taken {
                        let connection = Some(tokio::sync::Mutex::new(connection));
                        return Ok(Some(Self { _file: None, _connection: connection }));
                    }
                    tokio::time::sleep(Duration::from_millis(200)).await;
                }
                Err(StoreError::NodeInUse { node: database.node.clone(), path: db.path() })
            }
        }
    }
}

/// Locks a file beside the database.
fn lock_beside(path: &Path) -> io::Result<File> {
    let mut name = path.as_os_str().to_owned();
    name.push("-owner");
    let file = File::create(name)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(io::ErrorKind::WouldBlock.into()),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

fn lock_number(node: &str) -> i64 {
    let hash = Sha256::digest(format!("hotline node {node}"));
    hash.iter().take(8).fold(0, |number: i64, byte| (number << 8) | i64::from(*byte))
}

fn error(place: &Place, name: &str, e: sqlx::Error) -> StoreError {
    match place {
        Place::File(path) => StoreError::from_sqlite(path, e),
        Place::Server(_) => StoreError::from_postgres(name, e),
    }
}

fn file_url(path: &Path) -> String {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    format!("sqlite://{}?mode=rwc", escaped(&path.to_string_lossy()))
}

/// Percent-encoded but for what may stand in a path.
fn escaped(text: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'/' | b'.' | b'-' | b'_');
    text.bytes()
        .map(|b| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") })
        .collect()
}

fn without_secrets(url: &str) -> String {
    let url = url.split('?').next().unwrap_or_default();
    match url.split_once("://") {
        Some((scheme, rest)) => {
            let host = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
            format!("{scheme}://{host}")
        }
        None => "the database server".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_named_without_its_secrets() {
        let name = |url| Database::postgres(url, Some("s?c&ret")).name();
        assert_eq!(
            name("postgres://hotline:pw@db.example:5433/calls"),
            "postgres://db.example:5433/calls"
        );
        assert_eq!(name("postgres://db/calls?password=pw&sslmode=require"), "postgres://db/calls");
        assert_eq!(name("hotline:pw@db"), "the database server");
    }

    #[test]
    fn a_path_survives_being_part_of_an_address() {
        assert_eq!(
            file_url(Path::new("/data/a b?/呼.db")),
            "sqlite:///data/a%20b%3F/%E5%91%BC.db?mode=rwc"
        );
    }

    #[test]
    fn nodes_have_different_locks() {
        assert_ne!(lock_number("a"), lock_number("b"));
    }
}
