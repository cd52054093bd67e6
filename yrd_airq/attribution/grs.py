"""The Generic Reaction Set and its integration: seven reactions that make ozone of hydrocarbons and NOx.

Azzi, Johnson and Cope (1992), 'An introduction to the generic reaction set photochemical smog mechanism';
rate constants from the settings. The stiff equations are solved by RODAS3, a linearly implicit, L-stable
method of third order (Sandu et al. 1997, Atmos. Environ. 31, 3459; coefficients as in KPP). Such a method
keeps every linear invariant to rounding, so the nitrogen balance closes whatever the step.
"""

from __future__ import annotations

from typing import NamedTuple

import numba
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
SPECIES = ("roc", "rp", "no", "no2", "o3", "noz", "nitrogen")
"""Order of the state. ``roc`` in ppbC, the rest in ppb. ``rp``: radical pool; ``noz``: stable nitrogen
products, gaseous and not; ``nitrogen``: an inert gas released as NOx is, against which the sum of NO, NO2
and ``noz`` is checked."""
ROC, RP, NO, NO2, O3, NOZ, NITROGEN = range(len(SPECIES))
_COUNT = len(SPECIES)
_MOMENT_MIN = 1e-3
_FIRST_STEP_MIN, _LEAST_STEP_MIN = 0.01, 1e-7
_compiled = numba.njit(cache=True, error_model="numpy")
_A = np.array([[0.0, 0.0, 0.0], [0.0, 0.0, 0.0], [2.0, 0.0, 0.0], [2.0, 0.0, 1.0]])
_C = np.array([[0.0, 0.0, 0.0], [4.0, 0.0, 0.0], [1.0, -1.0, 0.0], [1.0, -1.0, -8.0 / 3]])
_GAMMA = np.array([0.5, 1.5, 0.0, 0.0])
_FORWARD = np.array([2.0, 0.0, 1.0, 1.0])


class Drive(NamedTuple):
    """What drives a box, by the minute: rates at ``minutes`` (linear between), and what it stands in.

    ``photolysis`` of NO2 (1/min), ``height`` of the mixed layer (m) and its ``growth`` (m/min, never
    falling), ``emission`` (part of the column of the first minute released a minute). ``rates``: k1 as a
    part of the photolysis of NO2, then k2, k4, k5, k6, k7 in 1/(ppb min). ``aloft`` (species,) is the air
    that the growing layer takes in; ``deposition`` of ozone in m/min; ``no2_part`` of the NOx released.
    """

    minutes: Array
    photolysis: Array
    height: Array
    growth: Array
    emission: Array
    rates: Array
    aloft: Array
    deposition: float
    no2_part: float


@_compiled
def _forcing(drive: Drive, t: float, out: Array) -> None:
    """Photolysis, dilution rate (1/min), emission per column and height at a time into ``out``."""
    last = len(drive.minutes) - 1
    step = drive.minutes[1] - drive.minutes[0]
    at = min(max(int((t - drive.minutes[0]) / step), 0), last - 1)
    late = (t - drive.minutes[at]) / step
    height = (1 - late) * drive.height[at] + late * drive.height[at + 1]
    growth = (1 - late) * drive.growth[at] + late * drive.growth[at + 1]
    out[0] = (1 - late) * drive.photolysis[at] + late * drive.photolysis[at + 1]
    out[1] = growth / height
    out[2] = ((1 - late) * drive.emission[at] + late * drive.emission[at + 1]) / height
    out[3] = drive.deposition / height


@_compiled
def derive(drive: Drive, t: float, y: Array, column: Array, work: Array, dy: Array) -> None:
    """Rates of change (ppb/min) of state ``y`` into ``dy``.

    ``column``: VOC (ppbC m) and NOx (ppb m) in the column of the first minute; ``work``: four places.
    """
    _forcing(drive, t, work)
    sun, dilution, release, deposition = work[0], work[1], work[2], work[3]
    k = drive.rates
    born, to_no2 = k[0] * sun * y[ROC], k[1] * y[RP] * y[NO]
    split, titrated = sun * y[NO2], k[2] * y[NO] * y[O3]
    paired, lost = k[3] * y[RP] * y[RP], (k[4] + k[5]) * y[RP] * y[NO2]
    dy[ROC] = release * column[0]
    dy[RP] = born - to_no2 - paired - lost
    dy[NO] = split - titrated - to_no2 + release * column[1] * (1 - drive.no2_part)
    dy[NO2] = to_no2 + titrated - split - lost + release * column[1] * drive.no2_part
    dy[O3] = split - titrated - deposition * y[O3]
    dy[NOZ] = lost
    dy[NITROGEN] = release * column[1]
    for i in range(_COUNT):
        dy[i] += dilution * (drive.aloft[i] - y[i])


@_compiled
def _jacobian(drive: Drive, y: Array, work: Array, out: Array) -> None:
    """Derivatives of the rates of change after the state, with the forcing in ``work``."""
    out[:] = 0.0
    sun, dilution, deposition = work[0], work[1], work[3]
    k = drive.rates
    loss = k[4] + k[5]
    out[RP, ROC] = k[0] * sun
    out[RP, RP] = -k[1] * y[NO] - 2 * k[3] * y[RP] - loss * y[NO2]
    out[RP, NO], out[RP, NO2] = -k[1] * y[RP], -loss * y[RP]
    out[NO, RP], out[NO, NO] = -k[1] * y[NO], -k[1] * y[RP] - k[2] * y[O3]
    out[NO, NO2], out[NO, O3] = sun, -k[2] * y[NO]
    out[NO2, RP], out[NO2, NO] = k[1] * y[NO] - loss * y[NO2], k[1] * y[RP] + k[2] * y[O3]
    out[NO2, NO2], out[NO2, O3] = -sun - loss * y[RP], k[2] * y[NO]
    out[O3, NO], out[O3, NO2], out[O3, O3] = -k[2] * y[O3], sun, -k[2] * y[NO] - deposition
    out[NOZ, RP], out[NOZ, NO2] = loss * y[NO2], loss * y[RP]
    for i in range(_COUNT):
        out[i, i] -= dilution


@_compiled
def _factorise(matrix: Array) -> None:
    """Triangular factors in place; without pivots, which the diagonal of an implicit step allows."""
    for j in range(_COUNT):
        for i in range(j + 1, _COUNT):
            if matrix[i, j] != 0.0:
                matrix[i, j] /= matrix[j, j]
                for c in range(j + 1, _COUNT):
                    matrix[i, c] -= matrix[i, j] * matrix[j, c]


@_compiled
def _solve(factors: Array, x: Array) -> None:
    """Solution of the factorised equations in place."""
    for i in range(_COUNT):
        for j in range(i):
            x[i] -= factors[i, j] * x[j]
    for i in range(_COUNT - 1, -1, -1):
        for j in range(i + 1, _COUNT):
            x[i] -= factors[i, j] * x[j]
        x[i] /= factors[i, i]


@_compiled
def _prepare(drive: Drive, t: float, h: float, y: Array, column: Array, room: Array) -> None:
    """Rates of change, their derivative after time, and the factors of the step's matrix into ``room``."""
    dy, dt, work, matrix = room[1], room[2], room[4], room[9 : 9 + _COUNT]
    derive(drive, t + _MOMENT_MIN, y, column, work, dt)
    derive(drive, t, y, column, work, dy)
    _jacobian(drive, y, work, matrix)
    for i in range(_COUNT):
        dt[i] = (dt[i] - dy[i]) / _MOMENT_MIN
        for j in range(_COUNT):
            matrix[i, j] = -matrix[i, j]
        matrix[i, i] += 2.0 / h
    _factorise(matrix)


@_compiled
def _advance(drive: Drive, t: float, h: float, y: Array, column: Array, room: Array) -> float:
    """One step: new state into ``room[0]``; the estimate of its error, 1 being what is allowed."""
    new, dy, dt, trial, work = room[0], room[1], room[2], room[3], room[4]
    stage, matrix = room[5:9], room[9 : 9 + _COUNT]
    _prepare(drive, t, h, y, column, room)
    for s in range(4):
        if s > 1:
            for i in range(_COUNT):
                trial[i] = y[i]
                for j in range(s):
                    trial[i] += _A[s, j] * stage[j, i]
            derive(drive, t + h, trial, column, work, dy)
        for i in range(_COUNT):
            stage[s, i] = dy[i] + _GAMMA[s] * h * dt[i]
            for j in range(s):
                stage[s, i] += _C[s, j] / h * stage[j, i]
        _solve(matrix, stage[s])
    error = 0.0
    for i in range(_COUNT):
        new[i] = y[i]
        for s in range(4):
            new[i] += _FORWARD[s] * stage[s, i]
        allowed = room[-1, 0] + room[-1, 1] * max(abs(y[i]), abs(new[i]))
        error = max(error, abs(stage[3, i]) / allowed)
    return error


@_compiled
def integrate(drive: Drive, starts: Array, columns: Array, every: float, tolerance: float) -> Array:
    """States of boxes every ``every`` minutes from the first to the last minute: (box, time, species).

    ``starts`` (box, species), ``columns`` (box, 2) as in ``derive``. Steps are chosen so that a step errs
    by at most ``tolerance`` of a concentration (and as many ppb, a hundredth of it for small ones).
    """
    first = drive.minutes[0]
    outputs = round((drive.minutes[-1] - first) / every)
    out = np.empty((len(starts), outputs + 1, _COUNT))
    room = np.zeros((10 + _COUNT, _COUNT))
    room[-1, 0], room[-1, 1] = 0.01 * tolerance, tolerance
    y = np.empty(_COUNT)
    for box in range(len(starts)):
        y[:] = starts[box]
        out[box, 0] = y
        t, h = first, _FIRST_STEP_MIN
        for k in range(outputs):
            until = first + (k + 1) * every
            while until - t > _MOMENT_MIN * 1e-6:
                step = min(h, until - t)
                error = _advance(drive, t, step, y, columns[box], room)
                proposed = step * min(5.0, max(0.2, 0.9 / max(error, 1e-6) ** (1.0 / 3)))
                if error <= 1.0 or step <= _LEAST_STEP_MIN:
                    t += step
                    y[:] = room[0]
                    # A step cut short by an output says nothing against the longer one that was proposed.
                    h = max(h, proposed) if step < h else proposed
                else:
                    h = proposed
            out[box, k + 1] = y
    return out
