//! Whisper: CTranslate2's `model.bin` to the file whisper.cpp reads ("ggml", weights in float16).

use std::io::Write;

use super::{
    ConvertError, bad,
    ct2::{Ct2, Tensor},
    mel, vocabulary,
};

const MAGIC: u32 = 0x6767_6d6c;
/// In the header: weights are float16.
const FTYPE_F16: usize = 1;
/// Width of an attention head in every Whisper, for files that do not say how many heads.
const HEAD_WIDTH: usize = 64;

/// Writes the whisper.cpp file of a model and its `tokenizer.json`.
pub(in super::super) fn ggml(
    model: &[u8],
    tokenizer_json: &[u8],
    out: &mut impl Write,
) -> Result<(), ConvertError> {
    let model = Ct2::parse(model, "WhisperSpec")?;
    let tokens = vocabulary::text_tokens(tokenizer_json)?;
    let shape = Shape::of(&model)?;
    if tokens.len() >= shape.vocabulary {
        return bad(format!(
            "tokenizer.json has {} text tokens and the model only {}: they do not belong together",
            tokens.len(),
            shape.vocabulary
        ));
    }
    let mut writer = Writer { model: &model, shape: &shape, out };
    writer.header(&tokens)?;
    writer.tensors()
}

/// The sizes a Whisper is told by.
struct Shape {
    vocabulary: usize,
    audio_context: usize,
    text_context: usize,
    width: usize,
    heads: usize,
    encoder_layers: usize,
    decoder_layers: usize,
    mel_bands: usize,
}

impl Shape {
    fn of(model: &Ct2<'_>) -> Result<Self, ConvertError> {
        let rank2 = |name: &str| match model.tensor(name)?.shape() {
            &[rows, columns] if rows > 0 && columns > 0 => Ok((rows, columns)),
            other => bad(format!("variable {name:?} has shape {other:?}, expected two dimensions")),
        };
        let (audio_context, width) = rank2("encoder/position_encodings/encodings")?;
        let (text_context, _) = rank2("decoder/position_encodings/encodings")?;
        let (vocabulary, _) = rank2("decoder/embeddings/weight")?;
        let mel_bands = match model.tensor("encoder/conv1/weight")?.shape() {
            &[_, bands @ (80 | 128), 3] => bands,
            other => {
                return bad(format!("encoder/conv1/weight has shape {other:?}, no Whisper's"));
            }
        };
        let probe = "self_attention/layer_norm/gamma";
        let shape = Self {
            vocabulary,
            audio_context,
            text_context,
            width,
            heads: model.integer("encoder/num_heads").unwrap_or(width / HEAD_WIDTH),
            encoder_layers: model.layers("encoder/layer_", probe),
            decoder_layers: model.layers("decoder/layer_", probe),
            mel_bands,
        };
        if shape.encoder_layers == 0 || shape.decoder_layers == 0 || shape.heads == 0 {
            return bad("it has no encoder layers, decoder layers or attention heads");
        }
        Ok(shape)
    }
}

struct Writer<'a, W> {
    model: &'a Ct2<'a>,
    shape: &'a Shape,
    out: &'a mut W,
}

/// How whisper.cpp wants a tensor's numbers.
#[derive(Clone, Copy)]
enum Keep {
    F32 = 0,
    F16 = 1,
}

impl<'a, W: Write> Writer<'a, W> {
    fn header(&mut self, tokens: &[Vec<u8>]) -> Result<(), ConvertError> {
        let Shape { width, heads, mel_bands, .. } = *self.shape;
        self.out.write_all(&MAGIC.to_le_bytes())?;
        for field in [
            self.shape.vocabulary,
            self.shape.audio_context,
            width,
            heads,
            self.shape.encoder_layers,
            self.shape.text_context,
            width,
            heads,
            self.shape.decoder_layers,
            mel_bands,
            FTYPE_F16,
        ] {
            self.int(field)?;
        }
        self.int(mel_bands)?;
        self.int(mel::BINS)?;
        for weight in mel::filterbank(mel_bands) {
            self.out.write_all(&weight.to_le_bytes())?;
        }
        self.int(tokens.len())?;
        for token in tokens {
            self.int(token.len())?;
            self.out.write_all(token)?;
        }
        Ok(())
    }

    fn tensors(&mut self) -> Result<(), ConvertError> {
        let Shape { width, mel_bands, vocabulary, audio_context, text_context, .. } = *self.shape;
        self.copy(
            "encoder.positional_embedding",
            "encoder/position_encodings/encodings",
            &[audio_context, width],
            Keep::F32,
        )?;
        for (conv, inputs) in [("conv1", mel_bands), ("conv2", width)] {
            let (to, from) = (format!("encoder.{conv}"), format!("encoder/{conv}"));
            let kernel = [width, inputs, 3];
            self.copy(&format!("{to}.weight"), &format!("{from}/weight"), &kernel, Keep::F16)?;
            // whisper.cpp adds it to a matrix, so it is stored as a column.
            let bias = self.model.shaped(&format!("{from}/bias"), &[width])?;
            self.write(&format!("{to}.bias"), &bias, &[width, 1], Keep::F32)?;
        }
        for layer in 0..self.shape.encoder_layers {
            self.block("encoder", layer, false)?;
        }
        for layer in 0..self.shape.decoder_layers {
            self.block("decoder", layer, true)?;
        }
        self.layer_norm("encoder.ln_post", "encoder/layer_norm")?;
        self.layer_norm("decoder.ln", "decoder/layer_norm")?;
        self.copy(
            "decoder.token_embedding.weight",
            "decoder/embeddings/weight",
            &[vocabulary, width],
            Keep::F16,
        )?;
        self.copy(
            "decoder.positional_embedding",
            "decoder/position_encodings/encodings",
            &[text_context, width],
            Keep::F32,
        )
    }

    fn block(&mut self, side: &str, layer: usize, crosses: bool) -> Result<(), ConvertError> {
        let width = self.shape.width;
        let (from, to) = (format!("{side}/layer_{layer}"), format!("{side}.blocks.{layer}"));

        let attention = format!("{from}/self_attention");
        self.layer_norm(&format!("{to}.attn_ln"), &format!("{attention}/layer_norm"))?;
        // CTranslate2 keeps query, key and value in one matrix; Whisper's keys have no bias.
        let (weight, bias) = self.linear(&format!("{attention}/linear_0"), 3 * width, width)?;
        let attn = format!("{to}.attn");
        self.matrix(&attn, "query", &weight, Some(&bias), 0)?;
        self.matrix(&attn, "key", &weight, None, 1)?;
        self.matrix(&attn, "value", &weight, Some(&bias), 2)?;
        let (weight, bias) = self.linear(&format!("{attention}/linear_1"), width, width)?;
        self.matrix(&attn, "out", &weight, Some(&bias), 0)?;

        if crosses {
            let attention = format!("{from}/attention");
            self.layer_norm(&format!("{to}.cross_attn_ln"), &format!("{attention}/layer_norm"))?;
            let attn = format!("{to}.cross_attn");
            let (weight, bias) = self.linear(&format!("{attention}/linear_0"), width, width)?;
            self.matrix(&attn, "query", &weight, Some(&bias), 0)?;
            let (weight, bias) = self.linear(&format!("{attention}/linear_1"), 2 * width, width)?;
            self.matrix(&attn, "key", &weight, None, 0)?;
            self.matrix(&attn, "value", &weight, Some(&bias), 1)?;
            let (weight, bias) = self.linear(&format!("{attention}/linear_2"), width, width)?;
            self.matrix(&attn, "out", &weight, Some(&bias), 0)?;
        }

        self.layer_norm(&format!("{to}.mlp_ln"), &format!("{from}/ffn/layer_norm"))?;
        for (number, rows, columns, name) in
            [(0, 4 * width, width, "mlp.0"), (1, width, 4 * width, "mlp.2")]
        {
            let (weight, bias) =
                self.linear(&format!("{from}/ffn/linear_{number}"), rows, columns)?;
            self.write(&format!("{to}.{name}.weight"), &weight, &[rows, columns], Keep::F16)?;
            self.write(&format!("{to}.{name}.bias"), &bias, &[rows], Keep::F32)?;
        }
        Ok(())
    }

    fn linear(
        &self,
        from: &str,
        rows: usize,
        columns: usize,
    ) -> Result<(Tensor<'a>, Tensor<'a>), ConvertError> {
        let weight = self.model.shaped(&format!("{from}/weight"), &[rows, columns])?;
        let bias = self.model.shaped(&format!("{from}/bias"), &[rows])?;
        Ok((weight, bias))
    }

    /// Writes the `number`th square matrix of a stack of them, and its bias.
    fn matrix(
        &mut self,
        attention: &str,
        name: &str,
        weight: &Tensor<'_>,
        bias: Option<&Tensor<'_>>,
        number: usize,
    ) -> Result<(), ConvertError> {
        let width = self.shape.width;
        let rows = number * width..(number + 1) * width;
        let square = weight.rows(rows.clone())?;
        self.write(&format!("{attention}.{name}.weight"), &square, &[width, width], Keep::F16)?;
        match bias {
            Some(bias) => {
                let bias = bias.rows(rows)?;
                self.write(&format!("{attention}.{name}.bias"), &bias, &[width], Keep::F32)
            }
            None => Ok(()),
        }
    }

    fn layer_norm(&mut self, to: &str, from: &str) -> Result<(), ConvertError> {
        let width = [self.shape.width];
        self.copy(&format!("{to}.weight"), &format!("{from}/gamma"), &width, Keep::F32)?;
        self.copy(&format!("{to}.bias"), &format!("{from}/beta"), &width, Keep::F32)
    }

    fn copy(
        &mut self,
        to: &str,
        from: &str,
        shape: &[usize],
        keep: Keep,
    ) -> Result<(), ConvertError> {
        let tensor = self.model.shaped(from, shape)?;
        self.write(to, &tensor, shape, keep)
    }

    /// One tensor: rank, length of the name, type, sizes innermost first, name, numbers.
    fn write(
        &mut self,
        name: &str,
        tensor: &Tensor<'_>,
        shape: &[usize],
        keep: Keep,
    ) -> Result<(), ConvertError> {
        self.int(shape.len())?;
        self.int(name.len())?;
        self.int(keep as usize)?;
        for &size in shape.iter().rev() {
            self.int(size)?;
        }
        self.out.write_all(name.as_bytes())?;
        self.out.write_all(&match keep {
            Keep::F32 => tensor.to_f32(),
            Keep::F16 => tensor.to_f16(),
        })?;
        Ok(())
    }

    fn int(&mut self, value: usize) -> Result<(), ConvertError> {
        match i32::try_from(value) {
            Ok(value) => Ok(self.out.write_all(&value.to_le_bytes())?),
            Err(_) => bad(format!("{value} is too large for a whisper.cpp file")),
        }
    }
}
