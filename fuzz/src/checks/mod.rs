//! What must hold for any input: one check for each fuzz target. `tests/fuzz_corpus.rs` of the main
//! crate runs them, too, over the seeds.

mod input;

pub mod dialplan;
pub mod dtls;
pub mod framing;
pub mod mend;
pub mod rtcp;
pub mod rtp;
pub mod sdp_answer;
pub mod sdp_offer;
pub mod srtp;
pub mod telephone_event;
pub mod wav;
