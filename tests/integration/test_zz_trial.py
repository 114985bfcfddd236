"""Real footage through a real gateway and worker (YuNet)."""
import asyncio, os, sys, time, json, tempfile
from pathlib import Path
import pytest, aiohttp
from tests.helpers.gateway import TOKEN, running_gateway
from tests.helpers.tus import JobsClient
from tests.conftest import StartService
pytestmark = pytest.mark.integration
FOOTAGE=Path(os.environ["FOOTAGE_DIR"])
@pytest.mark.timeout(500)
async def test_trial(rabbitmq, tmp_path, start):
    start("worker", AMQP_URL=rabbitmq, WORKER_LANE="batch", NODE_ID="b", WORKER_BATCH_SHARE="0.5").ready(60)
    out=open('/tmp/jobs/trial.log','w')
    async with running_gateway(tmp_path, amqp_url=rabbitmq) as g, aiohttp.ClientSession(g.address, headers={"Authorization": f"Bearer {TOKEN}"}) as http:
        jobs=JobsClient(http); job=await jobs.create(name="footage", every=0.2)
        t=time.time()
        for n in ("one-by-one-person-detection.mp4","student.mkv","walk.mkv"):
            data=(FOOTAGE/n).read_bytes()
            await jobs.upload(job,n,data); print(n,len(data),round(time.time()-t,2),file=out,flush=True)
        await jobs.act(job,"complete")
        while True:
            j=await jobs.job(job); print(round(time.time()-t,1),{k:j[k] for k in ("state","note","items","ok","failed","rate","eta_seconds","frames","latency")},file=out,flush=True)
            if j["state"]=="done": break
            await asyncio.sleep(5)
        for item in await jobs.items(job):
            print(item,file=out)
            async with http.get(f"/api/jobs/{job}/timeline?item={item['number']}") as a: tl=await a.json(); print(json.dumps(tl)[:1500],file=out)
            for i,p in enumerate(tl["presences"][:2]):
                async with http.get(f"/api/jobs/{job}/items/{item['number']}/picture",params={"time":p["best_time"],"boxes":"true","width":640}) as a:
                    open(f"/tmp/jobs/shot-{item['number']}-{i}.jpg","wb").write(await a.read()); print(p["best_time"],a.headers.get("X-Picture-Time"),file=out)
