"""One small family of errors, each with its exit code, and a collector that reports all faults at once."""

from __future__ import annotations

from dataclasses import dataclass, field


class AirqError(Exception):
    """Base of all errors meant for people; the message says what was wrong, where, and what to do."""

    exit_code = 1


class InputError(AirqError):
    """Bad usage or unusable input: file, row or station is named in the message."""

    exit_code = 2


class InfeasibleError(AirqError):
    """No plan meets the constraints; the least-violating plan is still written."""

    exit_code = 3


class SourceUnavailableError(AirqError):
    """A source could not be reached and nothing newer was available."""

    exit_code = 4


class StoreBusyError(AirqError):
    """Another process holds the store."""

    exit_code = 2


@dataclass
class Faults:
    """Collects every fault of one input, so that a person mends it in one go.

    ``subject`` names the input (a file, an event) and opens the message.
    """

    subject: str
    found: list[str] = field(default_factory=list)
    shown: int = 20

    def add(self, fault: str) -> None:
        """Note one fault."""
        self.found.append(fault)

    def raise_if_any(self) -> None:
        """Raise one ``InputError`` that lists the faults, if there are any."""
        if not self.found:
            return
        lines = [f"  - {fault}" for fault in self.found[: self.shown]]
        rest = len(self.found) - self.shown
        if rest > 0:
            lines.append(f"  … and {rest} more")
        raise InputError("\n".join([f"{self.subject}: {len(self.found)} fault(s)", *lines]))
