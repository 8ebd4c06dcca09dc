"""Figures, thresholds, reports and comparisons of runs that are made by hand."""

import json
from html.parser import HTMLParser
from xml.etree import ElementTree as ET

import pytest
from typer.testing import CliRunner

from api.cli.main import app
from loadtests import compare
from loadtests.afterwards import Book, CycleSeen
from loadtests.comparison import Change, changes, differences
from loadtests.counting import Register
from loadtests.figures import Moments, figures_of
from loadtests.overload import Overload, storm_over
from loadtests.profile import ProfileError, names, profile_of, read_profile
from loadtests.profile_file import write_profile
from loadtests.report.page import report_page, write_report
from loadtests.report.words import WORDS
from loadtests.thresholds import DEFAULT_FILE, MISSED, SOUND, UNSOUND, check, exit_status
from loadtests.thresholds import read_thresholds as thresholds_of
from loadtests.verdict import count_of

BEGIN = 1_000.0
STEP = {"kind": "step", "first": 10, "step": 10, "steps": 4, "step_seconds": 5}


def made_run(table=None, slow_from=99.0, slow_by=10.0, lose=0, slow_until=99.0):
    """A run in which each trade takes 20 ms to be accepted and 300 ms to be final.

    Those intended from ``slow_from`` on take so much longer to become final.
    """
    shape = {"kind": "steady", "rate": 10, "seconds": 20}
    profile = profile_of({"name": "made", "warmup_seconds": 0, "shape": shape} | (table or {}))
    register, book, cycles = Register("L000"), Book(), []
    count = int(profile.load.count)
    for place in range(count):
        seconds = profile.load.moment_of(place + 0.5)
        register.take(1, BEGIN + seconds)
        register.send(place, 1, BEGIN + seconds)
        register.accept(place, place, BEGIN + seconds + 0.02)
        book.settled[f"L000{place:07d}"] = place, place + 1
        struck = BEGIN + seconds + (slow_by if slow_from <= seconds < slow_until else 0) + 0.1
        ends = [struck + part for part in (0.05, 0.15, 0.2, 0.25)]
        cycles.append(CycleSeen(place + 1, place, place, 1, "settled", struck, *ends))
    for place in range(lose):
        del book.settled[f"L000{place:07d}"]
    counted = count_of([register], book)
    figures = figures_of(profile, Moments([register], book, cycles), BEGIN)
    shown = {
        "profile": json.loads(json.dumps({"name": "made", "seed": 42, "hash": profile.hash})),
        "figures": figures,
        "count": {name: getattr(counted, name) for name in counted.__slots__},
    }
    shown["profile"]["server"] = {"validators": 1}
    return shown | {
        "sound": not lose,
        "faults": [f"{lose} lost"] if lose else [],
        "status": UNSOUND if lose else SOUND,
        "thresholds": [],
        "books": {
            "reconciled": True,
            "own_books_agree": True,
            "conserved": True,
            "drained": True,
            "breaks": 0,
        },
        "messages": {kind: {"sent": 1, "right": 1, "shed": 0} for kind in ("good", "bad")},
        "errors": {},
        "errors_by_second": {},
        "no_retry_after": 0,
        "reads": {"GET /v1/queue": {"count": 1, "p50": 1.0, "p95": 1.0, "p99": 1.0}},
        "machine": dict.fromkeys(("cores", "machine", "system", "python", "novate"), "1"),
        "busy": {"server": {"mean": 50.0, "max": 90.0, "memory_bytes": 2**20}},
        "busy_by_second": {"server": [[0.5, 40.0], [1.5, 50.0]]},
        "workers": 1,
        "cycles": len(cycles),
        "drain_seconds": 0.1,
        "reproduce": "python -m loadtests.run made <&>",
    }


def test_latencies_count_from_the_intended_moment_stage_by_stage():
    figures = made_run()["figures"]

    p50 = {stage: values["p50"] for stage, values in figures["latency_ms"].items()}

    assert p50 == pytest.approx(
        {"accepted": 20, "cleared": 150, "settled": 250, "final": 300, "reconciled": 350}, abs=0.1
    )
    assert figures["rates"]["offered"] == 10
    assert figures["rates"]["accepted"] == pytest.approx(10, abs=0.1)
    assert sum(figures["series"]["count"]["final"]) == 200
    assert figures["curve"]["final"][-1][0] == 100


def test_the_highest_sustained_rate_is_that_of_the_last_step_that_kept_up():
    assert made_run({"shape": STEP}, slow_from=10)["figures"]["sustained_rate"] == 20
    assert made_run({"shape": STEP})["figures"]["sustained_rate"] == 40
    assert made_run({"shape": STEP}, slow_from=0)["figures"]["sustained_rate"] is None
    assert made_run()["figures"]["sustained_rate"] is None
    hiccup = made_run({"shape": STEP}, slow_from=5, slow_until=10)
    assert hiccup["figures"]["sustained_rate"] == 40


@pytest.mark.parametrize(
    ("thresholds", "status"),
    [
        ({"final_p99_ms": 301, "rate_final": 9, "breaks": 0, "fail_ratio": 0}, SOUND),
        ({"final_p99_ms": 299}, MISSED),
        ({"rate_accepted": 11}, MISSED),
        ({"rate_sustained": 1}, MISSED),
        ({}, SOUND),
    ],
)
def test_a_missed_threshold_ends_with_4(thresholds, status):
    result = made_run()

    assert exit_status(result, check(thresholds, result)) == status


def test_a_void_run_ends_with_1_whatever_its_figures():
    result = made_run(lose=1)

    assert result["count"]["lost"] == 1
    assert exit_status(result, check({"rate_final": 1}, result)) == UNSOUND


def test_thresholds_of_a_profile_go_over_those_of_all(tmp_path):
    file = tmp_path / "t.toml"
    file.write_text("[all]\nbreaks = 0\nfinal_p99_ms = 5\n[profile.x]\nfinal_p99_ms = 9\n")

    assert thresholds_of(file, "x") == {"breaks": 0, "final_p99_ms": 9}
    assert thresholds_of(file, "y") == {"breaks": 0, "final_p99_ms": 5}
    file.write_text("[all]\nfinal_p98_ms = 5\n")
    with pytest.raises(ProfileError, match="unknown final_p98_ms"):
        thresholds_of(file, "x")


@pytest.mark.parametrize("name", names())
def test_every_profile_is_read_as_it_is_written_and_has_thresholds(name, tmp_path):
    profile = read_profile(name)

    write_profile(tmp_path / f"{name}.toml", profile)

    assert read_profile(str(tmp_path / f"{name}.toml")) == profile
    assert thresholds_of(DEFAULT_FILE, name)["breaks"] == 0


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"desks": 0}, "desks"),
        ({"dekss": 3}, "unknown dekss"),
        ({"mix": {"bad": 0.6, "duplicate": 0.4}}, "some good"),
        ({"shape": {"kind": "steady", "rate": 1e9, "seconds": 60}}, "at most 5,000,000"),
        ({"readers": {"bank": 1e6}}, "readers"),
        ({"warmup_seconds": 60}, "shorter"),
    ],
)
def test_profiles_without_bounds_are_refused(table, said):
    shape = {"kind": "steady", "rate": 10, "seconds": 20}
    with pytest.raises(ProfileError, match=said):
        profile_of({"name": "t", "shape": shape} | table)


class Page(HTMLParser):
    """What a page fetches, and its charts."""

    def __init__(self, text):
        super().__init__()
        self.fetched, self.tags = [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        found = dict(attributes)
        self.fetched += [found[name] for name in ("src", "href") if name in found]


def test_report_is_one_file_in_both_languages_with_its_charts(tmp_path):
    result = made_run({"shape": STEP}, slow_from=10)

    write_report(tmp_path, result)

    text = (tmp_path / "report.html").read_text()
    page = Page(text)
    assert set(page.fetched) == {"#en", "#zh"}
    assert page.tags.count("svg") == 7
    assert "highest sustained rate" in text
    assert "最高可持续速率" in text
    assert "python -m loadtests.run made &lt;&amp;&gt;" in text
    assert json.loads((tmp_path / "report.json").read_text()) == result
    for start in range(7):
        chart = "<svg" + text.split("<svg")[start + 1].split("</svg>")[0] + "</svg>"
        assert ET.fromstring(chart).tag == "svg"


def test_report_of_a_void_run_says_so_and_shows_no_praise():
    text = report_page(made_run(lose=2))

    assert "Void: 2 lost." in text
    assert "all books agree." not in text


def test_every_word_is_there_in_both_languages():
    assert all(words.en and words.zh for words in WORDS.values())


def test_a_change_within_noise_is_none_and_beyond_it_better_or_worse():
    assert Change("final/s", 100, 110, is_rate=True).word == "alike"
    assert Change("final/s", 100, 120, is_rate=True).word == "better"
    assert Change("final/s", 100, 80, is_rate=True).word == "worse"
    assert Change("p99", 100, 120, is_rate=False).word == "worse"
    assert Change("p99", 100, 80, is_rate=False).word == "better"
    assert Change("p99", 4, 8, is_rate=False).word == "alike"
    assert Change("p99", 4, None, is_rate=False).word == "worse"


def test_comparison_ends_with_4_when_something_is_worse(tmp_path, capsys):
    write_report(tmp_path / "a", made_run())
    write_report(tmp_path / "b", made_run(slow_from=0, slow_by=1.0))
    before, after = (str(tmp_path / each / "report.json") for each in "ab")

    assert compare.main([before, before]) == SOUND
    assert compare.main([before, after, "--html", str(tmp_path / "c.html")]) == MISSED
    assert compare.main([after, before]) == SOUND
    assert "final p99 ms" in capsys.readouterr().out
    text = (tmp_path / "c.html").read_text()
    assert "Worse: " in text
    assert "变差" in text
    assert compare.main([before, str(tmp_path / "none.json")]) == 2


def test_comparison_says_what_was_not_alike():
    first, second = made_run(), made_run({"desks": 3})
    second["machine"] = second["machine"] | {"cores": "8"}

    found = differences(first, second)

    assert [each.partition(":")[0] for each in found] == ["hash", "cores"]
    assert all(each.word == "alike" for each in changes(first, second))


def overloaded(**changed):
    shape = storm_over(read_profile("overload"), 2.0).shape
    result = made_run({"shape": shape}, **{"slow_by": 5.0, "slow_from": 99} | changed)
    return result | {"errors": {"POST /v1/trades 503": 5}}


def test_an_overload_that_passes_and_loses_nothing_meets_all():
    said = Overload(2.0, overloaded()).as_json()

    assert said["is_met"], said
    assert said["recovery_seconds"] == 0
    assert said["offered"] == pytest.approx(6 / 0.96, rel=0.05)


@pytest.mark.parametrize(
    ("changed", "failed"),
    [
        ({"errors": {"POST /v1/trades 500": 1}}, "only_429_and_503"),
        ({"no_retry_after": 1}, "always_retry_after"),
        ({"sound": False}, "nothing_lost"),
        ({"errors": {}}, "was_overloaded"),
    ],
)
def test_an_overload_with_anything_else_misses(changed, failed):
    checks = Overload(2.0, overloaded() | changed).checks()

    assert [name for name, holds in checks.items() if not holds] == [failed]


def test_an_overload_that_stays_slow_has_not_recovered():
    assert Overload(2.0, overloaded(slow_from=20)).recovery_seconds() is None


def test_a_second_in_which_nothing_came_so_far_is_no_recovery():
    result = overloaded()
    result["figures"]["series"]["latency_ms"]["final"]["p95"][30] = None

    assert Overload(2.0, result).recovery_seconds() == 3


def test_the_command_runs_the_kit_and_ends_as_it_ends(tmp_path):
    write_report(tmp_path, made_run())
    path = str(tmp_path / "report.json")

    assert CliRunner().invoke(app, ["load", "compare", path, path]).exit_code == SOUND
    assert CliRunner().invoke(app, ["load", "run", "no-such-profile"]).exit_code == 2
