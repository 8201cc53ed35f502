"""Bad networks, seeded: for each packet of a stream how much later it comes, in seconds, or None when it is lost."""
import random


def clean(rng: random.Random):
    while True:
        yield 0.0


def random_loss(rng: random.Random):
    """5 % lost, each by itself; the others up to 30 ms later, uniformly."""
    while True:
        yield None if rng.random() < 0.05 else rng.uniform(0, 0.03)


def bursty_loss(rng: random.Random):
    """10 % lost in bursts of three packets on average (Gilbert: bad to good 1/3, good to bad 1/27), no jitter."""
    bad = False
    while True:
        bad = rng.random() >= 1 / 3 if bad else rng.random() < 1 / 27
        yield None if bad else 0.0


NETWORKS = {"clean": clean, "5 % random loss, 30 ms jitter": random_loss, "10 % bursty loss": bursty_loss}


def network(name: str, seed: int):
    """The fates of a stream's packets, the same for the same seed."""
    return NETWORKS[name](random.Random(seed))
