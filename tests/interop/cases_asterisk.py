"""A pjsua2 phone behind an Asterisk, which calls Hotline, is registered at by it and is called by it."""
import time

import asterisk
from bench import ASK, CALLEE, HOLD, HOURS, PRESS, SPEAK, UTILITY, WANT, Tap, case, check, connected, keyed, spoken

PHONE = {"id": "sip:phone@127.0.0.1", "user": "phone", "password": "secret"}
ALICE = {"id": "sip:alice@127.0.0.1", "user": "alice", "password": "secret", "registrar": f"sip:127.0.0.1:{asterisk.PORT}",
         "port": CALLEE}
TRUNK = """
[[trunk]]
name = "pbx"
targets = ["sip:127.0.0.1:5160"]
username = "bot"
password_file = "../password"
register = "sip:bot@127.0.0.1:5160"
register_expires_s = 60
ping_s = 10
[transfer]
trunk = "pbx"
"""


def hotline(bench):
    """Hotline with the Asterisk as its trunk; 11xx hands over to phones behind the Asterisk."""
    bench.asterisk()
    bench.service  # its announcement is used here, too
    announcement = f'before_answer = {{ announcement = "{bench.work}/announcement.wav" }}'
    numbers = [("1001", UTILITY, announcement), ("bot", UTILITY, "")]
    # Calls of our own go by the trunk, which has the password; those that the Asterisk makes need an address.
    numbers += [("1101", ("4002", "attended"), ""), ("1103", ("4003", "bridge"), "")]
    numbers += [(number, (f"sip:{to}@127.0.0.1:{asterisk.PORT}", "refer"), "") for number, to in [("1102", "4002"), ("1104", "4004")]]
    new = "pbx" not in bench.running
    service = bench.trunk("pbx", "127.0.0.2", "23000-23199", TRUNK, *numbers)
    if new:
        time.sleep(2)
    return service


def call(bench, extension: str, **plan) -> dict:
    service = hotline(bench)
    with Tap() as tap:
        seen = bench.pjsua(service, uri=f"sip:{extension}@127.0.0.1:{asterisk.PORT}", **PHONE, **plan)
    seen["tap"] = tap
    return seen


def offer(seen) -> str:
    """The INVITE that the Asterisk sent to Hotline."""
    invites = [text for text in seen["tap"].texts(asterisk.PORT, "INVITE ") if "127.0.0.2" in text.split("\r\n")[0]]
    check(invites, "the Asterisk sent no INVITE to Hotline over UDP")
    return invites[0]


@case("Asterisk", "call, PCMU", kind="ulaw", codec="PCMU/8000")
@case("Asterisk", "PCMA", kind="alaw", codec="PCMA/8000")
@case("Asterisk", "G.722", kind="g722", codec="G722/8000")
def codecs(bench, kind, codec):
    seen = call(bench, f"{kind}*1000", codec="G722" if kind == "g722" else "PCMU", steps=SPEAK)
    check(codec in offer(seen), f"the Asterisk did not offer {codec}")
    return spoken(bench, seen)


@case("Asterisk", "SRTP (SDES)")
def srtp(bench):
    seen = call(bench, "srtp*1000", steps=SPEAK)
    check("RTP/SAVP" in offer(seen), "the Asterisk did not offer RTP/SAVP")
    return spoken(bench, seen) + "; RTP/SAVP was mandatory"


@case("Asterisk", "TCP", kind="tcp")
@case("Asterisk", "TLS", kind="tls")
@case("Asterisk", "SRTP over TLS", kind="secure")
def transport(bench, kind):
    seen = call(bench, f"{kind}*1000", steps=SPEAK)
    clear = [text for text in seen["tap"].texts(asterisk.PORT, "INVITE ") if "127.0.0.2" in text.split("\r\n")[0]]
    check(not clear, "the INVITE went over UDP")
    return spoken(bench, seen)


@case("Asterisk", "hold and resume")
def hold(bench):
    seen = call(bench, "hold*1000", steps=HOLD)
    holds = [text for text in seen["tap"].texts(asterisk.PORT, "INVITE ") if "a=sendonly" in text or "a=inactive" in text]
    check(holds, "the Asterisk did not hold Hotline")
    return "held by re-INVITE for 4 s, then " + spoken(bench, seen)


@case("Asterisk", "hold with music to the bot")
def music(bench):
    """The Asterisk plays music to the bot while the phone holds."""
    return "music for 4 s, then " + spoken(bench, call(bench, "ulaw*1000", steps=HOLD))


@case("Asterisk", "keys, RFC 4733")
def keys(bench):
    return keyed(bench, call(bench, "ulaw*1000", steps=PRESS))


@case("Asterisk", "keys, INFO")
def info(bench):
    seen = call(bench, "info*1000", steps=PRESS)
    check(seen["tap"].texts(asterisk.PORT, "INFO "), "the Asterisk sent no INFO")
    return keyed(bench, seen)


@case("Asterisk", "early media")
def early(bench):
    seen = call(bench, "ulaw*1001", steps=SPEAK)
    check(183 in seen["early"], f"provisional responses: {seen['early']}")
    return "183 passed on to the phone; " + spoken(bench, seen)


@case("Asterisk", "session timer")
def timer(bench):
    seen = call(bench, "timer*1000", steps=[[at, "play", str(HOURS)] for at in (8, 23, 38)] + [[54, "bye"]])
    invites = offer(seen)
    check("Session-Expires: 90" in invites, "the Asterisk wanted no session timer")
    refreshes = lambda port: len([t for t in seen["tap"].texts(port, "(UPDATE|INVITE) ") if "Session-Expires" in t and ";tag=" in
                                  next(line for line in t.split("\r\n") if line.lower().startswith("to:"))])
    of_asterisk, of_hotline = refreshes(asterisk.PORT), refreshes(5060)
    check(of_asterisk + of_hotline >= 1 and seen["by"] == "phone", f"no refresh, ended by the {seen['by']}")
    return f"90 s agreed; {of_asterisk} refresh by the Asterisk, {of_hotline} by Hotline; alive at 54 s"


@case("Asterisk", "registration")
def registration(bench):
    seen = call(bench, "registered", steps=SPEAK)
    check("egistered" in hotline(bench).log(), "Hotline says nothing of a registration")
    check("sip:bot@127.0.0.2" in offer(seen), "another contact was called")
    return "registered by digest; called at the registered contact; " + spoken(bench, seen)


@case("Asterisk", "trunk: calls out with a password")
def trunk_out(bench):
    with alice(bench) as callee:
        caller = call(bench, "ulaw*1100", steps=WANT)
        evidence = connected(bench, caller, callee())
    check([t for t in caller["tap"].texts(5060, "INVITE ") if "Authorization: Digest" in t], "no password was asked for")
    return "the Asterisk challenged the INVITE; " + evidence


@case("Asterisk", "attended transfer", number=1101)
@case("Asterisk", "blind transfer", number=1102)
@case("Asterisk", "early media of the callee", number=1103)
def transfer(bench, number):
    with alice(bench) as callee:
        caller = call(bench, f"ulaw*{number}", steps=WANT)
        evidence = connected(bench, caller, callee())
    refers = [text for text in caller["tap"].texts(5060, "REFER ") if "127.0.0.2" in text]
    if number == 1103:
        check(caller["tap"].texts(asterisk.PORT, r"SIP/2\.0 183 "), "the Asterisk sent no 183")
        return "the callee's side answered 183 with audio; " + evidence
    check(refers, "Hotline sent no REFER")
    check(("Replaces=" in refers[0]) == (number == 1101), f"Refer-To of {refers[0]}")
    return ("REFER with Replaces; " if number == 1101 else "REFER; ") + evidence


@case("Asterisk", "blind transfer, callee busy")
def busy(bench):
    caller = call(bench, "ulaw*1104", steps=WANT)
    check(caller["tap"].texts(5060, "REFER "), "Hotline sent no REFER")
    return f"the outcome is {caller['of'].get('disposition')}, the end {caller['of'].get('end_reason')}"


def alice(bench):
    hotline(bench)
    return bench.callee(steps=ASK, **ALICE)
