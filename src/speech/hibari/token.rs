//! A word, a part of one, or a punctuation mark on its way to phonemes.

/// One token.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Token {
    /// As written.
    pub(super) text: String,
    /// Penn Treebank part of speech.
    pub(super) tag: String,
    /// Whether white space follows.
    pub(super) space_after: bool,
    /// The pronunciation once it is known; empty for a token that is silent.
    pub(super) phonemes: Option<String>,
    /// Whether it begins a written word, so that `-5` is a number below zero.
    pub(super) is_head: bool,
    /// Another word to read in its place.
    pub(super) alias: Option<&'static str>,
    /// The currency sign before an amount.
    pub(super) currency: Option<char>,
    /// Whether it is spoken as a word apart from the token before it.
    pub(super) space_before: bool,
}

impl Token {
    /// Whether the lexicon has nothing left to decide about it.
    pub(super) fn is_settled(&self) -> bool {
        self.alias.is_some() || self.phonemes.is_some()
    }

    /// The written form of `tokens` as one token, not yet pronounced. Empty for no tokens.
    pub(super) fn joined(tokens: &[Self]) -> Self {
        let (Some(first), Some(last)) = (tokens.first(), tokens.last()) else {
            return Self::default();
        };
        // The first of the tokens with most capitals tells what the whole is.
        let tag = tokens.iter().rev().max_by_key(|token| capital_weight(&token.text));
        Self {
            text: written(tokens),
            tag: tag.map(|token| token.tag.clone()).unwrap_or_default(),
            space_after: last.space_after,
            is_head: first.is_head,
            currency: tokens.iter().filter_map(|token| token.currency).max(),
            space_before: first.space_before,
            ..Self::default()
        }
    }

    /// Like [`Token::joined`], with the pronunciations put together.
    pub(super) fn merged(tokens: &[Self]) -> Self {
        let mut phonemes = String::new();
        for token in tokens {
            let Some(more) = &token.phonemes else { continue };
            let apart = !phonemes.is_empty() && !phonemes.ends_with(char::is_whitespace);
            if token.space_before && apart && !more.is_empty() {
                phonemes.push(' ');
            }
            phonemes.push_str(more);
        }
        Self { phonemes: Some(phonemes), ..Self::joined(tokens) }
    }
}

/// `tokens` as they were written, without the white space after the last.
pub(super) fn written(tokens: &[Token]) -> String {
    let mut text = String::new();
    for (i, token) in tokens.iter().enumerate() {
        text.push_str(&token.text);
        if token.space_after && i + 1 < tokens.len() {
            text.push(' ');
        }
    }
    text
}

fn capital_weight(text: &str) -> usize {
    text.chars().map(|c| if c.to_lowercase().eq([c]) { 1 } else { 2 }).sum()
}
