"""Text in any usual encoding, damaged or odd: read whole or refused clearly, every value counted."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from yrd_airq.errors import InputError
from yrd_airq.sources.files import Content, header, read_content
from yrd_airq.sources.reading import find_inputs, read
from yrd_airq.sources.text import Form, TextTable, as_numbers, read_text_table

VALUES = Form(values=lambda names: range(1, len(names)), missing=("NA", "-99"))


def parse(tmp_path: Path, data: bytes, form: Form = VALUES) -> TextTable:
    path = tmp_path / "a.csv"
    path.write_bytes(data)
    return read_text_table(path, read_content(path), form)


@pytest.mark.parametrize(
    "data",
    [
        "监测点,数值\n南京,1\n".encode("gbk"),
        "监测点,数值\n南京,1\n".encode("gb18030"),
        "监测点,数值\n南京,1\n".encode(),
        "监测点,数值\n南京,1\n".encode("utf-8-sig"),
        "监测点,数值\r南京,1".encode().replace(b"\r", b"\r\n"),
    ],
)
def test_encodings_are_told_from_the_text(tmp_path, data):
    path = tmp_path / "a.csv"
    path.write_bytes(data)
    assert header(path) == ("监测点", "数值")
    text = parse(tmp_path, data)
    assert [column.to_pylist() for column in text.columns] == [["南京"], ["1"]]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ("监测点,数值\n南京,1\n".encode("utf-16"), "UTF-16; save it as UTF-8 or GBK"),
        ("监测点,数值\n南京,1\n".encode("utf-16-le"), "NUL bytes"),
        (b"a,b\n1,\x00\n", "NUL bytes"),
        (
            ("监测点,数值\n" + "南京,1\n" * 2).encode()[:20] + b"\xff" + ("南京,1\n" * 20).encode(),
            "not UTF-8 at byte 20, though the rest is",
        ),
        (b'a,b\n1,2\n"3,4\n5,6\n', "quote opened in line 3 is never closed"),
        (b"a,b\n", "no data rows"),
        (b"a,b\n1," + b"9" * 3_000_000 + b"\n2,3\n", "cannot be read as a delimited text"),
        (b"\n1,2\n", "line 1 is not a header"),
        (b"a\rb,c\n1,2\n", "line 1 is not a header"),
    ],
)
def test_unusable_text_is_refused_clearly(tmp_path, data, words):
    with pytest.raises(InputError, match=rf"a\.csv: .*{words}"):
        parse(tmp_path, data)


def test_a_utf16_file_is_reported_among_unknown_ones(tmp_path):
    (tmp_path / "a.csv").write_bytes("date,hour,type,1141A\n20190101,1,SO2,3\n".encode("utf-16"))
    ((_, reason),) = find_inputs(tmp_path).unknown
    assert "UTF-16" in reason
    with pytest.raises(InputError, match="UTF-16"):
        read(tmp_path / "a.csv")


def test_values_are_counted_before_they_are_looked_at(tmp_path):
    text = parse(
        tmp_path,
        "k,a,b\n1,2,x\n2, ,NA\n3,-99.0,-99\n4,5,6,7\n5,8\n6,\u3000,\n,,\n\n  \n,9,\n7,NA,1,NA\n8\n".encode(),
    )
    assert text.row.tolist() == [1, 2, 3, 6, 10]
    assert text.filled.tolist() == [2, 0, 0, 0, 1]
    refused = [(r["row"], r["content"], r["rows"]) for r in text.refused.to_pylist()]
    assert refused == [(4, "4,5,6,7", 3), (5, "5,8", 1), (11, "7,NA,1,NA", 1), (12, "8", 0)]
    assert text.rows_in == 3 + 5


def test_of_a_list_every_filled_line_counts_one(tmp_path):
    text = parse(tmp_path, b'k,a\n1,2\n"3\n4",\n,,\n,5,\n,\n', Form())
    assert text.filled.tolist() == [1, 1]
    assert text.columns[0].to_pylist() == ["1", "3\n4"]
    assert [(r["row"], r["rows"]) for r in text.refused.to_pylist()] == [(4, 1)]
    assert text.rows_in == 3


def test_declared_delimiter_header_row_and_encoding(tmp_path):
    data = "报表\n监测点;数值\n南京;1,5\n".encode("gbk")
    text = parse(tmp_path, data, Form(delimiter=";", header_row=2, encoding="gbk"))
    assert (text.names, text.column("数值").to_pylist()) == (("监测点", "数值"), ["1,5"])
    with pytest.raises(InputError, match="not ascii as declared"):
        parse(tmp_path, data, Form(delimiter=";", header_row=2, encoding="ascii"))
    with pytest.raises(InputError, match="not klingon as declared"):
        parse(tmp_path, data, Form(delimiter=";", header_row=2, encoding="klingon"))
    with pytest.raises(InputError, match="line 9 is not a header"):
        parse(tmp_path, data, Form(header_row=9))


def test_numbers_are_plain_decimal_numbers(tmp_path):
    cells = [
        "1",
        " 2 ",
        "+3",
        ".5",
        "5.",
        "1e3",
        "-4",
        "1,5",
        "0x1F",
        "1_0",
        "١",
        "nan",
        "-inf",
        "1e999",
        "--1",
        "",
    ]
    data = ("k;v\n" + "".join(f"a;{cell}\n" for cell in cells)).encode()
    value, odd = as_numbers(parse(tmp_path, data, Form(delimiter=";")).column("v"))
    assert value[:7].tolist() == [1, 2, 3, 0.5, 5, 1000, -4]
    assert np.isnan(value[7:]).all()
    assert odd.tolist() == [False] * 7 + [True] * 8 + [False]


def test_gzip_is_told_by_its_bytes(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(gzip.compress("监测点,数值\n南京,1\n".encode("gbk"), mtime=0))
    assert header(path) == ("监测点", "数值")
    assert isinstance(read_content(path), Content)


def test_a_wide_blank_alone_is_blank(tmp_path):
    text = parse(tmp_path, "k,a\n1,\u3000\n2,3\u3000\n".encode())
    assert (text.filled.tolist(), text.column("a").to_pylist()) == ([0, 1], ["", "3"])
