"""Asterisk in the folder that `run` installed it in: configuration, and the command that starts it."""
import shutil
import subprocess
from pathlib import Path

HERE = Path(__file__).resolve().parent
PORT, TLS = 5160, 5161


def command(chroot: Path, work: Path) -> list:
    """Writes the configuration with the certificates of `work` into the folder; starts it in the foreground."""
    etc = chroot / "etc/asterisk-interop"
    shutil.rmtree(etc, ignore_errors=True)
    shutil.copytree(HERE / "asterisk-config", etc)
    for name in ("cert.pem", "key.pem", "ca.pem"):
        shutil.copy(work / name, etc / name)
        (etc / name).chmod(0o644)
    music = etc / "music"
    music.mkdir()
    subprocess.run(["sox", "-n", "-r", "8000", "-c", "1", "-e", "u-law", "-t", "raw", music / "chords.ulaw", "synth", "6",
                    "pluck", "C4", "pluck", "E4", "pluck", "G4", "remix", "-", "vol", "0.5"], check=True)
    subprocess.run(["sox", "-n", "-r", "8000", "-c", "1", "-e", "u-law", "-t", "raw", music / "early.ulaw", "synth", "3",
                    "sine", "440", "vol", "0.3"], check=True)
    return ["chroot", chroot, "asterisk", "-f", "-C", "/etc/asterisk-interop/asterisk.conf"]
