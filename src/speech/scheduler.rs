//! Inference threads behind a bounded, deadline-ordered queue.
