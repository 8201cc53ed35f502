//! Does audio get through, to ourselves and in a real call?

use super::{Finding, TestCall, TrunkLine};
use crate::{
    call::{
        CallError,
        trial::{self, Loopback, Placed},
    },
    service::ServiceError,
    sip::AddressReport,
};

/// Of packets that were sent, the share in percent whose loss can be heard, and that which spoils
/// a conversation (G.711 without much to conceal with).
const AUDIBLE_LOSS: f64 = 1.0;
const SPOILING_LOSS: f64 = 5.0;

/// The media self-test: RTP from one of our ports to the address that we tell.
pub(super) async fn check(
    line: &TrunkLine,
    best: &AddressReport,
    tell: &mut (dyn FnMut(Finding) + Send),
) -> Result<(), ServiceError> {
    let (bind, told) = (line.agent.route_for(best.addr.ip()).bind_ip, best.local_ip);
    let ports = &line.config.rtp.ports;
    tell(Finding::note(format!("SDP will say {told}; media is taken on {bind}, ports {ports}")));
    let srtp = line.config.srtp_with(Some(&line.trunk.name));
    let came = match trial::loopback(line.ports(), bind, told, srtp).await {
        Ok(came) => came,
        Err(CallError::Port(error)) => return Err(error.into()),
        Err(error) => {
            tell(Finding::bad(format!("the media self-test failed: {error}")));
            return Ok(());
        }
    };
    let external = line.config.sip.external == Some(told);
    tell(of_loopback(&came, &told.to_string(), external));
    Ok(())
}

fn of_loopback(came: &Loopback, told: &str, external: bool) -> Finding {
    let Loopback { from, to, sent, received } = came;
    let what = format!("{received} of {sent} RTP packets came from port {from} to {told}:{to}");
    match (received * 100 / sent.max(&1), external) {
        (95.., _) => Finding::good(what),
        // Many routers do not send back what comes from inside.
        (_, true) => Finding::doubtful(format!(
            "{what}: rtp.ports are not forwarded to this machine, or the router does not turn \
             packets round; a call tells (--call)"
        )),
        _ => Finding::bad(format!("{what}: open UDP for rtp.ports in this machine's firewall")),
    }
}

/// Places a call and judges its audio.
pub(super) async fn place(
    line: &TrunkLine,
    call: &TestCall,
    tell: &mut (dyn FnMut(Finding) + Send),
) -> Result<(), ServiceError> {
    match line.place(call).await {
        Ok(placed) => {
            judge(&placed, tell);
            Ok(())
        }
        Err(ServiceError::Call(error)) => {
            tell(Finding::bad(format!("{error}{}", remedy(&error))));
            Ok(())
        }
        Err(ServiceError::Sip(error)) => {
            tell(Finding::bad(format!("the call cannot be placed: {error}")));
            Ok(())
        }
        Err(error) => Err(error),
    }
}

impl TrunkLine {
    async fn place(&self, call: &TestCall) -> Result<Placed, ServiceError> {
        let (leg, sockets, local) = self.dial(&call.number).await?;
        Ok(trial::place(leg, sockets, &local, &call.audio, call.time).await?)
    }
}

fn judge(placed: &Placed, tell: &mut (dyn FnMut(Finding) + Send)) {
    let Placed { rang, lasted, codec, protected, described, stats, .. } = placed;
    let srtp = if *protected { "SRTP" } else { "no SRTP" };
    tell(Finding::good(format!(
        "the call was answered after {} ms: {codec}, {srtp}, their media at {described}",
        rang.as_millis()
    )));
    if placed.hung_up {
        let after = lasted.as_millis();
        tell(Finding::doubtful(format!("they hung up after {after} ms: too soon to judge it all")));
    }
    tell(heard_here(placed));
    if let Some(from) = placed.heard_from.filter(|from| from != described) {
        tell(Finding::note(format!(
            "their RTP comes from {from}, not from {described} as their SDP says: there is a NAT \
             on their side; we answer to where it comes from (symmetric RTP)"
        )));
    }
    tell(heard_there(placed));
    if let Some(rtt) = stats.rtt_ms {
        tell(Finding::note(format!("round trip {rtt:.0} ms, by RTCP")));
    }
}

fn heard_here(placed: &Placed) -> Finding {
    let Placed { told, stats, .. } = placed;
    if stats.received == 0 {
        return Finding::bad(format!(
            "one-way audio: we hear nothing. Our SDP says {told}: is that where they reach us \
             (sip.external), are rtp.ports open for UDP in the firewall and forwarded by the router, \
             and does a SIP helper (ALG) in the router rewrite SDP?"
        ));
    }
    let loss = percent(stats.lost, stats.received + stats.lost);
    let what = format!(
        "we got {} packets, {} lost ({loss:.1} %), jitter {:.0} ms, loudest {:.0} dBFS",
        stats.received, stats.lost, stats.jitter_ms, placed.loudest
    );
    of_loss(what, loss)
}

fn heard_there(placed: &Placed) -> Finding {
    let Placed { told, stats, .. } = placed;
    let sent = stats.sent;
    let deaf = |how: String| {
        let to = placed.heard_from.unwrap_or(placed.described);
        Finding::bad(format!(
            "one-way audio: they hear nothing{how}. We send to {to} from {told}: is outgoing UDP \
             open in the firewall, does the NAT on the way keep our ports (a symmetric NAT does \
             not: forward them), and do they take RTP from this address?"
        ))
    };
    match stats.peer_lost {
        _ if sent == 0 => Finding::bad("we sent nothing: their SDP does not want to hear us"),
        None if stats.peer_reports > 0 => deaf(format!(": their RTCP knows none of our {sent}")),
        None => Finding::note(format!(
            "we sent {sent} packets; no RTCP came, so nobody knows what they heard"
        )),
        Some(lost) => {
            let loss = percent(lost.into(), sent);
            if loss >= 95.0 {
                return deaf(format!(": by RTCP they lost {lost} of our {sent} packets"));
            }
            let what = format!("we sent {sent} packets; by RTCP they lost {lost} ({loss:.1} %)");
            of_loss(what, loss)
        }
    }
}

fn of_loss(what: String, percent: f64) -> Finding {
    match percent {
        ..AUDIBLE_LOSS => Finding::good(what),
        ..SPOILING_LOSS => Finding::doubtful(format!("{what}: it can be heard; is a link full?")),
        _ => Finding::bad(format!(
            "{what}: callers will not be understood; look for a full or faulty link, and for \
             duplex or Wi-Fi trouble"
        )),
    }
}

fn percent(part: u64, whole: u64) -> f64 {
    part as f64 * 100.0 / whole.max(1) as f64
}

/// What usually helps against a refusal.
fn remedy(error: &CallError) -> &'static str {
    let CallError::Refused { code, .. } = error else { return "" };
    match code {
        401 | 407 => ": it does not take our password; check username and password_file",
        402 | 403 => ": is the account allowed to call that number, with that caller_id?",
        404 | 484 => ": is the number written as the carrier wants it (+49..., 0049..., 049...)?",
        480 | 486 | 600 => ": the callee is not there or busy; the trunk itself works",
        488 | 606 => ": it wants other codecs or SRTP: see rtp.codecs and the trunk's srtp",
        503 => ": it is full or down; ask the carrier how many calls the account has",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{rtp::RtpStats, service::Verdict};

    fn placed(stats: RtpStats) -> Placed {
        Placed {
            rang: std::time::Duration::from_millis(1_200),
            lasted: std::time::Duration::from_secs(8),
            hung_up: false,
            codec: "pcma",
            protected: false,
            told: ([203, 0, 113, 7], 20_000).into(),
            described: ([203, 0, 113, 9], 4_000).into(),
            heard_from: (stats.received > 0).then(|| ([203, 0, 113, 9], 4_000).into()),
            loudest: -20.0,
            stats,
        }
    }

    fn found(stats: RtpStats) -> Vec<(Verdict, String)> {
        let mut found = Vec::new();
        judge(&placed(stats), &mut |finding| {
            found.push((finding.verdict, finding.what));
        });
        found
    }

    fn good() -> RtpStats {
        let (sent, received, peer_reports) = (400, 400, 1);
        RtpStats { sent, received, peer_reports, peer_lost: Some(0), ..RtpStats::default() }
    }

    fn is_bad(found: &[(Verdict, String)], words: &str) -> bool {
        found.iter().any(|(verdict, what)| *verdict == Verdict::Bad && what.contains(words))
    }

    #[test]
    fn a_good_call_has_no_fault() {
        assert!(found(good()).iter().all(|(verdict, _)| *verdict == Verdict::Good));
    }

    #[test]
    fn each_direction_that_is_deaf_is_named() {
        let we = found(RtpStats { received: 0, ..good() });
        assert!(is_bad(&we, "we hear nothing") && !is_bad(&we, "they hear nothing"), "{we:?}");
        for (peer_lost, reports) in [(None, 2), (Some(398), 2)] {
            let they = found(RtpStats { peer_lost, peer_reports: reports, ..good() });
            assert!(is_bad(&they, "they hear nothing"), "{they:?}");
        }
        let unknown = found(RtpStats { peer_lost: None, peer_reports: 0, ..good() });
        assert!(unknown.iter().any(|(v, what)| *v == Verdict::Note && what.contains("no RTCP")));
    }

    #[test]
    fn loss_is_judged_by_what_can_be_heard() {
        for (lost, verdict) in [(3, Verdict::Good), (8, Verdict::Doubtful), (40, Verdict::Bad)] {
            let found = found(RtpStats { peer_lost: Some(lost), ..good() });
            let theirs = found.iter().find(|(_, what)| what.contains("they lost")).unwrap();
            assert_eq!(theirs.0, verdict, "{}", theirs.1);
        }
    }

    #[test]
    fn a_router_that_does_not_turn_packets_round_is_no_proof() {
        let came = Loopback { from: 1, to: 3, sent: 50, received: 0 };
        assert_eq!(of_loopback(&came, "203.0.113.7", true).verdict, Verdict::Doubtful);
        assert_eq!(of_loopback(&came, "10.0.0.5", false).verdict, Verdict::Bad);
    }
}
