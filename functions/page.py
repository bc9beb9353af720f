"""GET /api/page → the page: a shell, a style sheet and a script from this package, and no data.

They are open to everybody, as a browser sends no key for them; what they show comes from /api/v1, which is not.
"""

import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import azure.functions as func

from functions.answers import refused, tagged

bp = func.Blueprint()

_SITE = Path(__file__).parent / "site"
_KINDS = {".css": "text/css", ".js": "text/javascript"}
# Nothing from elsewhere, nothing inline, in nobody's frame.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_FOREVER = "public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class _File:
    body: bytes
    kind: str


@bp.function_name("page")
@bp.route(
    route="page/{file?}",
    methods=["GET"],
    auth_level=func.AuthLevel.ANONYMOUS,
    trigger_arg_name="request",
)
async def page(request: func.HttpRequest) -> func.HttpResponse:
    """The shell; or one of its files, by a name that changes with what is in it."""
    name = request.route_params.get("file") or ""
    file = _files().get(name)
    if file is None:
        return refused(404, "There is no such file; the page is at /api/page.")
    if name:
        return tagged(request, file.body, file.kind, _FOREVER)
    headers = {"Content-Security-Policy": _POLICY, "Cross-Origin-Opener-Policy": "same-origin"}
    return tagged(request, file.body, file.kind, "no-cache", headers)


@cache
def _files() -> dict[str, _File]:
    """File name → file; the shell's is `""`."""
    script = b"\n".join(path.read_bytes() for path in sorted(_SITE.glob("*.js")))
    sources = {"style.css": (_SITE / "style.css").read_bytes(), "app.js": script}
    shell = (_SITE / "shell.html").read_text(encoding="utf-8")
    files: dict[str, _File] = {}
    for source, body in sources.items():
        path = Path(source)
        name = f"{path.stem}-{hashlib.sha256(body).hexdigest()[:12]}{path.suffix}"
        files[name] = _File(body, _KINDS[path.suffix])
        shell = shell.replace("{{" + source + "}}", f"page/{name}")
    files[""] = _File(shell.encode(), "text/html")
    return files
