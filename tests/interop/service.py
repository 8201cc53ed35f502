"""Hotline under test: its configuration, its process, and what it and its phones say they saw."""
import json
import re
import sqlite3
import subprocess
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CONFIG = """
[sip]
listen = ["udp:{ip}:{port}", "tcp:{ip}:{port}", "tls:{ip}:{tls}"]
tls = {{ certificate = "{files}/cert.pem", key = "{files}/key.pem", ca = "{files}/ca.pem" }}
max_calls = 200
session_expires_s = 90
drain_s = 5

[rtp]
ports = "{rtp}"
tone_keys = "always"

[data]
dir = "{dir}/data"
prompts = "{prompts}"

{recognizer}
[voices]
dir = "{root}/voices"
"""
RECOGNIZER = """
[recognizer.en]
engine = "moonshine"
model = "moonshine-tiny-en"
threads = 1
"""
NUMBER = """
[[number]]
number = "{number}"
dialplan = "{dialplan}"
{more}
"""
# Says a sentence, then hands the caller over.
HANDOVER = """
dialplan: handover
version: 1
language: en
voices: {{en: en-hibari}}
start: main.welcome
flows:
  main:
    welcome:
      say: "Metro Power. You are talking to an automated assistant, and this call is recorded."
      barge_in: none
      next: over
    over: {{transfer: "{to}", mode: {mode}, ring: 10s, failed: bye}}
    bye: {{say: "Thank you for calling Metro Power. Goodbye.", hang_up: failed}}
"""


def certificates(files: Path):
    """An authority of our own, and a certificate by it for the servers here."""
    def openssl(*args):
        subprocess.run(["openssl", *args], check=True, capture_output=True)
    (files / "names").write_text("subjectAltName=IP:127.0.0.1,IP:127.0.0.2,IP:127.0.0.3,IP:127.0.0.4,IP:127.0.0.5,DNS:localhost\n")
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "7", "-subj", "/CN=interop authority",
            "-keyout", f"{files}/ca.key", "-out", f"{files}/ca.pem")
    openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=127.0.0.1", "-keyout", f"{files}/key.pem",
            "-out", f"{files}/request.pem")
    openssl("x509", "-req", "-in", f"{files}/request.pem", "-CA", f"{files}/ca.pem", "-CAkey", f"{files}/ca.key",
            "-CAcreateserial", "-days", "7", "-extfile", f"{files}/names", "-out", f"{files}/cert.pem")


class Service:
    """`numbers` are (number, dialplan or (whom to hand over to, how), further lines); `trunks` is configuration."""

    def __init__(self, hotline: str, files: Path, prompts: Path, name: str, *, ip="127.0.0.1", port=5060,
                 rtp="20000-20999", numbers=(), trunks="", recognizer=RECOGNIZER):
        self.hotline, self.files, self.dir, self.process = hotline, files, files / name, None
        self.dir.mkdir()
        text = CONFIG.format(ip=ip, port=port, tls=port + 1, rtp=rtp, files=files, dir=self.dir, prompts=prompts, root=ROOT,
                             recognizer=recognizer)
        for number, dialplan, more in numbers:
            if isinstance(dialplan, tuple):
                to, mode = dialplan
                dialplan = self.dir / f"handover-{number}.yaml"
                dialplan.write_text(HANDOVER.format(to=to, mode=mode))
            text += NUMBER.format(number=number, dialplan=dialplan, more=more)
        self.config = self.dir / "hotline.toml"
        self.config.write_text(text + trunks)

    def __enter__(self):
        with (self.dir / "log").open("wb") as log:
            self.process = subprocess.Popen([self.hotline, "serve", "--config", self.config], stdout=log, stderr=log)
        for _ in range(1200):
            if self.process.poll() is not None:
                raise RuntimeError(f"Hotline ended: {self.log()[-500:]}")
            if "ready to answer" in self.log():
                return self
            time.sleep(0.5)
        raise RuntimeError("Hotline did not become ready in ten minutes")

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(45)
        except subprocess.TimeoutExpired:
            self.process.kill()

    def log(self) -> str:
        return (self.dir / "log").read_text(errors="replace")

    def rss_mb(self) -> float:
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", status).group(1)) / 1024

    def last_call(self, since: float) -> dict:
        """The record of the newest inbound call begun since then, once it has ended."""
        for _ in range(60):
            base = sqlite3.connect(f"file:{self.dir}/data/hotline.db?mode=ro", uri=True)
            base.row_factory = sqlite3.Row
            row = base.execute("SELECT * FROM calls WHERE started_at >= ? ORDER BY started_at DESC LIMIT 1",
                               (int(since * 1000) - 50,)).fetchone()
            if row and row["end_reason"]:
                events = base.execute("SELECT kind, data FROM events WHERE call_id = ? ORDER BY seq", (row["id"],))
                events = [(kind, json.loads(data)) for kind, data in events]
                heard = [data["hypotheses"][0]["text"] for kind, data in events if kind == "heard" and data.get("hypotheses")]
                said = [str(data.get("text")) for kind, data in events if kind == "said"]
                return {**dict(row), "rtp": json.loads(row["rtp"]), "events": events,
                        "heard": " | ".join(heard), "said": " | ".join(said)}
            time.sleep(0.5)
        return {}

    def recognise(self, *records: Path) -> str:
        """What Hotline's recogniser hears in a phone's recordings, cut into pieces it can take."""
        pieces = []
        for record in map(Path, records):
            for piece in record.parent.glob(record.stem + ".piece*"):
                piece.unlink()
            subprocess.run(["sox", record, record.with_suffix(".piece.wav"), "trim", "0", "12", ":", "newfile", ":",
                            "restart"], check=True, stderr=subprocess.DEVNULL)
            pieces += sorted(record.parent.glob(record.stem + ".piece*.wav"))
        table = self.dir / "pieces.tsv"
        table.write_text("file\tlanguage\ttranscript\n" + "".join(f"{p}\ten\t-\n" for p in pieces))
        said = subprocess.run([self.hotline, "eval", "asr", table, "--json"], capture_output=True, text=True, check=True)
        return " ".join(clip["hypothesis"] for clip in json.loads(said.stdout)[0]["clips"]).lower()
