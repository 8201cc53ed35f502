use std::{
    fs, io,
    path::Path,
    process::{Command, Output},
    time::Duration,
};

const TICK: Duration = Duration::from_millis(200);
/// Lines of a client's standard error that go into a message.
const LINES_TOLD: usize = 6;

/// A command to start: the program and its first arguments.
pub(super) type Launcher = Vec<String>;

/// The first of `launchers` that answers `--version`, and its answer.
pub(super) fn find(launchers: &[Launcher]) -> Option<(&Launcher, String)> {
    launchers.iter().find_map(|launcher| {
        let output = command(launcher)?.arg("--version").output().ok()?;
        let answer = String::from_utf8_lossy(&output.stdout).into_owned();
        output.status.success().then_some((launcher, answer))
    })
}

/// A command that begins as `launcher` says.
pub(super) fn command(launcher: &Launcher) -> Option<Command> {
    let (program, arguments) = launcher.split_first()?;
    let mut command = Command::new(program);
    command.args(arguments);
    Some(command)
}

/// Runs to the end, telling now and then how many bytes are below `watched`.
pub(super) fn run_watched(
    command: &mut Command,
    watched: &Path,
    mut tell: impl FnMut(u64),
) -> io::Result<Output> {
    std::thread::scope(|scope| {
        let running = scope.spawn(|| command.output());
        while !running.is_finished() {
            std::thread::park_timeout(TICK);
            tell(size_below(watched));
        }
        running.join().unwrap_or_else(|_| Err(io::Error::other("the watching thread died")))
    })
}

/// The last lines of what it complained, for a message.
pub(super) fn complaint(output: &Output) -> String {
    let stderr = String::from_utf8_lossy(&output.stderr);
    let lines: Vec<&str> = stderr.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    match &lines[lines.len().saturating_sub(LINES_TOLD)..] {
        [] => format!("it ended with {} and said nothing", output.status),
        last => last.join(" / "),
    }
}

/// Whether it failed because nothing more fits on the disk.
pub(super) fn met_a_full_disk(output: &Output) -> bool {
    let stderr = String::from_utf8_lossy(&output.stderr);
    !output.status.success()
        && ["No space left on device", "ENOSPC"].iter().any(|sign| stderr.contains(sign))
}

/// The only file in `directory` that ends in `end`.
pub(super) fn file_ending(directory: &Path, end: &str) -> Option<std::path::PathBuf> {
    let mut found = fs::read_dir(directory)
        .ok()?
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.to_string_lossy().ends_with(end));
    found.next().filter(|_| found.next().is_none())
}

fn size_below(directory: &Path) -> u64 {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    entries
        .map(|entry| match entry.file_type() {
            Ok(kind) if kind.is_dir() => size_below(&entry.path()),
            _ => entry.metadata().map_or(0, |metadata| metadata.len()),
        })
        .sum()
}
