//! Generates the gRPC code of `proto/`, and lets the built binary find the sherpa-onnx and ONNX Runtime libraries without environment
//! variables: a run path to where `scripts/setup` put them, and to the binary's own directory
//! for installations.

use std::{env, error::Error, fs, path::PathBuf};

fn main() -> Result<(), Box<dyn Error>> {
    grpc()?;
    native_libraries();
    Ok(())
}

/// Clients and servers of every service; protox is a compiler in Rust, so no `protoc` is needed.
fn grpc() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=proto");
    let mut files = Vec::new();
    for entry in fs::read_dir("proto/hotline/v1")? {
        files.push(entry?.path());
    }
    files.retain(|path| path.extension().is_some_and(|e| e == "proto"));
    files.sort();
    let mut compiler = protox::Compiler::new(["proto"])?;
    compiler.include_source_info(true).include_imports(true).open_files(files)?;
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or("cargo sets OUT_DIR")?);
    // With comments, for the reflection service and the reference.
    fs::write(out.join("hotline.v1.binpb"), compiler.encode_file_descriptor_set())?;
    tonic_prost_build::configure().btree_map(".").compile_fds(compiler.file_descriptor_set())?;
    Ok(())
}

fn native_libraries() {
    println!("cargo:rerun-if-env-changed=SHERPA_ONNX_LIB_DIR");
    println!("cargo:rerun-if-changed=.native/lib");
    let dir =
        env::var_os("SHERPA_ONNX_LIB_DIR").map_or_else(|| ".native/lib".into(), PathBuf::from);
    // The link in the checkout is resolved, so that a moved binary still finds the cache.
    match fs::canonicalize(&dir) {
        Ok(dir) => println!("cargo:rustc-link-arg=-Wl,-rpath,{}", dir.display()),
        Err(error) => {
            println!("cargo:warning={}: {error}: run `make setup` first", dir.display());
        }
    }
    println!("cargo:rustc-link-arg=-Wl,-rpath,$ORIGIN:$ORIGIN/../lib");
}
