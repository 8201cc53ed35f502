//! What the SIP room does to bytes before and after the stack, without its sockets and tasks.

#[path = "../../src/sip/keys.rs"]
mod keys;
#[path = "../../src/sip/message.rs"]
mod message;
#[path = "../../src/sip/screen.rs"]
mod screen;
#[path = "../../src/sip/tidy.rs"]
mod tidy;

use std::time::Duration;

use rsipstack::sip::{Method, Request};

/// What the screen makes of a datagram.
pub enum Screened {
    /// Goes to the stack as it is.
    Passed,
    /// Goes to the stack like this.
    Rewritten(Vec<u8>),
    /// Is answered with this.
    Answered(String),
    /// Is forgotten.
    Dropped,
}

/// Screens a datagram.
pub fn screen(datagram: &[u8]) -> Screened {
    match screen::screen(datagram) {
        screen::Verdict::Pass => Screened::Passed,
        screen::Verdict::Rewritten(message) => Screened::Rewritten(message),
        screen::Verdict::Answer(response) => Screened::Answered(response),
        screen::Verdict::Drop => Screened::Dropped,
    }
}

/// Reads the key in the body of a SIP INFO.
pub fn info_key(content_type: &str, body: &str) -> Option<(char, Option<Duration>)> {
    keys::parse_info(content_type, body)
}

/// Reads all that we read of a request.
pub fn read(request: &Request) -> (u32, String, bool, Option<String>) {
    let _ = message::unsupported_extensions(request);
    let _ = (message::has_foreign_body(request), message::is_allowed(Method::Invite));
    let in_dialog = message::is_in_dialog(request);
    (message::cseq(request), message::from_tag(request), in_dialog, message::sdp_of(request))
}
