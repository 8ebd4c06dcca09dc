"""The streaming grid in a real browser, behind a market that settles thousands of trades a second.

The figures are printed. How fast the market itself settles depends on what else the machine does.
"""

import statistics
import threading
import time

import pytest

from nodes.sandbox.sandbox import open_sandbox
from tests.support.browser import needs_chromium, opened_page
from tests.support.clients import SEED, key_header
from tests.support.consortia import DAY
from tests.support.pages import BusyMarket
from tests.support.servers import served

ROWS_A_SECOND = 5_000
BATCHES_A_SECOND = 2
SECONDS = 10
SECONDS_MAX = 60
FRAME_MS = 1_000 / 60
FRAMES_A_SECOND_MIN = 30
_MEASURE = """() => {
  window.frames = [];
  let last = performance.now();
  const frame = (now) => {
    window.frames.push([now, now - last]);
    last = now;
    requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
}"""


def feed(market, ended):
    """Has so many trades captured each second, as even as it can."""
    begun = time.monotonic()
    for batch in range(SECONDS * BATCHES_A_SECOND):
        if ended.wait(max(begun + batch / BATCHES_A_SECOND - time.monotonic(), 0)):
            return
        market.post(
            "/v1/sandbox/trades",
            {"count": ROWS_A_SECOND // BATCHES_A_SECOND, "seed": 1_000 + batch},
        )


@pytest.mark.deep
@needs_chromium
def test_grid_is_smooth_at_thousands_of_rows_a_second(tmp_path):
    with served(open_sandbox(tmp_path / "state", SEED, DAY)) as place:
        market, ended = BusyMarket(None, f"http://{place.place}"), threading.Event()
        feeder = threading.Thread(target=feed, args=(market, ended))
        with opened_page(extra_http_headers=key_header(), locale="en-GB") as (page, errors):
            page.goto(f"{market.url}/reconciliation/stream")
            page.locator("#connection.agrees").wait_for()
            page.evaluate(_MEASURE)
            feeder.start()
            seconds = []
            total = 0
            while total < ROWS_A_SECOND * SECONDS and len(seconds) < SECONDS_MAX:
                page.wait_for_timeout(1_000)
                seconds.append(page.locator("#figure-rows").inner_text())
                total = int(page.locator("#figure-total").inner_text().replace(",", ""))
            frames = page.evaluate("window.frames.slice(1)")
            lines = page.locator(".grid-body .grid-row").count()
            ended.set()
            feeder.join()
    lengths = [length for _, length in frames]
    begun = frames[0][0]
    by_second = [0] * (int((frames[-1][0] - begun) / 1_000) + 1)
    for now, _ in frames:
        by_second[int((now - begun) / 1_000)] += 1
    dropped = sum(max(round(length / FRAME_MS) - 1, 0) for length in lengths)
    print(
        f"\nrows {total:,} in {len(seconds)} s, shown a second {', '.join(seconds)}"
        f"\nframes a second p50 {statistics.median(by_second[:-1]):.0f}"
        f", frame p99 {sorted(lengths)[int(len(lengths) * 0.99)]:.0f} ms"
        f", longest {max(lengths):.0f} ms, dropped {dropped} of {dropped + len(lengths)}"
        f", rows in the page {lines}"
    )

    assert total >= ROWS_A_SECOND * SECONDS
    assert statistics.median(by_second[:-1]) >= FRAMES_A_SECOND_MIN
    assert lines < 80
    assert errors == []
