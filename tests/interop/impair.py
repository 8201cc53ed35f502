"""What bad networks do to speech, both ways, by real calls through seeded emulators.

    tests/interop/run --impair TABLE [--seeds 2]

To Hotline: each clip of TABLE (tab-separated, with the columns file, language and transcript) is played into a call that is
recorded. What was recorded is recognised afterwards by `hotline eval asr`, so that a busy machine does not matter, and
compared with what was sent (PESQ, STOI). From Hotline: far.py has a phone listen."""
import argparse
import csv
import heapq
import json
import re
import socket
import sqlite3
import struct
import subprocess
import time
import wave
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from pesq import NoUtterancesError, pesq
from pystoi import stoi

import far
from networks import NETWORKS, network
from service import Service, certificates

# Seconds of silence before and after a clip.
BEFORE, AFTER = 1.0, 1.0
FRAME, RATE = 160, 8000


def call(name: str, audio: bytes, fates) -> tuple[int, int]:
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

    silence = lambda seconds: [b"\xff" * FRAME] * int(seconds * RATE / FRAME)
    frames = [audio[i:i + FRAME].ljust(FRAME, b"\xff") for i in range(0, len(audio), FRAME)]
    frames = silence(BEFORE) + frames + silence(AFTER)
    start, queue, last = time.monotonic() + 0.05, [], 0.0
    for i, delay in zip(range(len(frames)), fates):
        if delay is not None:
            # A network queue keeps the order.
            last = max(last, start + i * 0.02 + delay)
            heapq.heappush(queue, (last, i))
    sent = len(queue)
    while queue:
        at, i = heapq.heappop(queue)
        time.sleep(max(0.0, at - time.monotonic()))
        rtp.sendto(struct.pack("!BBHII", 0x80, 0, i & 0xFFFF, i * FRAME, 1) + frames[i], peer)
        try:
            while True:
                rtp.recv(2048)
        except BlockingIOError:
            pass
    send("BYE", 2, to)
    sip.recv(65536)
    return len(frames), sent


def samples(path: Path, channel=1) -> np.ndarray:
    """One side at 8 kHz; the caller's is the first."""
    raw = subprocess.run(["sox", path, "-t", "raw", "-r", "8000", "-b", "16", "-e", "signed", "-", "remix", str(channel)],
                         check=True, capture_output=True).stdout
    return np.frombuffer(raw, "<i2").astype(float)


def find(sent: np.ndarray, heard: np.ndarray) -> int:
    """Where in `heard` that begins which was sent."""
    spectrum = np.fft.rfft(heard, 2 * len(heard)) * np.conj(np.fft.rfft(sent, 2 * len(heard)))
    return int(np.argmax(np.fft.irfft(spectrum)[:max(1, len(heard) - len(sent) + 1)]))


def quality(sent: np.ndarray, got: np.ndarray) -> tuple[float | None, float]:
    """PESQ (P.862.1, narrow-band; `None` where it finds no utterance) and STOI, with half a second of silence around."""
    pad = np.zeros(RATE // 2)
    try:
        mos = pesq(RATE, *(np.concatenate([pad, x, pad]).astype(np.int16) for x in (sent, got)), "nb")
    except NoUtterancesError:
        mos = None
    return mos, stoi(sent, got, RATE)


def write(path: Path, audio: np.ndarray):
    with wave.open(str(path), "wb") as out:
        out.setparams((1, 2, RATE, 0, "NONE", ""))
        out.writeframes(np.clip(audio, -32768, 32767).astype("<i2").tobytes())


def recognise(hotline: str, table: Path) -> dict[str, tuple[str, int, int]]:
    """What was heard in each file: its language, errors and the words or characters that they are of."""
    said = subprocess.run([hotline, "eval", "asr", table, "--json"], capture_output=True, text=True, check=True)
    table.with_suffix(".json").write_text(said.stdout)
    return {clip["file"]: (report["lang"], clip["tally"]["errors"], clip["tally"]["units"])
            for report in json.loads(said.stdout) for clip in report["clips"]}


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
        clips = [(options.clips.parent / row["file"], row["language"], row["transcript"]) for row in csv.DictReader(table, delimiter="\t")]
    encode = lambda path: subprocess.run(["sox", path, "-t", "ul", "-r", "8000", "-c", "1", "-"], check=True, capture_output=True).stdout
    plans = [(f"n{n}s{seed}c{c}", net, seed, c) for n, net in enumerate(NETWORKS)
             for seed in range(options.seeds if n else 1) for c in range(len(clips))]
    reader = options.work / "reader.yaml"
    reader.write_text(far.READER)
    # Nobody listens in these calls: they are recorded.
    with Service(options.hotline, options.work, options.prompts, "impair", numbers=[("1000", reader, "")], recognizer="") as service:
        with ThreadPoolExecutor(options.at_once) as pool:
            play = lambda p: call(p[0], encode(clips[p[3]][0]), network(p[1], 1000 * p[2] + p[3]))
            counts = list(pool.map(play, plans))
        heard_far = far.listen(service, options.work, options.seeds)
        time.sleep(2)
    report(options, service.dir / "data/hotline.db", clips, plans, counts)
    far.report(heard_far)


def report(options, database: Path, clips, plans, counts):
    base, runs, rows = sqlite3.connect(database), {}, ["file\tlanguage\ttranscript"]
    for (name, net, seed, c), count in zip(plans, counts):
        path, language, transcript = clips[c]
        record, concealed_ms = base.execute("SELECT recording, json_extract(rtp, '$.concealed_ms') FROM calls WHERE caller = ?",
                                            (name,)).fetchone()
        clip, heard = samples(path), samples(Path(record))
        at = find(clip, heard)
        piece = options.work / f"{name}.wav"
        write(piece, heard[max(0, at - RATE // 2):at + len(clip) + RATE // 2])
        rows.append(f"{piece}\t{language}\t{transcript}")
        runs.setdefault((net, seed), []).append((str(piece), *count, concealed_ms, *quality(clip, heard[at:at + len(clip)])))
    table = options.work / "pieces.tsv"
    table.write_text("\n".join(rows) + "\n")
    said = recognise(options.hotline, table)
    print("| network | seed | packets lost | concealed | WER, English | CER, Mandarin | errors, both | PESQ, mean | PESQ, worst | STOI |\n|"
          + "---|" * 10)
    for (net, seed), calls in runs.items():
        files, made, sent, concealed, mos, intelligible = map(list, zip(*calls))
        mos = [p for p in mos if p is not None]

        def rate(*languages):
            heard = [said[file][1:] for file in files if said[file][0] in languages]
            wrong, of = sum(e for e, _ in heard), sum(u for _, u in heard)
            return f"{100 * wrong / of:.1f} % ({wrong} of {of})" if of else ""

        print(f"| {net} | {seed} | {100 * (1 - sum(sent) / sum(made)):.1f} % | {sum(concealed) / (0.2 * sum(made)):.1f} % | {rate('en')} | "
              f"{rate('zh')} | {rate('en', 'zh')} | {np.mean(mos):.2f} | {min(mos):.2f} | {np.mean(intelligible):.3f} |", flush=True)


if __name__ == "__main__":
    main()
