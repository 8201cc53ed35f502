//! Hotline: a voice call-center engine.
//!
//! A call is a pure function of time and inputs; sockets, clocks and threads live at the rim.
//! The modules are rooms on floors: a room uses rooms below it, never above and never beside it.
//! `tests/layering.rs` enforces that, `docs/architecture.md` explains it.

pub mod api;
pub mod audio;
pub mod call;
pub mod cli;
pub mod conversation;
pub mod crm;
pub mod delivery;
pub mod dialog;
pub mod dialplan;
pub mod llm;
pub mod proto;
pub mod rtp;
pub mod sdp;
pub mod service;
pub mod simulate;
pub mod sip;
pub mod speech;
pub mod srtp;
pub mod store;
pub mod text;
pub mod understand;
