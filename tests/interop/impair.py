"""What Hotline hears through a bad network: one real call for each clip of a table, whose packets are lost and delayed
by a seeded emulator; word errors of what the call record says, PESQ and STOI of the recorded caller against what was sent.

    tests/interop/run --impair TABLE [--seeds 2]

TABLE is tab-separated with the columns file, language and transcript; English clips are used. Works best on a machine
that does nothing else."""
import argparse
import csv
import heapq
import random
import re
import socket
import sqlite3
import struct
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from pesq import NoUtterancesError, pesq
from pystoi import stoi

from service import ROOT, Service, certificates

SPEAK_AT, AFTER, FRAME = 8.0, 5.0, 160
DIGITS = "zero one two three four five six seven eight nine".split()


def clean(rng, n):
    return [0.0] * n


def random_loss(rng, n):
    """5 % lost, each by itself; the others 50 ms late, +-30 ms uniformly, so that some overtake others."""
    return [None if rng.random() < 0.05 else 0.05 + rng.uniform(-0.03, 0.03) for _ in range(n)]


def bursty_loss(rng, n):
    """10 % lost in bursts of three packets on average (Gilbert: bad to good 1/3, good to bad 1/27), no jitter."""
    delays, bad = [], False
    for _ in range(n):
        bad = rng.random() >= 1 / 3 if bad else rng.random() < 1 / 27
        delays.append(None if bad else 0.0)
    return delays


NETWORKS = {"clean": clean, "5 % random loss, 30 ms jitter": random_loss, "10 % bursty loss": bursty_loss}


def call(name: str, audio: bytes, network, seed: int) -> tuple[int, int]:
    """Calls 1000 at 127.0.0.1:5060 as `name` and plays u-law `audio`; packets made and packets sent."""
    sip, rtp = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
    for s in (sip, rtp):
        s.bind(("127.0.0.1", 0))
    sip.settimeout(10)
    rtp.setblocking(False)
    port, to = sip.getsockname()[1], "<sip:1000@127.0.0.1>"
    sdp = (f"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
           f"m=audio {rtp.getsockname()[1]} RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n")

    def send(method: str, cseq: int, to: str, body=""):
        sip.sendto((f"{method} sip:1000@127.0.0.1:5060 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:{port};branch=z9hG4bK{name}{cseq}{method};"
                    f"rport\r\nMax-Forwards: 70\r\nFrom: <sip:{name}@127.0.0.1>;tag={name}\r\nTo: {to}\r\nCall-ID: {name}\r\n"
                    f"CSeq: {cseq} {method}\r\nContact: <sip:{name}@127.0.0.1:{port}>\r\nContent-Type: application/sdp\r\n"
                    f"Content-Length: {len(body)}\r\n\r\n{body}").encode(), ("127.0.0.1", 5060))

    send("INVITE", 1, to, sdp)
    while not (answer := sip.recv(65536).decode()).startswith("SIP/2.0 200"):
        if not answer.startswith("SIP/2.0 1"):
            raise RuntimeError(f"{name}: {answer.splitlines()[0]}")
    to = re.search(r"^To:\s*(.*?)\r$", answer, re.M | re.I).group(1)
    peer = ("127.0.0.1", int(re.search(r"^m=audio (\d+)", answer, re.M).group(1)))
    send("ACK", 1, to)

    rng = random.Random(seed)
    frames = [audio[i:i + FRAME].ljust(FRAME, b"\xff") for i in range(0, len(audio), FRAME)]
    before, after = int(SPEAK_AT * 50), int(AFTER * 50)
    frames = [b"\xff" * FRAME] * before + frames + [b"\xff" * FRAME] * after
    start, queue = time.monotonic() + 0.05, []
    for i, delay in enumerate(network(rng, len(frames))):
        if delay is not None:
            heapq.heappush(queue, (start + i * 0.02 + delay, i))
    sent = len(queue)
    while queue:
        at, i = heapq.heappop(queue)
        time.sleep(max(0.0, at - time.monotonic()))
        rtp.sendto(struct.pack("!BBHII", 0x80, 0, i & 0xFFFF, i * FRAME, seed & 0xFFFFFFFF) + frames[i], peer)
        try:
            while True:
                rtp.recv(2048)
        except BlockingIOError:
            pass
    send("BYE", 2, to)
    sip.recv(65536)
    return len(frames), sent


def words(text: str) -> list[str]:
    """Words as they are scored: no case and punctuation, figures spelled digit by digit, Mr as it is said."""
    text = re.sub(r"\bmr\b\.?", "mister", text.lower().replace("-", " "))
    text = re.sub(r"\b10\b", " ten ", text)
    text = re.sub(r"\d", lambda digit: f" {DIGITS[int(digit.group())]} ", text)
    return re.sub(r"[^a-z' ]", " ", text).split()


def errors(truth: list[str], heard: list[str]) -> int:
    row = list(range(len(heard) + 1))
    for i, a in enumerate(truth, 1):
        row, last = [i], row
        for j, b in enumerate(heard, 1):
            row.append(min(last[j] + 1, row[-1] + 1, last[j - 1] + (a != b)))
    return row[-1]


def samples(path: Path) -> np.ndarray:
    """The caller's side (left) at 8 kHz."""
    raw = subprocess.run(["sox", path, "-t", "raw", "-r", "8000", "-b", "16", "-e", "signed", "-", "remix", "1"],
                         check=True, capture_output=True).stdout
    return np.frombuffer(raw, "<i2").astype(float)


def quality(sent: np.ndarray, record: Path) -> tuple[float | None, float]:
    """PESQ (P.862.1, narrow-band; `None` where it finds no utterance) and STOI of the clip as it was recorded, with half
    a second of silence around."""
    heard, pad = samples(record), np.zeros(4000)
    about = int(SPEAK_AT * 8000) - 4000
    window = heard[about:about + len(sent) + 12000]
    at = about + int(np.argmax(np.correlate(window, sent, "valid")))
    got = heard[at:at + len(sent)]
    try:
        mos = pesq(8000, *(np.concatenate([pad, x, pad]).astype(np.int16) for x in (sent, got)), "nb")
    except NoUtterancesError:
        mos = None
    return mos, stoi(sent, got, 8000)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--hotline", required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("clips", type=Path, help="table of clips")
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--at-once", type=int, default=4)
    parser.add_argument("--prompts", type=Path, default=Path.home() / ".cache/hotline/prompts")
    options = parser.parse_args()
    options.work = options.work.resolve() / time.strftime("impair-%H%M%S")
    options.work.mkdir(parents=True)
    certificates(options.work)
    with options.clips.open() as table:
        clips = [(options.clips.parent / row["file"], row["transcript"]) for row in csv.DictReader(table, delimiter="\t")
                 if row["language"] == "en"]
    encode = lambda path: subprocess.run(["sox", path, "-t", "ul", "-r", "8000", "-c", "1", "-"], check=True, capture_output=True).stdout
    audio = {path: encode(path) for path, _ in clips}
    plans = [(f"n{n}s{seed}c{c}", network, path, said, 1000 * seed + c) for n, network in enumerate(NETWORKS)
             for seed in range(options.seeds) for c, (path, said) in enumerate(clips)]
    with Service(options.hotline, options.work, options.prompts, "impair", numbers=[("1000", ROOT / "dialplans/utility-en.yaml", "")]) as service:
        with ThreadPoolExecutor(options.at_once) as pool:
            counts = list(pool.map(lambda p: call(p[0], audio[p[2]], NETWORKS[p[1]], p[4]), plans))
        time.sleep(3)
    base = sqlite3.connect(service.dir / "data/hotline.db")
    print("| network | calls | packets lost | concealed | word errors | WER | PESQ, mean | PESQ, worst | STOI |\n|" + "---|" * 9)
    details = (options.work / "calls.tsv").open("w")
    for network in NETWORKS:
        wrong = total = made = sent = concealed = 0
        mos, intelligible = [], []
        for (name, of, path, said, _), count in zip(plans, counts):
            if of != network:
                continue
            row = base.execute("SELECT id, recording, json_extract(rtp, '$.concealed_ms') FROM calls WHERE caller = ?", (name,)).fetchone()
            heard = " ".join(text for (text,) in base.execute(
                "SELECT json_extract(data, '$.hypotheses[0].text') FROM events WHERE call_id = ? AND kind = 'heard' ORDER BY seq",
                (row[0],)) if text)
            wrong_here = errors(words(said), words(heard))
            p, s = quality(samples(path), Path(row[1]))
            print(name, path.name, wrong_here, len(words(said)), p, f"{s:.3f}", row[2], heard, sep="\t", file=details)
            wrong, total, made, sent = wrong + wrong_here, total + len(words(said)), made + count[0], sent + count[1]
            concealed += row[2]
            mos += [] if p is None else [p]
            intelligible.append(s)
        print(f"| {network} | {len(intelligible)} | {100 * (made - sent) / made:.1f} % | {concealed / (20 * made) * 100:.1f} % | {wrong} of {total} | "
              f"{100 * wrong / total:.1f} % | {np.mean(mos):.2f} | {min(mos):.2f} | {np.mean(intelligible):.3f} |")


if __name__ == "__main__":
    main()
