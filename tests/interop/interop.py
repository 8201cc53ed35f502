"""Calls Hotline from foreign phones and writes a table of what was seen. `run` starts it; see README.md."""
import argparse
import os
import re
import subprocess
import sys
import time
from datetime import date
from pathlib import Path

from cases import CASES, FEATURES, PEERS, Bench, NotYet
from service import Service

MARKS = {"yes": "yes", "no": "**no**", "not yet": "not yet", "": ""}


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--hotline", required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("only", nargs="*", help="PEER, or PEER/FEATURE as in the table")
    options = parser.parse_args()
    work = options.work.resolve() / time.strftime("%H%M%S")
    work.mkdir(parents=True)
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
    results = {}
    with Service(options.hotline, work, cache / "hotline/prompts") as service, Bench(service, work) as bench:
        before = service.rss_mb()
        for (peer, feature), case in CASES.items():
            if options.only and not {peer, f"{peer}/{feature}"} & set(options.only):
                continue
            results[peer, feature] = outcome = attempt(bench, case)
            print(f"{outcome[0]:8} {peer:9} {feature}: {outcome[1]}", flush=True)
        memory = f"{before:.0f} MB before, {service.rss_mb():.0f} MB after"
        alive = service.process.poll() is None
    print(f"Hotline {'is alive' if alive else 'DIED'}; resident memory {memory}")
    table = report(options.hotline, results, memory)
    (work / "table.md").write_text(table)
    print(f"\n{table}\nwritten to {work}/table.md")
    return 0 if alive and all(mark != "no" for mark, _ in results.values()) else 1


def attempt(bench, case) -> tuple[str, str]:
    """Runs a case twice at most: once more when it fails, because phones start slowly on a busy machine."""
    for last in (False, True):
        try:
            return "yes", case(bench)
        except NotYet as reason:
            return "not yet", str(reason)
        except Exception as problem:  # whatever a phone does is a result
            if last:
                return "no", f"{type(problem).__name__}: {problem}"
    raise AssertionError


def report(hotline: str, results: dict, memory: str) -> str:
    head = "| | " + " | ".join(f"{name} {version(command)}" for name, command in PEERS.items()) + " |"
    lines = [f"Run on {date.today()} with {hotline_version(hotline)}; resident memory {memory}.", "", head,
             "|---" * (len(PEERS) + 1) + "|"]
    for feature in FEATURES:
        cells = [results.get((peer, feature)) for peer in PEERS]
        if any(cells):
            lines.append(f"| {feature} | " + " | ".join(MARKS[c[0]] if c else "" for c in cells) + " |")
    lines += ["", "| peer | what | result | evidence |", "|---|---|---|---|"]
    lines += [f"| {peer} | {feature} | {mark} | {str(text).replace('|', '/').replace(chr(10), ' ')} |"
              for (peer, feature), (mark, text) in results.items()]
    return "\n".join(lines) + "\n"


def version(command: list[str]) -> str:
    said = subprocess.run(command, capture_output=True, text=True)
    found = re.search(r"\d+\.\d+(\.\d+)*", said.stdout + said.stderr)
    return found.group() if found else ""


def hotline_version(hotline: str) -> str:
    return subprocess.run([hotline, "--version"], capture_output=True, text=True).stdout.strip()


if __name__ == "__main__":
    sys.exit(main())
