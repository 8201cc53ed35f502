//! Hotline hears: error rates over telephone recordings stay below what was measured.
//!
//! Needs recordings outside the repository (`$HOTLINE_SHARED`, else `../shared`) and models;
//! without them each test says so and passes.
#![allow(clippy::unwrap_used, reason = "helpers of tests, too, fail by panicking")]
#![expect(clippy::unwrap_used, reason = "a test fails by it")]

use std::path::{Path, PathBuf};

use hotline::{
    audio::{CallTime, Hz8k, Pcm, read_8k},
    cli::eval::asr::{Report, Row, evaluate, read_manifest, usual_models_dir},
    speech::{
        Hints, Recognizer, SpeechError,
        recognizers::{EngineKind, RecognizerConfig, load},
        vad::{SpeechDetector, SpeechEdge, VadConfig},
    },
    text::Lang,
};

#[test]
fn english_over_the_telephone_is_heard() {
    let Some(report) = hear(EngineKind::Moonshine, Lang::En, |_| true) else { return };
    assert!(report.rate <= 0.08, "{report:#?}");
}

#[test]
fn mandarin_sentences_over_the_telephone_are_heard() {
    let Some(report) = hear(EngineKind::Whisper, Lang::Zh, |row| row.file.starts_with("zh_"))
    else {
        return;
    };
    assert!(report.rate <= 0.25, "{report:#?}");
}

#[test]
fn nothing_is_heard_in_noise() {
    for (engine, lang) in [(EngineKind::Moonshine, Lang::En), (EngineKind::Whisper, Lang::Zh)] {
        let Some(recognizer) = recognizer(engine) else { return };
        let mut stream = recognizer.open(&Hints { lang, phrases: Vec::new() }).unwrap();
        stream.accept(&Pcm::new(noise(-50.0, 2 * 16_000))).unwrap();
        assert_eq!(stream.finish().unwrap(), []);
    }
}

#[test]
fn every_clip_is_found_to_be_speech_soon_after_it_starts() {
    let Some((folder, rows)) = clips() else { return };
    let mut lags = Vec::new();
    for row in rows {
        let speech = read_8k(&folder.join(&row.file)).unwrap();
        let mut call = Pcm::<Hz8k>::new(noise(-60.0, 8_000));
        call.extend(&speech);
        call.extend(&Pcm::new(noise(-60.0, 8_000)));
        let edges = edges(&call);
        let Some((SpeechEdge::Started { at }, noticed)) = edges.first().copied() else {
            panic!("{}: {edges:?}", row.file);
        };
        assert!(at >= CallTime::from_ms(900), "{}: starts in the noise: {edges:?}", row.file);
        assert!(matches!(edges.last(), Some((SpeechEdge::Stopped { .. }, _))), "{}", row.file);
        lags.push(noticed.since(at).as_millis());
    }
    lags.sort_unstable();
    println!("noticed after {lags:?} ms");
    assert!(lags[lags.len() / 2] <= 120, "the median is above 120 ms: {lags:?}");
    assert!(lags.iter().all(|&lag| lag <= 240), "one is above 240 ms: {lags:?}");
}

/// The edges of a call, each with the moment the detector reported it.
fn edges(call: &Pcm<Hz8k>) -> Vec<(SpeechEdge, CallTime)> {
    let mut detector = SpeechDetector::new(VadConfig::default());
    let frames = call.samples().chunks(160).enumerate();
    frames
        .filter_map(|(i, frame)| {
            let edge = detector.push(&Pcm::new(frame.to_vec()))?;
            Some((edge, CallTime::from_ms(20 * (i as u64 + 1))))
        })
        .collect()
}

fn hear(engine: EngineKind, lang: Lang, wanted: impl Fn(&Row) -> bool) -> Option<Report> {
    let (folder, rows) = clips()?;
    let recognizer = recognizer(engine)?;
    let rows: Vec<&Row> = rows.iter().filter(|row| row.lang == lang && wanted(row)).collect();
    let hints = Hints { lang, phrases: Vec::new() };
    Some(evaluate(recognizer.as_ref(), &hints, &folder, &rows).unwrap())
}

fn clips() -> Option<(PathBuf, Vec<Row>)> {
    let shared = std::env::var_os("HOTLINE_SHARED")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared"), PathBuf::from);
    let folder = shared.join("data/speech");
    let manifest = folder.join("manifest.tsv");
    if !manifest.exists() {
        eprintln!("skipped: there are no recordings at {}", folder.display());
        return None;
    }
    Some((folder, read_manifest(&manifest).unwrap()))
}

fn recognizer(engine: EngineKind) -> Option<Box<dyn Recognizer>> {
    match load(&RecognizerConfig::new(engine), &usual_models_dir()?) {
        Ok(recognizer) => Some(recognizer),
        Err(error @ (SpeechError::MissingFile { .. } | SpeechError::BadFile { .. })) => {
            eprintln!("skipped: {error}");
            None
        }
        Err(error) => panic!("{error}"),
    }
}

/// White noise of a level in dB relative to full scale, the same every time.
fn noise(db: f32, len: usize) -> Vec<i16> {
    let amplitude = 32_768.0 * 10f32.powf(db / 20.0) * 3f32.sqrt();
    let mut seed = 1u32;
    (0..len)
        .map(|_| {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            ((seed >> 8) as f32 / 8_388_608.0 - 1.0) * amplitude
        })
        .map(|sample| sample as i16)
        .collect()
}
