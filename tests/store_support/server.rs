//! A PostgreSQL server of a test's own. `scripts/setup test` installs PostgreSQL.

use std::{
    fs::{self, File},
    net::{TcpListener, TcpStream},
    os::unix::{fs::chown, process::CommandExt},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread::sleep,
    time::Duration,
};

use tempfile::TempDir;

/// A running server with an empty database; its files go away with it.
pub(crate) struct Server {
    dir: TempDir,
    port: u16,
    child: Option<Child>,
}

impl Server {
    /// Starts one on a free port.
    pub(crate) fn start() -> Self {
        let dir = TempDir::with_prefix("hotline-pg-").unwrap();
        let data = dir.path().join("data");
        copy(&template(), &data);
        give(dir.path());
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut server = Self { dir, port, child: None };
        server.resume();
        server
    }

    pub(crate) fn url(&self) -> String {
        format!("postgres://hotline@127.0.0.1:{}/postgres", self.port)
    }

    /// Ends the server at once, as a crash does: connections break, nothing is finished.
    pub(crate) fn kill(&mut self) {
        let Some(mut child) = self.child.take() else { return };
        let pid = child.id().to_string();
        let _ = Command::new("kill").args(["-QUIT", &pid]).status();
        let _ = child.wait();
    }

    /// Starts it again on the same port and waits until it answers.
    pub(crate) fn resume(&mut self) {
        let data = self.dir.path().join("data");
        let _ = fs::remove_file(data.join("postmaster.pid"));
        let log = File::options().create(true).append(true).open(self.dir.path().join("log"));
        let child = as_server_user(&mut Command::new(program("postgres")))
            .arg("-D")
            .arg(&data)
            .args(["-p", &self.port.to_string(), "-c", "listen_addresses=127.0.0.1"])
            .args(["-c", "unix_socket_directories=", "-c", "max_connections=60"])
            .stdout(Stdio::null())
            .stderr(log.unwrap())
            .spawn()
            .expect("PostgreSQL does not start");
        self.child = Some(child);
        for _ in 0..300 {
            let state = fs::read_to_string(data.join("postmaster.pid")).unwrap_or_default();
            if state.contains("ready") && TcpStream::connect(("127.0.0.1", self.port)).is_ok() {
                return;
            }
            sleep(Duration::from_millis(50));
        }
        let log = fs::read_to_string(self.dir.path().join("log")).unwrap_or_default();
        panic!("PostgreSQL was not ready after 15 s:\n{log}");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

/// An empty cluster, made once on this machine.
fn template() -> PathBuf {
    let home = std::env::temp_dir().join("hotline-pg-template-1");
    fs::create_dir_all(&home).unwrap();
    let lock = File::create(home.join("lock")).unwrap();
    lock.lock().unwrap();
    let data = home.join("data");
    if !home.join("made").exists() {
        let _ = fs::remove_dir_all(&data);
        give(&home);
        let made = as_server_user(&mut Command::new(program("initdb")))
            .arg("-D")
            .arg(&data)
            .args(["-U", "hotline", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync"])
            .stdout(Stdio::null())
            .status()
            .expect("initdb does not start");
        assert!(made.success(), "initdb failed");
        File::create(home.join("made")).unwrap();
    }
    data
}

/// Programs of PostgreSQL lie beside each other, on Debian outside the path.
fn program(name: &str) -> PathBuf {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut found: Vec<PathBuf> = versions
        .map(|version| version.path().join("bin").join(name))
        .filter(|p| p.exists())
        .collect();
    found.sort();
    found.pop().unwrap_or_else(|| PathBuf::from(name))
}

/// PostgreSQL does not run as root: then it runs as its own user, or as nobody.
fn as_server_user(command: &mut Command) -> &mut Command {
    command.current_dir("/");
    match server_user() {
        Some((uid, gid)) => command.uid(uid).gid(gid),
        None => command,
    }
}

fn server_user() -> Option<(u32, u32)> {
    use std::os::unix::fs::MetadataExt;
    if fs::metadata("/proc/self").unwrap().uid() != 0 {
        return None;
    }
    let users = fs::read_to_string("/etc/passwd").unwrap();
    let of = |name: &str| {
        let line = users.lines().find(|line| line.starts_with(&format!("{name}:")))?;
        let mut fields = line.split(':').skip(2);
        Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
    };
    of("postgres").or_else(|| of("nobody"))
}

fn give(path: &Path) {
    let Some((uid, gid)) = server_user() else { return };
    let status = Command::new("chown").arg("-R").arg(format!("{uid}:{gid}")).arg(path).status();
    assert!(status.unwrap().success());
    chown(path, Some(uid), Some(gid)).unwrap();
}

fn copy(from: &Path, to: &Path) {
    let status = Command::new("cp").arg("-a").arg(from).arg(to).status();
    assert!(status.unwrap().success());
}
