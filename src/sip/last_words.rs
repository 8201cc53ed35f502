//! What our 200 to a BYE says of the media: as our own BYE, in P-RTP-Stat. The stack makes that
//! response, so the header is added on its way out.

use std::{collections::HashMap, sync::Mutex};

use rsipstack::sip::{Header, Method, Response, prelude::HasHeaders, prelude::HeadersExt};

use super::{lock::lock, message};

/// BYEs that are being answered at once, at most; more are answered without the header.
const MOST: usize = 1_024;

/// Call-ID and our own tag.
type Key = (String, String);

/// Statistics of calls whose BYE is being answered.
#[derive(Debug, Default)]
pub(super) struct LastWords(Mutex<HashMap<Key, String>>);

impl LastWords {
    /// The BYE of that call is to be answered with `statistics`.
    pub(super) fn prepare(&self, call_id: &str, own_tag: &str, statistics: String) {
        let mut waiting = lock(&self.0);
        if waiting.len() < MOST {
            waiting.insert((call_id.to_owned(), own_tag.to_owned()), statistics);
        }
    }

    /// It has been answered.
    pub(super) fn forget(&self, call_id: &str, own_tag: &str) {
        lock(&self.0).remove(&(call_id.to_owned(), own_tag.to_owned()));
    }

    /// Adds what was prepared to a response, when that is one to such a BYE.
    pub(super) fn add(&self, response: &mut Response) {
        let to_bye =
            response.cseq_header().and_then(|c| c.method()).is_ok_and(|m| m == Method::Bye);
        if !to_bye {
            return;
        }
        let Some(call_id) = message::header(response.headers(), "Call-ID") else { return };
        let key = (call_id.to_owned(), message::to_tag(response));
        if let Some(statistics) = lock(&self.0).get(&key).cloned() {
            response.headers.push(Header::Other("P-RTP-Stat".into(), statistics));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn response(method: &str) -> Response {
        let text = format!(
            "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\n\
             From: <sip:a@b>;tag=peer\r\nTo: <sip:a@b>;tag=ours\r\nCall-ID: 1\r\n\
             CSeq: 2 {method}\r\n\r\n"
        );
        Response::try_from(text.as_str()).unwrap()
    }

    fn said(words: &LastWords, method: &str) -> Option<String> {
        let mut response = response(method);
        words.add(&mut response);
        message::header(&response.headers, "P-RTP-Stat").map(str::to_owned)
    }

    #[test]
    fn only_the_answer_to_that_bye_tells() {
        let words = LastWords::default();
        words.prepare("1", "ours", "PS=1".to_owned());
        words.prepare("2", "ours", "PS=2".to_owned());
        assert_eq!(said(&words, "BYE").as_deref(), Some("PS=1"));
        assert_eq!(said(&words, "INFO"), None);
        words.forget("1", "ours");
        assert_eq!(said(&words, "BYE"), None);
    }
}
