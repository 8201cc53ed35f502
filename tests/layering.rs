//! The house stands: rooms use only rooms on lower floors, and nothing below the rim has a clock,
//! a socket or a thread.
#![allow(clippy::expect_used, reason = "helpers of tests, too, fail by panicking")]

use std::{
    fs,
    path::{Path, PathBuf},
};

/// Rooms and their floors, as `docs/architecture.md` draws them.
const FLOORS: &[(&str, u32)] = &[
    ("audio", 1),
    ("proto", 1),
    ("srtp", 1),
    ("text", 1),
    ("rtp", 2),
    ("sdp", 2),
    ("understand", 2),
    ("dialplan", 3),
    ("speech", 3),
    ("dialog", 4),
    ("conversation", 5),
    ("simulate", 5),
    ("sip", 6),
    ("crm", 6),
    ("llm", 6),
    ("store", 6),
    ("call", 7),
    ("delivery", 7),
    ("api", 8),
    ("service", 9),
    ("cli", 10),
];

/// Rooms that are pure: no clock, socket, thread or async runtime.
const PURE: &[&str] = &[
    "audio",
    "srtp",
    "text",
    "rtp",
    "sdp",
    "understand",
    "dialplan",
    "dialog",
    "conversation",
    "simulate",
];

/// What a pure room may not name.
const IMPURE: &[&str] = &[
    "std::net::UdpSocket",
    "std::net::TcpStream",
    "std::thread",
    "tokio::",
    "Instant::now",
    "SystemTime::now",
];

#[test]
fn rooms_use_only_lower_floors() {
    let mut wrong = Vec::new();
    for (path, room, source) in sources() {
        let here = floor(&room);
        for (number, line) in code_lines(&source) {
            for used in used_rooms(line) {
                if used != room && floor(&used) >= here {
                    wrong.push(format!(
                        "{}:{number}: `{room}` (floor {here}) uses `{used}` (floor {})",
                        path.display(),
                        floor(&used)
                    ));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "a room uses a room that is not below it:\n{}", wrong.join("\n"));
}

#[test]
fn pure_rooms_have_no_clock_socket_or_thread() {
    let mut wrong = Vec::new();
    for (path, room, source) in sources() {
        if !PURE.contains(&room.as_str()) {
            continue;
        }
        for (number, line) in code_lines(&source) {
            for name in IMPURE.iter().filter(|name| line.contains(**name)) {
                wrong.push(format!(
                    "{}:{number}: `{room}` is pure but names `{name}`",
                    path.display()
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_room_has_a_floor() {
    let rooms: Vec<_> = sources().into_iter().map(|(_, room, _)| room).collect();
    for (room, _) in FLOORS {
        assert!(rooms.iter().any(|r| r == room), "floor plan names `{room}`, which has no source");
    }
}

#[test]
fn no_source_file_grows_past_400_lines() {
    let long: Vec<_> = sources()
        .into_iter()
        .filter(|(_, _, source)| source.lines().count() > 400)
        .map(|(path, _, source)| format!("{} has {} lines", path.display(), source.lines().count()))
        .collect();
    assert!(long.is_empty(), "split these files:\n{}", long.join("\n"));
}

fn floor(room: &str) -> u32 {
    let found = FLOORS.iter().find(|(name, _)| *name == room);
    found.unwrap_or_else(|| panic!("room `{room}` is not in the floor plan of tests/layering.rs")).1
}

/// Every `.rs` file in a room: path, room, text.
fn sources() -> Vec<(PathBuf, String, String)> {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    walk(&src, &mut found);
    found
        .into_iter()
        .filter_map(|path| {
            let inside = path.strip_prefix(&src).ok()?.to_path_buf();
            let first = inside.components().next()?.as_os_str().to_str()?;
            let room = first.trim_end_matches(".rs").to_owned();
            let text = fs::read_to_string(&path).ok()?;
            (room != "lib" && room != "main").then_some((path, room, text))
        })
        .collect()
}

fn walk(dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).expect("src/ is readable").flatten() {
        let path = entry.path();
        if path.is_dir() {
            walk(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
}

/// Lines that are code: comments and what follows the unit tests are left out.
fn code_lines(source: &str) -> impl Iterator<Item = (usize, &str)> {
    source
        .lines()
        .enumerate()
        .take_while(|(_, line)| !line.starts_with("#[cfg(test)]"))
        .map(|(index, line)| (index + 1, line))
        .filter(|(_, line)| !line.trim_start().starts_with("//"))
}

/// Rooms named by `crate::room` in a line, or alone on a line of a `use crate::{…}` list.
fn used_rooms(line: &str) -> Vec<String> {
    let mut rooms: Vec<String> = line
        .match_indices("crate::")
        .map(|(at, _)| word(&line[at + "crate::".len()..]))
        .filter(|name| FLOORS.iter().any(|(room, _)| room == name))
        .collect();
    // `use crate::{audio::Pcm, text::Lang}` on one line, and rustfmt's one room a line.
    let list = line.split_once("crate::{").map_or_else(|| line.trim(), |(_, rest)| rest);
    if line.contains("crate::{") || list.ends_with(',') || list.ends_with("::{") {
        for part in list.split(", ") {
            let name = word(part);
            if part.starts_with(&format!("{name}::"))
                && FLOORS.iter().any(|(room, _)| *room == name)
            {
                rooms.push(name);
            }
        }
    }
    rooms
}

fn word(text: &str) -> String {
    text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}
