"""What baresip phones do."""
import re
import subprocess
from pathlib import Path

import baresip
from bench import AFTER_WELCOME, BALANCE, HOURS, case, check, keyed, spoken


@case("baresip", "call, PCMU", codec="PCMU")
@case("baresip", "PCMA", codec="PCMA")
@case("baresip", "G.722", codec="G722")
@case("baresip", "Opus", codec="opus")
def codec(bench, codec):
    return spoken(bench, bench.baresip(seconds=22, codec=codec, wav=late(bench)))


@case("baresip", "SRTP (SDES)")
def srtp(bench):
    seen = bench.baresip(seconds=22, srtp="srtp-mand", wav=late(bench))
    check("SRTP is Enabled" in seen["log"], "SRTP is not enabled")
    return spoken(bench, seen) + "; SRTP was mandatory"


@case("baresip", "SRTP (DTLS)", mux=False)
@case("baresip", "SRTP (DTLS), RTCP on the same port", mux=True)
def dtls(bench, mux):
    seen = bench.baresip(seconds=24, srtp="dtls_srtp", mux=mux, wav=late(bench))
    done = re.findall(r"DTLS-SRTP complete \(audio/(\w+)\) Profile=(\w+)", seen["log"])
    check(("RTP" in dict(done)), "the phone tells of no handshake")
    check("fingerprint OK" in seen["log"], "the phone did not verify our fingerprint")
    return spoken(bench, seen) + f"; handshakes: {', '.join(f'{what} {profile}' for what, profile in done)}"


@case("baresip", "SRTP (DTLS), called by Hotline")
def dtls_called(bench):
    heard = bench.folder()
    def call():
        command = [bench.hotline, "call", f"sip:phone@127.0.0.1:{baresip.SIP}", "--bind", "127.0.0.1", "--srtp", "dtls", "--say", BALANCE,
                   "--record", heard / "both.wav", "--patience", "6"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        check(done.returncode == 0, f"hotline call failed: {done.stderr[-300:]}")
    seen = baresip.call(bench.folder() / "phone", None, seconds=30, srtp="dtls_srtp", wav=HOURS, meanwhile=call)
    check("DTLS-SRTP complete" in seen["log"], "the phone tells of no handshake")
    at_phone = bench.service.recognise(seen["record"])
    check("balance" in at_phone, f"the phone heard {at_phone!r}")
    subprocess.run(["sox", heard / "both.wav", heard / "theirs.wav", "remix", "2"], check=True)
    ours = bench.service.recognise(heard / "theirs.wav")
    check("hours" in ours, f"Hotline heard {ours!r}")
    return "we offered UDP/TLS/RTP/SAVP; the phone heard the balance asked for, we heard it ask for the hours"


@case("baresip", "TCP", transport="tcp")
@case("baresip", "TLS", transport="tls")
def transport(bench, transport):
    port = 5061 if transport == "tls" else 5060
    uri = f"sip:1000@127.0.0.1:{port};transport={transport}"
    return spoken(bench, bench.baresip(seconds=22, transport=transport, uri=uri, wav=late(bench)))


@case("baresip", "hold and resume")
def hold(bench):
    seen = bench.baresip(seconds=28, wav=late(bench, 16), keys=[(9, "x"), (13, "X")])
    # The phone's own recording ends where it holds; its meter and the call record tell the rest.
    rates = re.findall(r"audio=(\d+)/(\d+)", seen["log"])
    check(("0", "0") in rates[40:] and int(rates[-1][1]) > 50_000, "the phone hears nothing after the hold")
    check("balance" in seen["of"]["heard"].lower(), f"the record says that the caller said {seen['of']['heard']!r}")
    check("account number" in seen["of"]["said"], f"the record says that the bot said {seen['of']['said']!r}")
    return f"held for 4 s; then recognised {seen['of']['heard']!r}, and {rates[-1][1]} bit/s reached the phone"


@case("baresip", "keys, RFC 4733", codec="PCMU")
def keys(bench, codec):
    return keyed(bench, bench.baresip(seconds=20, codec=codec, keys=[(AFTER_WELCOME + 1, "3")]))


@case("baresip", "keys, INFO")
def info(bench):
    return keyed(bench, bench.baresip(seconds=20, info=True, keys=[(AFTER_WELCOME + 1, "3")]))


def late(bench, seconds=AFTER_WELCOME + 1) -> Path:
    """The caller's wish after so many seconds of silence."""
    path = bench.work / f"late-{seconds}.wav"
    subprocess.run(["sox", BALANCE, path, "pad", str(seconds), "0"], check=True)
    return path
