"""What is malformed is answered with what was expected, in words."""

from typing import Annotated

from pydantic import BaseModel, TypeAdapter, ValidationError

from api.expected_forms import faults_in_words
from api.said import said
from nodes.statements.columns import CHINESE_VALUES, ENGLISH_VALUES


class _Inner(BaseModel):
    number: Annotated[str, said("The venue's identifier.", "编号。", "T1", pattern="^T[0-9]$")]


class _Outer(BaseModel):
    rows: list[_Inner]


def test_pattern_is_told_by_the_description_and_an_example_wherever_the_field_is():
    try:
        TypeAdapter(_Outer).validate_python({"rows": [{"number": "T1"}, {"number": "x"}]})
    except ValidationError as error:
        words = faults_in_words(error.errors(), _Outer)

    assert words == "rows.1.number: expected the venue's identifier, such as T1; found 'x'"


def test_every_word_of_a_statement_in_chinese_is_read_back():
    for column, words in CHINESE_VALUES.items():
        assert {ENGLISH_VALUES[column][chinese] for chinese in words.values()} == set(words)
