"""The sandbox as an ASGI application: the routes of the API, and two extra ones.

POST /v2/videos              create a job: checked, billed, rendered
GET  /v2/videos/{id}         retrieve it
GET  /shrt/{token}           redirects to the file, until the link expires
GET  /files/{token}/{name}   the file
POST /v1/chat/completions    prompts
GET  /v1/billing/usage       the bill as the service gives it, by hour or day
GET  /v1/models              models on offer     GET /v2/supported-models  their status
GET  /sandbox/bill           what was sold       POST /sandbox/faults  set what goes wrong
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import replace

from pydantic import TypeAdapter, ValidationError
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from together_video.sandbox.answers import job_json, progress_json
from together_video.sandbox.billing import ORGANIZATION, PROJECT, usage_json
from together_video.sandbox.chat.completions import complete, conversation_text
from together_video.sandbox.checks import check_create, read_body
from together_video.sandbox.config import SandboxConfig
from together_video.sandbox.faults import (
    ALLOWED,
    IN_COMPLETION,
    LASTING,
    ON_COMPLETED,
    Call,
    FaultPlan,
    FaultRule,
)
from together_video.sandbox.jobs import Job, JobStore
from together_video.sandbox.model_lists import models_json, supported_json
from together_video.sandbox.model_rules import fate_of, seconds_of
from together_video.sandbox.refusal import Refusal
from together_video.sandbox.rendering.clip import Clip, clip_of
from together_video.sandbox.rendering.inputs import MediaProblem, has_media, with_inputs
from together_video.sandbox.rendering.render import Renderer
from together_video.sandbox.request_ids import RequestIds
from together_video.sandbox.video_links import Links
from together_video.sandbox.wire import Sleep, error_response, spoil

_log = logging.getLogger(__name__)
_RULES = TypeAdapter(tuple[FaultRule, ...])
#: How long a retrieve waits for a file that is due but still being rendered, in seconds.
_RENDER_GRACE = 1.0
#: How many jobs' media are kept in memory. Media of older jobs would be fetched again.
_KEPT_READY = 64


def create_app(
    config: SandboxConfig, *, clock: Callable[[], float] = time.time, sleep: Sleep = asyncio.sleep
) -> Starlette:
    """The application. `clock` gives unix seconds. Only slow answers use `sleep`.

    Raises:
        ConfigurationError: the journal's folder cannot be used.
    """
    sandbox = _Sandbox(config, clock, sleep)

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        await asyncio.to_thread(sandbox.renderer.close)

    return Starlette(
        routes=[
            Route("/", sandbox.welcome),
            *sandbox.api(),
            Route("/shrt/{token}", sandbox.follow),
            Route("/files/{token}/{name}", sandbox.download),
            Route("/sandbox/bill", sandbox.show_bill),
            Route("/sandbox/faults", sandbox.set_faults, methods=["POST"]),
        ],
        middleware=[Middleware(RequestIds)],
        exception_handlers={Refusal: _refuse, 404: _no_route, 405: _no_route, Exception: _own_fault},
        lifespan=lifespan,
    )


class _Sandbox:
    def __init__(self, config: SandboxConfig, clock: Callable[[], float], sleep: Sleep) -> None:
        self.config = config
        self.clock = clock
        self.sleep = sleep
        self.jobs = JobStore(config)
        self.links = Links(config.link_seconds)
        self.faults = FaultPlan(config.faults, seed=config.seed)
        self.renderer = Renderer(config.render_workers)
        self.counts: Counter[str] = Counter()
        self._prepared: dict[str, asyncio.Future[Clip | None]] = {}

    def api(self) -> list[Route]:
        """The routes that the real service has too.

        The official clients append their paths, with or without a version, to a base URL that ends in nothing, in /v1
        or in /v2. So each path works in all of these places.
        """
        calls = {
            "/videos": (self.create, "POST"),
            "/videos/{job_id}": (self.retrieve, "GET"),
            "/chat/completions": (self.chat, "POST"),
            "/models": (self.list_models, "GET"),
            "/supported-models": (self.list_supported, "GET"),
            "/whoami": (self.whoami, "GET"),
            "/billing/usage": (self.usage, "GET"),
        }
        bases = ("", "/v1", "/v2")
        places = {
            base + version + path: call for path, call in calls.items() for base in bases for version in bases
        }
        # The documentation says v1 for whoami, the Python SDK calls v3.
        places |= {f"{base}/v3/whoami": calls["/whoami"] for base in bases}
        return [Route(place, endpoint, methods=[method]) for place, (endpoint, method) in places.items()]

    async def welcome(self, request: Request) -> Response:
        return JSONResponse(
            {
                "name": "together-video sandbox",
                "what": "A stand-in for the Together video API. It renders placeholder clips and costs nothing.",
                "use": f"TOGETHER_BASE_URL={_base(request)} TOGETHER_API_KEY=anything",
                "bill": f"{_base(request)}/sandbox/bill",
            }
        )

    async def whoami(self, request: Request) -> Response:
        key_id = self._authorize(request)
        return JSONResponse(
            {
                "type": "project_api_key",
                "api_key": {"id": key_id},
                "project": {"id": PROJECT, "name": "Sandbox", "slug": "sandbox"},
                "organization": {"id": ORGANIZATION, "name": "Sandbox"},
                # As Python SDK 2 reads it.
                "api_key_id": key_id,
                "organization_id": ORGANIZATION,
                "organization_name": "Sandbox",
                "project_id": PROJECT,
                "project_name": "Sandbox",
                "project_slug": "sandbox",
            }
        )

    async def usage(self, request: Request) -> Response:
        self._authorize(request)
        asked = dict(request.query_params)
        return JSONResponse(usage_json(self.jobs, self.config, asked, now=self.clock()))

    async def list_models(self, request: Request) -> Response:
        self._authorize(request)
        self.counts["model_lists"] += 1
        return JSONResponse(models_json(self.config))

    async def list_supported(self, request: Request) -> Response:
        self._authorize(request)
        return JSONResponse(supported_json(self.config))

    async def create(self, request: Request) -> Response:
        self.counts["posts"] += 1
        key_id = self._authorize(request)
        body = read_body(await request.body())
        check_create(body, self.config)
        prompt = body.get("prompt") or ""
        fault = self.faults.draw("create", prompt=prompt, kinds=ALLOWED["create"] - LASTING)
        if fault is not None and not fault.makes_the_job:
            return await spoil(fault, JSONResponse({}), sleep=self.sleep)
        fate = fate_of(body) if self.config.model_rules else None
        fate = fate or self.faults.draw("create", prompt=prompt, kinds=LASTING)
        job = self.jobs.accept(body, now=self.clock(), fate=fate, key_id=key_id)
        if not job.never_completes:
            self._prepare(job)
        answer = JSONResponse(
            job_json(
                job,
                state="queued",
                generation=self.config.generation,
                url=None,
                finished_at=None,
                seconds=seconds_of(job.body, self.config),
            )
        )
        return await spoil(fault, answer, sleep=self.sleep) if fault else answer

    async def retrieve(self, request: Request) -> Response:
        self.counts["retrieves"] += 1
        self._authorize(request)
        job = self.jobs.get(request.path_params["job_id"])
        if job is None:
            raise Refusal(404, "No video with this id", "id", "not_found")
        state = job.state(self.clock())
        if state == "completed" and not await self._is_rendered(job):
            # Its media may have made it fail.
            job = self.jobs.get(job.id) or job
            state = job.state(self.clock(), rendered=False)
        kinds = ALLOWED["retrieve"] if state == "completed" else ALLOWED["retrieve"] - ON_COMPLETED
        fault = self.faults.draw("retrieve", prompt=job.prompt, kinds=kinds, job_id=job.id)
        answer = JSONResponse(self._job_json(request, job, state, fault))
        if fault is None or fault.kind in ON_COMPLETED | {"unknown_status", "renamed_status"}:
            return answer
        return await spoil(fault, answer, sleep=self.sleep)

    def _job_json(self, request: Request, job: Job, state: str, fault: FaultRule | None) -> dict[str, object]:
        kinds = {rule.kind for rule in (fault, job.fate) if rule is not None}
        ended = self.clock() >= job.due_at and state not in ("queued", "in_progress") and "stuck" not in kinds
        url = None
        if state == "completed" and not {"no_url", "unknown_status"} & kinds:
            url = f"{_base(request)}/shrt/{self.links.give(job.id, self.clock()).token}"
        if fault is not None and fault.kind == "unknown_status":
            state, ended = fault.state or "paused", False
        if fault is not None and fault.kind == "renamed_status":
            state = fault.state or "succeeded"
        answer = job_json(
            job,
            state=state,
            generation=self.config.generation,
            url=url,
            finished_at=job.due_at if ended else None,
            seconds=seconds_of(job.body, self.config),
            with_cost="no_cost" not in kinds,
        )
        if self.config.tells and not ended:
            ahead = (other for other in self.jobs if other.created_at < job.created_at)
            answer |= progress_json(job, ahead, self.config, self.clock())
        return answer

    async def follow(self, request: Request) -> Response:
        self._note_key(request)
        job, expired = self._linked(request)
        name = f"{job.id}.{self._clip(job).container.lower()}"
        target = RedirectResponse(f"{_base(request)}/files/{request.path_params['token']}/{name}", 302)
        return expired or await self._or_spoiled("link", job, target)

    async def download(self, request: Request) -> Response:
        self.counts["downloads"] += 1
        self._note_key(request)
        job, expired = self._linked(request)
        if expired is not None:
            return expired
        clip = await asyncio.shield(self._prepare(job))
        if clip is None:
            return error_response(404, "This job has no file", code="not_found")
        # Shielded: a caller who disconnects must not cancel what others wait for.
        content = await asyncio.shield(self.renderer.start(clip))
        return await self._or_spoiled("download", job, Response(content, media_type=clip.media_type))

    async def chat(self, request: Request) -> Response:
        self.counts["chats"] += 1
        self._authorize(request)
        body = read_body(await request.body())
        fault = self.faults.draw("chat", prompt=conversation_text(body))
        said = fault if fault is not None and fault.kind in IN_COMPLETION else None
        answer = JSONResponse(complete(body, self.config, now=self.clock(), fault=said))
        if self.config.chat_seconds:
            await self.sleep(self.config.chat_seconds)
        return answer if fault is None or fault is said else await spoil(fault, answer, sleep=self.sleep)

    async def show_bill(self, request: Request) -> Response:
        counts = {
            name: self.counts[name] for name in ("posts", "retrieves", "downloads", "chats", "model_lists")
        }
        leaked = {"keys_sent_to_links": self.counts["keys_sent_to_links"]}
        return JSONResponse({**self.jobs.bill(self.clock()), **counts, **leaked})

    async def set_faults(self, request: Request) -> Response:
        try:
            rules = _RULES.validate_json(await request.body())
        except ValidationError as ex:
            first = ex.errors()[0]
            where = ".".join(str(part) for part in first["loc"])
            raise Refusal(422, f"{where}: {first['msg']}", where, "invalid_value") from None
        self.faults.replace(rules)
        return JSONResponse({"faults": len(rules)})

    async def _or_spoiled(self, call: Call, job: Job, good: Response) -> Response:
        fault = self.faults.draw(call, prompt=job.prompt, job_id=job.id)
        return good if fault is None else await spoil(fault, good, sleep=self.sleep)

    def _prepare(self, job: Job) -> asyncio.Future[Clip | None]:
        """Fetch the job's media and start rendering, or join a running render. None: its media made it fail."""
        preparing = self._prepared.get(job.id)
        if preparing is None:
            preparing = self._prepared[job.id] = asyncio.ensure_future(self._with_media(job))
            for other in [known for known, made in self._prepared.items() if made.done()][:-_KEPT_READY]:
                del self._prepared[other]
        return preparing

    async def _with_media(self, job: Job) -> Clip | None:
        clip = self._clip(job)
        if self.config.fetch_media and has_media(job.body):
            try:
                clip = await with_inputs(clip, job.body, self.config)
            except MediaProblem as problem:
                self.jobs.fail(job, code=problem.code, message=str(problem))
                return None
        self.renderer.start(clip)
        return clip

    async def _is_rendered(self, job: Job) -> bool:
        preparing = self._prepare(job)
        done, _ = await asyncio.wait([preparing], timeout=_RENDER_GRACE)
        clip = preparing.result() if done else None
        return clip is not None and await self.renderer.wait(clip, _RENDER_GRACE)

    def _clip(self, job: Job) -> Clip:
        seconds = seconds_of(job.body, self.config)
        clip = clip_of(job.body, seconds=seconds, fate=job.fate, drawn=self.config.drawn_scenes)
        if self.config.scale < 1:
            clip = clip.scaled(self.config.scale)
        return (
            replace(clip, prompt="(one picture)", seed=0, settings="", drawn=False)
            if self.config.one_picture
            else clip
        )

    def _linked(self, request: Request) -> tuple[Job, Response | None]:
        """The job behind a link, and the answer to give if the link has expired."""
        link = self.links.find(request.path_params["token"])
        job = self.jobs.get(link.job_id) if link else None
        if link is None or job is None:
            raise Refusal(404, "No such link", "token", "not_found")
        if self.clock() >= link.expires_at:
            return job, error_response(403, "This link has expired", code="link_expired")
        return job, None

    def _authorize(self, request: Request) -> str:
        """The id of the caller's key.

        Raises:
            Refusal: 401, the key is not accepted.
        """
        scheme, _, key = request.headers.get("authorization", "").partition(" ")
        known = not self.config.api_keys or key.strip() in self.config.api_keys
        if scheme.lower() != "bearer" or not key.strip() or not known:
            raise Refusal(401, "Invalid API key provided", None, "invalid_api_key")
        return f"key_{hashlib.sha256(key.strip().encode()).hexdigest()[:16]}"

    def _note_key(self, request: Request) -> None:
        """Links lead to a store that must never see the key, so callers who send it are counted."""
        self.counts["keys_sent_to_links"] += "authorization" in request.headers


def _base(request: Request) -> str:
    return str(request.base_url).rstrip("/")


async def _refuse(_: Request, refusal: Exception) -> Response:
    if not isinstance(refusal, Refusal):
        raise refusal
    return error_response(refusal.status, refusal.message, param=refusal.param, code=refusal.code)


async def _no_route(request: Request, error: Exception) -> Response:
    status = getattr(error, "status_code", 404)
    return error_response(status, f"There is no {request.method} {request.url.path}", code="not_found")


async def _own_fault(request: Request, error: Exception) -> Response:
    _log.error("the sandbox failed at %s %s", request.method, request.url.path, exc_info=error)
    return error_response(500, "The sandbox itself failed. See its log.", kind="server_error")
