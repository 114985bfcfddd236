"""The supervisor: a part that dies is started again, after a pause that grows; all end in the order asked for."""

import asyncio
import time
from collections.abc import Callable, Sequence

from broker.backoff import compute_backoff
from cli.errors import SettingsRefused, StartFailed
from cli.part import Exit, Part
from cli.survivors import Register

LONG_ENOUGH_SECONDS = 30.0  # a part that ran this long starts again at once: its failure is a new one
USAGE_ERROR = 2  # how our services say that their settings are wrong: trying again cannot help


class Supervisor:
    """Keeps parts running. `say` tells the operator; `register` remembers pids for the time after a kill -9."""

    def __init__(self, register: Register, say: Callable[[str], None]) -> None:
        self._register = register
        self._say = say
        self._keepers: dict[str, tuple[Part, asyncio.Task[None]]] = {}
        self._parts: list[Part] = []
        self._stopping = False
        self.refused: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def start(self, part: Part, finished: Callable[[], None] = lambda: None) -> None:
        """Start `part` and keep it running from now on; `finished` hears that it has nothing more to do.

        Raises StartFailed if it cannot be started at all.
        """
        self._parts.append(part)
        await self._launch(part)
        self._keepers[part.name] = (part, asyncio.create_task(self._keep(part, finished), name=part.name))

    async def stop(self, names: Sequence[str]) -> None:
        """End the named parts side by side; those that never started are skipped."""
        self._stopping = True
        await asyncio.gather(*(self._stop(name) for name in names if name in self._keepers))

    async def end(self, names: Sequence[str]) -> None:
        """End the named parts for good, side by side, while the others go on."""
        await asyncio.gather(*(self._stop(name) for name in names if name in self._keepers))
        self._register.tidy()  # nobody is to wait for them to come back

    def kill(self) -> None:
        """End everything at once."""
        self._stopping = True
        for _, task in self._keepers.values():
            task.cancel()
        for part in self._parts:
            part.kill()

    async def _launch(self, part: Part) -> None:
        await part.start()
        for name, pid in part.pids.items():
            self._register.add(name, pid)

    async def _stop(self, name: str) -> None:
        part, task = self._keepers.pop(name)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await part.stop()
        self._parts.remove(part)

    async def _keep(self, part: Part, finished: Callable[[], None]) -> None:
        failures = 0
        while True:
            begin = time.monotonic()
            ended = await part.ended()
            if self._stopping:
                return
            if self._is_final(part, ended):
                self._register.tidy()
                finished()
                return
            if time.monotonic() - begin >= LONG_ENOUGH_SECONDS:
                failures = 0
            await self._start_again(part, str(ended), failures)
            failures += 1

    async def _start_again(self, part: Part, why: str, failures: int) -> None:
        while True:
            pause = compute_backoff(failures, base=0.5, cap=30.0)
            self._say(f"{part.name} ended ({why}); it is started again in {pause:.1f} s")
            await asyncio.sleep(pause)
            try:
                await self._launch(part)
            except StartFailed as error:
                why, failures = str(error), failures + 1
            else:
                return

    def _is_final(self, part: Part, ended: Exit) -> bool:
        """Return whether the part has nothing more to do, or cannot do it."""
        if part.name == "producer" and ended.code == 0:
            self._say("producer has sent all of its frames and ended")
            return True
        if ended.code == USAGE_ERROR and not self.refused.done():
            self.refused.set_exception(
                SettingsRefused(
                    "\n  ".join([f"{part.name} does not accept its settings:", *ended.last_lines])
                )
            )
            return True
        return False
