"""Calls Hotline from foreign phones and writes a table of what was seen. `run` starts it; see README.md."""
import argparse
import os
import re
import subprocess
import sys
import time
from datetime import date
from pathlib import Path

import cases_asterisk, cases_baresip, cases_pjsua, cases_servers  # noqa: F401,E401: they register their cases
from bench import CASES, Bench, Skipped

# The table's columns, and how each peer tells its version; the messages of RFC 4475 have none.
PEERS = {
    "pjsua2": [sys.executable, "-c", "import importlib.metadata as m; print(m.version('pjsua2-python'))"],
    "baresip": ["baresip", "-h"],
    "Asterisk": None,
    "Kamailio": ["kamailio", "-v"],
    "sipp": ["sipp", "-v"],
    "RFC 4475": None,
}
MARKS = {"yes": "yes", "no": "**no**", "skipped": "skipped"}


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--hotline", required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--asterisk", default="/nowhere", help="folder that Asterisk is installed in")
    parser.add_argument("only", nargs="*", help="PEER, or PEER/FEATURE as in the table")
    options = parser.parse_args()
    if Path(options.asterisk, "usr/sbin/asterisk").exists():
        PEERS["Asterisk"] = ["chroot", options.asterisk, "asterisk", "-V"]
    work = options.work.resolve() / time.strftime("%H%M%S")
    work.mkdir(parents=True)
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
    results = {}
    with Bench(options.hotline, work, cache / "hotline/prompts", options.asterisk) as bench:
        before = bench.service.rss_mb()
        for peer, feature in sorted(CASES, key=lambda key: list(PEERS).index(key[0])):
            if options.only and not {peer, f"{peer}/{feature}"} & set(options.only):
                continue
            results[peer, feature] = outcome = attempt(bench, CASES[peer, feature])
            print(f"{outcome[0]:8} {peer:9} {feature}: {outcome[1]}", flush=True)
        memory = f"{before:.0f} MB before, {bench.service.rss_mb():.0f} MB after"
        alive = all(service.process.poll() is None for service in bench.running.values() if hasattr(service, "rss_mb"))
    print(f"Hotline {'is alive' if alive else 'DIED'}; resident memory {memory}")
    table = report(options.hotline, results, memory)
    (work / "table.md").write_text(table)
    print(f"\n{table}\nwritten to {work}/table.md")
    return 0 if alive and all(mark != "no" for mark, _ in results.values()) else 1


def attempt(bench, case) -> tuple[str, str]:
    """Runs a case twice at most: once more when it fails, because phones start slowly on a busy machine."""
    for last in (False, True):
        try:
            return "yes", case(bench) + (" (at the second attempt)" if last else "")
        except Skipped as reason:
            return "skipped", str(reason)
        except Exception as problem:  # whatever a phone does is a result
            print(f"         {type(problem).__name__}: {problem}", flush=True)
            if last:
                return "no", f"{type(problem).__name__}: {problem}"
    raise AssertionError


def report(hotline: str, results: dict, memory: str) -> str:
    head = "| | " + " | ".join(f"{name} {version(command)}".strip() for name, command in PEERS.items()) + " |"
    lines = [f"Run on {date.today()} with {hotline_version(hotline)}; resident memory {memory}.", "", head,
             "|---" * (len(PEERS) + 1) + "|"]
    for feature in dict.fromkeys(feature for _, feature in results):
        cells = [results.get((peer, feature)) for peer in PEERS]
        if any(cells):
            lines.append(f"| {feature} | " + " | ".join(MARKS[c[0]] if c else "" for c in cells) + " |")
    lines += ["", "| peer | what | result | evidence |", "|---|---|---|---|"]
    lines += [f"| {peer} | {feature} | {mark} | {str(text).replace('|', '/').replace(chr(10), ' ')} |"
              for (peer, feature), (mark, text) in results.items()]
    return "\n".join(lines) + "\n"


def version(command: list[str] | None) -> str:
    if command is None:
        return ""
    said = subprocess.run(command, capture_output=True, text=True)
    found = re.search(r"\d+\.\d+(\.\d+)*", said.stdout + said.stderr)
    return found.group() if found else ""


def hotline_version(hotline: str) -> str:
    return subprocess.run([hotline, "--version"], capture_output=True, text=True).stdout.strip()


if __name__ == "__main__":
    sys.exit(main())
