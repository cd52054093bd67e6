"""The programme in HiGHS: relaxed and whole solves, tangents of the margins added where they are missed."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache

import highspy
import numpy as np
from numpy.typing import NDArray

from yrd_airq.control.programme import UNLIMITED, Programme

TANGENT_ROUNDS = 12
_OK = highspy.HighsModelStatus.kOptimal
Reals = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Answer:
    """Orders that were found (None: none), the bound that no choice beats, and whether it was in time."""

    chosen: Ints | None
    bound: float
    in_time: bool


class Search:
    """One HiGHS instance for all solves of a problem; tangents that were added stay."""

    def __init__(self, programme: Programme) -> None:
        _print_banner_aside()
        self._programme = programme
        # The number of threads is the process's; another solve in it may have left another one.
        highspy.Highs.resetGlobalScheduler(True)
        self._highs = highspy.Highs()
        limits = programme.problem.settings.solver
        for option, value in (
            ("output_flag", False),
            ("threads", limits.threads),
            ("random_seed", limits.seed),
        ):
            self._highs.setOptionValue(option, value)
        self._highs.passModel(programme.to_highs())
        for k in range(len(self._curved)):
            self._add_tangent(k, np.zeros(0, dtype=np.int64), np.zeros(0))

    @property
    def rows(self) -> dict[str, slice]:
        """Place of each family among the rows."""
        return self._programme.rows

    @property
    def _curved(self) -> Ints:
        return np.flatnonzero(self._programme.problem.curved)

    def aim(self, cost: dict[str, Reals]) -> None:
        """Minimise the sum of ``cost`` per variable; variables that are not named cost nothing."""
        weights = np.zeros(self._programme.size)
        for name, values in cost.items():
            weights[self._programme.at[name]] = values
        self._highs.changeColsCost(len(weights), np.arange(len(weights), dtype=np.int32), weights)

    def limit(self, name: str, most: float) -> None:
        """Bound the sum of ``short``, ``broken`` or ``rise``."""
        place = self._programme.rows[f"limit_{name}"]
        if place.stop > place.start:
            self._highs.changeRowBounds(place.start, -highspy.kHighsInf, min(most, UNLIMITED))

    def relax(self, seconds: float) -> tuple[float, Reals] | None:
        """Optimum of the relaxed programme and what each unit of every constraint row is worth in it."""
        self._options(seconds, 0.0)
        self._highs.setOptionValue("solve_relaxation", True)
        self._highs.run()
        self._highs.setOptionValue("solve_relaxation", False)
        if self._highs.getModelStatus() != _OK:
            return None
        value = float(self._highs.getInfo().objective_function_value)
        return value, np.asarray(self._highs.getSolution().row_dual, dtype=float)

    def run(self, seconds: float, gap: float) -> Answer:
        """Solve until the margins of the members hold in what is found, or the time is over.

        No start is handed over: completed from the orders alone, it has made HiGHS 1.16 return it as optimal.
        """
        until = time.monotonic() + seconds
        if len(self._curved):
            self.approach(seconds)
        answer = Answer(None, -np.inf, False)
        for _ in range(TANGENT_ROUNDS):
            answer = self._solve(max(until - time.monotonic(), 0.1), gap)
            if answer.chosen is None or not self._add_missed(answer.chosen, np.ones(len(answer.chosen))):
                break
            if time.monotonic() > until:
                return Answer(answer.chosen, answer.bound, False)
        return answer

    def approach(self, seconds: float) -> tuple[float, Reals] | None:
        """Relaxed optimum and parts of the orders in it, with tangents where it missed a margin."""
        until, found = time.monotonic() + 0.5 * seconds, None
        for _ in range(TANGENT_ROUNDS):
            relaxed = self.relax(max(until - time.monotonic(), 0.1))
            if relaxed is None:
                break
            order = self._values()[self._programme.at["order"]]
            found = relaxed[0], order
            given = np.flatnonzero(order > 1e-9)
            if not self._add_missed(given, order[given]):
                break
        return found

    def _solve(self, seconds: float, gap: float) -> Answer:
        """One solve; the choice is None unless the solver says that it holds a feasible one."""
        self._options(seconds, gap)
        self._highs.run()
        info = self._highs.getInfo()
        if info.primal_solution_status != highspy.SolutionStatus.kSolutionStatusFeasible:
            return Answer(None, float(info.mip_dual_bound), False)
        chosen = np.flatnonzero(self._values()[self._programme.at["order"]] > 0.5).astype(np.int64)
        return Answer(chosen, float(info.mip_dual_bound), self._highs.getModelStatus() == _OK)

    def _options(self, seconds: float, gap: float) -> None:
        # The clock of an instance runs on over its solves.
        self._highs.setOptionValue("time_limit", self._highs.getRunTime() + seconds)
        self._highs.setOptionValue("mip_rel_gap", gap)

    def _values(self) -> Reals:
        return np.asarray(self._highs.getSolution().col_value, dtype=float)

    def _add_missed(self, chosen: Ints, amount: Reals) -> bool:
        """Add a tangent for every goal that is missed by more than the programme thinks; whether any was."""
        problem, values = self._programme.problem, self._values()
        short = values[self._programme.at["short"]]
        excess = problem.excess(chosen, amount)
        missed = [
            k for k, row in enumerate(self._curved) if excess[row] > short[row] + 0.5 * problem.spare[row]
        ]
        for k in missed:
            self._add_tangent(k, chosen, amount)
        return bool(missed)

    def _add_tangent(self, k: int, chosen: Ints, amount: Reals) -> None:
        slopes, constant, _ = self._programme.tangent(int(self._curved[k]), chosen, amount)
        given = np.flatnonzero(slopes)
        index = np.append(given, self._programme.at["risk"].start + k).astype(np.int32)
        self._highs.addRow(constant, highspy.kHighsInf, len(index), index, np.append(-slopes[given], 1.0))


@cache
def _print_banner_aside() -> None:
    """HiGHS prints its licence line once a process to standard output, which belongs to ``--json``."""
    with _output_to_stderr():
        highspy.Highs()


@contextmanager
def _output_to_stderr() -> Iterator[None]:
    sys.stdout.flush()
    saved = os.dup(1)
    try:
        os.dup2(2, 1)
        yield
    finally:
        os.dup2(saved, 1)
        os.close(saved)
