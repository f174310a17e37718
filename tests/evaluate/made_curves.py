"""Made training curves of each kind, with their validations and their learning rates, drawn by seed."""

from __future__ import annotations

import numpy as np

from sevenfold.evaluate.trained import Trained


def linear(steps, warmup=0.05):
    """Learning rates that rise over a twentieth of the steps and fall to zero."""
    at, warm = np.arange(steps), round(warmup * steps)
    return 1e-3 * np.where(at < warm, (at + 1) / (warm + 1), 1 - (at - warm) / max(1, steps - warm))


class Maker:
    """One draw: a start, an end, noise, and places of validations.

    Args:
        seed: Of the draw.
        steps: How many.
        noise: Of one step, as a share of the fall.
    """

    def __init__(self, seed, steps, noise):
        self.rng = np.random.default_rng([seed, steps, round(100 * noise)])
        self.steps, self.rates = steps, linear(steps)
        self.distance = np.cumsum(self.rates) / self.rates.sum()
        self.share = np.arange(steps) / steps
        self.start = self.rng.uniform(1.5, 4)
        self.fall = self.start * self.rng.uniform(0.2, 0.7)
        self.floor = self.start - self.fall
        self.noise = self.rng.normal(0, noise * self.fall, steps)
        self.usual = noise * self.fall

    def validated(self, loss, count=4):
        """A loss of the way gone, at the start and at some even steps, each off by 0.3 %."""
        places = [0, *(round(self.steps * (place + 1) / count) for place in range(count))]
        gone = {step: 0.0 if step == 0 else self.distance[step - 1] for step in places}
        return {step: float(loss(gone[step]) * (1 + self.rng.normal(0, 0.003))) for step in places}

    def decay(self, pace):
        """A fall that levels off."""
        return lambda way: self.floor + self.fall * np.exp(-pace * way)

    def healthy(self):
        loss = self.decay(self.rng.uniform(8, 20))
        return loss(self.distance) + self.noise, self.validated(loss)

    def slow(self):
        pace = self.rng.uniform(0.05, 0.5)

        def loss(way):
            return self.start - self.fall * (1 - np.exp(-pace * way)) / (1 - np.exp(-pace))

        return loss(self.distance) + self.noise, self.validated(loss)

    def little(self):
        small = self.rng.uniform(0.006, 0.015)

        def loss(way):
            return self.start * (1 - small * (1 - np.exp(-10 * way)))

        return loss(self.distance) + 0.02 * self.noise * self.start / self.fall, self.validated(loss)

    def overfit(self):
        turn, rise = self.rng.uniform(0.4, 0.8), self.rng.uniform(0.05, 0.4)
        loss = self.decay(10)

        def held_out(way):
            return loss(way) + rise * self.floor * max(0.0, way - turn) / (1 - turn)

        return loss(self.distance) * (1 - self.share / 2) + self.noise, self.validated(held_out, 8)

    def swinging(self):
        period, height = self.rng.uniform(0.2, 0.35), self.rng.uniform(0.45, 0.7) * self.fall
        wave = height * np.sin(2 * np.pi * self.share / period + self.rng.uniform(0, 6))
        return self.decay(10)(self.distance) + wave + self.noise, {}

    def spiking(self):
        at = self.rng.permutation(np.arange(self.steps // 8, 7 * self.steps // 8))[: max(4, self.steps // 20)]
        curve = self.decay(10)(self.distance) + self.noise
        curve[at] += self.rng.uniform(1, 3, len(at)) * max(self.fall, 12 * self.usual)
        return curve, {}

    def rising(self):
        return self.floor + 0.5 * self.fall * np.exp(self.share * self.rng.uniform(1, 3)) + self.noise, {}

    def jumped(self):
        """Falls, then jumps up and stays; with the step of the jump, from 1, behind."""
        self.jump = round(self.steps * self.rng.uniform(0.3, 0.6))
        high = self.floor + self.rng.uniform(0.8, 1.3) * self.fall
        before = self.floor + self.fall * np.exp(-8 * self.share)
        return np.where(np.arange(self.steps) < self.jump, before, high) + self.noise, {}

    def flat(self):
        return self.start + self.noise, self.validated(lambda way: self.start)


KINDS = {
    "healthy": "healthy",
    "slow": "underfit",
    "little": "underfit",
    "overfit": "overfit",
    "swinging": "fluctuating",
    "spiking": "fluctuating",
    "rising": "diverging",
    "jumped": "diverging",
    "flat": "too little signal",
}
"""How a curve is made, and what it is to be called."""


def draw(kind, seed, steps, noise):
    """A curve's losses, its validations, and its record."""
    maker = Maker(seed, steps, noise)
    losses, validation = getattr(maker, kind)()
    return list(losses), validation, Trained(rates=list(maker.rates))
