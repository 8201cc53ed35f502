//! The English front end reads text as Hibari's Python front end does.
//!
//! `data/g2p_en.tsv` holds sentences and the phonemes that hibari-tts 0.2.1 gives for them.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use hotline::speech::hibari::G2p;
use proptest::{
    prelude::*,
    test_runner::{Config, TestRunner},
};

#[test]
fn sentences_are_read_as_the_reference_reads_them() {
    let Some(g2p) = front_end() else { return };
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/g2p_en.tsv");
    let golden = std::fs::read_to_string(golden).expect("tests/data/g2p_en.tsv");
    let mut wrong = Vec::new();
    let mut total = 0;
    for line in golden.lines() {
        let (text, expected) = line.split_once('\t').expect("text, tab, phonemes");
        total += 1;
        let phonemes = g2p.phonemes(text);
        if phonemes != expected {
            wrong.push(format!("{text}\n  expected {expected}\n  got      {phonemes}"));
        }
    }
    assert!(wrong.is_empty(), "{} of {total} differ:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn any_text_is_read_without_panic() {
    let Some(g2p) = front_end() else { return };
    let mut runner = TestRunner::new(Config { cases: 300, ..Config::default() });
    // Text at large, and text made of what the rules look for.
    let text = prop_oneof![
        ".{0,60}",
        r"[ -~]{0,60}",
        r"([0-9]{1,5}|[-./:$£€%°'()\[\]]| |am|pm|st|th|Jan|No\. |XIV|Dr\. |é|世|😀){0,20}",
    ];
    let read = |text: String| {
        let phonemes = g2p.phonemes(&text);
        prop_assert_eq!(phonemes.trim(), &phonemes);
        Ok(())
    };
    runner.run(&text, read).unwrap();
}

#[test]
fn chinese_and_emoji_are_left_out() {
    let Some(g2p) = front_end() else { return };
    assert_eq!(
        g2p.phonemes("Hello 世界 there 😀"),
        g2p.phonemes("Hello there").replace(' ', "  ").as_str()
    );
    assert!(!g2p.phonemes("你好").contains(char::is_alphabetic));
}

#[test]
fn the_author_says_how_words_are_read() {
    let Some(g2p) = front_end() else { return };
    assert_eq!(g2p.phonemes("Say [Zyntrix](/zˈɪntɹɪks/) now."), "sˈA zˈɪntɹɪks nˈW.");
    let own = BTreeMap::from([("Acme Corp".to_owned(), "ˈækmi kˈɔɹp".to_owned())]);
    let g2p = g2p.with_pronunciations(&own);
    assert_eq!(g2p.phonemes("ACME corp, hello"), "ˈækmi kˈɔɹp, həlˈO");
    assert!(!g2p.phonemes("Acme Corporation").contains("ˈækmi kˈɔɹp"), "only whole words");
}

#[test]
fn hostile_text_takes_no_longer_than_other_text() {
    let Some(g2p) = front_end() else { return };
    for text in ["(".repeat(5000), "a1".repeat(2500), "A".repeat(5000), "9".repeat(5000)] {
        let phonemes = g2p.phonemes(&text);
        assert!(phonemes.len() < 100_000, "{}", phonemes.len());
    }
}

fn front_end() -> Option<G2p> {
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
    Some(G2p::load(&dir).unwrap_or_else(|error| panic!("{error}")))
}
