"""The drill's chemical mechanism: reactions as they stand in the settings, their rate constants, and the
order of work in which their equations are solved.

A reaction's rate constant is the product of a thermal part, a function of temperature and pressure that is
tabulated here, and of a driver, a field of the hour (photolysis, water, cloud) or one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from yrd_airq.drill.air_settings import AirSettings, Reaction
from yrd_airq.drill.layers import PRESSURE_PA
from yrd_airq.drill.state import INDEX, SPECIES
from yrd_airq.errors import InputError

# Unsigned, so that the compiled loops need not look for indices that count from the end.
Ints = NDArray[np.uint64]

STATES = ("one", "water", "o1d", "cloud", "n2o5_uptake", "wet_haze")
"""Drivers that are not the photolysis of something; photolysis follows in the order of the settings."""

FED = ("n2o5_uptake", "wet_haze")
"""Drivers that hang on the air's particles."""

TABLE_FROM_K, TABLE_STEP_K, _TABLE_LENGTH = 230.0, 0.5, 201
"""Temperatures of the table of thermal rate constants: the first, and the step, K."""

NONE = np.iinfo(np.uint64).max
"""Stands for no reactant."""

_BOLTZMANN = 1.380649e-23
_TERM = re.compile(r"^(?:(\d+(?:\.\d+)?)\s+)?([A-Z][A-Z0-9]*)$")


class Plan(NamedTuple):
    """What the compiled chemistry works through, reaction by reaction and place by place.

    ``reactants`` (reaction, 2), NONE for none; ``driver`` (reaction). ``changes`` (entry, 2): reaction and
    species, with ``yields`` (entry). ``slots`` (slot, 3): reaction, reactant and the other reactant
    (NONE for none) of each derivative of a rate; ``spots`` (spot, 2): slot and place in the matrix, with
    ``spot_yields``. ``diagonal`` (species): places in the matrix. ``factor`` (operation, 4): code, place and
    two operands of the triangular factors; ``lower`` and ``upper`` (operation, 3): row, place, column, in
    the order of the forward and of the backward substitution. ``places``: one per place of the matrix.
    ``driven``: reactions of one reactant whose driver hangs on the air's particles.
    """

    reactants: Ints
    driver: Ints
    changes: Ints
    yields: NDArray[np.float32]
    slots: Ints
    spots: Ints
    spot_yields: NDArray[np.float32]
    diagonal: Ints
    factor: Ints
    lower: Ints
    upper: Ints
    places: Ints
    driven: Ints


@dataclass(frozen=True)
class Mechanism:
    """A mechanism ready for use: ``stoichiometry`` (reaction, species), ``thermal`` (layer, temperature,
    reaction) in ppb and s, ``drivers`` by name, and the order of work.
    """

    equations: tuple[str, ...]
    stoichiometry: NDArray[np.float64]
    thermal: NDArray[np.float32]
    drivers: tuple[str, ...]
    plan: Plan


def make_mechanism(settings: AirSettings) -> Mechanism:
    """The mechanism of the settings; ``InputError`` names a reaction that cannot be read."""
    drivers = STATES + tuple(settings.photolysis)
    reactions = settings.reactions
    reactants = np.full((len(reactions), 2), NONE, dtype=np.uint64)
    changes = np.zeros((len(reactions), len(SPECIES)))
    temperature = TABLE_FROM_K + TABLE_STEP_K * np.arange(_TABLE_LENGTH, dtype=np.float64)
    thermal = np.empty((len(PRESSURE_PA), _TABLE_LENGTH, len(reactions)))
    for r, reaction in enumerate(reactions):
        left, change = _read(reaction.equation, settings)
        reactants[r, : len(left)] = left
        changes[r] = change
        for layer, pressure in enumerate(PRESSURE_PA):
            thermal[layer, :, r] = thermal_rate(reaction, temperature, float(pressure), settings)
    driver = np.array([drivers.index(reaction.driver) for reaction in reactions], dtype=np.uint64)
    return Mechanism(
        equations=tuple(reaction.equation for reaction in reactions),
        stoichiometry=changes,
        thermal=thermal.astype(np.float32),
        drivers=drivers,
        plan=_plan(reactants, driver, changes),
    )


def _read(equation: str, settings: AirSettings) -> tuple[list[int], NDArray[np.float64]]:
    """Places of the reactants that vary, and the net change of every species."""
    left, _, right = equation.partition("->")
    reactants: list[int] = []
    change = np.zeros(len(SPECIES))
    for number, name in _terms(left, equation):
        if name not in settings.fixed_ppb and name != "H2O":
            reactants.extend([_place(name, equation)] * int(number))
            change[_place(name, equation)] -= number
    for number, name in _terms(right, equation):
        change[_place(name, equation)] += number
    if not 1 <= len(reactants) <= 2:
        raise InputError(f"reaction '{equation}': one or two reactants must vary, not {len(reactants)}")
    return reactants, change


def _terms(side: str, equation: str) -> list[tuple[float, str]]:
    terms = []
    for part in re.findall(r"[+-]?[^+-]+", side.strip()):
        sign = -1.0 if part.startswith("-") else 1.0
        match = _TERM.match(part.lstrip("+-").strip())
        if match is None:
            raise InputError(f"reaction '{equation}': cannot read '{part.strip()}'")
        terms.append((sign * float(match[1] or 1), match[2]))
    return terms


def _place(name: str, equation: str) -> int:
    if name.lower() not in INDEX:
        raise InputError(f"reaction '{equation}': unknown species '{name}'")
    return INDEX[name.lower()]


def thermal_rate(
    reaction: Reaction, temperature: NDArray[np.float64], pressure: float, settings: AirSettings
) -> NDArray[np.float64]:
    """Thermal part of a rate constant in ppb and s at temperatures (K) and a pressure (Pa).

    Fixed reactants are in it; ``water`` as a driver is the mole fraction. Fall-off as in CMAQ's notes on
    CB05: k = k0[M]/(1 + k0[M]/k∞)·F^G, G = 1/(1 + (log10(k0[M]/k∞)/w)²).
    """
    if reaction.ppb is not None:
        return np.full_like(temperature, reaction.ppb)
    if reaction.a is None and reaction.low is None:
        return np.ones_like(temperature)
    air = pressure / (_BOLTZMANN * temperature) * 1e-6
    if reaction.low is not None and reaction.high is not None:
        low = _arrhenius(temperature, *reaction.low) * air
        high = _arrhenius(temperature, *reaction.high)
        bend = 1 / (1 + (np.log10(low / high) / reaction.w) ** 2)
        rate = low / (1 + low / high) * reaction.f**bend
    else:
        rate = _arrhenius(temperature, reaction.a or 0.0, reaction.n, reaction.e)
        rate = rate + _arrhenius(temperature, reaction.am, 0.0, reaction.em) * air
    names = [name for _, name in _terms(reaction.equation.partition("->")[0], reaction.equation)]
    fixed = float(np.prod([settings.fixed_ppb.get(name, 1.0) for name in names]))
    partners = len(names) - 1
    ppb = partners - names.count("H2O")
    return np.asarray(rate * fixed * air**partners * 1e-9**ppb)


def _arrhenius(temperature: NDArray[np.float64], a: float, n: float, e: float) -> NDArray[np.float64]:
    return np.asarray(a * (temperature / 300) ** n * np.exp(-e / temperature))


def _plan(reactants: Ints, driver: Ints, changes: NDArray[np.float64]) -> Plan:
    """The order of work of a set of reactions."""
    where = np.argwhere(changes != 0)
    slots = [
        (r, pair[one], pair[1 - one])
        for r, pair in enumerate(reactants)
        for one in (0, 1)
        if pair[one] != NONE
    ]
    pattern = np.eye(changes.shape[1], dtype=bool)
    for r, species, _ in slots:
        pattern[changes[r] != 0, int(species)] = True
    order = _order(pattern)
    pattern = _fill(pattern, order)
    place = np.full(pattern.shape, -1, dtype=np.int64)
    place[pattern] = np.arange(pattern.sum())
    spots = [
        (slot, place[species, int(at)], changes[r, species])
        for slot, (r, at, _) in enumerate(slots)
        for species in np.flatnonzero(changes[r])
    ]
    factor, lower, upper = _elimination(place, order)
    return Plan(
        reactants=reactants,
        driver=driver,
        changes=where.astype(np.uint64),
        yields=changes[where[:, 0], where[:, 1]].astype(np.float32),
        slots=np.array(slots, dtype=np.uint64),
        spots=np.array([spot[:2] for spot in spots], dtype=np.uint64),
        spot_yields=np.array([spot[2] for spot in spots], dtype=np.float32),
        diagonal=np.diag(place).astype(np.uint64),
        factor=factor,
        lower=lower,
        upper=upper,
        places=np.arange(pattern.sum(), dtype=np.uint64),
        driven=np.flatnonzero(np.isin(driver, [STATES.index(name) for name in FED])).astype(np.uint64),
    )


def _order(pattern: NDArray[np.bool_]) -> list[int]:
    """Order of elimination with little fill (Markowitz 1957): always the cheapest row and column left."""
    left, work = list(range(len(pattern))), pattern.copy()
    order: list[int] = []
    while left:
        cost = [(work[np.ix_([k], left)].sum() - 1) * (work[np.ix_(left, [k])].sum() - 1) for k in left]
        pivot = left.pop(int(np.argmin(cost)))
        order.append(pivot)
        work[np.ix_(left, left)] |= work[left][:, [pivot]] & work[[pivot]][:, left]
    return order


def _fill(pattern: NDArray[np.bool_], order: list[int]) -> NDArray[np.bool_]:
    """Places that are not zero in the triangular factors."""
    filled = pattern.copy()
    for k, pivot in enumerate(order):
        later = order[k + 1 :]
        filled[np.ix_(later, later)] |= filled[later][:, [pivot]] & filled[[pivot]][:, later]
    return filled


def _elimination(place: NDArray[np.int64], order: list[int]) -> tuple[Ints, Ints, Ints]:
    """Operations of the factors (0: reciprocal, 1: scale, 2: subtract), and of the two substitutions."""
    factor: list[tuple[int, int, int, int]] = []
    lower: list[tuple[int, int, int]] = []
    upper: list[list[tuple[int, int, int]]] = []
    for k, pivot in enumerate(order):
        below = [i for i in order[k + 1 :] if place[i, pivot] >= 0]
        right = [j for j in order[k + 1 :] if place[pivot, j] >= 0]
        factor.append((0, place[pivot, pivot], 0, 0))
        for i in below:
            factor.append((1, place[i, pivot], place[pivot, pivot], 0))
            factor.extend((2, place[i, j], place[i, pivot], place[pivot, j]) for j in right)
        lower.extend((i, place[i, pivot], pivot) for i in below)
        upper.append([(pivot, place[pivot, j], j) for j in right] + [(pivot, place[pivot, pivot], pivot)])
    backward = [operation for row in reversed(upper) for operation in row]
    return (
        np.array(factor, dtype=np.uint64),
        np.array(lower, dtype=np.uint64),
        np.array(backward, dtype=np.uint64),
    )
