//! The seeds of the fuzz targets hold what the targets check, without a fuzzer.
#![allow(clippy::expect_used, unreachable_pub, reason = "checks are shared with the fuzz targets")]

use std::{fs, path::Path};

use hotline::{audio, dialplan, rtp, sdp, srtp};

#[path = "../fuzz/src/checks/mod.rs"]
mod checks;
#[path = "../fuzz/src/stream.rs"]
mod stream;

/// Runs a check over the seeds of its target.
fn replay(target: &str, check: fn(&[u8])) {
    let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let mut count = 0;
    for seed in fs::read_dir(&seeds).expect("every target has seeds") {
        let path = seed.expect("the folder can be listed").path();
        println!("{}", path.display());
        check(&fs::read(&path).expect("a seed is a file"));
        count += 1;
    }
    assert!(count > 0, "{} is empty", seeds.display());
}

#[test]
fn rtp_sessions() {
    replay("rtp", checks::rtp::check);
}

#[test]
fn control_packets() {
    replay("rtcp", checks::rtcp::check);
}

#[test]
fn telephone_events() {
    replay("telephone_event", checks::telephone_event::check);
}

#[test]
fn offers() {
    replay("sdp_offer", checks::sdp_offer::check);
}

#[test]
fn answers() {
    replay("sdp_answer", checks::sdp_answer::check);
}

#[test]
fn protected_packets() {
    replay("srtp", checks::srtp::check);
}

#[test]
fn handshakes() {
    replay("dtls", checks::dtls::check);
}

#[test]
fn sound_files() {
    replay("wav", checks::wav::check);
}

#[test]
fn dialplans() {
    replay("dialplan", checks::dialplan::check);
}

#[test]
fn streams() {
    replay("framing", checks::framing::check);
}

#[test]
fn mended_messages() {
    replay("mend", checks::mend::check);
}
