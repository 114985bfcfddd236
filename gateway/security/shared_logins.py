"""What several gateways share of signing in, through Redis: one-time codes, sign-outs, and wrong guesses.

- A code is kept either here or in Redis, never in both: so it is used once, at whichever gateway. A gateway that cannot
  reach Redis keeps its new codes itself. Each is signed by the main token: who writes to Redis makes no link.
- Sign-outs are a stream that every gateway reads once a second and keeps in its own file as well. When Redis has lost
  it, or was away, each gateway puts back what it knows: what was signed out once stays so.
- Wrong guesses are a second, short stream. So an address has its ten at all gateways together, and at most ten at each
  within the second that it takes them to hear of it.
"""

import asyncio
import hashlib
import hmac
import secrets
import time
from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from gateway.errors import SharedUnavailable
from gateway.security.codes import CODE_SECONDS, Grant
from gateway.security.sign_outs import KEPT_SECONDS, MAX_SIGN_OUTS, SignOutLine, read_lines, written
from runtime.logs import get_logger
from runtime.redis import FAILURES, asynchronous, sentence

log = get_logger("gateway")

PREFIX = "framefleet:{logins}"
SIGN_OUTS, GUESSES = f"{PREFIX}:signed-out", f"{PREFIX}:guesses"
GENERATION = f"{PREFIX}:generation"
"""A random word that is there for as long as Redis has kept the sign-outs."""
LOOK_SECONDS = 1.0
ANSWER_SECONDS = 1.0
CODE_WAIT_SECONDS = 2.0
GUESS_SECONDS = 60
AT_ONCE = 1_000
BEGIN = "0-0"

_grant = msgspec.json.Decoder(Grant)


class SharedLogins:
    """Belongs to an event loop. `signed_out` and `guessed` are told of what other gateways say.

    key: From the main token, which all gateways that share have.
    known: All sign-outs that this gateway knows.
    """

    def __init__(
        self,
        url: str,
        key: bytes,
        *,
        known: Callable[[], Iterable[SignOutLine]],
        signed_out: Callable[[list[SignOutLine]], None],
        guessed: Callable[[str, str, float], None],
    ) -> None:
        self.trouble = "Redis has not been asked yet"
        self._url = url
        self._key = key
        self._known = known
        self._signed_out = signed_out
        self._guessed = guessed
        self._client = asynchronous(url, seconds=ANSWER_SECONDS)
        self._name = secrets.token_hex(8)
        self._generation: bytes = b""
        self._heard = {SIGN_OUTS: BEGIN, GUESSES: BEGIN}
        self._to_tell: list[SignOutLine] = []
        self._to_warn: list[tuple[float, str, str]] = []
        self._handing_over: dict[str, asyncio.Task[bool]] = {}
        self._doubtful: set[str] = set()

    # --- codes -------------------------------------------------------------------------------------------

    def keep(self, code: str, grant: Grant, forget: Callable[[str], None]) -> None:
        """Begin to hand a code over; `forget` is called when Redis has it."""
        task = asyncio.get_running_loop().create_task(self._hand_over(code, grant, forget))
        self._handing_over[code] = task
        task.add_done_callback(lambda _: self._handing_over.pop(code, None))

    async def settled(self, code: str) -> None:
        """Wait until it is clear who keeps a code, two seconds at most."""
        task = self._handing_over.get(code)
        if task is not None:
            await asyncio.wait([task], timeout=CODE_WAIT_SECONDS)

    async def take(self, code: str) -> Grant | None:
        """What a code grants that Redis keeps; it is used up by this. Raises SharedUnavailable."""
        name = self._code_name(code)
        try:
            async with asyncio.timeout(CODE_WAIT_SECONDS):
                value = await self._client.execute_command("GETDEL", name)
        except (*FAILURES, TimeoutError) as error:
            raise SharedUnavailable(sentence(error, self._url)) from error
        if not isinstance(value, bytes):
            return None
        body, _, signature = value.rpartition(b" ")
        if not hmac.compare_digest(signature, self._sign(name, body)):
            return None
        try:
            return _grant.decode(body)
        except msgspec.MsgspecError:
            return None

    # --- what others are told ----------------------------------------------------------------------------

    def tell(self, line: SignOutLine) -> None:
        """Tell the others of a sign-out, within a second or when Redis is there again."""
        self._to_tell.append(line)
        if len(self._to_tell) > AT_ONCE:
            self._generation = b""  # they get all that is known
            self._to_tell.clear()

    def warn(self, network: str, secret: str) -> None:
        """Tell the others that somebody at this address was wrong."""
        # Keyed: whoever reads Redis cannot try what the secret may have been.
        text = hmac.digest(self._key, b"guess " + secret.encode("utf-8", "surrogatepass"), "sha256")
        self._to_warn.append((time.monotonic(), network, text.hex()[:16]))
        del self._to_warn[:-AT_ONCE]

    # --- the exchange ------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Exchange once a second, until it is cancelled."""
        while True:
            await self.exchange()
            await asyncio.sleep(LOOK_SECONDS)

    async def close(self) -> None:
        """Tell what is left, and close the connections."""
        for task in list(self._handing_over.values()):
            task.cancel()
        if self._to_tell and not self.trouble:
            await self.exchange()
        await self._client.aclose()

    async def exchange(self) -> None:
        """Tell what is to be told, and hear what the others say."""
        try:
            async with asyncio.timeout(3 * ANSWER_SECONDS):
                await self._exchange()
        except (*FAILURES, TimeoutError, ValueError) as error:
            said = sentence(error, self._url)
            if said != self.trouble:
                log.warning(
                    "sign-outs, links and login limits are this gateway's alone while Redis is away",
                    error=said,
                )
            self.trouble = said
            self._generation = b""
            return
        except Exception:
            log.exception("what Redis says of sign-outs cannot be used")
            self.trouble = f"{PREFIX} has values that are not ours: give us a database of our own"
            return
        if self.trouble and self._generation:
            log.info("sign-outs, links and login limits are shared through Redis")
        self.trouble = ""

    async def _exchange(self) -> None:
        telling, warning = list(self._to_tell), list(self._to_warn)
        doubtful = list(self._doubtful)
        async with self._client.pipeline(transaction=False) as pipeline:
            pipeline.get(GENERATION)
            for line in telling:
                _append(pipeline, line)
            for when, network, text in warning:
                if time.monotonic() - when < GUESS_SECONDS:
                    fields: dict[Any, Any] = {"by": self._name, "network": network, "guess": text}
                    pipeline.xadd(GUESSES, fields, maxlen=2 * AT_ONCE, approximate=True)
                    pipeline.expire(GUESSES, 2 * GUESS_SECONDS)
            for name in doubtful:
                pipeline.delete(name)
            pipeline.xread(dict[Any, Any](self._heard), count=AT_ONCE)
            answers = await pipeline.execute()
        del self._to_tell[: len(telling)], self._to_warn[: len(warning)]
        self._doubtful.difference_update(doubtful)
        if not answers[0] or answers[0] != self._generation:
            await self._begin_anew()
        else:
            self._hear(answers[-1])

    async def _begin_anew(self) -> None:
        """Read all sign-outs, and add those that Redis does not have: it is new to us, or has lost them."""
        self._heard = {SIGN_OUTS: BEGIN, GUESSES: f"{int((time.time() - GUESS_SECONDS) * 1000)}-0"}
        there: set[SignOutLine] = set()
        while answer := await self._client.xread({SIGN_OUTS: self._heard[SIGN_OUTS]}, count=AT_ONCE):
            there.update(self._hear(answer))
        missing = [line for line in self._known() if line not in there]
        for begin in range(0, len(missing), AT_ONCE):
            async with self._client.pipeline(transaction=False) as pipeline:
                for line in missing[begin : begin + AT_ONCE]:
                    _append(pipeline, line)
                await pipeline.execute()
        await self._client.set(GENERATION, secrets.token_bytes(16), nx=True, ex=int(KEPT_SECONDS) - 3_600)
        generation: Any = await self._client.get(GENERATION)
        self._generation = generation or b""

    def _hear(self, answer: Any) -> list[SignOutLine]:
        """Take what others have said; returns the sign-outs among it."""
        lines: list[SignOutLine] = []
        for name, entries in answer or ():
            stream = name.decode()
            for identifier, fields in entries:
                self._heard[stream] = identifier.decode()
                if stream == SIGN_OUTS:
                    lines.extend(read_lines(fields.get(b"line", b"")))
                elif fields.get(b"by") != self._name.encode():
                    network = fields.get(b"network", b"")[:64].decode("utf-8", "replace")
                    self._guessed(network, fields.get(b"guess", b"")[:64].hex(), time.time())
        oldest = time.time() - KEPT_SECONDS
        self._signed_out([line for line in lines if line[0] >= oldest])
        return lines

    # --- inside ------------------------------------------------------------------------------------------

    async def _hand_over(self, code: str, grant: Grant, forget: Callable[[str], None]) -> bool:
        name = self._code_name(code)
        body = msgspec.json.encode(grant)
        try:
            async with asyncio.timeout(CODE_WAIT_SECONDS):
                await self._client.set(name, body + b" " + self._sign(name, body), ex=int(CODE_SECONDS))
        except (*FAILURES, TimeoutError):
            self._doubtful.add(name)  # it may have come all the same: it is ours, and goes from there
            return False
        forget(code)
        return True

    def _code_name(self, code: str) -> str:
        return f"{PREFIX}:code:{hashlib.sha256(code.encode('utf-8', 'surrogatepass')).hexdigest()}"

    def _sign(self, name: str, body: bytes) -> bytes:
        return hmac.digest(self._key, name.encode() + b" " + body, "sha256").hex().encode()


def _append(pipeline: Any, line: SignOutLine) -> None:
    pipeline.xadd(SIGN_OUTS, {"line": written(line)}, maxlen=2 * MAX_SIGN_OUTS, approximate=True)
    pipeline.expire(SIGN_OUTS, int(KEPT_SECONDS))
