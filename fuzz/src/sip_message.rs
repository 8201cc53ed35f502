//! Datagrams on the signalling port, and bodies of INFO: what reaches the stack is a message that
//! it can read, refusals are well-formed and no amplifiers, keys are keys.

use crate::sip::{self, Screened};
use rsipstack::sip::SipMessage;

/// Checks one input.
pub fn check(data: &[u8]) {
    match sip::screen(data) {
        Screened::Passed => passed(data),
        Screened::Rewritten(message) => {
            assert!(message.len() <= data.len(), "it must fit the buffer that it came in");
            assert!(matches!(sip::screen(&message), Screened::Passed), "unfolded once, for good");
            passed(&message);
        }
        Screened::Answered(response) => {
            assert!(!data.starts_with(b"ACK ") && !data.starts_with(b"SIP/"));
            assert!(response.len() <= data.len() + 300, "a small request, a large answer");
            assert!(response.starts_with("SIP/2.0 ") && response.ends_with("\r\n\r\n"));
            let head = response.strip_suffix("\r\n\r\n").unwrap_or_default();
            assert!(!head.contains("\r\n\r\n"), "the head ends twice: {response:?}");
        }
        Screened::Dropped => {}
    }
    let text = String::from_utf8_lossy(data);
    let (content_type, body) = text.split_once('\n').unwrap_or(("application/dtmf-relay", &text));
    if let Some((key, _)) = sip::info_key(content_type, body) {
        assert!("0123456789*#ABCD".contains(key));
    }
}

/// The stack reads it, and so do we. Text that is not UTF-8 and responses are the stack's business.
fn passed(message: &[u8]) {
    if message.starts_with(b"SIP/") || message.iter().all(u8::is_ascii_whitespace) {
        return;
    }
    if let Ok(SipMessage::Request(request)) = SipMessage::try_from(message) {
        let (_, tag, in_dialog, sdp) = sip::read(&request);
        assert!(tag.len() <= message.len() && sdp.is_none_or(|sdp| sdp.len() <= 3 * message.len()));
        let _ = in_dialog;
    } else {
        let head = message.windows(4).position(|w| w == b"\r\n\r\n").unwrap_or(message.len());
        assert!(std::str::from_utf8(&message[..head]).is_err(), "the stack cannot read it");
    }
}
