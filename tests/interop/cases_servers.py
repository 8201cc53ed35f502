"""Kamailio as registrar and proxy, sipp's calls, and malformed messages."""
import subprocess
import time

import torture
from bench import ASK, HERE, HOLD, KAMAILIO, KAMAILIO_TLS, SPEAK, WANT, case, check, connected, spoken

PROXY = f"sip:127.0.0.1:{KAMAILIO};lr"


def sipp(bench, *more) -> str:
    calls, _ = 100, bench.service
    folder = bench.folder()
    said = subprocess.run(
        ["sipp", "127.0.0.1:5060", "-sf", HERE / "uac.xml", "-s", "1000", "-i", "127.0.0.1", "-mi", "127.0.0.1",
         "-m", str(calls), "-r", "10", "-l", "50", "-timeout", "90", *more],
        cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace")
    (folder / "log").write_text(said.stdout + said.stderr)
    check(said.returncode == 0, f"sipp ended with {said.returncode}: see {folder}/log")
    return f"{calls} of {calls} calls, 10 a second"


@case("sipp", "call, PCMU")
def sipp_udp(bench):
    return sipp(bench, "-t", "u1", "-p", "5090")


@case("sipp", "TCP")
def sipp_tcp(bench):
    return sipp(bench, "-t", "t1", "-p", "5090")


@case("Kamailio", "call, PCMU")
def kamailio_call(bench):
    bench.kamailio()
    seen = bench.pjsua(proxy=PROXY, steps=SPEAK)
    check("Record-Route: " in seen["log"], "the proxy is not on the way")
    return "by way of the proxy, record-routed; " + spoken(bench, seen)


@case("Kamailio", "TCP", transport="tcp")
@case("Kamailio", "TLS", transport="tls")
def kamailio_transport(bench, transport):
    bench.kamailio()
    seen = bench.pjsua(proxy=PROXY, uri=f"sip:{transport}1000@127.0.0.1:{KAMAILIO}", steps=SPEAK)
    check("Record-Route: " in seen["log"], "the proxy is not on the way")
    return f"UDP to the proxy, {transport.upper()} from there (certificate verified with TLS); " + spoken(bench, seen)


@case("Kamailio", "hold and resume")
def kamailio_hold(bench):
    bench.kamailio()
    return "held for 4 s, then " + spoken(bench, bench.pjsua(proxy=PROXY, steps=HOLD))


@case("Kamailio", "transfer by a bridge", number=1100)
@case("Kamailio", "attended transfer", number=1101)
@case("Kamailio", "blind transfer", number=1102)
def kamailio_transfer(bench, number):
    """The caller reaches Hotline, and on our REFER the callee, who is registered, by the proxy."""
    bench.kamailio()
    account = {"id": "sip:callee@127.0.0.1", "user": "callee", "password": "secret", "registrar": f"sip:127.0.0.1:{KAMAILIO}"}
    with bench.callee(steps=ASK, **account) as callee:
        caller = bench.pjsua(proxy=PROXY, uri=f"sip:{number}@127.0.0.1:{KAMAILIO}", steps=WANT)
        evidence = connected(bench, caller, callee())
    check("Record-Route: " in caller["log"], "the proxy is not on the way")
    if number != 1100:
        check("referred_to" in caller, "the phone got no REFER")
        evidence = "REFER by way of the proxy, and the phone's own call, too; " + evidence
    if number == 1101:
        check("Replaces=" in caller["referred_to"], f"Refer-To: {caller['referred_to']}")
        evidence += "; REFER with Replaces"
    return evidence


@case("Kamailio", "registration", transport="udp", ip="127.0.0.4", rtp="22000-22199")
@case("Kamailio", "registration over TLS", transport="tls", ip="127.0.0.5", rtp="22200-22399")
def kamailio_registration(bench, transport, ip, rtp):
    """Hotline registers with a password; a phone that is registered, too, calls the name by the proxy."""
    bench.kamailio()
    name, port = f"bot{transport}", KAMAILIO_TLS if transport == "tls" else KAMAILIO
    service = bench.trunk(f"registered-{transport}", ip, rtp, f"""
[[trunk]]
name = "proxy"
targets = ["sip:127.0.0.1:{port};transport={transport}"]
username = "{name}"
password_file = "../password"
register = "sip:{name}@127.0.0.1:{port};transport={transport}"
register_expires_s = 60
ping_s = 5
""", (name, HERE.parents[1] / "dialplans/utility-en.yaml", ""))
    time.sleep(2)
    account = {"id": "sip:phone@127.0.0.1", "user": "phone", "password": "secret", "registrar": f"sip:127.0.0.1:{KAMAILIO}"}
    seen = bench.pjsua(service, proxy=PROXY, uri=f"sip:{name}@127.0.0.1:{KAMAILIO}", steps=SPEAK, **account)
    check(seen["registered"] == 200, f"the phone's registration got {seen['registered']}")
    check("egistered" in service.log(), f"Hotline says nothing of a registration: {service.log()[-300:]}")
    return f"registered by digest over {transport.upper()}, called by that name; " + spoken(bench, seen)


@case("RFC 4475", "malformed messages")
def malformed(bench):
    return torture.run(bench.service, 20_000)
