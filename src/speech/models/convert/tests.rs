//! The Whisper conversion on a model small enough to follow: two wide, one layer a side.

use std::collections::HashMap;

use half::f16;
use proptest::prelude::*;

use super::{mel, whisper::ggml};

const TOKENIZER: &str = r#"{"model": {"vocab": {"a": 0, "Ġb": 1, "<|endoftext|>": 2}},
    "added_tokens": [{"id": 2, "content": "<|endoftext|>"}]}"#;
const F32: u8 = 0;
const I8: u8 = 1;
const I16: u8 = 2;
const F16: u8 = 4;

/// The variables of the small model and their shapes.
fn shapes() -> Vec<(String, Vec<u32>)> {
    let mut shapes: Vec<(String, Vec<u32>)> = Vec::new();
    let mut add = |name: &str, shape: &[u32]| shapes.push((name.to_owned(), shape.to_vec()));
    add("encoder/position_encodings/encodings", &[3, 2]);
    add("decoder/position_encodings/encodings", &[2, 2]);
    add("decoder/embeddings/weight", &[3, 2]);
    add("encoder/conv1/weight", &[2, 80, 3]);
    add("encoder/conv1/bias", &[2]);
    add("encoder/conv2/weight", &[2, 2, 3]);
    add("encoder/conv2/bias", &[2]);
    let norms = [
        "encoder/layer_norm",
        "decoder/layer_norm",
        "encoder/layer_0/self_attention/layer_norm",
        "decoder/layer_0/self_attention/layer_norm",
        "decoder/layer_0/attention/layer_norm",
        "encoder/layer_0/ffn/layer_norm",
        "decoder/layer_0/ffn/layer_norm",
    ];
    for norm in norms {
        add(&format!("{norm}/gamma"), &[2]);
        add(&format!("{norm}/beta"), &[2]);
    }
    let mut linears = vec![
        ("decoder/layer_0/attention/linear_0".to_owned(), 2, 2),
        ("decoder/layer_0/attention/linear_1".to_owned(), 4, 2),
        ("decoder/layer_0/attention/linear_2".to_owned(), 2, 2),
    ];
    for side in ["encoder", "decoder"] {
        linears.push((format!("{side}/layer_0/self_attention/linear_0"), 6, 2));
        linears.push((format!("{side}/layer_0/self_attention/linear_1"), 2, 2));
        linears.push((format!("{side}/layer_0/ffn/linear_0"), 8, 2));
        linears.push((format!("{side}/layer_0/ffn/linear_1"), 2, 8));
    }
    for (name, rows, columns) in linears {
        add(&format!("{name}/weight"), &[rows, columns]);
        add(&format!("{name}/bias"), &[rows]);
    }
    shapes
}

/// What stands at each place: small whole numbers, exact in float16.
fn value(variable: usize, place: usize) -> f32 {
    (variable * 16 + place % 16) as f32
}

fn push_string(file: &mut Vec<u8>, text: &str) {
    file.extend(((text.len() + 1) as u16).to_le_bytes());
    file.extend(text.as_bytes());
    file.push(0);
}

/// A CTranslate2 file of the small model; `edit` may change its variables.
fn model(number: u8, edit: impl Fn(&mut Vec<(String, Vec<u32>)>)) -> Vec<u8> {
    let mut variables = shapes();
    edit(&mut variables);
    let mut file = 6u32.to_le_bytes().to_vec();
    push_string(&mut file, "WhisperSpec");
    file.extend(3u32.to_le_bytes());
    file.extend((variables.len() as u32 + 1).to_le_bytes());
    for (index, (name, shape)) in variables.iter().enumerate() {
        push_string(&mut file, name);
        file.push(shape.len() as u8);
        shape.iter().for_each(|size| file.extend(size.to_le_bytes()));
        let values = (0..shape.iter().product::<u32>() as usize).map(|at| value(index, at));
        let bytes: Vec<u8> = match number {
            F32 => values.flat_map(f32::to_le_bytes).collect(),
            F16 => values.flat_map(|v| f16::from_f32(v).to_le_bytes()).collect(),
            _ => values.map(|v| v as u8).collect(),
        };
        file.push(number);
        file.extend((bytes.len() as u32).to_le_bytes());
        file.extend(bytes);
    }
    push_string(&mut file, "encoder/num_heads");
    file.extend([0, I16, 2, 0, 0, 0, 1, 0]);
    file.extend(0u32.to_le_bytes());
    file
}

fn convert(model: &[u8]) -> Result<Vec<u8>, String> {
    let mut out = Vec::new();
    ggml(model, TOKENIZER.as_bytes(), &mut out).map_err(|error| error.to_string())?;
    Ok(out)
}

/// What whisper.cpp would read.
struct Read {
    header: Vec<i32>,
    tokens: Vec<Vec<u8>>,
    names: Vec<String>,
    /// Sizes innermost first, and numbers.
    tensors: HashMap<String, (Vec<i32>, Vec<f32>)>,
}

fn read(file: &[u8]) -> Read {
    fn take<'a>(rest: &mut &'a [u8], count: usize) -> &'a [u8] {
        let (taken, left) = rest.split_at(count);
        *rest = left;
        taken
    }
    fn int(rest: &mut &[u8]) -> i32 {
        i32::from_le_bytes(take(rest, 4).try_into().unwrap())
    }
    let mut rest = file;
    assert_eq!(take(&mut rest, 4), b"lmgg");
    let header = (0..11).map(|_| int(&mut rest)).collect();
    assert_eq!([int(&mut rest), int(&mut rest)], [80, mel::BINS as i32]);
    take(&mut rest, 80 * mel::BINS * 4);
    let count = int(&mut rest);
    let mut token = || {
        let length = int(&mut rest) as usize;
        take(&mut rest, length).to_vec()
    };
    let tokens = (0..count).map(|_| token()).collect();
    let (mut names, mut tensors) = (Vec::new(), HashMap::new());
    while !rest.is_empty() {
        let [rank, length, kind] = [int(&mut rest), int(&mut rest), int(&mut rest)];
        let sizes: Vec<i32> = (0..rank).map(|_| int(&mut rest)).collect();
        let name = String::from_utf8(take(&mut rest, length as usize).to_vec()).unwrap();
        let count = sizes.iter().product::<i32>() as usize;
        let numbers = match kind {
            0 => take(&mut rest, count * 4)
                .chunks(4)
                .map(|four| f32::from_le_bytes(four.try_into().unwrap()))
                .collect(),
            _ => take(&mut rest, count * 2)
                .chunks(2)
                .map(|two| f16::from_le_bytes(two.try_into().unwrap()).to_f32())
                .collect(),
        };
        names.push(name.clone());
        tensors.insert(name, (sizes, numbers));
    }
    Read { header, tokens, names, tensors }
}

fn values(variable: &str, places: std::ops::Range<usize>) -> Vec<f32> {
    let index = shapes().iter().position(|(name, _)| name == variable).unwrap();
    places.map(|place| value(index, place)).collect()
}

#[test]
fn the_header_tells_the_sizes_and_the_tokens_follow() {
    let read = read(&convert(&model(F16, |_| {})).unwrap());
    assert_eq!(read.header, [3, 3, 2, 1, 1, 2, 2, 1, 1, 80, 1]);
    assert_eq!(read.tokens, [b"a".to_vec(), b" b".to_vec()]);
}

#[test]
fn every_tensor_of_a_whisper_is_written() {
    let read = read(&convert(&model(F16, |_| {})).unwrap());
    // 4 convolution, 2 positional, 4 final norms, 1 embedding, 15 encoder and 24 decoder.
    assert_eq!(read.names.len(), 50);
    assert_eq!(read.names[0], "encoder.positional_embedding");
    assert_eq!(read.names[49], "decoder.positional_embedding");
}

#[test]
fn stacked_attention_is_taken_apart_and_keys_lose_their_bias() {
    let read = read(&convert(&model(F16, |_| {})).unwrap());
    let stack = "encoder/layer_0/self_attention/linear_0";
    let attn = "encoder.blocks.0.attn";
    for (name, rows) in [("query", 0..2), ("key", 2..4), ("value", 4..6)] {
        let weight = values(&format!("{stack}/weight"), rows.start * 2..rows.end * 2);
        assert_eq!(read.tensors[&format!("{attn}.{name}.weight")], (vec![2, 2], weight), "{name}");
    }
    let bias = values(&format!("{stack}/bias"), 4..6);
    assert_eq!(read.tensors[&format!("{attn}.value.bias")], (vec![2], bias));
    assert!(!read.tensors.contains_key(&format!("{attn}.key.bias")));
    let cross = values("decoder/layer_0/attention/linear_1/weight", 4..8);
    assert_eq!(read.tensors["decoder.blocks.0.cross_attn.value.weight"].1, cross);
}

#[test]
fn convolution_biases_are_columns() {
    let read = read(&convert(&model(F16, |_| {})).unwrap());
    let bias = values("encoder/conv2/bias", 0..2);
    assert_eq!(read.tensors["encoder.conv2.bias"], (vec![1, 2], bias));
    assert_eq!(read.tensors["encoder.conv1.weight"].0, [3, 80, 2]);
}

#[test]
fn a_float32_model_gives_the_same_file() {
    assert_eq!(convert(&model(F32, |_| {})), convert(&model(F16, |_| {})));
}

#[test]
fn a_quantised_model_is_refused() {
    let error = convert(&model(I8, |_| {})).unwrap_err();
    assert!(error.contains("quantised (I8)"), "{error}");
}

#[test]
fn a_missing_variable_is_named() {
    let error = convert(&model(F16, |all| {
        all.retain(|(name, _)| name != "decoder/layer_0/ffn/linear_1/bias");
    }));
    assert_eq!(error.unwrap_err(), "variable \"decoder/layer_0/ffn/linear_1/bias\" is missing");
}

#[test]
fn a_wrong_shape_is_told_with_the_right_one() {
    let error = convert(&model(F16, |all| {
        all.iter_mut().find(|(name, _)| name == "encoder/conv2/bias").unwrap().1 = vec![3];
    }));
    assert_eq!(error.unwrap_err(), "variable \"encoder/conv2/bias\" has shape [3], expected [2]");
}

#[test]
fn another_version_or_kind_is_told() {
    let mut older = model(F16, |_| {});
    older[0] = 5;
    assert_eq!(convert(&older).unwrap_err(), "it has CTranslate2 binary version 5, expected 6");
    let mut other = model(F16, |_| {});
    other[6] = b'X';
    assert!(convert(&other).unwrap_err().contains("\"XhisperSpec\", expected \"WhisperSpec\""));
}

#[test]
fn a_file_cut_anywhere_is_refused() {
    let whole = model(F16, |_| {});
    // Without the four bytes of aliases at the end, which are not needed.
    for length in 0..whole.len() - 4 {
        let error = convert(&whole[..length]).unwrap_err();
        assert!(error.contains(&format!("it ends at byte {length}")), "{length}: {error}");
    }
}

proptest! {
    #[test]
    fn damage_never_panics(
        places in prop::collection::vec((0usize..4000, any::<u8>()), 1..8)
    ) {
        let mut file = model(F16, |_| {});
        let length = file.len();
        for (place, byte) in places {
            file[place % length] = byte;
        }
        let _ = convert(&file);
    }

    #[test]
    fn garbage_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = convert(&bytes);
        let _ = ggml(&model(F16, |_| {}), &bytes, &mut Vec::new());
    }
}
