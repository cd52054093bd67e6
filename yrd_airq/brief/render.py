"""One call from the content model to the pack folder."""

from __future__ import annotations

import tempfile
from pathlib import Path

from yrd_airq.brief.content import Brief, write_pack
from yrd_airq.brief.figures import draw_figures
from yrd_airq.brief.outline import make_outline
from yrd_airq.brief.pdf import write_pdf
from yrd_airq.brief.tables import write_csv, write_workbook
from yrd_airq.brief.version_section import write_difference
from yrd_airq.brief.web import write_page
from yrd_airq.brief.word import write_word
from yrd_airq.errors import InputError


def render(brief: Brief, out: Path) -> Path:
    """Write the pack of ``brief`` to the folder ``out`` and return it.

    ``brief.docx``, ``brief.pdf``, ``index.html``, ``pack.json``, ``figures/``, and for an event
    ``control_list.xlsx`` and ``control_list.csv``, and ``difference.csv`` where its list follows another.
    The pack is made beside ``out`` and then takes its place in one step; nothing of an older pack stays. The
    same brief gives the same bytes. Raises ``InputError`` if ``out`` is a file, or a folder that holds
    something else than a pack.
    """
    _refuse_foreign(out)
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=f".{out.name}-") as name:
        fresh = Path(name) / "pack"
        _write_pack_files(brief, fresh)
        if out.exists():
            out.rename(Path(name) / "old")  # goes with the temporary folder
        fresh.rename(out)
    return out


def _write_pack_files(brief: Brief, folder: Path) -> None:
    figures = folder / "figures"
    figures.mkdir(parents=True)
    stamp = brief.header.issue_time
    draw_figures(brief, figures)
    outline = make_outline(brief)
    write_word(outline, figures, folder / "brief.docx", stamp)
    write_pdf(outline, figures, folder / "brief.pdf", stamp)
    write_page(outline, figures, folder / "index.html")
    if brief.control is not None:
        write_csv(brief, folder / "control_list.csv")
        write_workbook(brief, folder / "control_list.xlsx", stamp)
    if brief.list_version is not None and brief.list_version.previous_version is not None:
        write_difference(brief, folder / "difference.csv")
    write_pack(brief, folder / "pack.json")


def _refuse_foreign(out: Path) -> None:
    if out.is_file():
        raise InputError(f"{out} is a file; name a folder for the brief")
    if out.is_dir() and any(out.iterdir()) and not (out / "pack.json").is_file():
        raise InputError(f"{out} holds other things than a brief pack; name a new or empty folder")
