"""One call of a baresip phone: writes its configuration, drives it through its console socket."""
import re
import shutil
import socket
import subprocess
import time
from pathlib import Path

CODECS = {"PCMU": ("PCMU/8000/1", "g711", "8000", "1"), "PCMA": ("PCMA/8000/1", "g711", "8000", "1"),
          "G722": ("G722/16000/1", "g722", "16000", "1"), "opus": ("opus/48000/2", "opus", "48000", "2")}
SIP, CONSOLE = 5070, 8070


def call(folder: Path, uri: str | None, *, seconds: float, codec="PCMU", srtp="", transport="udp", wav=None,
         keys=(), info=False, mux=False, meanwhile=None) -> dict:
    """`srtp` is mediaenc of an account: srtp-mand, dtls_srtp. `keys` are (seconds after the start, console characters):
    digits are keys of the phone, x holds, X resumes. Without `uri` the phone answers, and `meanwhile` calls it.
    Returns what the phone said; `record` is what it heard."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    name, module, rate, channels = CODECS[codec]
    audio = folder / "play.wav"
    # It hangs up at the end of its file.
    source = ["-n", "-r", rate, "-c", channels, "-b", "16", str(audio), "trim", "0", str(seconds + 30)]
    if wav:
        source = [str(wav), "-r", rate, "-c", channels, "-b", "16", str(audio), "pad", "0", str(seconds + 30)]
    subprocess.run(["sox", *source], check=True, stderr=subprocess.DEVNULL)
    modules = ["aufile", "aubridge", "sndfile", "cons", module] + (["srtp"] if srtp else [])
    modules += ["dtls_srtp"] if srtp == "dtls_srtp" else []
    (folder / "config").write_text("\n".join([
        f"sip_listen 127.0.0.1:{SIP}", "net_interface 127.0.0.1", "audio_player aubridge,null",
        f"audio_source aufile,{audio}", "audio_alert aubridge,null", "rtp_ports 30000-30098",
        "audio_buffer 20-160", "jitter_buffer_delay 1-5", "module_path /usr/lib/baresip/modules",
        f"snd_path {folder}", f"cons_listen 127.0.0.1:{CONSOLE}", *(["rtcp_mux yes"] if mux else []),
        *[f"module {m}.so" for m in modules], "module_tmp account.so", "module_app menu.so", ""]))
    more = (f";mediaenc={srtp}" if srtp else "") + (";dtmfmode=info" if info else "") + ("" if uri else ";answermode=auto")
    port = SIP + (transport == "tls")
    (folder / "accounts").write_text(
        f"<sip:phone@127.0.0.1:{port};transport={transport}>;regint=0;audio_codecs={name}{more}\n")
    (folder / "contacts").write_text("")
    log = folder / "log"
    with log.open("wb") as out:
        dial = ["-e", f"d {uri}"] if uri else []
        phone = subprocess.Popen(["baresip", "-f", folder, "-t", str(int(seconds)), *dial],
                                 stdin=subprocess.DEVNULL, stdout=out, stderr=out)
        started = time.monotonic()
        try:
            if meanwhile:
                time.sleep(2)
                meanwhile()
            console = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            for at, characters in keys:
                time.sleep(max(0.0, started + at - time.monotonic()))
                for character in characters:
                    console.sendto(character.encode(), ("127.0.0.1", CONSOLE))
                    time.sleep(0.35)
            phone.wait(seconds + 15)
        finally:
            phone.kill()
            phone.wait()
    text = log.read_text(errors="replace")
    heard = sorted(folder.glob("dump*dec.wav"))
    record = None
    if heard:
        record = folder / "record.wav"
        # A new file begins when the phone resumes.
        subprocess.run(["sox", *heard, "-r", "8000", "-c", "1", record], check=True, stderr=subprocess.DEVNULL)
    closed = re.findall(r"session closed: (.*)|terminated (.*)", text)
    return {"established": "Call established" in text, "record": record, "log": text,
            "closed": "".join(closed[-1]).strip() if closed else ""}
