"""The selection problem as a mixed-integer programme: variables and named families of linear constraints.

Every family is one sparse matrix, and HiGHS takes them as they are: for lists of some enterprises the
detour over a modelling library costs several times the solve.
"""

from __future__ import annotations

from dataclasses import dataclass

import highspy
import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from yrd_airq.control.ozone import Piece
from yrd_airq.control.problem import OZONE_UNIT, Problem
from yrd_airq.control.relief import relief

NO_EFFECT = 1e-8  # of the goal; HiGHS would drop such coefficients with a warning
UNLIMITED = 1e6  # more than all shortfalls together, which are shares
CLASSES = ("short", "broken", "rise")
Reals = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Programme:
    """Variables and constraints with the places of the variables (``at``) and of the families (``rows``).

    ``matrix`` (row, variable) between ``least`` and ``most`` (row,); variables are not below ``lower``,
    the ``binary`` ones nought or one.

    ``order`` (candidate): given or not. ``short`` (goal row): what a goal is missed by, share of the
    goal. ``broken`` (row of a rule), ``rise`` (ozone row): the same for the rules and for ozone.
    ``risk`` (curved goal row): margin for members that disagree, share of the goal, held up by tangents
    that ``tangents`` makes. ``fall`` (ozone row with a surface): µg/m³. ``corner`` and ``segment``: the
    grid of the surfaces. The rows ``limit_<class>`` bound the sums of ``short``, ``broken`` and ``rise``.
    """

    problem: Problem
    at: dict[str, slice]
    rows: dict[str, slice]
    matrix: sp.csr_array
    least: Reals
    most: Reals
    lower: Reals
    binary: NDArray[np.bool_]

    @property
    def size(self) -> int:
        """Number of variables."""
        return len(self.lower)

    def to_highs(self) -> highspy.HighsLp:
        """The programme as HiGHS takes it, without an objective; names by variable and family."""
        model = highspy.HighsLp()
        model.num_col_, model.num_row_ = self.size, len(self.least)
        model.col_cost_ = np.zeros(self.size)
        model.col_lower_ = np.where(np.isneginf(self.lower), -highspy.kHighsInf, self.lower)
        model.col_upper_ = np.where(self.binary, 1.0, highspy.kHighsInf)
        model.row_lower_ = np.where(np.isneginf(self.least), -highspy.kHighsInf, self.least)
        model.row_upper_ = np.where(np.isposinf(self.most), highspy.kHighsInf, self.most)
        model.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
        model.a_matrix_.start_ = self.matrix.indptr
        model.a_matrix_.index_ = self.matrix.indices
        model.a_matrix_.value_ = self.matrix.data
        kinds = (highspy.HighsVarType.kContinuous, highspy.HighsVarType.kInteger)
        model.integrality_ = [kinds[whole] for whole in self.binary.astype(int)]
        return model

    def tangent(self, k: int, chosen: Ints, amount: Reals) -> tuple[Reals, float, float]:
        """Tangent of the margin of the curved goal row ``k`` at some orders: slopes, constant, value.

        Shares of the goal: risk ≥ constant + slopes · order, equal at ``amount`` of ``chosen``.
        """
        problem, row = self.problem, int(self.problem.goal_rows[k])
        margin, slope = problem.spread.risk(row, problem.deviation(row, chosen, amount))
        weighed = np.tensordot(slope, problem.air.of_members(row) - problem.air.sensitivity[row], axes=1)
        by_order = relief(problem.air, row, problem.orders, weighed) / problem.goal[k]
        by_order[np.abs(by_order) < NO_EFFECT] = 0.0
        value = margin / problem.goal[k]
        return by_order, float(value - by_order[chosen] @ amount), float(value)


class _Writer:
    """Collects variables and families and remembers where they are."""

    def __init__(self) -> None:
        self.at: dict[str, slice] = {}
        self.rows: dict[str, slice] = {}
        self._lower: list[Reals] = []
        self._binary: list[NDArray[np.bool_]] = []
        self._blocks: list[sp.csr_array] = []
        self._least: list[Reals] = []
        self._most: list[Reals] = []
        self._columns = self._count = 0

    def variables(self, name: str, count: int, binary: bool = False, lower: float = 0.0) -> None:
        self.at[name] = slice(self._columns, self._columns + count)
        self._lower.append(np.full(count, lower))
        self._binary.append(np.full(count, binary))
        self._columns += count

    def family(self, name: str, sign: str, limit: Reals, **terms: sp.csr_array) -> None:
        """Rows ``Σ matrix @ variable <sign> limit``; ``terms`` by the name of the variable."""
        count = len(limit)
        self.rows[name] = slice(self._count, self._count + count)
        self._count += count
        widths = {variable: place.stop - place.start for variable, place in self.at.items()}
        blocks = [
            terms[variable] if variable in terms else sp.csr_array((count, width))
            for variable, width in widths.items()
            if width
        ]
        self._blocks.append(sp.csr_array(sp.hstack(blocks, format="csr")))
        self._least.append(limit if sign in (">=", "=") else np.full(count, -np.inf))
        self._most.append(limit if sign in ("<=", "=") else np.full(count, np.inf))

    def finish(self, problem: Problem) -> Programme:
        return Programme(
            problem=problem,
            at=self.at,
            rows=self.rows,
            matrix=sp.csr_array(sp.vstack(self._blocks, format="csr")),
            least=np.concatenate(self._least),
            most=np.concatenate(self._most),
            lower=np.concatenate(self._lower),
            binary=np.concatenate(self._binary),
        )


def write_programme(problem: Problem) -> Programme:
    """The programme of a problem; its objectives are set by ``search``."""
    write = _Writer()
    curved, pieces = np.flatnonzero(problem.curved), problem.surfaces
    rules = sum(len(family.limit) for family in problem.families)
    write.variables("order", len(problem.burden), binary=True)
    write.variables("short", len(problem.need))
    write.variables("broken", rules)
    write.variables("rise", len(problem.ozone_rows))
    write.variables("risk", len(curved), lower=-np.inf)
    write.variables("fall", len(pieces), lower=-np.inf)
    write.variables("corner", sum(piece.change.size for piece in pieces.values()))
    write.variables("segment", sum(sum(_segments(piece)) for piece in pieces.values()), binary=True)
    _one_order(write, problem)
    _meet_goals(write, problem, curved)
    _keep_rules(write, problem)
    _guard_ozone(write, problem)
    _bend_ozone(write, problem)
    for name in CLASSES:
        count = write.at[name].stop - write.at[name].start
        write.family(
            f"limit_{name}",
            "<=",
            np.full(1 if count else 0, UNLIMITED),
            **{name: sp.csr_array(np.ones((1, count)))},
        )
    return write.finish(problem)


def _one_order(write: _Writer, problem: Problem) -> None:
    """At most one order per enterprise; for those to keep, exactly one of those that satisfy the edit."""
    count = len(problem.burden)
    owners, row = np.unique(problem.enterprise, return_inverse=True)
    owner = sp.csr_array((np.ones(count), (row, np.arange(count))), shape=(len(owners), count))
    write.family("one_order", "<=", np.ones(len(owners)), order=owner)
    sizes = [len(fits) for fits in problem.keep]
    columns = np.concatenate([*problem.keep, np.zeros(0, dtype=np.int64)])
    places = (np.repeat(np.arange(len(sizes)), sizes), columns)
    kept = sp.csr_array((np.ones(len(columns)), places), shape=(len(sizes), count))
    write.family("keep", "=", np.ones(len(sizes)), order=kept)


def _meet_goals(write: _Writer, problem: Problem, curved: Ints) -> None:
    """Fall ≥ need + risk − short, in shares of the goal; ozone with a surface falls by its surface."""
    count = len(problem.need)
    effect = np.where(np.abs(problem.relief) < NO_EFFECT, 0.0, problem.relief)
    bent = np.isin(problem.goal_rows, list(problem.surfaces))
    effect[bent] = 0.0
    surface = {row: k for k, row in enumerate(problem.surfaces)}
    rows = np.flatnonzero(bent)
    columns = np.array([surface[row] for row in problem.goal_rows[rows]], dtype=np.int64)
    falls = (1 / problem.goal[rows], (rows, columns))
    risk = (-np.ones(len(curved)), (curved, np.arange(len(curved))))
    write.family(
        "goal",
        ">=",
        problem.need,
        order=sp.csr_array(effect),
        short=sp.eye_array(count, format="csr"),
        risk=sp.csr_array(risk, shape=(count, len(curved))),
        fall=sp.csr_array(falls, shape=(count, len(surface))),
    )


def _keep_rules(write: _Writer, problem: Problem) -> None:
    rules, begin = write.at["broken"].stop - write.at["broken"].start, 0
    for family in problem.families:
        count = len(family.limit)
        unit = sp.csr_array(
            (-np.ones(count), (np.arange(count), begin + np.arange(count))), shape=(count, rules)
        )
        scaled = sp.csr_array(sp.diags_array(1 / family.unit) @ family.matrix)
        write.family(family.name, "<=", family.limit / family.unit, order=scaled, broken=unit)
        begin += count


def _guard_ozone(write: _Writer, problem: Problem) -> None:
    """Ozone rises at no receptor by more than its room, or by ``rise``."""
    rows = problem.ozone_rows
    effect = problem.benefit[rows] / OZONE_UNIT
    effect[np.abs(effect) < NO_EFFECT] = 0.0
    surface = {row: k for k, row in enumerate(problem.surfaces)}
    bent = np.flatnonzero([row in surface for row in rows])
    effect[bent] = 0.0
    columns = np.array([surface[row] for row in rows[bent]], dtype=np.int64)
    limit = -problem.rise_room / OZONE_UNIT
    write.family(
        "ozone_rise",
        ">=",
        limit,
        order=sp.csr_array(effect),
        rise=sp.eye_array(len(rows), format="csr"),
        fall=sp.csr_array(
            (np.full(len(bent), 1 / OZONE_UNIT), (bent, columns)), shape=(len(rows), len(surface))
        ),
    )


def _bend_ozone(write: _Writer, problem: Problem) -> None:
    """Cuts of VOC and NOx and the fall as mixtures of the corners of one cell of each surface's grid.

    A family: the sums of the mixture, then for every axis with more than one segment that only the
    corners of the chosen segment take part.
    """
    pieces = list(problem.surfaces.values())
    sizes = {name: write.at[name].stop - write.at[name].start for name in ("corner", "segment", "fall")}
    mixture, choice = _Rows(), _Rows()
    corner = segment = 0
    for k, piece in enumerate(pieces):
        shape = piece.change.shape
        places = corner + np.arange(piece.change.size).reshape(shape)
        mixture.add("=", 1.0, corner=(places.ravel(), np.ones(places.size)))
        for cut, knots in ((piece.voc, piece.voc_knots[:, None]), (piece.nox, piece.nox_knots[None, :])):
            weight = np.broadcast_to(knots, shape).ravel()
            given = np.flatnonzero(np.abs(cut) >= NO_EFFECT)
            mixture.add("=", 0.0, corner=(places.ravel(), weight), order=(given, -cut[given]))
        mixture.add("=", 0.0, corner=(places.ravel(), piece.change.ravel()), fall=(np.array([k]), np.ones(1)))
        for axis, count in enumerate(_segments(piece)):
            own = segment + np.arange(count)
            if count:
                choice.add("=", 1.0, segment=(own, np.ones(count)))
            for knot in range(shape[axis] if count else 0):
                near = own[max(knot - 1, 0) : knot + 1]
                here = np.asarray(places[knot] if axis == 0 else places[:, knot])
                choice.add("<=", 0.0, corner=(here, np.ones(len(here))), segment=(near, -np.ones(len(near))))
            segment += count
        corner += piece.change.size
    sizes["order"] = len(problem.burden)
    mixture.write(write, "ozone_surface", "=", sizes)
    choice.write(write, "ozone_segment", "=", sizes)
    choice.write(write, "ozone_corner", "<=", sizes)


def _segments(piece: Piece) -> tuple[int, int]:
    """Binaries per axis; an axis of one segment needs none."""
    voc, nox = piece.change.shape
    return (voc - 1 if voc > 2 else 0, nox - 1 if nox > 2 else 0)


class _Rows:
    """Sparse rows that are collected one by one."""

    def __init__(self) -> None:
        self._rows: list[tuple[str, float, dict[str, tuple[Ints, Reals]]]] = []

    def add(self, sign: str, limit: float, **terms: tuple[Ints, Reals]) -> None:
        self._rows.append((sign, limit, terms))

    def write(self, write: _Writer, name: str, sign: str, sizes: dict[str, int]) -> None:
        """The rows of one sign as a family."""
        rows = [(limit, terms) for own, limit, terms in self._rows if own == sign]
        used = {variable for _, terms in rows for variable in terms}
        matrices = {}
        for variable in used:
            empty = (np.zeros(0, dtype=np.int64), np.zeros(0))
            parts = [terms.get(variable, empty) for _, terms in rows]
            row = np.repeat(np.arange(len(rows)), [len(columns) for columns, _ in parts])
            column = np.concatenate([columns for columns, _ in parts])
            value = np.concatenate([values for _, values in parts])
            matrices[variable] = sp.csr_array((value, (row, column)), shape=(len(rows), sizes[variable]))
        write.family(name, sign, np.array([limit for limit, _ in rows]), **matrices)
