"""What the cases share: the phones, the servers, and by what evidence something worked."""
import json
import re
import socket
import subprocess
import sys
import threading
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path

import asterisk
import baresip
from service import ROOT, Service, certificates

HERE = Path(__file__).resolve().parent
UTILITY = ROOT / "dialplans/utility-en.yaml"
BALANCE, HOURS, NO = (ROOT / f"examples/callers/en/{name}.wav" for name in ("1-balance", "4-hours", "5-no"))
BOT = "sip:1000@127.0.0.1:5060"
KAMAILIO, KAMAILIO_TLS, CALLEE = 5080, 5081, 5071
# The bot's welcome has been said by then.
AFTER_WELCOME = 8
SPEAK = [[AFTER_WELCOME, "play", str(BALANCE)], [AFTER_WELCOME + 10, "bye"]]
PRESS = [[AFTER_WELCOME, "keys", "3"], [AFTER_WELCOME + 10, "bye"]]
HOLD = [[AFTER_WELCOME, "hold"], [AFTER_WELCOME + 4, "resume"], [AFTER_WELCOME + 6, "play", str(BALANCE)],
        [AFTER_WELCOME + 16, "bye"]]
CASES = {}


class Skipped(Exception):
    """Something that the case needs cannot be had here."""


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

    def __init__(self, hotline: str, work: Path, prompts: Path, chroot: str):
        self.hotline, self.work, self.prompts, self.chroot, self.calls = hotline, work, prompts, chroot, 0
        self.stack, self.running = ExitStack(), {}
        certificates(work)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stack.close()

    def run(self, name: str, start):
        """Something that runs until the end, started when it is first needed."""
        if name not in self.running:
            self.running[name] = self.stack.enter_context(start())
        return self.running[name]

    @property
    def service(self) -> Service:
        """Hotline without trunks: anybody may call. 11xx hands over to a phone by itself."""
        def start():
            tone = self.work / "announcement.wav"
            subprocess.run(["sox", "-n", "-r", "8000", "-c", "1", "-b", "16", tone, "synth", "2", "sine", "440", "vol", "0.2"],
                           check=True)
            callee = f"sip:callee@127.0.0.1:{CALLEE}"
            return Service(self.hotline, self.work, self.prompts, "plain", numbers=[
                ("1000", UTILITY, ""), ("1001", UTILITY, f'before_answer = {{ announcement = "{tone}" }}'),
                ("1100", (callee, "bridge"), ""), ("1101", (callee, "attended"), ""), ("1102", (callee, "refer"), "")])
        return self.run("plain", start)

    def trunk(self, name: str, ip: str, rtp: str, trunks: str, *numbers) -> Service:
        """Hotline with trunks, at port 5060 of another address; 1100 hands over to number 4002 by a trunk."""
        (self.work / "password").write_text("secret\n")
        return self.run(name, lambda: Service(self.hotline, self.work, self.prompts, name, ip=ip, rtp=rtp, trunks=trunks,
                                              numbers=[("1000", UTILITY, ""), ("1100", ("4002", "bridge"), ""), *numbers]))

    def folder(self) -> Path:
        self.calls += 1
        folder = self.work / f"call-{self.calls:03}"
        folder.mkdir()
        return folder

    def plan(self, name: str, **plan) -> tuple[Path, dict]:
        folder = self.folder()
        plan = {"log": str(folder / f"{name}.log"), "record": str(folder / "record.wav"), **plan}
        (folder / "plan.json").write_text(json.dumps(plan, indent=1))
        return folder, plan

    def pjsua(self, service=None, **plan) -> dict:
        """One call of a pjsua2 phone, with the call's record in `of` and the phone's log in `log`."""
        service, since = service or self.service, time.time()
        _, plan = self.plan("phone", uri=BOT, **plan) if "uri" not in plan else self.plan("phone", **plan)
        said = subprocess.run([sys.executable, HERE / "phone.py", json.dumps(plan)], capture_output=True, text=True, timeout=200)
        check(said.stdout.strip(), f"the phone died: {said.stderr[-300:]}")
        seen = json.loads(said.stdout.strip().splitlines()[-1])
        log = Path(plan["log"])
        seen["log"] = log.read_text(errors="replace") if log.exists() else ""
        seen["heard"], seen["of"] = Path(plan["record"]), service.last_call(since) if seen["status"] else {}
        return seen

    @contextmanager
    def callee(self, **plan):
        """A pjsua2 phone that is called; yields a function that waits for what it saw."""
        _, plan = self.plan("callee", **{"port": CALLEE, "patience": 60, "answers": [[0.2, 200]], **plan})
        phone = subprocess.Popen([sys.executable, HERE / "phone.py", json.dumps(plan)], stdout=subprocess.PIPE,
                                 stderr=subprocess.DEVNULL, text=True)
        try:
            ready = json.loads(phone.stdout.readline() or "{}")
            check(not plan.get("registrar") or ready.get("registered") == 200, f"the phone is not registered: {ready}")
            yield lambda: json.loads(phone.stdout.readline() or "{}")
        finally:
            phone.kill()
            phone.wait()

    def baresip(self, **how) -> dict:
        service, since = self.service, time.time()
        seen = baresip.call(self.folder() / "phone", how.pop("uri", BOT), **how)
        check(seen["established"], f"no call: {seen['closed']}")
        seen["heard"], seen["of"] = seen["record"], service.last_call(since)
        return seen

    def kamailio(self):
        def start():
            run = self.work / "kamailio"
            run.mkdir()
            listen = [f"udp:127.0.0.1:{KAMAILIO}", f"tcp:127.0.0.1:{KAMAILIO}", f"tls:127.0.0.1:{KAMAILIO_TLS}"]
            define = ['PASS="secret"', f'CERT="{self.work}/cert.pem"', f'KEY="{self.work}/key.pem"', f'CA="{self.work}/ca.pem"']
            return process(["kamailio", "-f", HERE / "kamailio.cfg", "-DD", "-E", "-Y", run, "-m", "32", "-M", "4",
                            *[x for l in listen for x in ("-l", l)], *[x for d in define for x in ("-A", d)]], run / "log", 3)
        return self.run("kamailio", start)

    def asterisk(self):
        if not Path(self.chroot, "usr/sbin/asterisk").exists():
            raise Skipped("Asterisk could not be installed")
        return self.run("asterisk", lambda: process(asterisk.command(Path(self.chroot), self.work), self.work / "asterisk.log", 8))


@contextmanager
def process(command, log: Path, seconds: float):
    """A server that has started when it is still there after so many seconds."""
    with log.open("wb") as out:
        server = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
    try:
        time.sleep(seconds)
        check(server.poll() is None, f"{command[0]} ended: see {log}")
        yield log
    finally:
        server.terminate()
        try:
            server.wait(10)
        except subprocess.TimeoutExpired:
            server.kill()


class Tap:
    """SIP over UDP as it went over the loopback interface: (from port, to port, text)."""

    def __init__(self):
        self.messages, self.over = [], False
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(0x0800))
        self.socket.bind(("lo", 0x0800))
        self.socket.settimeout(0.3)
        self.thread = threading.Thread(target=self.listen, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over = True
        self.thread.join()

    def listen(self):
        while not self.over:
            try:
                packet = self.socket.recv(65536)
            except TimeoutError:
                continue
            at = (packet[0] & 15) * 4
            if packet[9] == 17 and b"SIP/2.0" in packet[at + 8:at + 500]:
                self.messages.append((int.from_bytes(packet[at:at + 2]), int.from_bytes(packet[at + 2:at + 4]),
                                      packet[at + 8:].decode(errors="replace")))

    def texts(self, from_port: int, start: str) -> list[str]:
        return [text for port, _, text in self.messages if port == from_port and re.match(start, text)]


def counts(of: dict) -> str:
    rtp = of["rtp"]
    mos = f", MOS {rtp['mos']:.2f}" if rtp.get("mos") else ""
    return f"{rtp.get('received')} packets in, {rtp.get('sent')} out, {rtp.get('lost')} lost{mos}"


def spoken(bench, seen) -> str:
    """Both sides were heard: the record has the caller's wish, the phone's recording the bot's answer."""
    of = seen["of"]
    check(of, f"there is no record of the call; the phone saw {seen.get('status')} {seen.get('reason')}")
    check("balance" in of["heard"].lower(), f"the record says that the caller said {of['heard']!r}")
    heard = bench.service.recognise(seen["heard"])
    # The recording is cut every 12 s for the recogniser; a cut may hit one of the two, not both.
    check("account number" in heard or "eight digits" in heard or "8 digits" in heard, f"the phone heard {heard!r}")
    return f"recognised {of['heard']!r}; the phone heard the question for the account number; {counts(of)}"


def keyed(bench, seen) -> str:
    """The key 3 was counted once and the bot told its hours."""
    of = seen["of"]
    check(of, f"there is no record of the call; the phone saw {seen.get('status')} {seen.get('reason')}")
    keys = sum(data.get("count", 1) for kind, data in of["events"] if kind == "keys")
    check(keys == 1, f"{keys} keys were counted for one press")
    heard = bench.service.recognise(seen["heard"])
    check("office is open" in heard, f"the phone heard {heard!r}")
    check("monday to friday" in heard, f"the bot was interrupted: the phone heard {heard!r}")
    return "one press counted once; the phone heard \"our office is open ... Monday to Friday\""


def connected(bench, caller: dict, callee: dict, how="transferred") -> str:
    """Two phones that Hotline brought together have heard each other."""
    check(caller["of"], f"there is no record of the call; the phone saw {caller.get('status')} {caller.get('reason')}")
    # The call that another one takes the place of ends with 410 (pjsua2).
    there = callee["then"][-1] if callee.get("replaced") and callee["then"] else callee
    check(there.get("status") == 200, f"the callee saw {callee}")
    check(caller["of"]["disposition"] == how, f"the outcome is {caller['of']['disposition']}")
    last = lambda seen: [s["record"] for s in (seen, *seen["then"]) if "record" in s]
    at_callee, at_caller = bench.service.recognise(*last(callee)), bench.service.recognise(*last({**caller, "record": caller["heard"]}))
    check("balance" in at_callee, f"the callee heard {at_callee!r}")
    check("opening hours" in at_caller or "hours" in at_caller, f"the caller heard {at_caller!r}")
    return "the two phones heard each other; the outcome is transferred"


# Of two phones that are brought together: the callee asks for the hours, the caller for the balance.
ASK = [[1.5, "play", str(HOURS)], [16, "bye"]]
WANT = [[AFTER_WELCOME + 4, "play", str(BALANCE)], [AFTER_WELCOME + 30, "bye"]]
