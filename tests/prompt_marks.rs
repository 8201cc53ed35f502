//! Prompts that can be said in several ways, with pauses, emphasis and recordings in them.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "helpers of tests, too, fail by panicking"
)]

use std::{collections::BTreeSet, f32::consts::TAU, fs, path::Path, sync::Arc};

use hotline::{
    dialplan::{Dialplan, DialplanSource, Severity},
    simulate::{Player, Suite},
    text::{Phrase, Piece, Style},
};

const DESK: &str = r#"dialplan: desk
version: 1
language: en
voices: {en: en-hibari}
start: main.menu
intents: {hours: [when are you open, opening hours, are you open today]}
defaults: {no_input: ["Hello?"], no_match: ["Sorry?"], give_up: main.bye}
flows:
  main:
    menu: {ask: ["How can I help?", "What can I do for you?", "Anything I can do?"], on: {hours: hours}}
    hours: {say: "Nine to five.", next: menu}
    bye: {say: "Goodbye.", hang_up: resolved}
"#;

fn with(from: &str, to: &str) -> Result<Dialplan, String> {
    assert!(DESK.contains(from), "{from}");
    let source = DialplanSource::inline("desk.yaml", DESK.replacen(from, to, 1));
    Dialplan::from_source(source)
        .map_err(|found| found.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
}

/// How the menu was put, six times, in a call by `caller`.
fn menus(caller: &str) -> Vec<String> {
    let plan = Arc::new(with("version: 1", "version: 2").expect("right"));
    let lines = "{caller: when are you open}, ".repeat(5);
    let script =
        format!("dialplan: x.yaml\ncaller: \"{caller}\"\ntests: {{a: {{call: [{lines}]}}}}\n");
    let suite = Suite::parse("x.test.yaml", &script).unwrap_or_else(|e| panic!("{e:#?}"));
    let played = Player::run(&plan, &suite.scripts[0]);
    let said = played.transcript.iter().map(ToString::to_string);
    said.filter(|line| line.starts_with("bot") && !line.contains("Nine")).collect()
}

#[test]
fn a_prompt_is_never_put_the_same_way_twice_running() {
    let all: Vec<Vec<String>> = (100..110).map(|caller| menus(&caller.to_string())).collect();
    for menus in &all {
        assert_eq!(menus.len(), 6, "{menus:#?}");
        assert!(menus.windows(2).all(|two| two[0] != two[1]), "{menus:#?}");
    }
    let first: BTreeSet<&String> = all.iter().map(|menus| &menus[0]).collect();
    assert!(first.len() > 1, "callers hear different ones first: {first:?}");
}

#[test]
fn the_same_call_hears_the_same_again() {
    assert_eq!(menus("139"), menus("139"));
}

#[test]
fn every_way_is_rendered_ahead() {
    let plan = with("version: 1", "version: 2").expect("right");
    let said: Vec<String> = plan.phrases().iter().map(Phrase::to_string).collect();
    for way in ["How can I help?", "What can I do for you?", "Anything I can do?"] {
        assert!(said.iter().any(|text| text == way), "{way} in {said:?}");
    }
}

#[test]
fn pauses_and_emphasis_are_pieces_and_no_words() {
    let plan =
        with("Nine to five.", "Nine.[pause 300ms][slow]To[/slow] five [[sharp]. [strong]Really.")
            .unwrap();
    let said = plan.phrases().into_iter().find(|phrase| phrase.to_string().starts_with("Nine"));
    let phrase = said.unwrap();
    assert_eq!(phrase.to_string(), "Nine.To five [sharp]. Really.");
    let words = |text: &str| Piece::Words(text.to_owned());
    let style = |rate_percent, gain_db| Piece::Style(Style { rate_percent, gain_db });
    let expected = [
        words("Nine."),
        Piece::Pause(300),
        style(80, 0),
        words("To"),
        Piece::Style(Style::USUAL),
        words(" five [sharp]. "),
        style(90, 3),
        words("Really."),
    ];
    assert_eq!(phrase.pieces, expected);
}

#[test]
fn a_mark_that_is_none_is_named() {
    for (text, expected) in [
        ("Nine [paus 300ms].", "no mark `[paus 300ms]`\n  help: did you mean `pause`?"),
        ("Nine [pause soon].", "`soon` is no pause"),
        ("Nine [pause 9s].", "`9s` is no pause"),
        ("Nine [slow", "a square bracket without its partner"),
        ("[recording nine.wav]", "a recording without its words"),
        ("[pause 1s]", "`say` says nothing in en"),
    ] {
        let found = with("Nine to five.", text).err().unwrap();
        assert!(found.contains(expected), "{text}: {found}");
    }
}

/// Half a second of tone between silences.
fn tone(path: &Path) {
    let silence = || std::iter::repeat_n(0.0, 4_000);
    let tone = (0..4_000).map(|i| 0.05 * (TAU * 400.0 * i as f32 / 8_000.0).sin());
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: 8_000,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut file = hound::WavWriter::create(path, spec).unwrap();
    for sample in silence().chain(tone).chain(silence()) {
        file.write_sample((sample * 32_767.0) as i16).unwrap();
    }
    file.finalize().unwrap();
}

fn on_disk(folder: &Path) -> Result<Dialplan, Vec<String>> {
    let text = DESK
        .replace("Nine to five.", "[recording sounds/nine.wav: Nine to five.][pause 200ms] Daily.");
    fs::write(folder.join("desk.yaml"), text).unwrap();
    Dialplan::load(folder.join("desk.yaml"))
        .map_err(|found| found.iter().map(ToString::to_string).collect())
}

#[test]
fn a_recording_that_is_not_there_is_spoken_and_warned_of() {
    let folder = tempfile::tempdir().unwrap();
    let plan = on_disk(folder.path()).unwrap();
    let warning = &plan.warnings()[0];
    assert_eq!((warning.severity, warning.line), (Severity::Warning, 11));
    assert!(warning.what.contains("the recording `sounds/nine.wav` is not there"), "{warning}");
    assert!(plan.phrases().iter().any(|phrase| phrase.to_string().starts_with("Nine to five.")));
    assert!(plan.recordings().is_empty());
}

#[test]
fn a_recording_is_part_of_the_dialplan_and_of_its_hash() {
    let folder = tempfile::tempdir().unwrap();
    let without = on_disk(folder.path()).unwrap().content_hash().to_owned();
    fs::create_dir(folder.path().join("sounds")).unwrap();
    tone(&folder.path().join("sounds/nine.wav"));
    let plan = on_disk(folder.path()).unwrap();
    assert_eq!(plan.warnings(), []);
    assert_ne!(plan.content_hash(), without);
    let (hash, path) =
        plan.recordings().into_iter().next().map(|(h, p)| (h.to_owned(), p)).unwrap();
    assert!(path.ends_with("sounds/nine.wav") && hash.len() == 64);
    let recorded = Piece::Recorded { recording: hash, words: "Nine to five.".into() };
    assert!(plan.phrases().iter().any(|phrase| phrase.pieces.first() == Some(&recorded)));
    // A journal has no audio, and decides the same.
    let journalled = serde_json::to_string(plan.source()).unwrap();
    let again = Dialplan::from_source(serde_json::from_str(&journalled).unwrap()).unwrap();
    assert_eq!((again.content_hash(), again.phrases()), (plan.content_hash(), plan.phrases()));
}

#[test]
fn a_recording_that_is_no_wav_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("sounds")).unwrap();
    fs::write(folder.path().join("sounds/nine.wav"), "no sound").unwrap();
    let found = on_disk(folder.path()).unwrap_err().join("\n");
    assert!(found.contains("error: the recording `sounds/nine.wav`"), "{found}");
    assert!(found.contains("sox IN -r 8000"), "{found}");
}
