"""The cases: what each phone does, and by what evidence it worked."""
import json
import re
import subprocess
import sys
import time
from pathlib import Path

import baresip
import torture
from service import ROOT

HERE = Path(__file__).resolve().parent
BALANCE = ROOT / "examples/callers/en/1-balance.wav"
BOT = "sip:1000@127.0.0.1:5060"
KAMAILIO, KAMAILIO_TLS = 5080, 5081
# The bot's welcome has been said by then.
AFTER_WELCOME = 8
PEERS = {
    "baresip": ["baresip", "-h"],
    "pjsua2": [sys.executable, "-c", "import importlib.metadata as m; print(m.version('pjsua2-python'))"],
    "sipp": ["sipp", "-v"],
    "Kamailio": ["kamailio", "-v"],
    "RFC 4475": ["true"],
}
FEATURES = [
    "call, PCMU", "PCMA", "G.722", "Opus", "SRTP (SDES)", "TCP", "TLS", "hold and resume", "keys, RFC 4733",
    "keys, INFO", "keys, in-band", "hang-up by the bot", "early media", "session timer", "registration and proxy",
    "blind transfer", "attended transfer", "malformed messages",
]
CASES = {}


class NotYet(Exception):
    """Hotline says that it does not have this."""


def case(peer: str, feature: str, **more):
    def register(function):
        CASES[peer, feature] = lambda bench: function(bench, **more)
        return function
    return register


def check(condition, problem):
    if not condition:
        raise AssertionError(problem)


class Bench:
    """Where the phones live."""

    def __init__(self, service, work: Path):
        self.service, self.work, self.calls, self.kamailio = service, work, 0, None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.kamailio:
            self.kamailio.terminate()
            self.kamailio.wait(10)

    def need(self, part: str):
        if part in self.service.missing:
            raise NotYet(self.service.missing[part])

    def folder(self) -> Path:
        self.calls += 1
        folder = self.work / f"call-{self.calls:03}"
        folder.mkdir()
        return folder

    def pjsua(self, **plan) -> dict:
        """One call of a pjsua2 phone, with the call's record in `record_of` and its log in `log`."""
        folder, since = self.folder(), time.time()
        plan = {"log": str(folder / "phone.log"), "record": str(folder / "record.wav"), "uri": BOT, **plan}
        (folder / "plan.json").write_text(json.dumps(plan, indent=1))
        said = subprocess.run([sys.executable, HERE / "phone.py", json.dumps(plan)], capture_output=True, text=True, timeout=200)
        check(said.stdout.strip(), f"the phone died: {said.stderr[-300:]}")
        seen = json.loads(said.stdout.strip().splitlines()[-1])
        log = Path(plan["log"])
        seen["log"] = log.read_text(errors="replace") if log.exists() else ""
        seen["heard"], seen["of"] = Path(plan["record"]), self.service.last_call(since) if seen["status"] else {}
        return seen

    def baresip(self, **how) -> dict:
        since = time.time()
        seen = baresip.call(self.folder() / "phone", how.pop("uri", BOT), **how)
        check(seen["established"], f"no call: {seen['closed']}")
        seen["heard"], seen["of"] = seen["record"], self.service.last_call(since)
        return seen

    def start_kamailio(self):
        if self.kamailio is None:
            run = self.work / "kamailio"
            run.mkdir()
            log = (run / "log").open("wb")
            listen = [f"udp:127.0.0.1:{KAMAILIO}", f"tcp:127.0.0.1:{KAMAILIO}", f"tls:127.0.0.1:{KAMAILIO_TLS}"]
            define = ['PASS="secret"', f'CERT="{self.work}/cert.pem"', f'KEY="{self.work}/key.pem"']
            self.kamailio = subprocess.Popen(
                ["kamailio", "-f", HERE / "kamailio.cfg", "-DD", "-E", "-Y", run, "-m", "32", "-M", "4",
                 *[x for l in listen for x in ("-l", l)], *[x for d in define for x in ("-A", d)]],
                stdout=log, stderr=log)
            time.sleep(3)
            check(self.kamailio.poll() is None, f"Kamailio ended: see {run}/log")


def spoken(bench, seen, codec=None, transport=None) -> str:
    """Both sides were heard: the record has the caller's wish, the phone's recording the bot's answer."""
    of = seen["of"]
    check(of, "there is no record of the call")
    check("balance" in of["heard"].lower(), f"the record says that the caller said {of['heard']!r}")
    heard = bench.service.recognise(seen["heard"])
    check("account number" in heard, f"the phone heard {heard!r}")
    rtp = of["rtp"]
    mos = f", MOS {rtp['mos']:.2f}" if rtp.get("mos") else ""
    return (f"recognised {of['heard']!r}; the phone heard \"account number\"; {rtp.get('received')} packets in, "
            f"{rtp.get('sent')} out, {rtp.get('lost')} lost{mos}")


def keyed(bench, seen) -> str:
    """The key 3 was counted once and the bot told its hours."""
    of = seen["of"]
    check(of, "there is no record of the call")
    keys = sum(data.get("count", 1) for kind, data in of["events"] if kind == "keys")
    check(keys == 1, f"{keys} keys were counted for one press")
    heard = bench.service.recognise(seen["heard"])
    check("office is open" in heard, f"the phone heard {heard!r}")
    return "one press counted once; the phone heard \"our office is open\""


SPEAK = [[AFTER_WELCOME, "play", str(BALANCE)], [AFTER_WELCOME + 10, "bye"]]
PRESS = [[AFTER_WELCOME, "keys", "3"], [AFTER_WELCOME + 10, "bye"]]


# --- pjsua2 ---

@case("pjsua2", "call, PCMU", codec="PCMU")
@case("pjsua2", "PCMA", codec="PCMA")
@case("pjsua2", "G.722", codec="G722")
def pjsua_codec(bench, codec):
    seen = bench.pjsua(codec=codec, steps=SPEAK)
    check(seen.get("codec") == codec, f"the phone used {seen.get('codec')}, status {seen['status']}")
    return spoken(bench, seen)


@case("pjsua2", "SRTP (SDES)")
def pjsua_srtp(bench):
    seen = bench.pjsua(srtp="mandatory", steps=SPEAK)
    check("RTP/SAVP" in seen["log"], "the phone did not offer RTP/SAVP")
    return spoken(bench, seen) + "; RTP/SAVP was mandatory"


@case("pjsua2", "TCP", transport="tcp")
@case("pjsua2", "TLS", transport="tls")
def pjsua_transport(bench, transport):
    bench.need(transport)
    port = 5061 if transport == "tls" else 5060
    seen = bench.pjsua(transport=transport, uri=f"sip:1000@127.0.0.1:{port};transport={transport}", steps=SPEAK)
    check(f"SIP/2.0/{transport.upper()}" in seen["log"], "another transport was used")
    return spoken(bench, seen)


@case("pjsua2", "hold and resume")
def pjsua_hold(bench):
    at = AFTER_WELCOME
    seen = bench.pjsua(steps=[[at, "hold"], [at + 4, "resume"], [at + 6, "play", str(BALANCE)], [at + 16, "bye"]])
    check("a=sendonly" in seen["log"] or "a=inactive" in seen["log"], "the phone did not hold")
    return "held for 4 s, then " + spoken(bench, seen)


@case("pjsua2", "keys, RFC 4733")
def pjsua_keys(bench):
    return keyed(bench, bench.pjsua(steps=PRESS))


@case("pjsua2", "keys, INFO")
def pjsua_info(bench):
    seen = bench.pjsua(steps=[[AFTER_WELCOME, "info", "3"], PRESS[1]])
    check("\nINFO sip:" in seen["log"], "the phone sent no INFO")
    return keyed(bench, seen)


@case("pjsua2", "keys, in-band")
def pjsua_tones(bench):
    tone = bench.work / "key3.wav"
    subprocess.run(["sox", "-n", "-r", "8000", "-c", "2", "-b", "16", tone, "synth", "0.15", "sine", "697", "sine",
                    "1477", "remix", "-", "vol", "0.5"], check=True)
    return keyed(bench, bench.pjsua(steps=[[AFTER_WELCOME, "play", str(tone)], PRESS[1]]))


@case("pjsua2", "hang-up by the bot")
def pjsua_bye(bench):
    seen = bench.pjsua(steps=[[AFTER_WELCOME, "play", str(ROOT / "examples/callers/en/4-hours.wav")],
                              [AFTER_WELCOME + 14, "play", str(ROOT / "examples/callers/en/5-no.wav")],
                              [AFTER_WELCOME + 60, "bye"]])
    check(seen["by"] == "peer" and seen["of"], "the phone had to hang up")
    check(seen["of"]["disposition"] == "resolved", f"the outcome is {seen['of']['disposition']}")
    return f"the bot said goodbye and hung up; the outcome is {seen['of']['disposition']}"


@case("pjsua2", "early media")
def pjsua_early(bench):
    bench.need("early")
    seen = bench.pjsua(uri="sip:1001@127.0.0.1:5060", steps=SPEAK)
    check(183 in seen["early"], f"provisional responses: {seen['early']}")
    return "183 with SDP before the answer; " + spoken(bench, seen)


@case("pjsua2", "session timer")
def pjsua_timer(bench):
    # The caller keeps asking, so that the dialog outlasts the refresh.
    hours = str(ROOT / "examples/callers/en/4-hours.wav")
    seen = bench.pjsua(timer=90, steps=[[at, "play", hours] for at in (8, 23, 38)] + [[54, "bye"]])
    refreshes = seen["log"].count("\nUPDATE sip:") + max(0, seen["log"].count("\nINVITE sip:") - 1)
    check("Session-Expires: 90" in seen["log"], "no session timer was agreed")
    check(refreshes >= 1 and seen["by"] == "phone", f"{refreshes} refreshes, ended by the {seen['by']}")
    return f"90 s agreed, refreshed after 45 s ({refreshes} UPDATE or INVITE), alive at 54 s"


@case("pjsua2", "blind transfer")
def pjsua_refer(bench):
    """The phone sends the bot to another phone."""
    folder = bench.folder()
    plan = {"log": str(folder / "callee.log"), "record": str(folder / "record.wav"), "port": 5071, "patience": 40,
            "answers": [[0.2, 200]], "steps": [[6, "bye"]]}
    callee = subprocess.Popen([sys.executable, HERE / "phone.py", json.dumps(plan)], stdout=subprocess.PIPE, text=True)
    try:
        callee.stdout.readline()
        seen = bench.pjsua(steps=[[AFTER_WELCOME, "refer", "sip:callee@127.0.0.1:5071"], [AFTER_WELCOME + 12, "bye"]])
        codes = seen["refer"]
        check(codes, "REFER was not answered")
        if codes[0] in (405, 481, 501):
            raise NotYet(f"REFER is answered with {codes[0]}")
        check(codes[-1] == 200, f"REFER was answered with {codes}")
        other = json.loads(callee.stdout.readline() or "{}")
        check(other.get("status") == 200, f"the other phone saw {other}")
        return "REFER to another phone: it was called and answered, and the first phone was told so"
    finally:
        callee.kill()


# --- baresip ---

@case("baresip", "call, PCMU", codec="PCMU")
@case("baresip", "PCMA", codec="PCMA")
@case("baresip", "G.722", codec="G722")
@case("baresip", "Opus", codec="opus")
def baresip_codec(bench, codec):
    return spoken(bench, bench.baresip(seconds=22, codec=codec, wav=late(bench)))


@case("baresip", "SRTP (SDES)")
def baresip_srtp(bench):
    seen = bench.baresip(seconds=22, srtp=True, wav=late(bench))
    check("SRTP is Enabled" in seen["log"], "SRTP is not enabled")
    return spoken(bench, seen) + "; SRTP was mandatory"


@case("baresip", "TCP", transport="tcp")
@case("baresip", "TLS", transport="tls")
def baresip_transport(bench, transport):
    bench.need(transport)
    port = 5061 if transport == "tls" else 5060
    uri = f"sip:1000@127.0.0.1:{port};transport={transport}"
    return spoken(bench, bench.baresip(seconds=22, transport=transport, uri=uri, wav=late(bench)))


@case("baresip", "hold and resume")
def baresip_hold(bench):
    seen = bench.baresip(seconds=28, wav=late(bench, 16), keys=[(9, "x"), (13, "X")])
    # The phone's own recording ends where it holds; its meter and the call record tell the rest.
    rates = re.findall(r"audio=(\d+)/(\d+)", seen["log"])
    check(("0", "0") in rates[40:] and int(rates[-1][1]) > 50_000, "the phone hears nothing after the hold")
    check("balance" in seen["of"]["heard"].lower(), f"the record says that the caller said {seen['of']['heard']!r}")
    check("account number" in seen["of"]["said"], f"the record says that the bot said {seen['of']['said']!r}")
    return f"held for 4 s; then recognised {seen['of']['heard']!r}, and {rates[-1][1]} bit/s reached the phone"


@case("baresip", "keys, RFC 4733", codec="PCMU")
def baresip_keys(bench, codec):
    return keyed(bench, bench.baresip(seconds=20, codec=codec, keys=[(AFTER_WELCOME + 1, "3")]))


@case("baresip", "keys, INFO")
def baresip_info(bench):
    return keyed(bench, bench.baresip(seconds=20, info=True, keys=[(AFTER_WELCOME + 1, "3")]))


def late(bench, seconds=AFTER_WELCOME + 1) -> Path:
    """The caller's wish after so many seconds of silence."""
    path = bench.work / f"late-{seconds}.wav"
    subprocess.run(["sox", BALANCE, path, "pad", str(seconds), "0"], check=True)
    return path


# --- sipp ---

def sipp(bench, *more) -> str:
    calls = 100
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
    bench.need("tcp")
    return sipp(bench, "-t", "t1", "-p", "5090")


# --- Kamailio ---

PROXY = f"sip:127.0.0.1:{KAMAILIO};lr"


@case("Kamailio", "call, PCMU")
def kamailio_call(bench):
    bench.start_kamailio()
    seen = bench.pjsua(proxy=PROXY, steps=SPEAK)
    check("Record-Route: " in seen["log"], "the proxy is not on the way")
    return "by way of the proxy, record-routed; " + spoken(bench, seen)


@case("Kamailio", "TCP", transport="tcp")
@case("Kamailio", "TLS", transport="tls")
def kamailio_transport(bench, transport):
    bench.need(transport)
    bench.start_kamailio()
    seen = bench.pjsua(proxy=PROXY, uri=f"sip:{transport}1000@127.0.0.1:{KAMAILIO}", steps=SPEAK)
    check("Record-Route: " in seen["log"], "the proxy is not on the way")
    return f"UDP to the proxy, {transport.upper()} from there; " + spoken(bench, seen)


@case("Kamailio", "hold and resume")
def kamailio_hold(bench):
    bench.start_kamailio()
    at = AFTER_WELCOME
    seen = bench.pjsua(proxy=PROXY, steps=[[at, "hold"], [at + 4, "resume"], [at + 6, "play", str(BALANCE)], [at + 16, "bye"]])
    return "held for 4 s, then " + spoken(bench, seen)


# --- malformed messages ---

@case("RFC 4475", "malformed messages")
def malformed(bench):
    return torture.run(bench.service, 20_000)
