"""What pjsua2 phones do."""
import re
import subprocess

from bench import (AFTER_WELCOME, ASK, BALANCE, BOT, HOLD, HOURS, NO, PRESS, SPEAK, WANT, case, check, connected, keyed,
                   spoken)


@case("pjsua2", "call, PCMU", codec="PCMU")
@case("pjsua2", "PCMA", codec="PCMA")
@case("pjsua2", "G.722", codec="G722")
def codecs(bench, codec):
    seen = bench.pjsua(codec=codec, steps=SPEAK)
    check(seen.get("codec") == codec, f"the phone used {seen.get('codec')}, status {seen['status']}")
    return spoken(bench, seen)


@case("pjsua2", "SRTP (SDES)")
def srtp(bench):
    seen = bench.pjsua(srtp="mandatory", steps=SPEAK)
    check("RTP/SAVP" in seen["log"], "the phone did not offer RTP/SAVP")
    return spoken(bench, seen) + "; RTP/SAVP was mandatory"


@case("pjsua2", "TCP")
def tcp(bench):
    seen = bench.pjsua(transport="tcp", uri=BOT + ";transport=tcp", steps=SPEAK)
    check("SIP/2.0/TCP" in seen["log"] and "SIP/2.0/UDP" not in seen["log"], "another transport was used")
    return spoken(bench, seen)


@case("pjsua2", "TLS")
def tls(bench):
    uri = "sip:1000@127.0.0.1:5061;transport=tls"
    seen = bench.pjsua(transport="tls", uri=uri, ca=str(bench.work / "ca.pem"), steps=SPEAK)
    check("SIP/2.0/TLS" in seen["log"], "another transport was used")
    evidence = spoken(bench, seen)
    # The certificate is verified: a phone that trusts somebody else does not call.
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "7", "-subj", "/CN=other",
                    "-keyout", bench.work / "other.key", "-out", bench.work / "other.pem"], check=True, capture_output=True)
    other = bench.pjsua(transport="tls", uri=uri, ca=str(bench.work / "other.pem"), patience=8, steps=SPEAK)
    check(other["status"] == 503 and not other["of"], f"a phone that trusts another authority saw {other['status']}")
    return evidence + "; the certificate was verified: a phone that trusts another authority did not call"


@case("pjsua2", "SRTP over TLS")
def secure(bench):
    seen = bench.pjsua(transport="tls", uri="sip:1000@127.0.0.1:5061;transport=tls", ca=str(bench.work / "ca.pem"),
                       srtp="mandatory", steps=SPEAK)
    check("RTP/SAVP" in seen["log"] and "SIP/2.0/TLS" in seen["log"], "not protected")
    return spoken(bench, seen)


@case("pjsua2", "hold and resume")
def hold(bench):
    seen = bench.pjsua(steps=HOLD)
    check("a=sendonly" in seen["log"] or "a=inactive" in seen["log"], "the phone did not hold")
    return "held for 4 s, then " + spoken(bench, seen)


@case("pjsua2", "keys, RFC 4733")
def keys(bench):
    return keyed(bench, bench.pjsua(steps=PRESS))


@case("pjsua2", "keys, INFO")
def info(bench):
    seen = bench.pjsua(steps=[[AFTER_WELCOME, "info", "3"], PRESS[1]])
    check("\nINFO sip:" in seen["log"], "the phone sent no INFO")
    return keyed(bench, seen)


@case("pjsua2", "keys, in-band")
def tones(bench):
    tone = bench.work / "key3.wav"
    subprocess.run(["sox", "-n", "-r", "8000", "-c", "2", "-b", "16", tone, "synth", "0.15", "sine", "697", "sine",
                    "1477", "remix", "-", "vol", "0.5"], check=True)
    return keyed(bench, bench.pjsua(steps=[[AFTER_WELCOME, "play", str(tone)], PRESS[1]]))


@case("pjsua2", "hang-up by the bot")
def bye(bench):
    seen = bench.pjsua(steps=[[AFTER_WELCOME, "play", str(HOURS)], [AFTER_WELCOME + 14, "play", str(NO)],
                              [AFTER_WELCOME + 60, "bye"]])
    check(seen["by"] == "peer" and seen["of"], "the phone had to hang up")
    check(seen["of"]["disposition"] == "resolved", f"the outcome is {seen['of']['disposition']}")
    return f"the bot said goodbye and hung up; the outcome is {seen['of']['disposition']}"


@case("pjsua2", "early media")
def early(bench):
    seen = bench.pjsua(uri="sip:1001@127.0.0.1:5060", steps=SPEAK)
    check(183 in seen["early"], f"provisional responses: {seen['early']}")
    # The announcement is a tone of 440 Hz; the bot's voice comes after it.
    said = subprocess.run(["sox", seen["heard"], "-n", "trim", "0.2", "1.5", "stat"], capture_output=True, text=True).stderr
    pitch = int(re.search(r"Rough\s+frequency:\s+(\d+)", said).group(1))
    check(400 < pitch < 480, f"the phone heard {pitch} Hz in place of the announcement")
    return f"183 with SDP; the phone heard the announcement ({pitch} Hz) before the answer; " + spoken(bench, seen)


@case("pjsua2", "session timer")
def timer(bench):
    # The caller keeps asking, so that the dialog outlasts the refresh.
    seen = bench.pjsua(timer=90, steps=[[at, "play", str(HOURS)] for at in (8, 23, 38)] + [[54, "bye"]])
    refreshes = seen["log"].count("\nUPDATE sip:") + max(0, seen["log"].count("\nINVITE sip:") - 1)
    check("Session-Expires: 90" in seen["log"], "no session timer was agreed")
    check(refreshes >= 1 and seen["by"] == "phone", f"{refreshes} refreshes, ended by the {seen['by']}")
    return f"90 s agreed, refreshed after 45 s ({refreshes} UPDATE or INVITE), alive at 54 s"


@case("pjsua2", "transfer by a bridge", number=1100)
@case("pjsua2", "attended transfer", number=1101)
@case("pjsua2", "blind transfer", number=1102)
def transfer(bench, number):
    with bench.callee(steps=ASK) as callee:
        caller = bench.pjsua(uri=f"sip:{number}@127.0.0.1:5060", steps=WANT)
        evidence = connected(bench, caller, callee())
    if number != 1100:
        check("referred_to" in caller, "the phone got no REFER")
        check(any(then["status"] == 200 for then in caller["then"]), f"the phone's own call: {caller['then']}")
        evidence = "the phone called by itself on our REFER; " + evidence
    if number == 1101:
        check("Replaces=" in caller["referred_to"], f"Refer-To: {caller['referred_to']}")
        evidence += "; REFER with Replaces"
    return evidence


@case("pjsua2", "blind transfer, callee busy")
def transfer_busy(bench):
    with bench.callee(answers=[[0.2, 486]]):
        caller = bench.pjsua(uri="sip:1102@127.0.0.1:5060", steps=WANT)
    check(caller["of"] and caller["of"]["disposition"] == "failed", f"the outcome is {caller['of'].get('disposition')}")
    heard = bench.service.recognise(caller["heard"])
    check("goodbye" in heard, f"the caller heard {heard!r}")
    return "NOTIFY told of 486; the dialog went on and said goodbye"


CARRIER = """
[[trunk]]
name = "carrier"
targets = ["sip:127.0.0.1:5999", "sip:127.0.0.1:5071"]
accept_username = "phone"
accept_password_file = "../password"
ping_s = 0
[transfer]
trunk = "carrier"
"""
ACCOUNT = {"id": "sip:phone@127.0.0.1", "user": "phone", "password": "secret"}


@case("pjsua2", "trunk: calls in with a password")
def trunk_in(bench):
    service = bench.trunk("carrier", "127.0.0.3", "21000-21199", CARRIER)
    seen = bench.pjsua(service, uri="sip:1000@127.0.0.3:5060", steps=SPEAK, **ACCOUNT)
    check("\nSIP/2.0 401 " in seen["log"] and "Authorization: Digest" in seen["log"], "nobody asked for a password")
    evidence = spoken(bench, seen)
    wrong = bench.pjsua(service, uri="sip:1000@127.0.0.3:5060", steps=SPEAK, **{**ACCOUNT, "password": "guess"})
    check(wrong["status"] in (401, 403), f"a wrong password got {wrong['status']}")
    algorithm = re.search(r"Authorization: Digest .*algorithm=\"?([\w-]+)", seen["log"])
    return f"digest ({algorithm.group(1) if algorithm else 'MD5'}); a wrong password got {wrong['status']}; " + evidence


@case("pjsua2", "trunk: first target dead")
def trunk_out(bench):
    service = bench.trunk("carrier", "127.0.0.3", "21000-21199", CARRIER)
    with bench.callee(steps=ASK) as callee:
        caller = bench.pjsua(service, uri="sip:1100@127.0.0.3:5060", steps=WANT, **ACCOUNT)
        return "the second target was called; " + connected(bench, caller, callee())
