"""Malformed messages: those of RFC 4475 and random damage to them; after each the service must be alive."""
import random
import re
import socket
from pathlib import Path

SEEDS = Path(__file__).resolve().parents[2] / "fuzz/corpus/sip_message"
TARGET = ("127.0.0.1", 5060)
CALL = {180, 183, 200, 404, 480, 486, 488, 603}
NO_METHOD = {401, 403, 404, 405, 501}
# The first answer that is right: not in this table, 400; nothing, silence. Where the RFC leaves it to
# the receiver whether to be liberal, more than one.
RIGHT = {
    **dict.fromkeys(["wsinv", "longreq"], CALL | {481}), **dict.fromkeys(["esc01", "lwsstart", "escruri", "baddate"], CALL | {400}),
    **dict.fromkeys(["intmeth", "esc02", "mpart01"], {405, 415, 501}), "mismatch02": {400, 501},
    **dict.fromkeys(["escnull", "dblreq", "regaut01", "cparam01", "cparam02", "regescrt"], NO_METHOD | {200}),
    **dict.fromkeys(["scalar02", "regbadct", "unksm2"], NO_METHOD | {200, 400}),
    **dict.fromkeys(["lwsdisp", "semiuri", "transports", "zeromf"], {200, 404, 483}),
    **dict.fromkeys(["trws", "badaspec", "baddn", "badbranch"], {200, 400, 404}),
    **dict.fromkeys(["unreason", "noreason", "scalarlg", "bigcode", "bcast"], set()),
    "badvers": {505}, **dict.fromkeys(["unkscm", "novelsc"], {400, 404, 416}), "bext01": {420}, "invut": {415},
    "sdp01": CALL | {406}, "inv2543": CALL | {400},
}


class Torturer:
    def __init__(self):
        # The messages' Via headers name port 5060.
        self.messages, self.probe = self.bound("127.0.0.3", 5060), self.bound("127.0.0.3", 0)
        self.count = 0

    @staticmethod
    def bound(ip, port):
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.bind((ip, port))
        return sock

    def alive(self) -> bool:
        for _ in range(5):
            self.count += 1
            ip, port = self.probe.getsockname()
            self.probe.sendto(
                f"OPTIONS sip:probe@{TARGET[0]} SIP/2.0\r\nVia: SIP/2.0/UDP {ip}:{port};branch=z9hG4bKp{self.count};rport\r\n"
                f"From: <sip:p@{ip}>;tag={self.count}\r\nTo: <sip:probe@{TARGET[0]}>\r\nCall-ID: probe{self.count}\r\n"
                f"CSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n".encode(), TARGET)
            self.probe.settimeout(2)
            try:
                while f"probe{self.count}".encode() not in self.probe.recv(65535):
                    pass
                return True
            except OSError:
                continue
        return False

    def answer(self, message: bytes, patience: float):
        """The status of the first answer but 100 to this message; None for silence."""
        self.messages.sendto(message, TARGET)
        call_id = re.search(rb"(?:^|\n)(?:call-id|i)[ \t]*:[ \t]*([^\r\n]*)", message, re.I)
        self.messages.settimeout(patience)
        try:
            while True:
                said = self.messages.recv(65535)
                status = int(said[8:11]) if said[8:11].isdigit() else 0
                if status > 100 and (call_id is None or call_id.group(1).strip() in said):
                    return status
        except OSError:
            return None


def damaged(message: bytes, random_: random.Random) -> bytes:
    b = bytearray(message)
    for _ in range(random_.randint(1, 8)):
        at, kind = random_.randrange(len(b)), random_.randrange(5)
        if kind == 0:
            b[at] = random_.randrange(256)
        elif kind == 1:
            del b[at:at + random_.randint(1, 20)]
        elif kind == 2:
            b[at:at] = bytes([b[at]]) * random_.randint(1, 400)
        elif kind == 3:
            b[at:at] = random_.choice([b"\r\n", b"\0", b";;;,", b"99999999999999999999", b"<", b'"', b"\xff\xfe"])
        else:
            b[at:at] = b[at // 2:at // 2 + 60]
        b = b or bytearray(b"\0")
    return bytes(b[:60000])


def run(service, mutations: int) -> str:
    """Raises when an answer is wrong or the service dies; else says what was seen."""
    torturer, wrong = Torturer(), []
    names = [n for n in sorted(p.name for p in SEEDS.iterdir()) if re.fullmatch(r"[a-z]+\d*", n)]
    before = service.rss_mb()
    for name in names:
        right, status = RIGHT.get(name, {400}), torturer.answer((SEEDS / name).read_bytes(), 2)
        if status not in (right or {None}):
            wrong.append(f"{name} got {status}, not {sorted(right)}")
        if not torturer.alive():
            raise AssertionError(f"no answer to OPTIONS after {name}")
    random_ = random.Random(1)
    for i in range(mutations):
        message = damaged((SEEDS / random_.choice(names)).read_bytes(), random_)
        torturer.messages.sendto(message, TARGET)
        if i % 20 == 19 and not torturer.alive():
            raise AssertionError(f"no answer to OPTIONS after mutation {i}")
    if wrong:
        raise AssertionError("; ".join(wrong))
    return (f"{len(names)} messages of RFC 4475 answered as they may be; alive after {mutations} mutations; resident memory "
            f"{before:.0f} MB before, {service.rss_mb():.0f} MB after")
