"""The verdict in a sentence."""

from typing import Any

from loadtests.report.words import Words
from loadtests.thresholds import MISSED, SOUND


def verdict_words(result: dict[str, Any]) -> Words:
    """What the run says, for who reads one sentence only."""
    count, figures = result["count"], result["figures"]
    if not result["sound"]:
        faults = "; ".join(result["faults"])
        return Words(f"Void: {faults}.", f"作废：{faults}。")
    if "overload" in result:
        return _of_overload(result["overload"], count)
    final = figures["latency_ms"]["final"]
    p99 = "–" if final["p99"] is None else f"{final['p99']:,.0f}"
    rate = f"{figures['rates']['final']:,g}"
    english = (
        f"{count['settled']:,} trades settled at {rate} a second, 99 % of them final within"
        f" {p99} ms; every one is accounted for, and all books agree."
    )
    chinese = (
        f"{count['settled']:,} 笔成交以每秒 {rate} 笔交收，99 % 在 {p99} 毫秒内取得最终性；"
        "逐笔可核，账簿一致。"
    )
    if figures["sustained_rate"] is not None:
        sustained = f"{figures['sustained_rate']:,g}"
        english = (
            f"Sustained up to {sustained} trades a second: 99 % of them final within 2 s."
            f" {count['settled']:,} settled in all; every one is accounted for, all books agree."
        )
        chinese = (
            f"可持续至每秒 {sustained} 笔：99 % 在 2 秒内取得最终性。"
            f"共交收 {count['settled']:,} 笔；逐笔可核，账簿一致。"
        )
    if result["status"] == MISSED:
        missed = ", ".join(each["name"] for each in result["thresholds"] if not each["is_met"])
        return Words(f"Missed: {missed}. {english}", f"未达标：{missed}。{chinese}")
    assert result["status"] == SOUND, "sound and within its thresholds"
    return Words(english, chinese)


def _of_overload(said: dict[str, Any], count: dict[str, Any]) -> Words:
    rates = f"{said['offered']:,g}", f"{said['accepted']:,g}", f"{said['sustainable']:,g}"
    recovery = said["recovery_seconds"]
    took = "30+" if recovery is None else f"{recovery:g}"
    begin, begin_zh = ("", "") if said["is_met"] else ("Missed. ", "未达标。")
    return Words(
        f"{begin}Offered {rates[0]} a second where {rates[2]} are sustainable, it took {rates[1]};"
        f" {count['refused']:,} were told to come again, none was lost,"
        f" and it was as fast as before {took} s after.",
        f"{begin_zh}可持续速率为每秒 {rates[2]} 笔，施加每秒 {rates[0]} 笔时受理 {rates[1]} 笔；"
        f"{count['refused']:,} 笔被要求稍后重发，无丢失，结束 {took} 秒后恢复如前。",
    )
