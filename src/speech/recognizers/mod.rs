//! Speech recognisers: sherpa-onnx (offline and streaming) and whisper.cpp.
