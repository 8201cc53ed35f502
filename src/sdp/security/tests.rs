use std::sync::Arc;

use super::*;
use crate::{
    sdp::{Capabilities, LocalMedia, Negotiated, accept, answer, offer},
    srtp::{DtlsRole, Identity, Suite},
};

fn security(seed: u8, suites: &[Suite], required: bool) -> Security {
    let random = [seed; MasterKey::MOST_BYTES];
    let keys = suites.iter().map(|suite| MasterKey::from_random(*suite, &random)).collect();
    Security { keys, required, ..Security::default() }
}

fn sdes(negotiated: Negotiated) -> SrtpKeys {
    match negotiated.srtp {
        Some(Keying::Sdes(keys)) => keys,
        other => panic!("{other:?}"),
    }
}

fn dtls(negotiated: Negotiated) -> DtlsTerms {
    match negotiated.srtp {
        Some(Keying::Dtls(terms)) => terms,
        other => panic!("{other:?}"),
    }
}

/// Security by handshakes, offered or only answered.
fn handshakes(offered: bool, required: bool) -> Security {
    let identity = Arc::new(Identity::generate().unwrap());
    let dtls = Some(Dtls { identity, offered, role: None });
    Security { dtls, required, ..Security::default() }
}

fn side(host: u8, security: Security) -> LocalMedia {
    let address = [192, 0, 2, host].into();
    let capabilities = Capabilities::default();
    LocalMedia { address, port: 4_000, session_id: 5, version: 1, security, capabilities }
}

/// Both sides' view of a call that the first offers.
fn call(caller: Security, callee: Security) -> Result<(Negotiated, Negotiated), SdpError> {
    let (caller, callee) = (side(1, caller), side(2, callee));
    let (text, theirs) = answer(&offer(&caller), &callee)?;
    Ok((accept(&text, &caller)?, theirs))
}

#[test]
fn two_sides_that_have_srtp_use_the_best_suite_of_both() {
    for required in [false, true] {
        let caller = security(1, &Suite::ALL, required);
        let callee = security(2, &[Suite::AesCm128HmacSha1_80, Suite::AeadAes128Gcm], required);
        let (ours, theirs) = call(caller, callee).unwrap();
        let (ours, theirs) = (sdes(ours), sdes(theirs));
        assert_eq!((&ours.ours, &ours.theirs), (&theirs.theirs, &theirs.ours));
        assert_eq!(ours.ours.suite(), Suite::AeadAes128Gcm);
    }
}

#[test]
fn optional_protection_gives_way_and_required_does_not() {
    let plain = Security::default;
    let optional = || security(1, &Suite::ALL, false);
    let required = || security(1, &Suite::ALL, true);
    assert_eq!(call(optional(), plain()).unwrap().0.srtp, None);
    assert_eq!(call(plain(), optional()).unwrap().1.srtp, None);
    let error = call(plain(), required()).unwrap_err().to_string();
    assert!(error.contains("no a=crypto line, and SRTP is required"), "{error}");
    let error = call(required(), plain()).unwrap_err().to_string();
    assert!(error.contains("RTP/SAVP is offered, and SRTP is off here"), "{error}");
}

#[test]
fn the_answer_repeats_the_tag_and_the_transport() {
    let caller = side(1, security(1, &[Suite::AeadAes256Gcm, Suite::AesCm128HmacSha1_32], true));
    let callee = side(2, security(2, &[Suite::AesCm128HmacSha1_32], false));
    let (text, _) = answer(&offer(&caller), &callee).unwrap();
    assert!(text.contains("m=audio 4000 RTP/SAVP 0"), "{text}");
    assert!(text.contains("a=crypto:2 AES_CM_128_HMAC_SHA1_32 inline:"), "{text}");
}

#[test]
fn an_answer_without_the_protection_we_need_is_refused() {
    let caller = side(1, security(1, &Suite::ALL, true));
    let (text, _) =
        answer(&offer(&side(3, Security::default())), &side(2, Security::default())).unwrap();
    assert!(matches!(accept(&text, &caller), Err(SdpError::Security { .. })));
}

#[test]
fn lines_that_we_cannot_use_are_passed_over() {
    let caller = side(1, security(1, &[Suite::AesCm128HmacSha1_80], true));
    let offer = offer(&caller)
        .replace("a=crypto:1", "a=crypto:7 F8_128_HMAC_SHA1_80 inline:x\r\na=crypto:9");
    let (text, negotiated) = answer(&offer, &side(2, security(2, &Suite::ALL, true))).unwrap();
    assert!(text.contains("a=crypto:9 AES_CM_128_HMAC_SHA1_80"), "{text}");
    assert!(negotiated.srtp.is_some());
}

#[test]
fn two_sides_that_have_certificates_agree_on_a_handshake() {
    for required in [false, true] {
        let (caller, callee) = (handshakes(true, required), handshakes(false, required));
        let named = |security: &Security| {
            vec![security.dtls.as_ref().unwrap().identity.fingerprint().clone()]
        };
        let (of_caller, of_callee) = (named(&caller), named(&callee));
        let (ours, theirs) = call(caller, callee).unwrap();
        assert_eq!(ours.rtcp, ours.remote, "one handshake does for both");
        let (ours, theirs) = (dtls(ours), dtls(theirs));
        assert_eq!((ours.role, theirs.role), (DtlsRole::Passive, DtlsRole::Active));
        assert_eq!((ours.fingerprints, theirs.fingerprints), (of_callee, of_caller));
    }
}

#[test]
fn the_offer_and_the_answer_say_who_begins() {
    let (caller, callee) = (side(1, handshakes(true, true)), side(2, handshakes(false, false)));
    let offered = offer(&caller);
    assert!(offered.contains("m=audio 4000 UDP/TLS/RTP/SAVP 0"), "{offered}");
    assert!(offered.contains("a=setup:actpass\r\n"), "{offered}");
    assert!(offered.contains("a=fingerprint:sha-256 "), "{offered}");
    for (setup, ours) in [("actpass", "active"), ("active", "passive"), ("passive", "active")] {
        let text = offered.replace("a=setup:actpass", &format!("a=setup:{setup}"));
        let text = answer(&text, &callee).unwrap().0;
        assert!(text.contains(&format!("a=setup:{ours}\r\n")), "{setup}: {text}");
        assert!(text.contains("m=audio 4000 UDP/TLS/RTP/SAVP 0"), "{text}");
    }
}

#[test]
fn who_has_had_a_part_in_the_handshake_keeps_it() {
    let mut callee = side(2, handshakes(false, false));
    callee.security.dtls.as_mut().unwrap().role = Some(DtlsRole::Passive);
    let text = answer(&offer(&side(1, handshakes(true, true))), &callee).unwrap().0;
    assert!(text.contains("a=setup:passive\r\n"), "{text}");
}

#[test]
fn fingerprint_and_setup_may_stand_for_the_whole_session() {
    let offered = offer(&side(1, handshakes(true, true)));
    let line = |name: &str| offered.lines().find(|l| l.starts_with(name)).unwrap().to_owned();
    let (fingerprint, setup) = (line("a=fingerprint:"), line("a=setup:"));
    let moved = [&fingerprint, &setup].iter().fold(offered.clone(), |text, line| {
        text.replace(&format!("{line}\r\n"), "").replace("m=", &format!("{line}\r\nm="))
    });
    let (text, agreed) = answer(&moved, &side(2, handshakes(false, true))).unwrap();
    assert!(moved.find(&fingerprint) < moved.find("m="), "{moved}");
    assert!(text.contains("a=setup:active"), "{text}");
    assert_eq!(dtls(agreed).role, DtlsRole::Active);
}

#[test]
fn a_handshake_that_cannot_be_is_refused_with_the_reason() {
    let offered = offer(&side(1, handshakes(true, true)));
    let refusal =
        |offer: &str, security| answer(offer, &side(2, security)).unwrap_err().to_string();
    let without = offered.replace("a=setup:actpass\r\n", "");
    assert!(refusal(&without, handshakes(false, false)).contains("it must be active"));
    let weak = offered.replace("sha-256", "sha-1");
    assert!(refusal(&weak, handshakes(false, false)).contains("has the hash \"sha-1\""));
    let only_keys = || security(2, &Suite::ALL, false);
    assert!(refusal(&offered, only_keys()).contains("there is no a=crypto line"));
    assert!(refusal(&offered, Security::default()).contains("SRTP is off here"));
    let keys = offer(&side(1, security(1, &Suite::ALL, true)));
    assert!(refusal(&keys, handshakes(false, true)).contains("there is no a=fingerprint line"));
}

#[test]
fn keys_in_sdp_go_before_a_handshake_unless_the_transport_says_otherwise() {
    let both = Security { dtls: handshakes(false, true).dtls, ..security(2, &Suite::ALL, true) };
    let keys = offer(&side(1, security(1, &Suite::ALL, true)));
    let fingerprint =
        "a=setup:active\r\na=fingerprint:sha-256 ".to_owned() + &["00"; 32].join(":") + "\r\n";
    let (_, agreed) = answer(&(keys.clone() + &fingerprint), &side(2, both.clone())).unwrap();
    assert_eq!(sdes(agreed).theirs.suite(), Suite::AeadAes256Gcm);
    let transport = keys.replace("RTP/SAVP", "UDP/TLS/RTP/SAVPF");
    let (_, agreed) = answer(&(transport + &fingerprint), &side(2, both)).unwrap();
    assert_eq!(dtls(agreed).role, DtlsRole::Passive);
}
