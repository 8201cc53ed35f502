"""The bot as a phone hears it through a bad network: a relay between a pjsua2 phone and Hotline loses and delays the bot's
packets, and the phone's recording is searched for gaps that were no pauses of the bot."""
import heapq
import json
import re
import selectors
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np

from networks import NETWORKS, network

HERE = Path(__file__).resolve().parent
# Says 20 s without a pause that matters, and hangs up.
READER = """
dialplan: reader
version: 1
language: en
voices: {en: en-hibari}
start: main.read
flows:
  main:
    read:
      say: >-
        Thank you for calling Metro Power. You are talking to an automated assistant, and this call is recorded. Our office
        is open on weekdays from eight in the morning until six in the evening, and on Saturdays from nine until noon. In an
        emergency, for instance when a wire is down, stay away from it and call the emergency number at once. You can ask me
        about your balance, about an outage in your street, or about moving house.
      barge_in: none
      hang_up: resolved
"""
# A frame of 10 ms is silent below this, and speech above that.
SILENT, SPEECH = 10.0, 300.0
FRAME, LONGEST = 80, 0.06


class Relay:
    """Between one phone, which calls 127.0.0.1:`port`, and Hotline at port 5060; the bot's packets meet `fates`."""

    def __init__(self, fates):
        self.fates, self.lost, self.queue, self.last, self.over = fates, [], [], 0.0, False
        self.sip, self.to_phone, self.to_bot = (self.bind() for _ in range(3))
        self.port = self.sip.getsockname()[1]
        self.phone = self.phone_rtp = self.bot_rtp = None
        self.thread = threading.Thread(target=self.run, daemon=True)

    @staticmethod
    def bind() -> socket.socket:
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        s.bind(("127.0.0.1", 0))
        return s

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over = True
        self.thread.join()

    def run(self):
        selector = selectors.DefaultSelector()
        for s, take in ((self.sip, self.message), (self.to_phone, self.from_phone), (self.to_bot, self.from_bot)):
            selector.register(s, selectors.EVENT_READ, take)
        while not self.over:
            for key, _ in selector.select(0.002):
                key.data(*key.fileobj.recvfrom(65536))
            while self.queue and self.queue[0][0] <= time.monotonic():
                self.to_phone.sendto(heapq.heappop(self.queue)[1], self.phone_rtp)

    def message(self, data: bytes, source):
        from_bot = source[1] == 5060
        media = re.search(rb"m=audio (\d+) ", data)
        if media:
            port = (self.to_phone if from_bot else self.to_bot).getsockname()[1]
            real = ("127.0.0.1", int(media[1]))
            self.bot_rtp, self.phone_rtp = (real, self.phone_rtp) if from_bot else (self.bot_rtp, real)
            head, _, body = data.partition(b"\r\n\r\n")
            body = body.replace(media[0], b"m=audio %d " % port)
            body = re.sub(rb"a=rtcp:\d+ ", b"a=rtcp:%d " % (port + 1), body)
            data = re.sub(rb"(?i)Content-Length: *\d+", b"Content-Length: %d" % len(body), head) + b"\r\n\r\n" + body
        if not from_bot:
            self.phone = source
        self.sip.sendto(data, self.phone if from_bot else ("127.0.0.1", 5060))

    def from_phone(self, data: bytes, _):
        if self.bot_rtp:
            self.to_bot.sendto(data, self.bot_rtp)

    def from_bot(self, data: bytes, _):
        fate, now = next(self.fates), time.monotonic()
        self.lost.append(fate is None)
        if fate is not None and self.phone_rtp:
            self.last = max(self.last, now + fate)
            heapq.heappush(self.queue, (self.last, data))


def listen(service, work: Path, seeds: int) -> list[tuple]:
    """(network, seed, the phone's recording, Hotline's, runs of lost packets) for each call."""
    heard = []
    for n, net in enumerate(NETWORKS):
        for seed in range(seeds if n else 1):
            since = time.time()
            record = work / f"far-{n}-{seed}.wav"
            with Relay(network(net, 7000 + seed)) as relay:
                plan = {"uri": f"sip:1000@127.0.0.1:{relay.port}", "log": str(record.with_suffix(".log")), "record": str(record)}
                subprocess.run([sys.executable, HERE / "phone.py", json.dumps(plan)], capture_output=True, timeout=120, check=True)
            runs = "".join("x" if lost else " " for lost in relay.lost).split()
            heard.append((net, seed, record, Path(service.last_call(since)["recording"]), [len(run) for run in runs]))
    return heard


def levels(audio: np.ndarray) -> np.ndarray:
    frames = audio[:len(audio) // FRAME * FRAME].reshape(-1, FRAME)
    return np.sqrt((frames ** 2).mean(axis=1))


def gaps(said: np.ndarray, heard: np.ndarray) -> list[float]:
    """Seconds of silence over 60 ms in `heard` where the bot spoke. The phone's buffer grows and shrinks, so each half
    second is looked for by itself."""
    found, at, step, run = [], 0, 4000, 0
    for start in range(0, len(said) - step, step):
        piece = said[start:start + step]
        if levels(piece).max() < SPEECH:
            at += step
            continue
        near = heard[max(0, at - 2400):at + step + 2400]
        if len(near) < step:
            break
        lag = int(np.argmax(np.correlate(near, piece, "valid")))
        # A place that does not look alike is no measure of the delay.
        here = near[lag:lag + step]
        if np.dot(here, piece) > 0.5 * np.linalg.norm(here) * np.linalg.norm(piece):
            at = max(0, at - 2400) + lag
        silent, spoken = levels(heard[at:at + step]) < SILENT, levels(piece) > SPEECH
        for quiet, loud in zip(silent, spoken):
            if quiet and (loud or run):
                run += loud
            else:
                if run * 0.01 > LONGEST:
                    found.append(run * 0.01)
                run = 0
        at += step
    return found


def report(calls: list[tuple]):
    from impair import find, quality, samples
    print("\n| network | seed | packets lost | bursts over 60 ms | gaps over 60 ms at the phone | longest | PESQ | STOI |\n|" + "---|" * 8)
    for net, seed, record, recording, runs in calls:
        said, heard = samples(recording, 2), samples(record)
        said = np.trim_zeros(np.where(np.abs(said) < 20, 0, said))
        at = find(said[:16000], heard)
        found = gaps(said, heard[at:])
        mos, intelligible = quality(said, np.resize(heard[at:], len(said)))
        long_bursts = [run for run in runs if run > 3]
        print(f"| {net} | {seed} | {sum(runs)} | {len(long_bursts)}, longest {20 * max(runs, default=0)} ms | {len(found)} | "
              f"{1000 * max(found, default=0):.0f} ms | {mos:.2f} | {intelligible:.3f} |")
