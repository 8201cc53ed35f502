//! Messages between the sockets and the stack: what is mended stays the same message.

use crate::stream::{incoming, outgoing};

/// Checks one input as a message that comes, and as one that goes.
pub fn check(message: &[u8]) {
    if let Some(mended) = incoming(message) {
        assert!(mended.len() < message.len(), "it must fit the buffer that it came in");
        assert_same(message, &mended);
        assert_eq!(incoming(&mended), None, "mended once, for good");
    }
    let (sent, to) = outgoing(message);
    if *sent == *message {
        assert_eq!(to, None, "a message as it was goes where it was sent");
        return;
    }
    // An IPv6 address may be written anew, in up to 39 characters; a proof grows by a character
    // each time that it names its algorithm.
    assert!(sent.len() <= message.len() + 39 + message.len() / "algorithm=SHA256".len());
    assert_same(message, &sent);
    assert!(to.is_none_or(|to| to.is_ipv6() && message.starts_with(b"SIP/2.0 ")));
    assert_eq!(outgoing(&sent).0, sent, "mended once, for good");
}

/// The first line and the body are the same, and there are as many lines between.
fn assert_same(before: &[u8], after: &[u8]) {
    let parts = |message: &[u8]| {
        let end = message
            .windows(4)
            .position(|w| w == b"\r\n\r\n")
            .expect("a mended message has an empty line");
        let head = &message[..end];
        let lines = head.split(|byte| *byte == b'\n').count();
        (
            head.split(|byte| *byte == b'\n').next().map(<[u8]>::to_vec),
            lines,
            message[end..].to_vec(),
        )
    };
    assert_eq!(parts(before), parts(after));
}
