//! What the SIP room does to bytes between the sockets and the stack.

#[path = "../../src/sip/transport/framing.rs"]
mod framing;
#[path = "../../src/sip/transport/mend.rs"]
mod mend;

use std::{borrow::Cow, net::SocketAddr};

pub use framing::{Frame, Framer, NotSip};

/// A message as the stack reads it, when that differs from what came.
pub fn incoming(message: &[u8]) -> Option<Vec<u8>> {
    mend::incoming(message)
}

/// A message as it goes out, and where a response goes.
pub fn outgoing(message: &[u8]) -> (Cow<'_, [u8]>, Option<SocketAddr>) {
    mend::outgoing(message)
}
