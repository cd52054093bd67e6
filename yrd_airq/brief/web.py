"""The brief as one self-contained page: styles, script and figures inside, no request to anywhere."""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup, escape

from yrd_airq.brief.blocks import Block, Figure, Outline
from yrd_airq.brief.typography import printable, split_subscripts, text_on
from yrd_airq.standards.levels import LEVELS

_PROLOGUE = re.compile(r"^.*?(?=<svg)", re.DOTALL)
_METADATA = re.compile(r"<metadata>.*?</metadata>", re.DOTALL)
_NAMESPACE = re.compile(r' xmlns(?::xlink)?="[^"]*"')
_SIZE = re.compile(r'(<svg[^>]*?) width="[^"]*"', re.DOTALL)
_HEIGHT = re.compile(r'(<svg[^>]*?) height="[^"]*"', re.DOTALL)


def write_page(outline: Outline, figures: Path, path: Path) -> None:
    """Write ``index.html``; figures are the SVG files in ``figures``."""
    folder = files("yrd_airq.brief").joinpath("templates")
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["formula"] = set_formula
    template = environment.from_string(folder.joinpath("brief.html.j2").read_text(encoding="utf-8"))
    wanted = [b for s in (*outline.sections, *outline.annexes) for b in s.blocks if isinstance(b, Figure)]
    text = template.render(
        outline=outline,
        css=Markup(folder.joinpath("brief.css").read_text(encoding="utf-8")),
        script=Markup(folder.joinpath("brief.js").read_text(encoding="utf-8")),
        pictures={figure.key: embed_svg(figures / f"{figure.key}.svg") for figure in wanted},
        kind_of=_kind_of,
        fill=lambda level: LEVELS[level - 1].hex,
        ink=lambda level: text_on(LEVELS[level - 1].hex),
    )
    path.write_text(text, encoding="utf-8")


def _kind_of(block: Block) -> str:
    return type(block).__name__


def set_formula(text: str) -> Markup:
    """Escaped ``text`` with chemical subscripts as ``<sub>``."""
    pieces = (
        Markup("<sub>{}</sub>").format(piece) if subscript else escape(piece)
        for piece, subscript in split_subscripts(printable(text))
    )
    return Markup("").join(pieces)


def embed_svg(file: Path) -> Markup:
    """An SVG file as an inline element: ids prefixed by the file's name, scaled by its box, no namespaces."""
    text = _METADATA.sub("", _PROLOGUE.sub("", file.read_text(encoding="utf-8")))
    text = _HEIGHT.sub(r"\1", _SIZE.sub(r"\1", _NAMESPACE.sub("", text)))
    prefix = file.stem
    text = re.sub(r'\bid="', f'id="{prefix}-', text)
    text = text.replace("url(#", f"url(#{prefix}-").replace('xlink:href="#', f'href="#{prefix}-')
    return Markup(text)  # drawn here by matplotlib, not received from outside
