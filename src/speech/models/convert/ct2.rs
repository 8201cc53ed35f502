//! Reader of CTranslate2 model files (binary version 6).

use std::{collections::HashMap, ops::Range};

use half::f16;

use super::{ConvertError, bad};

const BINARY_VERSION: u32 = 6;
/// More than any tensor has; keeps a garbage rank from asking for memory.
const MAX_RANK: u8 = 8;

/// The variables of a model file, still in the file's bytes.
#[derive(Debug)]
pub(super) struct Ct2<'a> {
    variables: HashMap<&'a str, Tensor<'a>>,
}

/// Numbers of one shape, row-major.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Tensor<'a> {
    shape: Vec<usize>,
    number: Number,
    bytes: &'a [u8],
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Number {
    F32,
    I8,
    I16,
    I32,
    F16,
}

impl<'a> Ct2<'a> {
    /// Reads the table of variables of a model of kind `spec`, such as `WhisperSpec`.
    pub(super) fn parse(file: &'a [u8], spec: &str) -> Result<Self, ConvertError> {
        let mut reader = Reader { file, at: 0 };
        let version = reader.u32("the version")?;
        if version != BINARY_VERSION {
            return bad(format!(
                "it has CTranslate2 binary version {version}, expected {BINARY_VERSION}"
            ));
        }
        let found = reader.string("the kind of model")?;
        if found != spec {
            return bad(format!("it is a {found:?}, expected {spec:?}"));
        }
        let _revision = reader.u32("the revision")?;
        let count = reader.u32("the number of variables")?;
        let mut variables = HashMap::new();
        for _ in 0..count {
            let name = reader.string("a variable's name")?;
            variables.insert(name, reader.tensor(name)?);
        }
        Ok(Self { variables })
    }

    /// The tensor of that name.
    pub(super) fn tensor(&self, name: &str) -> Result<Tensor<'a>, ConvertError> {
        match self.variables.get(name) {
            Some(tensor) => Ok(tensor.clone()),
            None => bad(format!("variable {name:?} is missing")),
        }
    }

    /// The tensor of that name, which must have that shape.
    pub(super) fn shaped(&self, name: &str, shape: &[usize]) -> Result<Tensor<'a>, ConvertError> {
        let tensor = self.tensor(name)?;
        if tensor.shape != shape {
            return bad(format!(
                "variable {name:?} has shape {:?}, expected {shape:?}",
                tensor.shape
            ));
        }
        if !matches!(tensor.number, Number::F32 | Number::F16) {
            return bad(format!(
                "variable {name:?} is quantised ({:?}): only float16 and float32 models convert",
                tensor.number
            ));
        }
        Ok(tensor)
    }

    /// The integer of that name; `None` when there is none.
    pub(super) fn integer(&self, name: &str) -> Option<usize> {
        let tensor = self.variables.get(name)?;
        match (tensor.number, tensor.bytes) {
            (Number::I8, &[a]) => Some(usize::from(a)),
            (Number::I16, &[a, b]) => Some(usize::from(u16::from_le_bytes([a, b]))),
            (Number::I32, &[a, b, c, d]) => usize::try_from(u32::from_le_bytes([a, b, c, d])).ok(),
            _ => None,
        }
    }

    /// How many of `stem0`, `stem1`, ... there are, each known by the variable `stemN/probe`.
    pub(super) fn layers(&self, stem: &str, probe: &str) -> usize {
        (0..).take_while(|n| self.variables.contains_key(&*format!("{stem}{n}/{probe}"))).count()
    }
}

impl<'a> Tensor<'a> {
    /// Its size in each dimension.
    pub(super) fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// Only these rows of the first dimension.
    pub(super) fn rows(&self, rows: Range<usize>) -> Result<Self, ConvertError> {
        let count = self.shape.first().copied().unwrap_or(0);
        let row = self.bytes.len().checked_div(count).unwrap_or(0);
        match self.bytes.get(rows.start * row..rows.end * row) {
            Some(bytes) if rows.end <= count => {
                let mut shape = self.shape.clone();
                if let Some(first) = shape.first_mut() {
                    *first = rows.len();
                }
                Ok(Self { shape, number: self.number, bytes })
            }
            _ => bad(format!("rows {rows:?} asked of shape {:?}", self.shape)),
        }
    }

    /// The numbers as little-endian float32.
    pub(super) fn to_f32(&self) -> Vec<u8> {
        match self.number {
            Number::F16 => self
                .bytes
                .as_chunks()
                .0
                .iter()
                .flat_map(|&two| f16::from_le_bytes(two).to_f32().to_le_bytes())
                .collect(),
            _ => self.bytes.to_vec(),
        }
    }

    /// The numbers as little-endian float16, rounded to nearest even.
    pub(super) fn to_f16(&self) -> Vec<u8> {
        match self.number {
            Number::F32 => self
                .bytes
                .as_chunks()
                .0
                .iter()
                .flat_map(|&four| f16::from_f32(f32::from_le_bytes(four)).to_le_bytes())
                .collect(),
            _ => self.bytes.to_vec(),
        }
    }
}

impl Number {
    fn of(code: u8) -> Option<Self> {
        Some(match code {
            0 => Self::F32,
            1 => Self::I8,
            2 => Self::I16,
            3 => Self::I32,
            4 => Self::F16,
            _ => return None,
        })
    }

    fn size(self) -> usize {
        match self {
            Self::I8 => 1,
            Self::I16 | Self::F16 => 2,
            Self::F32 | Self::I32 => 4,
        }
    }
}

struct Reader<'a> {
    file: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize, what: &str) -> Result<&'a [u8], ConvertError> {
        let rest = self.file.get(self.at..).unwrap_or_default();
        match rest.get(..count) {
            Some(bytes) => {
                self.at += count;
                Ok(bytes)
            }
            None => bad(format!(
                "it ends at byte {}, in {what}, which needs {count} bytes from byte {}",
                self.file.len(),
                self.at
            )),
        }
    }

    fn array<const N: usize>(&mut self, what: &str) -> Result<[u8; N], ConvertError> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N, what)?);
        Ok(array)
    }

    fn u32(&mut self, what: &str) -> Result<u32, ConvertError> {
        self.array(what).map(u32::from_le_bytes)
    }

    /// A length with the closing zero counted in, then the bytes.
    fn string(&mut self, what: &str) -> Result<&'a str, ConvertError> {
        let start = self.at;
        let length = u16::from_le_bytes(self.array(what)?);
        let bytes = self.take(usize::from(length), what)?;
        match bytes.split_last() {
            Some((0, text)) if let Ok(text) = std::str::from_utf8(text) => Ok(text),
            _ => bad(format!("at byte {start}, {what} is not a text ended by zero")),
        }
    }

    fn tensor(&mut self, name: &str) -> Result<Tensor<'a>, ConvertError> {
        let [rank] = self.array(name)?;
        if rank > MAX_RANK {
            return bad(format!("variable {name:?} has {rank} dimensions, at most {MAX_RANK}"));
        }
        let mut shape = Vec::with_capacity(usize::from(rank));
        for _ in 0..rank {
            shape.push(usize::try_from(self.u32(name)?).unwrap_or(usize::MAX));
        }
        let [code] = self.array(name)?;
        let Some(number) = Number::of(code) else {
            return bad(format!("variable {name:?} has unknown number type {code}"));
        };
        let size = usize::try_from(self.u32(name)?).unwrap_or(usize::MAX);
        let expected = shape.iter().try_fold(number.size(), |all, &one| all.checked_mul(one));
        if expected != Some(size) {
            return bad(format!(
                "variable {name:?} of shape {shape:?} and type {number:?} cannot have {size} bytes"
            ));
        }
        Ok(Tensor { shape, number, bytes: self.take(size, name)? })
    }
}
