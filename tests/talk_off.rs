//! Nobody talks a key: human speech, as loud as lines carry it, through every codec and with gaps
//! concealed, is never taken for DTMF.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use std::path::{Path, PathBuf};

use hotline::audio::{
    Codec, Concealer, DtmfDetector, Hz8k, Pcm,
    codec::{Decoder, Encoder},
    read_8k,
};

/// 20 ms.
const FRAME: usize = 160;

fn wavs(folder: &Path) -> Vec<PathBuf> {
    let Ok(files) = std::fs::read_dir(folder) else { return Vec::new() };
    let paths = files.map(|file| file.unwrap().path());
    let mut wavs: Vec<_> = paths.filter(|p| p.extension().is_some_and(|e| e == "wav")).collect();
    wavs.sort();
    wavs
}

/// The ways in which a line changes what is said.
fn as_heard(speech: &Pcm<Hz8k>) -> Vec<(String, Pcm<Hz8k>)> {
    let louder = |db: f32| {
        let factor = 10_f32.powf(db / 20.0);
        let samples = speech.samples().iter().map(|&s| (f32::from(s) * factor) as i16);
        (format!("at {db:+} dB"), Pcm::new(samples.collect()))
    };
    let coded = |codec: Codec| {
        let (mut encoder, mut decoder) = (Encoder::new(codec), Decoder::new(codec));
        let mut heard = Pcm::silence(0);
        for frame in speech.samples().chunks_exact(FRAME) {
            let payload = encoder.encode(&Pcm::new(frame.to_vec()));
            heard.extend(&decoder.decode(&payload).unwrap());
        }
        (format!("in {codec}"), heard)
    };
    // Of ten frames two in a row are lost, and one for itself: a vowel goes on like a tone.
    let mut concealer = Concealer::new();
    let mut patched = Pcm::silence(0);
    for (i, frame) in speech.samples().chunks_exact(FRAME).enumerate() {
        let mut frame = Pcm::new(frame.to_vec());
        match i % 10 {
            3 | 4 | 8 => patched.extend(&concealer.lost(FRAME)),
            _ => {
                concealer.good(&mut frame);
                patched.extend(&frame);
            }
        }
    }
    [-12.0, 0.0, 6.0, 12.0]
        .map(louder)
        .into_iter()
        .chain(Codec::ALL.iter().map(|&codec| coded(codec)))
        .chain([("with gaps".to_owned(), patched)])
        .collect()
}

/// Seconds of speech, and the keys heard in it with where they were.
fn talk(files: &[PathBuf]) -> (usize, Vec<String>) {
    let (mut samples, mut keys) = (0, Vec::new());
    for path in files {
        let speech = read_8k(path).unwrap();
        samples += speech.len();
        for (how, heard) in as_heard(&speech) {
            let mut detector = DtmfDetector::new();
            let found = detector.push(&heard);
            keys.extend(found.iter().map(|key| format!("{key} in {} {how}", path.display())));
        }
    }
    (samples / 8_000, keys)
}

#[test]
fn recorded_callers_press_no_key() {
    let callers = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/callers");
    let files: Vec<_> = ["en", "zh"].iter().flat_map(|lang| wavs(&callers.join(lang))).collect();
    let (seconds, keys) = talk(&files);
    assert!(seconds > 10, "the recorded callers are missing");
    assert!(keys.is_empty(), "{keys:#?}");
}

#[test]
fn forty_voices_press_no_key() {
    let data = std::env::var("HOTLINE_SHARED_DATA")
        .unwrap_or_else(|_| concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/data").to_owned());
    let files = wavs(&Path::new(&data).join("speech"));
    if files.is_empty() {
        println!("skipped: there is no speech in {data}/speech (HOTLINE_SHARED_DATA)");
        return;
    }
    let (seconds, keys) = talk(&files);
    println!("{seconds} s of {} clips, each heard in nine ways", files.len());
    assert!(keys.is_empty(), "{keys:#?}");
}
