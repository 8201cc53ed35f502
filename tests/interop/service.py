"""Hotline under test: its configuration, its process, and what it and its phones say they saw."""
import json
import re
import sqlite3
import subprocess
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# Parts of the configuration that a build may not have yet. What depends on a part that is refused
# is reported as such, with the reason that Hotline gives.
PARTS = {
    "tcp": 'listen = ["udp:127.0.0.1:5060", "tcp:127.0.0.1:5060"]',
    "tls": 'listen = ["udp:127.0.0.1:5060", "tcp:127.0.0.1:5060", "tls:127.0.0.1:5061"]',
    "early": 'before_answer = {{ announcement = "{work}/announcement.wav" }}',
}
CONFIG = """
[sip]
{listen}
max_calls = 200
session_expires_s = 90
{tls}
[rtp]
ports = "20000-20999"
tone_keys = "always"

[data]
dir = "{work}/data"
prompts = "{prompts}"

[[number]]
number = "1000"
dialplan = "{root}/dialplans/utility-en.yaml"
{early}
[recognizer.en]
engine = "moonshine"
model = "moonshine-tiny-en"
threads = 1

[voices]
dir = "{root}/voices"
"""


class Service:
    def __init__(self, hotline: str, work: Path, prompts: Path):
        self.hotline, self.work, self.process = hotline, work, None
        self.missing = {}
        run = lambda *args: subprocess.run(args, check=True, capture_output=True)
        run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "7", "-subj", "/CN=127.0.0.1",
            "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", f"{work}/key.pem", "-out", f"{work}/cert.pem")
        run("sox", "-n", "-r", "8000", "-c", "1", "-b", "16", f"{work}/announcement.wav", "synth", "2", "sine", "440", "vol", "0.2")
        have = {}
        for part in PARTS:
            if self.refusal({**have, part: True}, work, prompts) is None:
                have[part] = True
            else:
                self.missing[part] = self.refusal({**have, part: True}, work, prompts)
        self.config = self.write(have, work, prompts)

    def write(self, have, work, prompts) -> Path:
        listen = PARTS["tls"] if "tls" in have else PARTS["tcp"] if "tcp" in have else 'listen = "127.0.0.1:5060"'
        files = f'tls = {{ certificate = "{work}/cert.pem", key = "{work}/key.pem", insecure = true }}'
        early = ""
        if "early" in have:
            early = (f'\n[[number]]\nnumber = "1001"\ndialplan = "{ROOT}/dialplans/utility-en.yaml"\n'
                     + PARTS["early"].format(work=work) + "\n")
        path = work / "hotline.toml"
        path.write_text(CONFIG.format(listen=listen, tls=files if "tls" in have else "", early=early, work=work,
                                      prompts=prompts, root=ROOT))
        return path

    def refusal(self, have, work, prompts):
        """Why this configuration is refused; None when it is not."""
        path = self.write(have, work, prompts)
        said = subprocess.run([self.hotline, "calls", "--config", path, "list"], capture_output=True, text=True)
        if said.returncode == 0 or "no call has been recorded" in said.stderr:
            return None
        lines = [line for line in said.stderr.splitlines() if line.strip() and "|" not in line]
        return lines[-1].strip() if lines else "refused"

    def __enter__(self):
        log = (self.work / "hotline.log").open("wb")
        self.process = subprocess.Popen([self.hotline, "serve", "--config", self.config], stdout=log, stderr=log)
        for _ in range(1200):
            if self.process.poll() is not None:
                raise RuntimeError(f"Hotline ended: see {self.work}/hotline.log")
            if "ready to answer" in (self.work / "hotline.log").read_text(errors="replace"):
                return self
            time.sleep(0.5)
        raise RuntimeError("Hotline did not become ready in ten minutes")

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(45)
        except subprocess.TimeoutExpired:
            self.process.kill()

    def rss_mb(self) -> float:
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", status).group(1)) / 1024

    def last_call(self, since: float) -> dict:
        """The record of the newest call begun since then, once it has ended."""
        for _ in range(60):
            base = sqlite3.connect(f"file:{self.work}/data/hotline.db?mode=ro", uri=True)
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
        for record in records:
            for piece in record.parent.glob(record.stem + ".piece*"):
                piece.unlink()
            subprocess.run(["sox", record, record.with_suffix(".piece.wav"), "trim", "0", "12", ":", "newfile", ":",
                            "restart"], check=True, stderr=subprocess.DEVNULL)
            pieces += sorted(record.parent.glob(record.stem + ".piece*.wav"))
        table = self.work / "pieces.tsv"
        table.write_text("file\tlanguage\ttranscript\n" + "".join(f"{p}\ten\t-\n" for p in pieces))
        said = subprocess.run([self.hotline, "eval", "asr", table, "--json"], capture_output=True, text=True, check=True)
        return " ".join(clip["hypothesis"] for clip in json.loads(said.stdout)[0]["clips"]).lower()
