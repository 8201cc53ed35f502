"""Calls out of a capture of the loopback interface: both sides' audio on the clock of the capture."""
import math
import re
import struct
from collections import defaultdict

RATE = 8000
# A stretch of 5 ms is audible above this level.
HOP = RATE // 200
AUDIBLE = 32768 * 10 ** (-45 / 20)


def ulaw(byte: int) -> int:
    """ITU-T G.711, mu-law."""
    byte = ~byte & 0xFF
    magnitude = (((byte & 0x0F) << 3) + 0x84 << ((byte & 0x70) >> 4)) - 0x84
    return -magnitude if byte & 0x80 else magnitude


ULAW = [ulaw(byte) for byte in range(256)]
SQUARE = [sample ** 2 for sample in ULAW]


def datagrams(path: str):
    """Yields (seconds, from port, to port, payload) of each UDP datagram over IPv4."""
    with open(path, "rb") as file:
        data = file.read()
    magic, = struct.unpack_from("<I", data)
    fraction = {0xA1B2C3D4: 1e6, 0xA1B23C4D: 1e9}[magic]
    at = 24
    while at + 16 <= len(data):
        seconds, part, length, _ = struct.unpack_from("<IIII", data, at)
        packet, at = data[at + 16:at + 16 + length], at + 16 + length
        ip = packet[14:]
        if len(ip) < 28 or ip[0] >> 4 != 4 or ip[9] != 17:
            continue
        udp = (ip[0] & 15) * 4
        from_port, to_port, size = struct.unpack_from("!HHH", ip, udp)
        yield seconds + part / fraction, from_port, to_port, ip[udp + 8:udp + size]


class Stream:
    """One direction's audio. A packet's first sample is placed where the least delayed packet says."""

    def __init__(self):
        self.packets = {}

    def add(self, seconds: float, sequence: int, stamp: int, payload: bytes):
        self.packets.setdefault((sequence, stamp), (seconds, payload))

    def placed(self):
        """The payloads, each with the seconds at which its first sample is placed."""
        ordered = sorted(self.packets.items(), key=lambda item: item[1][0])
        if not ordered:
            return []
        first = ordered[0][0][1]
        offset = min(at - ((stamp - first) & 0xFFFFFFFF) / RATE for (_, stamp), (at, _) in ordered)
        return [(offset + ((stamp - first) & 0xFFFFFFFF) / RATE, payload) for (_, stamp), (_, payload) in ordered]

    def audible(self, level: float = AUDIBLE):
        """The times, in seconds, of stretches of 5 ms in which something can be heard."""
        return sorted(begin + hop / RATE for begin, payload in self.placed() for hop in range(0, len(payload), HOP)
                      if loud(payload[hop:hop + HOP], level))

    def samples(self):
        """When the stream begins, in seconds, and all of it, mu-law; silence where nothing was sent."""
        placed = sorted(self.placed())
        whole = bytearray()
        for begin, payload in placed:
            at = round((begin - placed[0][0]) * RATE)
            whole.extend(b"\xff" * (at - len(whole)))
            whole[at:at + len(payload)] = payload
        return placed[0][0], bytes(whole)


def loud(payload: bytes, level: float = AUDIBLE) -> bool:
    """Whether this stretch, mu-law, can be heard."""
    return math.sqrt(sum(SQUARE[byte] for byte in payload) / len(payload)) > level


def alike(a: bytes, b: bytes) -> bool:
    """Whether two stretches, mu-law, are the same audio, however loud."""
    product = sum(ULAW[x] * ULAW[y] for x, y in zip(a, b))
    return product > 0.8 * math.sqrt(sum(SQUARE[x] for x in a) * sum(SQUARE[y] for y in b))


def stretches(times, pause: float, least: float):
    """Joins audible moments less than `pause` apart; drops what is shorter than `least` seconds."""
    joined = []
    for at in times:
        if joined and at - joined[-1][1] < pause:
            joined[-1][1] = at + HOP / RATE
        else:
            joined.append([at, at + HOP / RATE])
    return [(begin, end) for begin, end in joined if end - begin >= least]


class Call:
    """One call of the capture: its Call-ID, and what each side sent."""

    def __init__(self, call_id: str):
        self.call_id, self.caller, self.bot = call_id, Stream(), Stream()

    def turns(self, pause: float = 0.7):
        """Of each turn of the caller: its end and, in seconds, how long the bot's first audible sound came
        after it. None where the bot was already speaking, or said nothing before the caller's next."""
        caller = stretches(self.caller.audible(), pause, 0.06)
        bot = stretches(self.bot.audible(), 0.35, 0.06)
        for (_, end), after in zip(caller, caller[1:] + [(math.inf, 0)]):
            over = any(begin < end < until for begin, until in bot)
            answer = next((begin for begin, _ in bot if end <= begin < after[0]), None)
            yield end, None if over or answer is None else answer - end


def calls(path: str):
    """The calls of a capture (PCMU, one hop), in the order of their INVITEs."""
    found, side_of = {}, {}
    for seconds, from_port, to_port, payload in datagrams(path):
        if payload[:7] == b"INVITE " or payload[:11] == b"SIP/2.0 200":
            head, _, body = payload.decode(errors="replace").partition("\r\n\r\n")
            call_id = re.search(r"(?im)^call-id: *(\S+)", head)
            audio = re.search(r"(?m)^m=audio (\d+)", body)
            if not call_id or not audio or not re.search(r"(?im)^cseq: *\d+ INVITE", head):
                continue
            call = found.setdefault(call_id[1], Call(call_id[1]))
            side_of[int(audio[1])] = call.caller if payload[:1] == b"I" else call.bot
        elif len(payload) > 12 and payload[0] >> 6 == 2 and payload[1] & 0x7F == 0 and from_port in side_of:
            sequence, stamp = struct.unpack_from("!HI", payload, 2)
            side_of[from_port].add(seconds, sequence, stamp, payload[12:])
    return list(found.values())
