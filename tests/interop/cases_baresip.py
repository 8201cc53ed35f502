"""What baresip phones do."""
import re
import subprocess
from pathlib import Path

from bench import AFTER_WELCOME, BALANCE, case, check, keyed, spoken


@case("baresip", "call, PCMU", codec="PCMU")
@case("baresip", "PCMA", codec="PCMA")
@case("baresip", "G.722", codec="G722")
@case("baresip", "Opus", codec="opus")
def codec(bench, codec):
    return spoken(bench, bench.baresip(seconds=22, codec=codec, wav=late(bench)))


@case("baresip", "SRTP (SDES)")
def srtp(bench):
    seen = bench.baresip(seconds=22, srtp=True, wav=late(bench))
    check("SRTP is Enabled" in seen["log"], "SRTP is not enabled")
    return spoken(bench, seen) + "; SRTP was mandatory"


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
