"""Servers that draw: the web UI's API (`/sdapi/v1`), and OpenAI's images.

A server that is not there, or does not let one in, is told at once (UserError); one that fails
now and then costs a picture (PictureFailed).
"""

from __future__ import annotations

import base64
import binascii
import http.client
import io
import json
import os
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Any

from PIL import Image

from pipelines.images.failure import PictureFailed
from pipelines.images.wish import CHUNK, Wish, parameters
from vits.errors import UserError

TIMEOUT_S = 600.0  # a picture without a GPU takes minutes


@dataclass(frozen=True)
class WebUI:
    """AUTOMATIC1111's web UI, started with `--api`. `model` and `vae` are names that it knows."""

    url: str
    model: str = ""
    vae: str = ""
    timeout_s: float = TIMEOUT_S

    name = "a1111"

    def usual(self, wish: Wish) -> Wish:
        return wish

    def facts(self, wish: Wish) -> dict[str, object]:
        return {"model": self.model, "vae": self.vae}

    def credits(self, wish: Wish) -> list[str]:
        return [self.model or "the web UI's model"]

    def draw(self, wish: Wish, before: Image.Image | None = None) -> Image.Image:
        """The picture as the web UI draws it, txt2img, or img2img of `before`."""
        body: dict[str, Any] = {
            "prompt": wish.prompt,
            "negative_prompt": wish.negative,
            "steps": wish.steps,
            "cfg_scale": wish.cfg,
            "sampler_name": wish.sampler,
            "seed": wish.seed,
            "width": wish.width,
            "height": wish.height,
        }
        if settings := self._overrides():
            body["override_settings"] = settings
        if before is not None:
            body |= {"init_images": [_encoded(before)], "denoising_strength": wish.strength}
        elif wish.hires > 1:
            body |= {
                "enable_hr": True,
                "hr_scale": wish.hires,
                "hr_second_pass_steps": wish.hires_steps,
                "hr_upscaler": "Latent",
                "denoising_strength": wish.strength,
            }
        route = "img2img" if before is not None else "txt2img"
        answer = _post(f"{self.url.rstrip('/')}/sdapi/v1/{route}", body, self.timeout_s)
        picture = _picture(answer.get("images"))
        picture.info[CHUNK] = _told(answer) or parameters(wish, Model=self.model)
        return picture

    def _overrides(self) -> dict[str, str]:
        settings = {"sd_model_checkpoint": self.model, "sd_vae": self.vae}
        return {name: value for name, value in settings.items() if value}


@dataclass(frozen=True)
class OpenAIImages:
    """An OpenAI-style `images/generations`. The key is in OPENAI_API_KEY, if one is needed."""

    model: str
    url: str = "https://api.openai.com/v1"
    timeout_s: float = TIMEOUT_S

    name = "openai"

    def usual(self, wish: Wish) -> Wish:
        return wish

    def facts(self, wish: Wish) -> dict[str, object]:
        return {"model": self.model}

    def credits(self, wish: Wish) -> list[str]:
        return [self.model]

    def draw(self, wish: Wish, before: Image.Image | None = None) -> Image.Image:
        """The picture; such servers know no seed, sampler or negative prompt."""
        avoid = f"\nAvoid: {wish.negative}" if wish.negative else ""
        body = {"model": self.model, "prompt": f"{wish.prompt}{avoid}", "n": 1}
        body["size"] = f"{wish.width}x{wish.height}"
        key = os.environ.get("OPENAI_API_KEY", "")
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        answer = _post(f"{self.url.rstrip('/')}/images/generations", body, self.timeout_s, headers)
        data = answer.get("data")
        entry = data[0] if isinstance(data, list) and data and isinstance(data[0], dict) else {}
        picture = _picture([entry.get("b64_json")])
        picture.info[CHUNK] = parameters(wish, Model=self.model)
        return picture


def _told(answer: dict[str, Any]) -> str:
    """The settings as the web UI tells them."""
    try:
        return str(json.loads(answer.get("info", ""))["infotexts"][0])
    except (ValueError, KeyError, IndexError, TypeError):
        return ""


def _picture(images: Any) -> Image.Image:
    try:
        text = str(images[0]).rpartition(",")[2]
        with Image.open(io.BytesIO(base64.b64decode(text, validate=True))) as opened:
            return opened.convert("RGB")
    except (OSError, TypeError, IndexError, KeyError, binascii.Error) as error:
        raise PictureFailed("the server's answer holds no picture") from error


def _encoded(image: Image.Image) -> str:
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return base64.b64encode(buffer.getvalue()).decode("ascii")


def _post(
    url: str, body: dict[str, Any], timeout_s: float, headers: dict[str, str] | None = None
) -> dict[str, Any]:
    if not url.startswith(("http://", "https://")):
        raise UserError(f"{url} is no address of a server.", "It begins with http:// or https://.")
    request = urllib.request.Request(
        url,
        json.dumps(body).encode(),
        {"Content-Type": "application/json", **(headers or {})},
    )
    try:
        with urllib.request.urlopen(request, timeout=timeout_s) as response:
            answer = json.loads(response.read())
    except urllib.error.HTTPError as error:
        if error.code in (401, 403, 404):
            raise _refused(url, error.code) from error
        raise PictureFailed(f"the server answered {error.code}") from error
    except TimeoutError as error:
        raise PictureFailed("the server did not answer in time") from error
    except urllib.error.URLError as error:
        if isinstance(error.reason, TimeoutError):
            raise PictureFailed("the server did not answer in time") from error
        raise UserError(
            f"There is no server at {url} ({error.reason}).",
            "Start it (the web UI with --api), or check the address.",
        ) from error
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise PictureFailed("the server's answer was cut off or is no JSON") from error
    if not isinstance(answer, dict):
        raise PictureFailed("the server's answer is not what it should be")
    return answer


def _refused(url: str, status: int) -> UserError:
    if status == 404:
        return UserError(
            f"The server has no {url}.", "Start the web UI with --api; check the path."
        )
    return UserError(
        f"The server at {url} does not let you in ({status}).", "Set OPENAI_API_KEY, or check it."
    )
