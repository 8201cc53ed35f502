"""RTP as it went over the loopback interface: packets, their order and their pace, by a packet socket."""
import socket
import struct
import threading
import time
from collections import defaultdict

IPV4 = 0x0800


class Wire:
    """`with Wire() as wire:` listens; afterwards `wire.streams` has a Stream for each (from port, to port, SSRC)."""

    def __init__(self, ports=range(1024, 65536)):
        self.ports, self.streams, self.over = ports, defaultdict(Stream), False
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(IPV4))
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
        self.socket.bind(("lo", IPV4))
        self.socket.settimeout(0.5)
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
                packet = self.socket.recv(256)
            except TimeoutError:
                continue
            if packet[9] != 17:
                continue
            udp = (packet[0] & 15) * 4
            from_port, to_port = struct.unpack_from("!HH", packet, udp)
            rtp = packet[udp + 8:]
            # Version 2, and not a control packet (RFC 5761).
            if to_port not in self.ports or len(rtp) < 12 or rtp[0] >> 6 != 2 or 192 <= rtp[1] <= 223:
                continue
            sequence, stamp, ssrc = struct.unpack_from("!HII", rtp, 2)
            self.streams[from_port, to_port, ssrc].add(time.monotonic(), sequence, stamp)

    def from_ports(self, ports) -> list["Stream"]:
        """Streams sent from these ports, longest first."""
        found = [stream for (from_port, _, _), stream in self.streams.items() if from_port in ports]
        return sorted(found, key=lambda stream: -stream.packets)


class Stream:
    """One RTP stream: what was sent, whether its numbers are in order, and its longest pauses."""

    def __init__(self):
        self.packets = self.missing = self.disordered = 0
        self.first = self.last = self.sequence = None
        self.gaps = []  # (at, seconds) longer than 60 ms

    def add(self, now: float, sequence: int, _stamp: int):
        if self.first is None:
            self.first = now
        else:
            step = (sequence - self.sequence) & 0xFFFF
            if step == 0 or step > 0x8000:
                self.disordered += 1
            else:
                self.missing += step - 1
            if now - self.last > 0.06:
                self.gaps.append((self.last - self.first, now - self.last))
        self.packets, self.last, self.sequence = self.packets + 1, now, sequence

    @property
    def seconds(self) -> float:
        return self.last - self.first

    def __str__(self):
        longest = max((seconds for _, seconds in self.gaps), default=0.0)
        pauses = f"{len(self.gaps)} pauses over 60 ms, the longest {longest * 1000:.0f} ms" if self.gaps else "no pause over 60 ms"
        return (f"{self.packets:,} packets in {self.seconds:.0f} s ({self.packets / self.seconds:.2f} a second), "
                f"{self.missing} missing, {self.disordered} out of order, {pauses}")
