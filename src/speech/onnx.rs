//! ONNX Runtime sessions, from the shared library that sherpa-onnx brings.
//!
//! `libonnxruntime.so` is found as any library is: already loaded, the program's run path,
//! `LD_LIBRARY_PATH`. `ORT_DYLIB_PATH` names another build of it, such as one with CUDA.

use std::{
    env::consts::{DLL_PREFIX, DLL_SUFFIX},
    ffi::{OsStr, OsString},
    fmt::Display,
    fs,
    path::Path,
    sync::OnceLock,
};

use ort::{
    environment::Environment,
    session::{Session, builder::SessionBuilder},
};

use super::SpeechError;

/// Opens the model at `path` with `threads` threads inside each operator, on the CPU.
///
/// `engine` is the model's name in `models.toml`; errors carry it. The first call loads the
/// library for the whole process.
///
/// # Errors
/// [`SpeechError::MissingFile`] and [`SpeechError::BadFile`] for the model,
/// [`SpeechError::Engine`] when the library cannot be loaded.
pub(crate) fn session(engine: &str, path: &Path, threads: usize) -> Result<Session, SpeechError> {
    open(engine, path, threads, |builder| builder.commit_from_file(path))
}

/// As [`session`], with the inner value `output` as one more output, after the model's own.
///
/// # Errors
/// As [`session`]; [`SpeechError::BadFile`] also when the model has no such value.
pub(crate) fn session_with_output(
    engine: &str,
    path: &Path,
    threads: usize,
    output: &str,
) -> Result<Session, SpeechError> {
    open(engine, path, threads, |builder| {
        let mut model = fs::read(path).map_err(|error| ort::Error::new(error.to_string()))?;
        model.extend(graph_output(output));
        builder.commit_from_memory(&model)
    })
}

/// A `ModelProto` whose graph has nothing but an output `name`. Protocol buffers merge what is
/// appended to a message into it: repeated fields, such as the outputs, grow.
fn graph_output(name: &str) -> Vec<u8> {
    const GRAPH: u8 = 7 << 3 | 2;
    const OUTPUT: u8 = 12 << 3 | 2;
    const NAME: u8 = 1 << 3 | 2;
    let field = |tag: u8, content: &[u8]| {
        debug_assert!(content.len() < 128, "lengths above 127 take two bytes");
        [&[tag, content.len() as u8], content].concat()
    };
    field(GRAPH, &field(OUTPUT, &field(NAME, name.as_bytes())))
}

/// Turns what the runtime says into a [`SpeechError`], for `map_err`.
pub(crate) fn failure<E: Display>(engine: &str) -> impl FnOnce(E) -> SpeechError {
    let engine = engine.to_owned();
    move |error| SpeechError::Engine { engine, problem: error.to_string() }
}

fn open(
    engine: &str,
    path: &Path,
    threads: usize,
    commit: impl FnOnce(&mut SessionBuilder) -> ort::Result<Session>,
) -> Result<Session, SpeechError> {
    if !path.is_file() {
        return Err(SpeechError::MissingFile { model: engine.to_owned(), path: path.to_owned() });
    }
    let environment = environment()
        .map_err(|problem| SpeechError::Engine { engine: engine.to_owned(), problem })?;
    builder(environment, threads)
        .and_then(|mut builder| commit(&mut builder))
        .map_err(|error| SpeechError::BadFile { path: path.to_owned(), problem: error.to_string() })
}

fn builder(environment: &Environment, threads: usize) -> ort::Result<SessionBuilder> {
    // A thread that spins while it waits for work takes the core from real-time media.
    Ok(Session::builder(environment)?
        .with_intra_threads(threads.max(1))?
        .with_inter_threads(1)?
        .with_intra_op_spinning(false)?
        .with_inter_op_spinning(false)?)
}

fn environment() -> Result<&'static Environment, String> {
    static ENVIRONMENT: OnceLock<Result<Environment, String>> = OnceLock::new();
    // Loaded by hand because `ort` panics when it has to find the library itself and cannot.
    ENVIRONMENT.get_or_init(|| load(&library_path())).as_ref().map_err(Clone::clone)
}

fn library_path() -> OsString {
    std::env::var_os("ORT_DYLIB_PATH")
        .filter(|path| !path.is_empty())
        .unwrap_or_else(|| format!("{DLL_PREFIX}onnxruntime{DLL_SUFFIX}").into())
}

fn load(library: &OsStr) -> Result<Environment, String> {
    ort::init_from(library)
        .map_err(|error| {
            format!(
                "{error}: install ONNX Runtime 1.{} or newer, or set ORT_DYLIB_PATH to its library",
                ort::MINOR_VERSION
            )
        })?
        .with_telemetry(false)
        .build()
        .map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn a_missing_model_is_named_with_the_command_that_brings_it() {
        let error = session("hibari-en", Path::new("/no/such/hibari.onnx"), 1).unwrap_err();
        assert_eq!(
            error.to_string(),
            "model file /no/such/hibari.onnx is missing: run `hotline models pull hibari-en`"
        );
    }

    #[test]
    fn a_file_that_is_no_model_is_refused() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), b"not a model").unwrap();
        match session("hibari-en", file.path(), 1).unwrap_err() {
            SpeechError::BadFile { path, .. } => assert_eq!(path, file.path()),
            SpeechError::Engine { problem, .. } => {
                eprintln!("skipped: ONNX Runtime is not here: {problem}");
            }
            other => panic!("{other}"),
        }
    }

    /// The library is loaded once per process, so its absence is tried in a process of its own.
    #[test]
    fn a_missing_library_is_an_error_with_its_remedy() {
        let output = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "speech::onnx::tests::child_without_library", "--ignored"])
            .args(["--nocapture"])
            .env("ORT_DYLIB_PATH", "/no/such/libonnxruntime.so")
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{said}");
        assert!(said.contains("hibari-en failed"), "{said}");
        assert!(said.contains("/no/such/libonnxruntime.so"), "{said}");
        assert!(said.contains("set ORT_DYLIB_PATH"), "{said}");
    }

    #[test]
    #[ignore = "run by a_missing_library_is_an_error_with_its_remedy"]
    fn child_without_library() {
        let file = tempfile::NamedTempFile::new().unwrap();
        println!("{}", session("hibari-en", file.path(), 1).unwrap_err());
    }
}
