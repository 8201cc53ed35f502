"""Long calls whose sessions are refreshed: one by the phone, at the same time one by Hotline.

    tests/interop/run --long 1800

Prints who refreshed how often, and both directions of each call as RTP went over the wire. It fails when a call ended
early, nobody refreshed it or a packet is missing."""
import argparse
import json
import os
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bench import BOT, Bench
from service import ROOT
from wire import Stream, Wire

HERE = Path(__file__).resolve().parent
HOURS = ROOT / "examples/callers/en/4-hours.wav"
HOTLINE_PORTS = range(20000, 21000)


def long_calls(work: Path, uri: str, seconds: int) -> tuple[list[dict], list[Stream], list[Stream]]:
    """Two calls of so many seconds, in which the caller asks something every 20 s: what each phone saw, with the number
    of refreshes by either side; Hotline's streams; the phones' streams."""
    def talk(name: str, timer, start: float) -> dict:
        time.sleep(start)
        folder = work / name
        folder.mkdir(parents=True)
        steps = [[at, "play", str(HOURS)] for at in range(8, seconds - 10, 20)] + [[seconds, "bye"]]
        plan = {"uri": uri, "log": str(folder / "phone.log"), "record": str(folder / "record.wav"), "steps": steps,
                "timer": timer, "limit": seconds + 60}
        said = subprocess.run([sys.executable, HERE / "phone.py", json.dumps(plan)], capture_output=True, text=True)
        if not said.stdout.strip():
            raise RuntimeError(f"the phone died: {said.stderr[-300:]}")
        seen = json.loads(said.stdout.strip().splitlines()[-1])
        log = (folder / "phone.log").read_text(errors="replace")
        # The phone logs a message that it sends as "TX ...", one that it gets as "RX ...", then the message itself.
        refresh = lambda way: len(re.findall(way + r" \d+ bytes Request msg (?:UPDATE|INVITE)/", log))
        seen["refreshed_by_phone"] = max(0, refresh("TX") - 1)
        seen["refreshed_by_hotline"] = refresh("RX")
        return {"name": name, **seen}

    with Wire() as wire, ThreadPoolExecutor(2) as pool:
        calls = [pool.submit(talk, "refreshed-by-phone", 90, 0), pool.submit(talk, "refreshed-by-hotline", "off", 5)]
        seen = [call.result() for call in calls]
    ours, theirs = wire.from_ports(HOTLINE_PORTS), [s for (_, to, _), s in wire.streams.items() if to in HOTLINE_PORTS]
    return seen, ours, sorted(theirs, key=lambda s: -s.packets)


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--hotline", required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("seconds", type=int)
    options = parser.parse_args()
    work = options.work.resolve() / time.strftime("long-%H%M%S")
    work.mkdir(parents=True)
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
    with Bench(options.hotline, work, cache / "hotline/prompts", "/nowhere") as bench:
        before = bench.service.rss_mb()
        seen, ours, theirs = long_calls(work, BOT, options.seconds)
        memory = f"{before:.0f} MB before, {bench.service.rss_mb():.0f} MB after"
    # A session of 90 s is refreshed after 45 s; the phone without timers by Hotline alone.
    expected = {"refreshed-by-phone": "refreshed_by_phone", "refreshed-by-hotline": "refreshed_by_hotline"}
    good = all(call.get("talked_s", 0) >= options.seconds - 1 and call[expected[call["name"]]] >= 1 for call in seen)
    for call in seen:
        print(f"{call['name']}: status {call['status']}, {call.get('talked_s')} s, refreshed {call['refreshed_by_phone']} times by "
              f"the phone, {call['refreshed_by_hotline']} times by Hotline")
    for name, streams in ("Hotline", ours[:2]), ("the phone", theirs[:2]):
        for stream in streams:
            print(f"{name} sent {stream}")
    print(f"resident memory {memory}")
    return 0 if good and not any(stream.missing for stream in ours[:2]) else 1


if __name__ == "__main__":
    sys.exit(main())
