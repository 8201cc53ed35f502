//! ONNX Runtime sessions, from the shared library that sherpa-onnx brings.
