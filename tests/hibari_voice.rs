//! The English voice says what it is given, and says why when it cannot.

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use hotline::speech::{SpeechError, Synthesizer, hibari::HibariVoice};

#[test]
fn a_prompt_is_spoken_the_same_way_every_time() {
    let Some(voice) = voice() else { return };
    let spoken = voice.synthesize("Thank you for calling. How can I help you?", 1.0).unwrap();
    assert!(spoken.duration() > Duration::from_millis(1_500), "{:?}", spoken.duration());
    assert!(spoken.duration() < Duration::from_millis(5_000), "{:?}", spoken.duration());
    let peak = spoken.samples().iter().map(|sample| sample.unsigned_abs()).max().unwrap();
    assert!((3_000..=32_767).contains(&peak), "{peak}");
    let again = voice.synthesize("Thank you for calling. How can I help you?", 1.0).unwrap();
    assert_eq!(spoken, again);
}

#[test]
fn sound_begins_at_once() {
    let Some(voice) = voice() else { return };
    let spoken = voice.synthesize("Hello there.", 1.0).unwrap();
    let onset = spoken.samples().iter().position(|sample| sample.unsigned_abs() > 300).unwrap();
    assert!(onset < 24 * 80, "{} ms", onset / 24);
}

#[test]
fn slower_speech_is_longer() {
    let Some(voice) = voice() else { return };
    let at = |speed| voice.synthesize("Your balance is ten dollars.", speed).unwrap().len();
    assert!(at(0.8) * 10 > at(1.0) * 11);
    assert_eq!(at(f32::NAN), at(1.0));
    assert_eq!(at(100.0), at(2.0));
}

#[test]
fn what_has_no_sound_is_refused() {
    let Some(voice) = voice() else { return };
    for text in ["", "  ", "...", "?!", "😀😀", "你好", "—"] {
        let result = voice.synthesize(text, 1.0);
        assert!(matches!(result, Err(SpeechError::Unspeakable { .. })), "{text:?}");
    }
}

#[test]
fn long_text_is_spoken_whole() {
    let Some(voice) = voice() else { return };
    let sentence = "Please hold the line, an agent will be with you shortly. ";
    let once = voice.synthesize(sentence, 2.0).unwrap().len();
    let spoken = voice.synthesize(&sentence.repeat(88), 2.0).unwrap().len();
    assert!(spoken.abs_diff(once * 88) < once, "{once} {spoken}");
    let breathless = voice.synthesize(&"on and on ".repeat(100), 2.0).unwrap();
    assert!(breathless.duration() > Duration::from_secs(10), "{:?}", breathless.duration());
}

#[test]
fn an_unknown_speaker_is_told_who_there_is() {
    let Some(dir) = model_dir() else { return };
    let Err(error) = HibariVoice::load(&dir, Some("bob"), &BTreeMap::new(), 1) else {
        panic!("bob speaks");
    };
    assert_eq!(
        error.to_string(),
        "hibari-en cannot speak as \"bob\": its speakers are fenrir, heart, kore"
    );
}

#[test]
fn a_folder_without_the_model_names_the_file() {
    let dir = tempfile::tempdir().unwrap();
    let Err(error) = HibariVoice::load(dir.path(), None, &BTreeMap::new(), 1) else {
        panic!("nothing speaks");
    };
    assert!(error.to_string().contains("voices.json is missing"), "{error}");
}

fn voice() -> Option<HibariVoice> {
    let voice = HibariVoice::load(&model_dir()?, None, &BTreeMap::new(), 1);
    Some(voice.unwrap_or_else(|error| panic!("{error}")))
}

fn model_dir() -> Option<PathBuf> {
    let models = std::env::var_os("HOTLINE_MODELS").map(PathBuf::from).or_else(|| {
        let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
        let home = || Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache"));
        Some(cache.or_else(home)?.join("hotline/models"))
    })?;
    let dir = models.join("hibari-en");
    if !dir.is_dir() {
        println!("skipped: no model in {}", dir.display());
        return None;
    }
    Some(dir)
}
