//! English text to phonemes.

use std::{collections::BTreeMap, path::Path};

use fancy_regex::Regex;

use super::{
    lexicon::{Following, Lexicon},
    normalize::Normalizer,
    oov::UnknownWords,
    patterns::{self, any_of},
    sentences,
    stress::{is_consonant, is_vowel},
    tagger::Tagger,
    token::{Token, written},
    tokenize::Tokenizer,
    words::{self, WordSplitter, is_silent, pauses_at},
};
use crate::speech::SpeechError;

/// The text-to-phoneme front end for American English, in misaki's phoneme alphabet.
///
/// `[word](/phonemes/)` in the text, and the words given to [`G2p::with_pronunciations`], are
/// read as they say. What has no sound in English, such as Chinese characters, is left out.
pub struct G2p {
    normalizer: Normalizer,
    tokenizer: Tokenizer,
    tagger: Tagger,
    splitter: WordSplitter,
    lexicon: Lexicon,
    unknown_words: UnknownWords,
    pronunciations: Pronunciations,
    link: Regex,
    piece: Regex,
}

impl G2p {
    /// Reads the word lists, the tagger and the network for unknown words from the folder of
    /// the model `hibari-en`.
    ///
    /// # Errors
    /// [`SpeechError::MissingFile`] or [`SpeechError::BadFile`] for the file that is at fault,
    /// [`SpeechError::Engine`] when ONNX Runtime does not load.
    pub fn load(dir: &Path) -> Result<Self, SpeechError> {
        Ok(Self {
            normalizer: Normalizer::load(dir)?,
            tokenizer: Tokenizer::load(dir)?,
            tagger: Tagger::load(dir)?,
            splitter: WordSplitter::new(),
            lexicon: Lexicon::load(dir)?,
            unknown_words: UnknownWords::load(dir)?,
            pronunciations: Pronunciations::default(),
            link: patterns::constant(r"\[([^\]]+)\]\(([^)]*)\)"),
            piece: patterns::constant(
                r"[^\W\d_]+(?:['’][^\W\d_]+)*|[0-9]+(?:[,.][0-9]+)*|[^\w\s]+",
            ),
        })
    }

    /// Reads these words and phrases, in any case, as the phonemes given for them.
    #[must_use]
    pub fn with_pronunciations(mut self, pronunciations: &BTreeMap<String, String>) -> Self {
        self.pronunciations = Pronunciations::new(pronunciations);
        self
    }

    /// How `text` sounds, with its punctuation; empty when it has no sound.
    ///
    /// Meant for a sentence at a time; see [`G2p::sentences`] for longer text.
    pub fn phonemes(&self, text: &str) -> String {
        let text = self.normalizer.normalize(text);
        let words = self.splitter.group(self.tokens(&text));
        let mut spoken = String::new();
        for word in self.pronounce(words) {
            spoken.push_str(&word.phonemes.unwrap_or_default());
            if word.space_after {
                spoken.push(' ');
            }
        }
        // The marks of the dictionary for the flapped t and the glottal stop.
        spoken.trim().replace('ɾ', "T").replace('ʔ', "t")
    }

    /// The sentences of `text`, at paragraph ends and at `.`, `!`, `?` and `…`, but not after
    /// titles and initials.
    pub fn sentences<'a>(&self, text: &'a str) -> Vec<&'a str> {
        sentences::split(text, |word| self.normalizer.is_title(word))
    }

    fn tokens(&self, text: &str) -> Vec<Token> {
        let mut tokens = Vec::new();
        let mut start = 0;
        for link in self.link.captures_iter(text).map_while(Result::ok) {
            let (Some(whole), label, target) =
                (link.get(0), patterns::group(&link, 1), patterns::group(&link, 2))
            else {
                continue;
            };
            self.plain_tokens(&text[start..whole.start()], &mut tokens);
            let space_after = text[whole.end()..].starts_with(char::is_whitespace);
            match target.strip_prefix('/').and_then(|target| target.strip_suffix('/')) {
                Some(phonemes) => tokens.push(fixed(label, phonemes, space_after)),
                None => self.plain_tokens(label, &mut tokens),
            }
            if let Some(last) = tokens.last_mut() {
                last.space_after |= space_after;
            }
            start = whole.end();
        }
        self.plain_tokens(&text[start..], &mut tokens);
        tokens
    }

    fn plain_tokens(&self, text: &str, tokens: &mut Vec<Token>) {
        let mut start = 0;
        for (from, to, phonemes) in self.pronunciations.find(text) {
            self.tagged_tokens(&text[start..from], tokens);
            let space_after = text[to..].starts_with(char::is_whitespace);
            tokens.push(fixed(&text[from..to], phonemes, space_after));
            start = to;
        }
        self.tagged_tokens(&text[start..], tokens);
    }

    fn tagged_tokens(&self, text: &str, tokens: &mut Vec<Token>) {
        let split = self.tokenizer.split(text);
        let texts: Vec<&str> = split.iter().map(|(text, _)| text.as_str()).collect();
        let tags = self.tagger.tag(&texts);
        tokens.extend(split.into_iter().zip(tags).map(|((text, space_after), tag)| Token {
            text,
            tag,
            space_after,
            is_head: true,
            ..Token::default()
        }));
    }

    /// Reads the words from the last to the first, for a word's sound depends on the next one's.
    fn pronounce(&self, words: Vec<Vec<Token>>) -> Vec<Token> {
        let mut following = Following::default();
        let mut spoken = Vec::with_capacity(words.len());
        for mut parts in words.into_iter().rev() {
            if let [word] = parts.as_mut_slice() {
                if word.phonemes.is_none() {
                    let known = self.lexicon.pronounce(word, following);
                    word.phonemes = Some(known.unwrap_or_else(|| self.guess(&word.text)));
                }
                following = before(following, word);
            } else {
                self.pronounce_parts(&mut parts, &mut following);
            }
            spoken.push(Token::merged(&parts));
        }
        spoken.reverse();
        spoken
    }

    /// Reads the longest runs of parts that the lexicon knows, from the end of the word.
    fn pronounce_parts(&self, parts: &mut [Token], following: &mut Following) {
        let (mut left, mut right) = (0, parts.len());
        while left < right {
            let run = &mut parts[left..right];
            let whole = Token::joined(run);
            let is_open = run.iter().all(|part| !part.is_settled());
            let known = is_open.then(|| self.lexicon.pronounce(&whole, *following)).flatten();
            if let Some(phonemes) = known {
                let whole = Token { phonemes: Some(phonemes.clone()), ..whole };
                *following = before(*following, &whole);
                run.iter_mut().for_each(|part| part.phonemes = Some(String::new()));
                run[0].phonemes = Some(phonemes);
                (left, right) = (0, left);
            } else if left + 1 < right {
                left += 1;
            } else {
                right -= 1;
                left = 0;
                let part = &mut parts[right];
                if part.phonemes.is_none() && is_silent(&part.text) {
                    part.phonemes = Some(String::new());
                } else if part.phonemes.is_none() {
                    let guess = self.guess(&written(parts));
                    parts.iter_mut().for_each(|part| part.phonemes = Some(String::new()));
                    parts[0].phonemes = Some(guess);
                    return;
                }
            }
        }
        words::settle(parts);
    }

    /// Reads what the lexicon does not know: letters by the network, digits as numbers, symbols
    /// by name.
    fn guess(&self, text: &str) -> String {
        let pieces = self.piece.find_iter(text).map_while(Result::ok);
        let spoken = pieces.filter_map(|piece| {
            let piece = piece.as_str();
            match piece.chars().next()? {
                c if c.is_ascii_digit() => self.lexicon.number(piece, None, false),
                c if c.is_alphabetic() => self.guess_word(piece),
                _ => Some(piece.chars().filter_map(symbol).collect()),
            }
        });
        let spoken: Vec<String> = spoken.filter(|phonemes| !phonemes.is_empty()).collect();
        spoken.join(" ")
    }

    fn guess_word(&self, word: &str) -> Option<String> {
        self.unknown_words.read(word).unwrap_or_else(|error| {
            tracing::warn!(%error, "an unknown word is spelled out");
            self.lexicon.spell(word)
        })
    }
}

/// Words and phrases that the user says how to read.
#[derive(Default)]
struct Pronunciations {
    /// By the word in small letters.
    phonemes: BTreeMap<String, String>,
    words: Option<Regex>,
}

impl Pronunciations {
    fn new(pronunciations: &BTreeMap<String, String>) -> Self {
        let entries = pronunciations.iter().filter(|(word, _)| !word.trim().is_empty());
        let phonemes: BTreeMap<String, String> =
            entries.map(|(word, it)| (word.trim().to_lowercase(), it.clone())).collect();
        let words = any_of(phonemes.keys().map(String::as_str));
        let pattern = format!(r"(?i)(?<!\w)(?:{words})(?!\w)");
        let words = (!phonemes.is_empty()).then(|| patterns::constant(&pattern));
        Self { phonemes, words }
    }

    /// Where such words stand in `text`, as byte ranges, and how they sound.
    fn find<'a>(&'a self, text: &'a str) -> impl Iterator<Item = (usize, usize, &'a str)> {
        let found = self.words.iter().flat_map(|words| words.find_iter(text));
        found.map_while(Result::ok).filter_map(|found| {
            let phonemes = self.phonemes.get(&found.as_str().to_lowercase())?;
            Some((found.start(), found.end(), phonemes.as_str()))
        })
    }
}

fn fixed(text: &str, phonemes: &str, space_after: bool) -> Token {
    Token {
        text: text.to_owned(),
        tag: "NN".to_owned(),
        space_after,
        phonemes: Some(phonemes.to_owned()),
        is_head: true,
        ..Token::default()
    }
}

/// What a word before `token` hears, given what `token` hears itself.
fn before(following: Following, token: &Token) -> Following {
    let phonemes = token.phonemes.as_deref().unwrap_or_default();
    let sound = phonemes.chars().find(|&c| is_vowel(c) || is_consonant(c) || pauses_at(c));
    Following {
        vowel: match sound {
            Some(c) if pauses_at(c) => None,
            Some(c) => Some(is_vowel(c)),
            None => following.vowel,
        },
        is_to: matches!(token.text.as_str(), "to" | "To")
            || (token.text == "TO" && matches!(token.tag.as_str(), "TO" | "IN")),
    }
}

fn symbol(c: char) -> Option<&'static str> {
    Some(match c {
        '/' => "slˈæʃ",
        '=' => "ˈikwᵊlz",
        '+' => "plˈʌs",
        '&' => "ænd",
        '@' => "æt",
        '%' => "pəɹsˈɛnt",
        '#' => "hˈæʃ",
        '*' => "ˈæstəɹˌɪsk",
        '~' => "tˈɪldə",
        '^' => "kˈɛɹət",
        '<' => "lˈɛs ðən",
        '>' => "ɡɹˈATəɹ ðən",
        '—' => "—",
        _ => return None,
    })
}
