//! Moonshine's `tokenizer.bin` and the `tokens.txt` that sherpa-onnx reads.

use std::io::Write;

use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::{ConvertError, bad};

/// Writes one line for each token: its bytes in base64, a space, its number.
///
/// The input is the tokens one after the other, each after its length: one byte up to 127, or
/// two with the low seven bits first; zero is an unused number.
pub(in super::super) fn tokens_txt(
    tokenizer: &[u8],
    out: &mut impl Write,
) -> Result<(), ConvertError> {
    if tokenizer.is_empty() {
        return bad("tokenizer.bin is empty");
    }
    let mut rest = tokenizer;
    let mut number = 0u32;
    while let Some((length, after)) = length(rest) {
        let Some((token, after)) = after.split_at_checked(length) else {
            return bad(format!(
                "tokenizer.bin ends in token {number}, which should have {length} bytes and has {}",
                after.len()
            ));
        };
        writeln!(out, "{} {number}", STANDARD.encode(token))?;
        rest = after;
        number += 1;
    }
    if rest.is_empty() {
        return Ok(());
    }
    bad(format!("tokenizer.bin ends in the length of token {number}"))
}

fn length(bytes: &[u8]) -> Option<(usize, &[u8])> {
    match bytes {
        [low @ 128..=255, high, rest @ ..] => {
            Some((usize::from(*high) * 128 + usize::from(low - 128), rest))
        }
        [length @ 0..=127, rest @ ..] => Some((usize::from(*length), rest)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn convert(tokenizer: &[u8]) -> Result<String, String> {
        let mut out = Vec::new();
        tokens_txt(tokenizer, &mut out).map_err(|error| error.to_string())?;
        Ok(String::from_utf8(out).unwrap())
    }

    #[test]
    fn tokens_are_numbered_and_empty_ones_keep_their_number() {
        assert_eq!(convert(b"\x03<s>\x00\x01a").unwrap(), "PHM+ 0\n 1\nYQ== 2\n");
    }

    #[test]
    fn a_long_token_has_a_length_of_two_bytes() {
        let mut tokenizer = vec![128 + 2, 1];
        tokenizer.extend([b'x'; 130]);
        let text = convert(&tokenizer).unwrap();
        assert_eq!(text, format!("{} 0\n", STANDARD.encode([b'x'; 130])));
    }

    #[test]
    fn a_cut_file_is_told_with_the_token() {
        assert_eq!(
            convert(b"\x01a\x05bc").unwrap_err(),
            "tokenizer.bin ends in token 1, which should have 5 bytes and has 2"
        );
        assert_eq!(
            convert(b"\x01a\x80").unwrap_err(),
            "tokenizer.bin ends in the length of token 1"
        );
        assert_eq!(convert(b"").unwrap_err(), "tokenizer.bin is empty");
    }

    proptest! {
        #[test]
        fn tokens_come_back_from_the_text(
            tokens in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 1..40)
        ) {
            let mut tokenizer = Vec::new();
            for token in &tokens {
                match token.len() {
                    short @ ..128 => tokenizer.push(short as u8),
                    long => tokenizer.extend([(long % 128 + 128) as u8, (long / 128) as u8]),
                }
                tokenizer.extend(token);
            }
            let text = convert(&tokenizer).unwrap();
            let back: Vec<Vec<u8>> = text
                .lines()
                .map(|line| STANDARD.decode(line.split(' ').next().unwrap()).unwrap())
                .collect();
            prop_assert_eq!(back, tokens);
        }

        #[test]
        fn garbage_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..500)) {
            let _ = convert(&bytes);
        }
    }
}
