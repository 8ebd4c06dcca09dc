"""Backups of the market that runs, into its own folder."""

import shutil
from threading import BoundedSemaphore
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Request, status

from api.dependencies import RunningSandbox, only_known_parameters
from api.errors import Remedy, problems, refuse
from api.said import said
from api.sandbox_schemas import SnapshotName
from api.schemas import Wire
from ledger.domain.reasons import Reason
from nodes.backup.manifest import UNFINISHED, BackupError
from nodes.backup.writing import write_backup

router = APIRouter(
    prefix="/v1/sandbox/backups",
    tags=["sandbox"],
    dependencies=[Depends(only_known_parameters)],
    responses=problems(403, 409, 422, 429, 503, 507),
)

BACKUPS: Final = "backups"
_NAME_IN_USE: Final = Remedy(
    "Choose another name, or move that backup elsewhere.", "请另选名称，或将该备份移至别处。"
)


class NewBackup(Wire):
    """Back up the market as it is."""

    name: SnapshotName


class Backup(Wire):
    """A backup that was written."""

    name: SnapshotName
    folder: Annotated[
        str,
        said(
            "Where it is, on the machine that serves.",
            "备份所在目录（服务端）。",
            "/srv/novate/backups/tonight",
        ),
    ]
    block: Annotated[int, said("The last final block in it.", "所含最新最终区块。", 12)]
    state_hash: Annotated[
        str,
        said(
            "Of the market in it.",
            "所含市场状态的哈希值。",
            "0x107803af9da46995b0a1018c764abb342d962e97724b5e66c6df89d9aa9a4b3d",
        ),
    ]
    files: Annotated[int, said("How many files.", "文件数。", 42)]
    size_bytes: Annotated[int, said("Of its files.", "文件大小（字节）。", 4_194_304)]


def backup_turn_of(request: Request) -> BoundedSemaphore:
    """Whoever writes a backup has it."""
    turn = request.app.state.backup_turn
    assert isinstance(turn, BoundedSemaphore)
    return turn


@router.post(
    "",
    status_code=status.HTTP_201_CREATED,
    operation_id="backups.create",
    summary="Back up the market",
)
def create_backup(
    asked: NewBackup,
    sandbox: RunningSandbox,
    turn: Annotated[BoundedSemaphore, Depends(backup_turn_of)],
) -> Backup:
    """Writes a backup beside the market, in the folder `backups`; the market goes on meanwhile.

    It has all keys. `novate restore` verifies it and brings it back.
    """
    path = sandbox.consortium.path
    if path is None:
        raise refuse(Reason.UNAUTHORISED, "this market is in memory only")
    if not turn.acquire(blocking=False):
        raise refuse(Reason.BUSY, "another backup is being written")
    folder = path.absolute() / BACKUPS / asked.name
    try:
        if folder.exists():
            raise refuse(Reason.DUPLICATE, f"there is a backup {asked.name}", _NAME_IN_USE)
        for cut_off in folder.parent.glob(f"*{UNFINISHED}"):
            shutil.rmtree(cut_off)
        manifest = write_backup(sandbox, folder)
    except BackupError as error:
        raise refuse(Reason.UNAUTHORISED, str(error)) from error
    except OSError as error:
        raise refuse(Reason.STORAGE, str(error)) from error
    finally:
        turn.release()
    return Backup(
        name=asked.name,
        folder=str(folder),
        block=manifest.block,
        state_hash=manifest.state_hash,
        files=len(manifest.files),
        size_bytes=manifest.size_bytes,
    )
