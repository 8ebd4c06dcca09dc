"""The way in: what there is under /v1, and which version serves it."""

from importlib.metadata import version
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Request

from api.dependencies import only_known_parameters
from api.errors import problems
from api.policies import CALLERS
from api.said import said
from api.schemas import Wire

router = APIRouter(
    tags=["index"], dependencies=[Depends(only_known_parameters)], responses=problems(422)
)

API_VERSION: Final = "v1"


class Version(Wire):
    """Which version serves the interface."""

    version: Annotated[str, said("Of novate.", "novate 的版本。", "0.1.0")]
    api: Annotated[str, said("Of the interface.", "接口版本。", "v1")]


class Resource(Wire):
    """Something that is served under /v1."""

    path: Annotated[str, said("Its path, or the form of it.", "路径或路径格式。", "/v1/trades")]
    methods: Annotated[
        list[str], said("What may be done with it.", "可用的方法。", ["GET", "POST"])
    ]


class Index(Version):
    """What is served under /v1."""

    description: Annotated[
        str, said("Where all of it is described.", "接口描述文件。", "/openapi.json")
    ]
    resources: Annotated[
        list[Resource],
        said(
            "Everything, by path.", "全部资源，按路径排列。", [{"path": "/v1", "methods": ["GET"]}]
        ),
    ]


@router.get("/v1", operation_id="index.read", summary="What is there?")
def read_index(request: Request) -> Index:
    """Every resource of the interface, with its methods."""
    methods: dict[str, list[str]] = {}
    for name in CALLERS:
        method, _, path = name.partition(" ")
        if path.startswith("/v1"):
            methods.setdefault(path, []).append(method)
    return Index(
        version=request.app.version,
        api=API_VERSION,
        description="/openapi.json",
        resources=[Resource(path=path, methods=sorted(methods[path])) for path in sorted(methods)],
    )


@router.get("/version", operation_id="version.read", summary="Which version?")
def read_version() -> Version:
    """The version of novate and of its interface."""
    return Version(version=version("novate"), api=API_VERSION)
