"""What Prometheus reads."""

from typing import Final

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4

from api.metrics.registry import metrics_of

router = APIRouter(tags=["health"])

_TEXT: Final = "text/plain"


@router.get(
    "/metrics",
    operation_id="metrics.read",
    summary="Metrics for Prometheus",
    response_class=Response,
    responses={200: {"content": {_TEXT: {"schema": {"type": "string"}}}}},
)
def read_metrics(request: Request) -> Response:
    """Counters, gauges and histograms in the text format; docs/operation.md has what they mean."""
    return Response(metrics_of(request.app).text(), media_type=CONTENT_TYPE_PLAIN_0_0_4)
