//! The Mandarin front end against the one that Kokoro was trained with.

use std::collections::BTreeMap;

use hotline::speech::kokoro::ZhG2p;

/// Sentence, misaki's phonemes, and ours where a person found misaki's reading wrong.
const GOLDEN: &str = include_str!("data/g2p_zh.tsv");

#[test]
fn prompts_are_read_as_the_golden_file_says() {
    let g2p = ZhG2p::new(&BTreeMap::new(), None).unwrap();
    let mut wrong = Vec::new();
    for line in GOLDEN.lines() {
        let columns: Vec<&str> = line.split('\t').collect();
        let expected = *columns.last().unwrap();
        let got = g2p.phonemes(columns[0]);
        if got != expected {
            wrong.push(format!("{}\t{}\t{got}", columns[0], columns[1]));
        }
    }
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
}
