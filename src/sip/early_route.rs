//! PRACKs of our calls. The stack takes the remote target and the route of a dialog from the answer
//! only, and sends PRACKs before it to where the INVITE went, where they are lost behind a proxy that
//! stays in the path (RFC 3262 section 4, RFC 3261 section 12.1.2). And it counts the reliable
//! responses of all phones of a forked call together, although each phone counts its own. Here
//! PRACKs are addressed, and the phones' numbers are exchanged for ones that only rise.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
};

use rsipstack::{
    sip::{
        Header, Method, Request, Response, Route, SipMessage, StatusCodeKind, Uri,
        prelude::{HasHeaders, HeadersExt},
    },
    transaction::endpoint::MessageInspector,
    transport::SipAddr,
};

use super::message;

/// Early dialogs that are remembered; an older one's PRACKs go where the INVITE went.
const REMEMBERED: usize = 512;

/// Remembers what reliable responses say, and addresses PRACKs accordingly.
#[derive(Debug, Default)]
pub(super) struct EarlyRoutes(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    dialogs: VecDeque<Early>,
    /// The last number that was given to a response.
    given: u32,
}

#[derive(Debug)]
struct Early {
    /// Call-ID and the callee's tag.
    dialog: (String, String),
    target: Uri,
    routes: Vec<Route>,
    /// The phone's number of its latest response, and ours for it.
    rseq: u32,
    given: u32,
}

impl EarlyRoutes {
    /// Gives our number for the response; `None` when it is not the phone's next, nor its last
    /// once more, and so is not to be acknowledged.
    fn remember(&self, response: &Response) -> Option<u32> {
        let dialog = dialog(response)?;
        let rseq = message::header(response.headers(), "RSeq")?.trim().parse::<u32>().ok()?;
        let target = response.typed_contact_headers().ok()?.first()?.uri.clone();
        let routes = response.headers().iter().filter_map(|h| match h {
            Header::RecordRoute(route) => Some(route.value()),
            _ => None,
        });
        let mut routes: Vec<Route> =
            routes.flat_map(entries).map(|route| Route::from(route.to_owned())).collect();
        routes.reverse();
        let mut known = self.lock();
        let before = known.dialogs.iter().position(|early| early.dialog == dialog);
        let before = before.and_then(|index| known.dialogs.remove(index));
        let (rseq, given) = match &before {
            Some(early) if early.rseq == rseq => (rseq, Some(early.given)),
            Some(early) if early.rseq.checked_add(1) != Some(rseq) => (early.rseq, None),
            _ => {
                known.given = known.given.wrapping_add(1);
                (rseq, Some(known.given))
            }
        };
        let kept = given.or(before.map(|early| early.given)).unwrap_or_default();
        known.dialogs.truncate(REMEMBERED - 1);
        known.dialogs.push_front(Early { dialog, target, routes, rseq, given: kept });
        given
    }

    fn address(&self, prack: &mut Request) {
        let Some(dialog) = dialog(prack) else { return };
        let known = self.lock();
        let early = known.dialogs.iter().find(|early| early.dialog == dialog);
        let Some(early) = early else { return };
        prack.uri = early.target.clone();
        prack.headers.retain(|header| !matches!(header, Header::Route(_)));
        prack.headers.extend(early.routes.iter().cloned().map(Header::Route).collect());
        for header in prack.headers.iter_mut() {
            if let Header::RAck(rack) = header
                && let Some(rest) = rack.value().strip_prefix(&format!("{} ", early.given))
            {
                *rack = format!("{} {rest}", early.rseq).into();
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        // The list stays whole when a holder panics.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl MessageInspector for EarlyRoutes {
    fn before_send(&self, mut message: SipMessage, _: Option<&SipAddr>) -> SipMessage {
        if let SipMessage::Request(request) = &mut message
            && request.method == Method::PRack
        {
            self.address(request);
        }
        message
    }

    fn after_received(&self, mut message: SipMessage, _: Option<&SipAddr>) -> SipMessage {
        if let SipMessage::Response(response) = &mut message
            && response.status_code.kind() == StatusCodeKind::Provisional
            && message::lists(response.headers(), "Require", "100rel")
        {
            match self.remember(response) {
                Some(given) => response.headers.unique_push(Header::RSeq(given.to_string().into())),
                // It comes again when its turn has come (RFC 3262 section 4).
                None => response.headers.retain(|header| !matches!(header, Header::Require(_))),
            }
        }
        message
    }
}

fn dialog(message: &impl HeadersExt) -> Option<(String, String)> {
    let tag = message.to_header().ok()?.tag().ok()??;
    let call_id = message::header(message.headers(), "Call-ID")?;
    Some((call_id.to_owned(), tag.value().to_owned()))
}

/// The entries of a Record-Route header, which may list several.
fn entries(value: &str) -> impl Iterator<Item = &str> {
    let mut bracketed = false;
    let parts = value.split(move |c| {
        bracketed = (bracketed || c == '<') && c != '>';
        c == ',' && !bracketed
    });
    parts.map(str::trim).filter(|part| !part.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> SipMessage {
        SipMessage::try_from(text.replace('\n', "\r\n").as_bytes()).unwrap()
    }

    fn ringing(tag: &str, headers: &str) -> SipMessage {
        reliable(tag, 1, headers)
    }

    fn reliable(tag: &str, rseq: u32, headers: &str) -> SipMessage {
        parse(&format!(
            "SIP/2.0 180 Ringing\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\n\
             From: <sip:a@192.0.2.1>;tag=a\nTo: <sip:b@example.com>;tag={tag}\nCall-ID: c\n\
             CSeq: 1 INVITE\nRequire: 100rel\nRSeq: {rseq}\n{headers}Content-Length: 0\n\n"
        ))
    }

    fn prack(routes: &EarlyRoutes, tag: &str) -> String {
        prack_of(routes, tag, 1)
    }

    fn prack_of(routes: &EarlyRoutes, tag: &str, rseq: u32) -> String {
        let request = parse(&format!(
            "PRACK sip:b@example.com SIP/2.0\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK2\n\
             From: <sip:a@192.0.2.1>;tag=a\nTo: <sip:b@example.com>;tag={tag}\nCall-ID: c\n\
             CSeq: 2 PRACK\nRAck: {rseq} 1 INVITE\nContent-Length: 0\n\n"
        ));
        routes.before_send(request, None).to_string()
    }

    #[test]
    fn a_prack_goes_to_the_phone_through_the_proxies_in_the_path() {
        let routes = EarlyRoutes::default();
        let path = "Record-Route: <sip:p2@192.0.2.8;lr,x>, <sip:192.0.2.9;lr>\n";
        let contact = "Contact: <sip:b@192.0.2.77:5070>\n";
        routes.after_received(ringing("b", &format!("{path}{contact}")), None);
        let sent = prack(&routes, "b");
        assert!(sent.starts_with("PRACK sip:b@192.0.2.77:5070 SIP/2.0"), "{sent}");
        let order: Vec<_> = sent.lines().filter(|l| l.starts_with("Route:")).collect();
        let want = ["Route: <sip:192.0.2.9;lr>", "Route: <sip:p2@192.0.2.8;lr,x>"];
        assert_eq!(order, want, "{sent}");
    }

    #[test]
    fn each_phone_of_a_forked_call_is_its_own() {
        let routes = EarlyRoutes::default();
        for tag in ["x", "y"] {
            let contact = format!("Contact: <sip:{tag}@192.0.2.7>\n");
            routes.after_received(ringing(tag, &contact), None);
        }
        for tag in ["x", "y"] {
            assert!(prack(&routes, tag).starts_with(&format!("PRACK sip:{tag}@192.0.2.7 ")));
        }
        assert!(prack(&routes, "z").starts_with("PRACK sip:b@example.com "), "unknown: untouched");
    }

    /// What the stack sees of a response: its RSeq, or nothing when it is to be let alone.
    fn seen(routes: &EarlyRoutes, tag: &str, rseq: u32) -> Option<u32> {
        let message = routes.after_received(reliable(tag, rseq, "Contact: <sip:b@h>\n"), None);
        let SipMessage::Response(response) = message else { panic!("a response") };
        let lists = message::lists(response.headers(), "Require", "100rel");
        lists.then(|| message::header(response.headers(), "RSeq").unwrap().parse().unwrap())
    }

    #[test]
    fn phones_count_for_themselves_and_the_stack_sees_rising_numbers() {
        let routes = EarlyRoutes::default();
        assert_eq!(seen(&routes, "a", 900), Some(1));
        assert_eq!(seen(&routes, "b", 5), Some(2));
        assert!(prack_of(&routes, "b", 2).contains("RAck: 5 1 INVITE"));
        assert_eq!(seen(&routes, "b", 5), Some(2), "once more");
        assert_eq!(seen(&routes, "a", 901), Some(3));
        assert!(prack_of(&routes, "a", 3).contains("RAck: 901 1 INVITE"));
    }

    #[test]
    fn what_is_out_of_order_is_not_acknowledged_and_comes_again() {
        let routes = EarlyRoutes::default();
        assert_eq!(seen(&routes, "a", 10), Some(1));
        assert_eq!(seen(&routes, "a", 12), None, "11 was lost");
        assert_eq!(seen(&routes, "a", 9), None, "this was before");
        assert_eq!(seen(&routes, "a", 11), Some(2));
        assert_eq!(seen(&routes, "a", 12), Some(3));
        assert!(prack_of(&routes, "a", 3).contains("RAck: 12 1 INVITE"));
    }

    #[test]
    fn only_so_many_are_remembered() {
        let routes = EarlyRoutes::default();
        for n in 0..2 * REMEMBERED {
            let contact = "Contact: <sip:b@192.0.2.7>\n";
            routes.after_received(ringing(&n.to_string(), contact), None);
        }
        assert_eq!(routes.lock().dialogs.len(), REMEMBERED);
    }
}
