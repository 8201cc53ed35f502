"""What callers do over a prompt, for `bargein`: sounds made from one seed, words spoken by Hotline's own voices."""
import math
import random
import wave
from array import array
from pathlib import Path

from service import ROOT
from utterances import RATE, speak

PROMPT_SECONDS = 12
PROMPTS = {
    "en": {"voice": "en-hibari", "again": "Sorry, once more.", "person": "One moment, I will connect you.", "bye": "Goodbye.",
           "long": "Welcome to the municipal services line, where you can hear about opening hours, report a power cut, ask for your "
                   "account balance, order a new contract, change your address or leave a message for one of our advisers, day or night. "
                   "How can I help you today?"},
    "zh": {"voice": "zh-xiaoxiao", "again": "抱歉，请再说一遍。", "person": "好的，马上为您转接。", "bye": "再见。",
           "long": "欢迎致电云州市民服务热线，您可以在这里查询公积金余额，了解租房提取的条件和需要准备的材料，咨询各个服务网点的办公时间和地址，"
                   "也可以留下您的电话号码和需要办理的事情，由工作人员给您回电，请问有什么可以帮您的？"},
}
SPOKEN = {"en": {"uh-huh": "Uh-huh.", "mm-hmm": "Mm-hmm.", "request": "I want to speak to an agent"},
          "zh": {"嗯": "嗯。", "哦": "哦。", "request": "我要找人工客服"}}


def record(binary, lang: str, folder: Path) -> dict:
    """The WAVs of a language's sounds by their names, with the faint noise of a line around them."""
    kept = folder / "sounds"
    kept.mkdir(exist_ok=True)
    dice = random.Random(f"sounds {lang}")
    made = {"cough": cough(dice), "door": door(dice)}
    for name, words in SPOKEN[lang].items():
        made[name] = speak(str(Path(binary).resolve()), ROOT / "voices", lang, words, kept)
    return {name: write(kept / f"{lang}-{name}.wav", samples) for name, samples in made.items()}


def cough(dice) -> array:
    """Two bursts of breath through a throat: noise with a resonance near 1 kHz that dies away within 200 ms."""
    samples = array("h")
    for length, loud in ((0.22, 1.0), (0.16, 0.6)):
        before = [0.0, 0.0]
        for n in range(int(length * RATE)):
            swell = min(n / (0.008 * RATE), 1.0) * math.exp(-n / (0.06 * RATE))
            breath = dice.uniform(-1, 1) + 1.5 * math.cos(2 * math.pi * 1000 / RATE) * before[0] - 0.6 * before[1]
            before = [breath, before[0]]
            samples.append(int(max(-1, min(1, 0.5 * loud * swell * breath)) * 24_000))
        samples.extend([0] * int(0.12 * RATE))
    return samples


def door(dice) -> array:
    """A thump at 90 Hz with a click at its beginning."""
    thump = lambda n: 0.8 * math.exp(-n / (0.05 * RATE)) * math.sin(2 * math.pi * 90 * n / RATE)
    click = lambda n: 0.6 * math.exp(-n / (0.006 * RATE)) * dice.uniform(-1, 1)
    return array("h", (int(max(-1, min(1, thump(n) + click(n))) * 24_000) for n in range(int(0.25 * RATE))))


def write(path: Path, samples: array) -> Path:
    """The sound with a fifth of a second of faint noise after it."""
    hiss = random.Random(path.name)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes((samples + array("h", (hiss.randint(-12, 12) for _ in range(RATE // 5)))).tobytes())
    return path
