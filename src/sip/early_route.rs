//! Where the PRACKs of our calls go. The stack takes the remote target and the route of a dialog
//! from the answer only, and before it sends PRACKs to where the INVITE went; behind a proxy that
//! stays in the path they would not arrive (RFC 3262 section 4, RFC 3261 section 12.1.2).

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
pub(super) struct EarlyRoutes(Mutex<VecDeque<Early>>);

#[derive(Debug)]
struct Early {
    /// Call-ID and the callee's tag.
    dialog: (String, String),
    target: Uri,
    routes: Vec<Route>,
}

impl EarlyRoutes {
    fn remember(&self, response: &Response) -> Option<()> {
        let dialog = dialog(response)?;
        let target = response.typed_contact_headers().ok()?.first()?.uri.clone();
        let routes = response.headers().iter().filter_map(|h| match h {
            Header::RecordRoute(route) => Some(route.value()),
            _ => None,
        });
        let mut routes: Vec<Route> =
            routes.flat_map(entries).map(|route| Route::from(route.to_owned())).collect();
        routes.reverse();
        let mut known = self.lock();
        known.retain(|early| early.dialog != dialog);
        known.truncate(REMEMBERED - 1);
        known.push_front(Early { dialog, target, routes });
        Some(())
    }

    fn address(&self, prack: &mut Request) {
        let Some(dialog) = dialog(prack) else { return };
        let known = self.lock();
        let Some(early) = known.iter().find(|early| early.dialog == dialog) else { return };
        prack.uri = early.target.clone();
        prack.headers.retain(|header| !matches!(header, Header::Route(_)));
        prack.headers.extend(early.routes.iter().cloned().map(Header::Route).collect());
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Early>> {
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

    fn after_received(&self, message: SipMessage, _: Option<&SipAddr>) -> SipMessage {
        if let SipMessage::Response(response) = &message
            && response.status_code.kind() == StatusCodeKind::Provisional
            && message::lists(response.headers(), "Require", "100rel")
        {
            self.remember(response);
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
        parse(&format!(
            "SIP/2.0 180 Ringing\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\n\
             From: <sip:a@192.0.2.1>;tag=a\nTo: <sip:b@example.com>;tag={tag}\nCall-ID: c\n\
             CSeq: 1 INVITE\nRequire: 100rel\nRSeq: 1\n{headers}Content-Length: 0\n\n"
        ))
    }

    fn prack(routes: &EarlyRoutes, tag: &str) -> String {
        let request = parse(&format!(
            "PRACK sip:b@example.com SIP/2.0\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK2\n\
             From: <sip:a@192.0.2.1>;tag=a\nTo: <sip:b@example.com>;tag={tag}\nCall-ID: c\n\
             CSeq: 2 PRACK\nRAck: 1 1 INVITE\nContent-Length: 0\n\n"
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

    #[test]
    fn only_so_many_are_remembered() {
        let routes = EarlyRoutes::default();
        for n in 0..2 * REMEMBERED {
            let contact = "Contact: <sip:b@192.0.2.7>\n";
            routes.after_received(ringing(&n.to_string(), contact), None);
        }
        assert_eq!(routes.lock().len(), REMEMBERED);
    }
}
