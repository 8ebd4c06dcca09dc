"""The table of reasons: complete, numbered once, in both languages."""

import pytest

from ledger.domain.reasons import Reason, reason_of_revert, revert_texts


@pytest.mark.parametrize("reason", list(Reason), ids=lambda reason: reason.name)
def test_reason_is_explained_in_both_languages(reason):
    each = reason.explanation

    assert all([each.cause, each.remedy, each.cause_zh, each.remedy_zh])
    assert 400 <= reason.http_status <= 507


def test_numbers_rise_with_precedence():
    numbers = [reason.value for reason in Reason]

    assert numbers == sorted(set(numbers))


def test_revert_text_leads_to_its_reason():
    assert reason_of_revert("settlement: late") is Reason.LATE
    assert all(reason_of_revert(text) in Reason for text in revert_texts())
