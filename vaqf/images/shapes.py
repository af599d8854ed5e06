"""Pictures of textured shapes, drawn from a seed: an image set that needs no download.

A class is an outline and a texture, and neither alone tells it: the ground has a texture too, and
small shapes of every outline lie on it and on the figure. Place, size, angle, stretch and colours
say nothing about the class. The figure is brighter than its ground and turned by any angle, its
texture by a small one: a mirrored picture is as likely and of the same class, one on its side is
of the same class only.

A picture follows from (seed, split, index) alone, so any range can be drawn by itself. Its bytes
are the same everywhere: the stream of PCG64 is fixed, and pixels are made with operations of
float32 that IEEE 754 rounds alike on every machine (+ - * and the square root).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Split = Literal["train", "test"]
SIZE = 64  # pixels each way
CHANNELS = 3
SEED = 0
IMAGES: dict[Split, int] = {"train": 20_000, "test": 4_000}
STREAMS = {"train": 0, "test": 1}  # keys of the random words: the splits have none in common

# Tuned so that vit_shapes, in float, is right about nine times in ten after 12 epochs.
RADIUS = (19.0, 27.0)  # of the figure, pixels
DRIFT = 5.5  # of its centre from the picture's, at most, each way, pixels
STRETCH = 0.15  # up to this much longer one way, and as much shorter the other
PERIOD = (8.0, 12.0)  # of the figure's texture, pixels
TURN = 0.1 * math.pi  # of the figure's texture against the picture, at most
GROUND_PERIOD = (8.0, 16.0)
GROUND_CONTRAST = 0.4  # of the ground's texture, at most
BEHIND = 3  # small shapes that the figure may hide
BEFORE = 1  # small shapes that hide a part of the figure
SMALL_RADIUS = (3.0, 6.0)
GROUND, *TONES = 0.15, 0.5, 0.85  # brightness of the ground and of the figure's two tones
TINT = 0.18  # how far a colour may lie from its brightness, in each channel
BLUR = 0.25  # weight of each neighbour, at most
NOISE = 0.08  # change of a pixel, at most

WORDS = 96  # random words of a picture, its noise not counted
EXTENT = 1.15  # no outline reaches further than this from its centre, in radii
PHASE = 0.3  # where the texture starts: so many radii from the centre, at most, each way
NOISE_BYTES = SIZE * SIZE * CHANNELS
LABEL_STEP = 9  # coprime to the number of classes: eight in a row show every outline and texture

Real = NDArray[np.floating[Any]]  # [rows, columns], or [channels, rows, columns]
Point = tuple[float, float]
Outline = Callable[[Real, Real], Real]
Texture = Callable[[Real, Real, float], Real]


class _Draws:
    """The random numbers of one picture, one after the other."""

    def __init__(self, split: Split, index: int, seed: int) -> None:
        key = np.random.SeedSequence(seed, spawn_key=(STREAMS[split], index))
        words = np.random.PCG64(key).random_raw(WORDS + NOISE_BYTES // 8)
        shares: list[float] = ((words[:WORDS] >> np.uint64(11)) * 2.0**-53).tolist()  # in [0, 1)
        self._shares = iter(shares)
        self.noise = words[WORDS:].astype("<u8").view(np.uint8).reshape(CHANNELS, SIZE, SIZE)

    def between(self, low: float, high: float) -> float:
        return low + (high - low) * next(self._shares)

    def below(self, count: int) -> int:
        return int(count * next(self._shares))

    def place(self, low: float = 0.0, high: float = SIZE) -> Point:
        return self.between(low, high), self.between(low, high)

    def direction(self, most: float = math.pi) -> Point:
        """A unit vector, turned by up to `most` either way."""
        angle = self.between(-most, most)
        return math.cos(angle), math.sin(angle)

    def colour(self, brightness: float) -> Real:
        """[channels, 1, 1], around a brightness of 0..1."""
        channels = [brightness + self.between(-TINT, TINT) for _ in range(CHANNELS)]
        return np.array(channels, np.float32).reshape(CHANNELS, 1, 1)


def disc(u: Real, v: Real) -> Real:
    """Signed distance to the outline, in radii, negative inside; so are all outlines."""
    return np.sqrt(u * u + v * v) - 0.85


def square(u: Real, v: Real) -> Real:
    return np.maximum(np.abs(u), np.abs(v)) - 0.76


def triangle(u: Real, v: Real) -> Real:
    return np.maximum(np.abs(u) * (math.sqrt(3) / 2) + v * 0.5, -v) - 0.55


def cross(u: Real, v: Real) -> Real:
    u, v = np.abs(u), np.abs(v)
    return np.maximum(np.minimum(u, v) - 0.3, np.maximum(u, v) - 0.95)


def star(u: Real, v: Real) -> Real:
    """Five points: two mirrors fold every edge onto one, whose line is the distance."""
    c, s = math.cos(math.pi / 5), math.sin(math.pi / 5)
    u = np.abs(u)
    beyond = np.maximum(u * c - v * s, 0) * 2
    u, v = u - beyond * c, v + beyond * s
    beyond = np.maximum(-u * c - v * s, 0) * 2
    u, v = np.abs(u + beyond * c), v + beyond * s
    tip, x, y = 1.1, 0.5 * s, 0.5 * c  # (0, tip) is the outer corner, (x, y) the inner one
    return ((v - tip) * x - u * (y - tip)) / math.hypot(x, y - tip)


def _inside(distance: Real) -> Real:
    """Share of a pixel within an edge at this signed distance in pixels."""
    share: Real = np.minimum(np.maximum(0.5 - distance, 0), 1)
    return share


def _wave(s: Real) -> Real:
    """Triangle wave of period 1: distance to the next whole number, less a quarter."""
    return np.abs(s - np.rint(s)) - 0.25


def stripes(s: Real, t: Real, period: float) -> Real:
    """Share 0..1 of the second tone in each pixel, s and t in periods; so are all textures."""
    return _inside(_wave(s) * period)


def checks(s: Real, t: Real, period: float) -> Real:
    wide = 0.6  # fields as large as the others' marks
    one, two = (_inside(_wave(x * wide) * (period / wide)) for x in (s, t))
    return one + two - one * two * 2


def dots(s: Real, t: Real, period: float) -> Real:
    s, t = s - np.rint(s), t - np.rint(t)
    return _inside((np.sqrt(s * s + t * t) - 0.36) * period)


def rings(s: Real, t: Real, period: float) -> Real:
    return _inside(_wave(np.sqrt(s * s + t * t)) * period)


OUTLINES: tuple[Outline, ...] = (disc, square, triangle, cross, star)
TEXTURES: tuple[Texture, ...] = (stripes, checks, dots, rings)
CLASSES = tuple(f"{o.__name__} of {t.__name__}" for o in OUTLINES for t in TEXTURES)


@dataclass(frozen=True, eq=False)
class _Part:
    """A rectangle of the picture that is being drawn."""

    pixels: Real  # [channels, rows, columns] on 0..1, a view
    x: Real  # [columns], centres of the pixels
    y: Real  # [rows, 1]

    def around(self, at: Point, reach: float) -> "_Part":
        """The rectangle that holds all within `reach` pixels; empty if that is outside."""
        columns, rows = (slice(max(0, int(c - reach)), max(0, int(c + reach) + 1)) for c in at)
        return _Part(self.pixels[:, rows, columns], self.x[columns], self.y[rows])

    def axes(self, at: Point, direction: Point, wide: float, high: float) -> tuple[Real, Real]:
        """Coordinates from `at`, along the direction in units of `wide`, across it of `high`."""
        (c, s), x, y = direction, self.x - at[0], self.y - at[1]
        return x * (c / wide) + y * (s / wide), y * (c / high) - x * (s / high)

    def paint(self, colour: Real, share: Real) -> None:
        """Mix the colour in, `share` of it in each pixel."""
        self.pixels[:] += (colour - self.pixels) * share


def _ground(picture: _Part, draws: _Draws) -> None:
    """A colour that changes evenly one way, and a faint texture."""
    slope, _ = picture.axes((SIZE / 2, SIZE / 2), draws.direction(), SIZE, SIZE)
    picture.pixels[:] = draws.colour(GROUND) + draws.colour(0.0) * slope
    period = draws.between(*GROUND_PERIOD)
    texture = TEXTURES[draws.below(len(TEXTURES))]
    marks = texture(*picture.axes(draws.place(), draws.direction(), period, period), period)
    picture.paint(draws.colour(TONES[0]), marks * draws.between(0.0, GROUND_CONTRAST))


def _small(picture: _Part, draws: _Draws, at: Point) -> None:
    """A small shape of one colour, for which no class is named."""
    radius = draws.between(*SMALL_RADIUS)
    outline = OUTLINES[draws.below(len(OUTLINES))]
    part = picture.around(at, EXTENT * radius)
    distance = outline(*part.axes(at, draws.direction(), radius, radius)) * radius
    part.paint(draws.colour(draws.between(GROUND, TONES[-1])), _inside(distance))


def _figure(picture: _Part, draws: _Draws, at: Point, radius: float, label: int) -> None:
    """The shape that gives the picture its class; either tone may be the brighter one."""
    outline, texture = OUTLINES[label // len(TEXTURES)], TEXTURES[label % len(TEXTURES)]
    stretch = draws.between(1 - STRETCH, 1 + STRETCH)
    part = picture.around(at, EXTENT * (1 + STRETCH) * radius)
    axes = part.axes(at, draws.direction(), radius * stretch, radius / stretch)
    period = draws.between(*PERIOD)
    far = PHASE * radius
    origin = at[0] + draws.between(-far, far), at[1] + draws.between(-far, far)
    marks = texture(*part.axes(origin, draws.direction(TURN), period, period), period)
    one, two = (draws.colour(tone) for tone in TONES)
    tones = one + (two - one) * (marks if draws.below(2) else 1 - marks)
    part.paint(tones, _inside(outline(*axes) * radius))


def _blurred(pixels: Real, weight: float) -> Real:
    """Every pixel mixed with its neighbours: columns, then rows; the border repeats."""
    place = np.arange(SIZE)
    before, after = np.maximum(place - 1, 0), np.minimum(place + 1, SIZE - 1)
    for axis in (-1, -2):
        beside = pixels.take(before, axis) + pixels.take(after, axis)
        pixels = pixels * (1 - 2 * weight) + beside * weight
    return pixels


def _draw(split: Split, index: int, seed: int) -> NDArray[np.uint8]:
    """One picture, [SIZE, SIZE, CHANNELS]."""
    draws = _Draws(split, index, seed)
    centres = np.arange(SIZE, dtype=np.float32) + 0.5
    picture = _Part(np.empty((CHANNELS, SIZE, SIZE), np.float32), centres, centres[:, None])
    _ground(picture, draws)
    at, radius = draws.place(SIZE / 2 - DRIFT, SIZE / 2 + DRIFT), draws.between(*RADIUS)
    for _ in range(BEHIND):
        _small(picture, draws, draws.place())
    _figure(picture, draws, at, radius, label(index))
    for _ in range(BEFORE):
        (c, s), far = draws.direction(), draws.between(0.4, 1.0) * radius
        _small(picture, draws, (at[0] + c * far, at[1] + s * far))
    pixels = _blurred(picture.pixels, draws.between(0.0, BLUR)) * 255
    pixels += (draws.noise.astype(np.float32) - 127.5) * (2 * draws.between(0.0, NOISE))
    return np.rint(pixels).clip(0, 255).astype(np.uint8).transpose(1, 2, 0)


def label(index: int) -> int:
    """The class of a picture of either split: all classes in turn, so every 20 are balanced."""
    return index * LABEL_STEP % len(CLASSES)


def make(
    split: Split, start: int = 0, stop: int | None = None, seed: int = SEED
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Pictures start..stop of a split, [n, SIZE, SIZE, CHANNELS], and their classes, [n].

    stop: None is the size of the split, but there is no end: any index has its picture.
    """
    numbers = range(start, IMAGES[split] if stop is None else stop)
    pixels = np.empty((len(numbers), SIZE, SIZE, CHANNELS), np.uint8)
    for at, number in enumerate(numbers):
        pixels[at] = _draw(split, number, seed)
    return pixels, np.array([label(number) for number in numbers], np.int64)
