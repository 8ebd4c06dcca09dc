"""The result of a run, as a dictionary that is written as JSON, and how it is said in few lines."""

from typing import Any, TypeAlias

Result: TypeAlias = dict[str, Any]


def print_summary(result: Result) -> None:
    """The result in a terminal."""
    figures, count = result["figures"], result["count"]
    rates = figures["rates"]
    lines = [
        "  ".join(f"{name} {rates[name]:g}/s" for name in ("offered", "accepted", "final")),
    ]
    for stage, values in figures["latency_ms"].items():
        told = "  ".join(
            f"{name} {value:.0f} ms" for name, value in values.items() if value is not None
        )
        lines.append(f"  {stage:<10} {told}")
    if figures["sustained_rate"] is not None:
        lines.append(f"highest sustained rate {figures['sustained_rate']:g}/s")
    busy = result.get("busy", {})
    lines += [
        f"{name} used {value['mean']} % of a core on average, {value['max']} % at most"
        for name, value in busy.items()
    ]
    for kind, told in result["messages"].items():
        lines.append(
            f"{kind}: {told['sent']} messages, {told['right']} answered as they must be,"
            f" {told['shed']} sent away"
        )
    lines += [f"error {name}: {number}" for name, number in sorted(result["errors"].items())]
    lines += [
        f"threshold {each['name']}: {each['found']} {'meets' if each['is_met'] else 'MISSES'}"
        f" {each['limit']:g}"
        for each in result.get("thresholds", [])
    ]
    lines.append(
        f"{'sound' if result['sound'] else 'NOT SOUND'}: submitted {count['submitted']}"
        f" = settled {count['settled']} + refused {count['refused']} + pending {count['pending']}"
    )
    lines += [f"  {fault}" for fault in result["faults"]]
    print("\n".join(lines))  # noqa: T201 # what the command says
