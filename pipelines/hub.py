"""Where models come from: a folder here, Hugging Face (or its mirror), or ModelScope.

    ./my-model                  a folder
    owner/name                  Hugging Face, from HF_ENDPOINT if that is set
    modelscope:owner/name       ModelScope

What was downloaded once is used where there is no network.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Sequence
from pathlib import Path

from vits.errors import UserError

MODELSCOPE = "modelscope:"
_ID = re.compile(r"\w[\w.-]*/\w[\w.-]*")
SAFE_FILES = ("*.json", "*.txt", "*.model", "*.jinja", "*.safetensors", "*.tiktoken")


def is_id(name: str) -> bool:
    """Whether `name` has the form of a hub's `owner/name`."""
    return bool(_ID.fullmatch(name.removeprefix(MODELSCOPE)))


def find_model(name: str, *, files: Sequence[str] = SAFE_FILES) -> Path:
    """The folder of the model `name`, downloaded if it is an id that is not here yet.

    `files` are the patterns of what to download. UserError for what is neither folder nor id,
    and where a download fails.
    """
    folder = Path(name).expanduser()
    if folder.is_dir():
        return folder.resolve()
    if folder.is_file():
        raise UserError(f"{name} is a file, not a model's folder.", "Name the folder it is in.")
    if not is_id(name):
        raise UserError(
            f"There is no folder {name}, and it is no id of a hub.",
            "Give a model's folder, owner/name of Hugging Face, or modelscope:owner/name.",
        )
    if name.startswith(MODELSCOPE):
        return _from_modelscope(name.removeprefix(MODELSCOPE), list(files))
    return _from_hugging_face(name, list(files))


def _from_hugging_face(name: str, files: list[str]) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError

    try:  # without the network it takes what it has
        return Path(snapshot_download(name, allow_patterns=files))
    except HfHubHTTPError as error:
        status = error.response.status_code if error.response is not None else None
        raise _no_model(name, "Hugging Face", status) from error
    except OSError as error:
        raise _no_network(name, os.environ.get("HF_ENDPOINT") or "Hugging Face") from error


def _from_modelscope(name: str, files: list[str]) -> Path:
    from modelscope_hub import HubApi, HubError
    from modelscope_hub.errors import NotExistError, NotFoundError

    hub = HubApi()
    try:
        return Path(hub.download_repo(name, "model", allow_patterns=files))
    except (NotExistError, NotFoundError) as error:
        raise _no_model(name, "ModelScope", 404) from error
    except (HubError, OSError) as error:
        with contextlib.suppress(HubError, OSError, ValueError):
            return Path(
                hub.download_repo(name, "model", allow_patterns=files, local_files_only=True)
            )
        raise _no_network(name, "ModelScope") from error


def _no_network(name: str, hub: str) -> UserError:
    return UserError(
        f"The model {name} is not on this machine, and {hub} does not answer.",
        "Check the network (HF_ENDPOINT names a mirror), try modelscope:owner/name, or download "
        "the model elsewhere and give its folder.",
    )


def _no_model(name: str, hub: str, status: int | None) -> UserError:
    if status in (401, 403):
        return UserError(
            f"{hub} does not let you have the model {name}.",
            "Accept its licence there and set HF_TOKEN, or check the name.",
        )
    reason = "" if status in (None, 404) else f" (status {status})"
    return UserError(f"{hub} has no model {name}{reason}.", "Check the name, owner/name.")
