"""The test set of `cutoff`: what callers say, with the pauses inside it, and how it is spoken.

Everything follows from one seed, so the set is the same everywhere. An utterance is a list of words and of pauses in seconds.
"""
import random
import subprocess
import wave
from array import array
from pathlib import Path

RATE = 8000
VOICES = {"en": "en-hibari", "zh": "zh-yunxi"}
# Louder than this, in a stretch of 10 ms, is speech.
AUDIBLE = 32768 * 10 ** (-45 / 20)
NUMBERS, OTHERS = 50, 20

DIGITS = {"en": "zero one two three four five six seven eight nine".split(), "zh": list("零幺二三四五六七八九")}
YES_NO = {
    "en": ["Yes.", "No.", "Yes, please.", "No, thank you.", "That's right.", "Yeah.", "No, that's wrong.", "Sure."],
    "zh": ["对。", "不对。", "是的。", "不是。", "没错。", "好的。", "不用了。", "对的。"],
}
REQUESTS = {
    "en": ["What is my balance?", "My power is out.", "What are your opening hours?", "I have a question about my bill.",
           "There is no electricity.", "When is my payment due?", "Are you open on Saturday?", "Report an outage."],
    "zh": ["我想查一下公积金余额。", "你们几点上班？", "租房能不能提公积金？", "周末上班吗？", "余额是多少？", "查一下账户。",
           "租房子怎么提取？", "几点下班？"],
}
# What callers say in two breaths.
BROKEN = {
    "en": [("I have a question", "about my bill."), ("I'd like to know", "what my balance is."), ("Um,", "what are your opening hours?"),
           ("Since this morning", "my power is out."), ("Are you open", "on Saturday?"), ("My bill is too high and", "I want to know my balance.")],
    "zh": [("我想", "查一下公积金余额。"), ("你好，我想问一下", "租房能不能提公积金。"), ("嗯", "你们几点上班？"), ("那个，请问", "周末上班吗？"),
           ("我的公积金账户", "余额是多少？"), ("我租房子，然后", "我想提取公积金。")],
}


def utterances(lang: str) -> dict:
    """By kind: what is said, as lists of words and pauses."""
    dice = random.Random(f"hotline {lang}")
    count = range(OTHERS)
    return {
        "number": [number(lang, dice) for _ in range(NUMBERS)],
        "yes_no": [[YES_NO[lang][i % len(YES_NO[lang])]] for i in count],
        "request": [[REQUESTS[lang][i % len(REQUESTS[lang])]] for i in count],
        "broken": [[a, round(dice.uniform(0.3, 0.9), 2), b] for a, b in (BROKEN[lang][i % len(BROKEN[lang])] for i in count)],
    }


def number(lang: str, dice: random.Random) -> list:
    """A telephone number in three groups, with pauses between them."""
    groups = [3, 3, 4] if lang == "en" else [3, 4, 4]
    parts = []
    for position, size in enumerate(groups):
        digits = [dice.randint(0 if position or parts else 2, 9) for _ in range(size)]
        if lang == "zh" and not position:
            digits[:2] = [1, dice.choice([3, 5, 8])]
        words = [DIGITS[lang][digit] for digit in digits]
        parts += [(" ".join(words) if lang == "en" else "".join(words)) + ("," if position < 2 else ".")]
        parts += [round(dice.uniform(0.3, 1.5), 2)] if position < 2 else []
    return parts


def speak(binary: str, voices: Path, lang: str, words: str, folder: Path) -> array:
    """The samples of these words without silence around them; spoken once and kept in `folder`."""
    name = "".join(c if c.isalnum() else "_" for c in words)
    path = folder / f"{lang}-{name}.wav"
    if not path.exists():
        command = [binary, "say", "--voice", VOICES[lang], "--voices", str(voices), "--out", str(path), words]
        subprocess.run(command, check=True, capture_output=True)
    with wave.open(str(path)) as file:
        samples = array("h", file.readframes(file.getnframes()))
    loud = [at for at in range(0, len(samples), 80) if max(map(abs, samples[at:at + 80])) > 1.4 * AUDIBLE]
    return samples[loud[0]:loud[-1] + 80]


def record(binary: str, voices: Path, lang: str, parts: list, folder: Path) -> Path:
    """A WAV of the utterance, with the faint noise of a line in its pauses."""
    path = folder / (f"{lang}-" + "-".join("".join(c for c in str(part) if c.isalnum()) for part in parts)[:120] + ".utterance.wav")
    if path.exists():
        return path
    hiss = random.Random(str(parts))
    samples = array("h")
    for part in parts:
        if isinstance(part, float):
            samples.extend(hiss.randint(-12, 12) for _ in range(int(part * RATE)))
        else:
            samples.extend(speak(binary, voices, lang, part, folder))
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(samples.tobytes())
    return path
