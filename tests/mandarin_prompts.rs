//! Mandarin prompts with the real model: skipped where it is not installed.

#![allow(clippy::unwrap_used, reason = "a failed step fails the test")]

use std::{
    env,
    path::{Path, PathBuf},
};

use hotline::{
    audio::Manner,
    speech::prompts::{CacheLimits, PromptCache, Prompts, VoiceConfig, load_voice},
    text::{Lang, Phrase, Piece, ReadAs},
};

fn models() -> Option<PathBuf> {
    let dir = env::var_os("HOTLINE_MODELS").map(PathBuf::from).or_else(|| {
        let cache = env::var_os("XDG_CACHE_HOME")
            .map(PathBuf::from)
            .or_else(|| Some(PathBuf::from(env::var_os("HOME")?).join(".cache")))?;
        Some(cache.join("hotline/models"))
    })?;
    let found = dir.join("kokoro-82m/kokoro-v1.0.int8.onnx").is_file();
    if !found {
        eprintln!("skipped: no kokoro-82m in {}: run `hotline models pull`", dir.display());
    }
    found.then_some(dir)
}

fn mandarin(models: &Path, cache: &Path) -> Prompts {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("voices/zh-xiaoxiao.toml");
    let config = VoiceConfig::load(&file).unwrap();
    let voice = load_voice(&config, models, 2).unwrap();
    Prompts::new(vec![(config, voice)], PromptCache::open(cache, CacheLimits::default()).unwrap())
}

#[test]
fn a_code_is_spliced_from_what_was_rendered_ahead() {
    let Some(models) = models() else { return };
    let dir = tempfile::tempdir().unwrap();
    let prompts = mandarin(&models, dir.path());
    let phrase = |value: &str| Phrase {
        lang: Lang::Zh,
        pieces: vec![
            Piece::Words("您的号码是".to_owned()),
            Piece::Value { value: value.to_owned(), read_as: ReadAs::Digits },
            Piece::Words("。".to_owned()),
        ],
    };
    let rendered = prompts.prerender(&[phrase("")], &mut |_, _, _| {}).unwrap();
    assert_eq!(rendered, 4, "the words and three lines of digits");
    let audio =
        prompts.cached(&phrase("58001"), Manner::USUAL).expect("every unit was rendered ahead");
    let seconds = audio.duration().as_secs_f32();
    assert!((1.5..5.0).contains(&seconds), "{seconds} s for 您的号码是五八零零幺");
}
