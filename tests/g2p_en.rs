//! The English front end reads text as Hibari's Python front end does.
//!
//! `data/g2p_en.tsv` holds sentences and the phonemes that hibari-tts 0.2.1 gives for them.

use std::path::PathBuf;

use hotline::speech::hibari::G2p;

#[test]
fn sentences_are_read_as_the_reference_reads_them() {
    let Some(g2p) = front_end() else { return };
    let golden = include_str!("data/g2p_en.tsv");
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
    Some(G2p::load(&dir).expect("the model loads"))
}
