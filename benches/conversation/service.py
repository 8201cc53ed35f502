"""A service on loopback for the benchmarks of this folder: its configuration, its start, captures and callers."""
import signal
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SIP, RTP = 5391, "27000-28999"
CONFIG = """[sip]
listen = "127.0.0.1:{sip}"
max_calls = 200
[rtp]
ports = "{rtp}"
codecs = ["pcmu"]
[data]
dir = "data"
[recognizer.en]
engine = "moonshine"
model = "moonshine-tiny-en"
threads = {threads}
[recognizer.zh]
engine = "whisper"
model = "whisper-base"
threads = {threads}
[voices]
dir = "{root}/voices"
{more}
"""


def add_options(parser):
    """The options that all benchmarks have."""
    parser.add_argument("--hotline", default=ROOT / "target/release/hotline", help="the program")
    parser.add_argument("--threads", type=int, default=2, help="threads of a recogniser")
    parser.add_argument("--config", help="a file with more lines for the configuration, such as [timing]")
    parser.add_argument("--out", help="where captures and records go, prompts are kept; a new folder unless given")


class Service:
    """`with Service(options, folder, {number: dialplan}) as service:` runs from ready to stopped."""

    def __init__(self, options, folder: Path, dialplans: dict):
        self.folder, self.binary = folder, str(Path(options.hotline).resolve())
        folder.mkdir(parents=True, exist_ok=True)
        more = Path(options.config).read_text() if options.config else ""
        numbers = "".join(f'[[number]]\nnumber = "{n}"\ndialplan = "{path}"\n' for n, path in dialplans.items())
        config = CONFIG.format(sip=SIP, rtp=RTP, root=ROOT, threads=options.threads, more=numbers + more)
        (folder / "hotline.toml").write_text(config)

    def __enter__(self):
        log = self.folder / "serve.log"
        print(f"starting; what is not yet in {self.folder} is spoken first, which takes minutes", flush=True)
        with open(log, "w") as file:
            self.process = subprocess.Popen([self.binary, "serve"], cwd=self.folder, stdout=file, stderr=file)
        for _ in range(4500):
            time.sleep(0.2)
            if self.process.poll() is not None:
                sys.exit(f"the service did not start: {log}")
            if "ready" in log.read_text():
                return self
        sys.exit(f"the service was not ready within 15 minutes: {log}")

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(60)

    def call(self, number: str, says: list, *more: str) -> subprocess.Popen:
        """A caller who says these WAV files in turn, each once the bot has finished."""
        words = [word for wav in says for word in ("--say", str(wav))]
        command = [self.binary, "call", f"sip:{number}@127.0.0.1:{SIP}", "--bind", "127.0.0.1", "--codec", "pcmu", *words, *more]
        return subprocess.Popen(command, stdout=subprocess.DEVNULL)


class Capture:
    """`with Capture(path):` captures the calls made inside it."""

    def __init__(self, path: Path):
        self.path = path

    def __enter__(self):
        command = ["tcpdump", "-i", "lo", "-w", self.path, "-B", "65536", "--immediate-mode",
                   f"udp port {SIP} or udp portrange {RTP}"]
        self.process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        time.sleep(1)

    def __exit__(self, *_):
        time.sleep(2)
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()


def percentile(values: list, part: float) -> float:
    """The value that so large a part of them does not exceed."""
    return sorted(values)[min(int(part * len(values)), len(values) - 1)] if values else float("nan")
