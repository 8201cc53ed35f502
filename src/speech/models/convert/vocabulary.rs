//! Whisper's vocabulary from a Hugging Face `tokenizer.json`.

use std::collections::HashMap;

use serde::Deserialize;

use super::{ConvertError, bad};

const END_OF_TEXT: &str = "<|endoftext|>";
/// Whisper's have about 51 000; keeps a garbage number from asking for memory.
const MAX_TOKENS: usize = 1 << 20;

#[derive(Deserialize)]
struct TokenizerJson {
    model: ModelJson,
    added_tokens: Vec<AddedToken>,
}

#[derive(Deserialize)]
struct ModelJson {
    vocab: HashMap<String, usize>,
}

#[derive(Deserialize)]
struct AddedToken {
    id: usize,
    content: String,
}

/// The bytes of each text token in order; the special ones begin after the last.
pub(super) fn text_tokens(tokenizer_json: &[u8]) -> Result<Vec<Vec<u8>>, ConvertError> {
    let tokenizer: TokenizerJson = match serde_json::from_slice(tokenizer_json) {
        Ok(tokenizer) => tokenizer,
        Err(error) => return bad(format!("tokenizer.json: {error}")),
    };
    let end = tokenizer.added_tokens.iter().find(|token| token.content == END_OF_TEXT);
    let Some(count) = end.map(|token| token.id).filter(|&count| count <= MAX_TOKENS) else {
        return bad(format!("tokenizer.json has no sensible {END_OF_TEXT:?} in added_tokens"));
    };
    let bytes_of = byte_of_letter();
    let mut tokens = vec![None; count];
    for (text, id) in &tokenizer.model.vocab {
        let Some(slot) = tokens.get_mut(*id) else { continue };
        let bytes: Option<Vec<u8>> =
            text.chars().map(|letter| bytes_of.get(&letter).copied()).collect();
        let Some(bytes) = bytes else {
            return bad(format!("tokenizer.json: token {id} ({text:?}) is not byte-level BPE"));
        };
        *slot = Some(bytes);
    }
    match tokens.iter().position(Option::is_none) {
        Some(id) => bad(format!("tokenizer.json has no token {id}")),
        None => Ok(tokens.into_iter().flatten().collect()),
    }
}

/// GPT-2's disguise of bytes as printable letters: the printable ones stand for themselves, the
/// others for the letters from U+0100 on.
fn byte_of_letter() -> HashMap<char, u8> {
    let is_printable = |byte: &u8| matches!(byte, 33..=126 | 161..=172 | 174..=255);
    let printable = (0..=255u8).filter(is_printable).map(|byte| (char::from(byte), byte));
    let others = (0..=255u8).filter(|byte| !is_printable(byte));
    printable.chain(('\u{100}'..).zip(others)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(json: &str) -> Result<Vec<Vec<u8>>, String> {
        text_tokens(json.as_bytes()).map_err(|error| error.to_string())
    }

    #[test]
    fn letters_stand_for_bytes_and_special_tokens_are_left_out() {
        let tokens = tokens(
            r#"{"model": {"vocab": {"a": 0, "Ġb": 1, "Ċ": 2, "<|endoftext|>": 3}},
                "added_tokens": [{"id": 3, "content": "<|endoftext|>"}]}"#,
        );
        assert_eq!(tokens.unwrap(), [b"a".to_vec(), b" b".to_vec(), b"\n".to_vec()]);
    }

    #[test]
    fn every_byte_has_its_letter() {
        assert_eq!(byte_of_letter().len(), 256);
        assert_eq!(byte_of_letter()[&'\u{143}'], 173);
    }

    #[test]
    fn a_gap_in_the_numbers_is_told() {
        let error = tokens(
            r#"{"model": {"vocab": {"a": 0, "b": 2}},
                "added_tokens": [{"id": 3, "content": "<|endoftext|>"}]}"#,
        );
        assert_eq!(error.unwrap_err(), "tokenizer.json has no token 1");
    }

    #[test]
    fn a_huge_end_of_text_is_refused() {
        let error = tokens(
            r#"{"model": {"vocab": {}},
                "added_tokens": [{"id": 99999999999, "content": "<|endoftext|>"}]}"#,
        );
        assert!(error.unwrap_err().contains("no sensible"));
    }
}
